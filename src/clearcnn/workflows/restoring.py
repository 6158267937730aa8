"""From a run folder back to the trained Keras model, whatever somebody put into its files."""

from typing import Any

from clearcnn import bundle, models
from clearcnn.bundle import Bundle
from clearcnn.errors import BundleError


def restore_network(run: Bundle) -> Any:
    """Build the network anew from the manifest's layers, and read its weights only.

    The configuration inside `model.keras` is never looked at, so no class or function that it
    names is loaded.

    Args:
      run: a run folder that was read.
    Returns:
      A built `keras.Sequential`, not compiled.
    Raises:
      BundleError: `model.keras` is not what Keras writes for these layers.
      LayerError, SpecError: the layers cannot be, or are larger than any small image needs.
      BackendError: Keras runs on another backend than JAX.
    """
    manifest, path = run.manifest, run.path("model.keras")
    shape, num_classes = manifest.input.shape, len(manifest.class_names)
    summary = models.check_output(manifest.model, shape, num_classes)
    bundle.check_network_file(path, summary.parameters)
    network = models.build_model(manifest.model, shape, num_classes, seed=0)
    try:
        network.load_weights(path)
    except Exception as error:  # zipfile, HDF5 and Keras raise almost any kind.
        raise BundleError(
            f"{path} does not hold the weights of its layers.",
            remedy="Restore it from a copy, or train again.",
        ) from error
    return network
