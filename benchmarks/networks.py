"""Networks of the kind that people bring, as layers that every contender builds.

A layer is Keras's class name and its arguments; the last layer is a softmax of ten classes.
"""

from dataclasses import dataclass

from clearcnn.models import find_recipe, summarize_model
from clearcnn.models.recipe_inputs import PixelStatistics
from clearcnn.specs import LayerSpec, ModelSpec

Shape = tuple[int, int, int]

_CLASSES = 10
# Of the images that `workloads.make_images` generates, scaled to 0–1.
_PIXELS = PixelStatistics(mean=0.5, standard_deviation=0.25)


@dataclass(frozen=True)
class Network:
    """A network and the images it is trained on.

    Attributes:
      name: in the tables, without the size.
      shape: (height, width, channels) of an image.
      layers: from pixels to probabilities.
      samples, batch_size: of the training.
    """

    name: str
    shape: Shape
    layers: tuple[LayerSpec, ...]
    samples: int = 1_000
    batch_size: int = 125

    def __str__(self) -> str:
        return f"{self.name}, {'×'.join(map(str, self.shape))}"

    @property
    def operations(self) -> int:
        """Additions and multiplications of a training step, for one image.

        Only convolutions and Dense layers count. The backward pass takes twice as many as forward,
        less the gradient of the images, which is not needed.
        """
        rows = summarize_model(ModelSpec("network", self.layers), self.shape).layers
        products = [row.multiply_adds for row in rows if row.layer in ("Conv2D", "Dense")]
        return 2 * (3 * sum(products) - products[0])


def six_convolutions(activation: str) -> tuple[LayerSpec, ...]:
    """Three blocks of two convolutions of 16, 32 and 64 filters, with batch normalization."""
    layers = []
    for filters in (16, 32, 64):
        for _ in range(2):
            layers += [_convolve(filters, 3), _normalize(), _activate(activation)]
        layers.append(_pool())
    return (*layers, LayerSpec("Flatten"), _classify())


def network_in_network() -> tuple[LayerSpec, ...]:
    """Three blocks, each of a spatial convolution and two of 1×1 (Lin 2013, arXiv:1312.4400)."""
    layers = []
    for sizes, filters in (
        ((5, 1, 1), (64, 64, 48)),
        ((5, 1, 1), (64,) * 3),
        ((3, 1, 1), (64,) * 3),
    ):
        if layers:
            layers.append(_pool())
        for size, count in zip(sizes, filters, strict=True):
            layers += [_convolve(count, size), _normalize(), _activate("relu")]
    return (*layers, LayerSpec("GlobalAveragePooling2D"), _classify())


def colour_model() -> tuple[LayerSpec, ...]:
    """The model of the question `colour_throughput`."""
    layers = []
    for filters in (32, 64, 128):
        convolution = _convolve(filters, 3, use_bias=True)
        layers += [convolution, _normalize(), _activate("relu"), _pool()]
    return (*layers, LayerSpec("Flatten"), _classify())


def default_recipe(shape: Shape) -> tuple[LayerSpec, ...]:
    """The network of the default recipe for photographs."""
    return find_recipe("default").make_model(shape, _CLASSES, _PIXELS).layers


def _convolve(filters: int, size: int, *, use_bias: bool = False) -> LayerSpec:
    arguments = {"filters": filters, "kernel_size": size, "padding": "same", "use_bias": use_bias}
    return LayerSpec("Conv2D", arguments)


def _normalize() -> LayerSpec:
    return LayerSpec("BatchNormalization", {"momentum": 0.9})


def _activate(name: str) -> LayerSpec:
    return LayerSpec("Activation", {"activation": name})


def _pool() -> LayerSpec:
    return LayerSpec("MaxPooling2D", {"pool_size": 2})


def _classify() -> LayerSpec:
    return LayerSpec("Dense", {"units": _CLASSES, "activation": "softmax"})


NETWORKS = (
    Network("six convolutions, ReLU", (32, 32, 3), six_convolutions("relu"), batch_size=250),
    Network("six convolutions, GELU", (32, 32, 3), six_convolutions("gelu"), batch_size=250),
    Network("six convolutions, ReLU", (28, 28, 1), six_convolutions("relu"), batch_size=250),
    Network("network in network", (28, 28, 1), network_in_network()),
    Network("colour model", (32, 32, 3), colour_model()),
    Network("default recipe", (32, 32, 3), default_recipe((32, 32, 3))),
    Network("default recipe", (64, 64, 1), default_recipe((64, 64, 1)), samples=750),
    Network("default recipe", (96, 96, 3), default_recipe((96, 96, 3)), samples=500),
)
