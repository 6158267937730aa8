import pytest

from clearcnn.specs import LayerSpec, ModelSpec


@pytest.fixture(scope="session")
def lesson() -> ModelSpec:
    """The model of the tutorial, layer by layer as the lesson has it."""
    return ModelSpec(
        "lesson",
        (
            LayerSpec("Conv2D", {"filters": 10, "kernel_size": (3, 3)}),
            LayerSpec("Activation", {"activation": "relu"}),
            LayerSpec("MaxPooling2D", {"pool_size": (2, 2)}),
            LayerSpec("Flatten"),
            LayerSpec("Dense", {"units": 50}),
            LayerSpec("Activation", {"activation": "relu"}),
            LayerSpec("Dense", {"units": 10}),
            LayerSpec("Activation", {"activation": "softmax"}),
        ),
    )
