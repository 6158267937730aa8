"""Load a run's Keras model from layers in the manifest and weights in `model.keras`."""

from typing import TYPE_CHECKING

from clearcnn import bundle, models
from clearcnn.bundle import Bundle, LayerShapes

if TYPE_CHECKING:
    import keras

KERAS_FILE = "model.keras"


def load_keras_model(run: Bundle) -> "keras.Sequential":
    """Build a run's network from the manifest's layers, and load its weights.

    The configuration inside `model.keras` is never read, so no class or function that it names
    is loaded.

    Args:
      run: an opened run folder.
    Returns:
      A built `keras.Sequential`, not compiled.
    Raises:
      BundleError: `model.keras` does not have the weights of these layers.
      LayerError, SpecError: the layers are invalid, or exceed the size limits.
      BackendError: Keras runs on a backend other than JAX.
    """
    manifest = run.manifest
    shape, num_classes = manifest.input.shape, len(manifest.class_names)
    plans = models.plan_layers(manifest.model, shape, num_classes)
    layers = [LayerShapes(plan.kind, plan.weights) for plan in plans]
    content = run.read(KERAS_FILE, bundle.limit_network_bytes(layers))
    weights = bundle.read_network_weights(content, layers, run.folder / KERAS_FILE)
    network = models.build_model(manifest.model, shape, num_classes, seed=0)
    for layer, values in zip(network.layers, weights, strict=True):
        layer.set_weights(values)
    return network
