"""From a run folder back to the trained Keras model, whatever somebody put into its files."""

from typing import Any

from clearcnn import bundle, models
from clearcnn.bundle import Bundle, LayerShapes

NETWORK = "model.keras"


def load_keras_model(run: Bundle) -> Any:
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
    manifest = run.manifest
    shape, num_classes = manifest.input.shape, len(manifest.class_names)
    plans = models.plan_layers(manifest.model, shape, num_classes)
    layers = [LayerShapes(plan.kind, plan.weights) for plan in plans]
    content = run.read(NETWORK, bundle.limit_network_bytes(layers))
    weights = bundle.read_network_weights(content, layers, run.folder / NETWORK)
    network = models.build_model(manifest.model, shape, num_classes, seed=0)
    for layer, values in zip(network.layers, weights, strict=True):
        layer.set_weights(values)
    return network
