import random

import numpy as np
import pytest

from clearcnn.backend import load_keras
from clearcnn.errors import LayerError
from clearcnn.models.build import build_model
from clearcnn.specs import LayerSpec, ModelSpec

EVERY_LAYER = ModelSpec(
    "모든 층",
    (
        LayerSpec("Rescaling", {"scale": 0.0625}),
        LayerSpec("ZeroPadding2D", {"padding": 1}),
        LayerSpec("Conv2D", {"filters": 4, "kernel_size": 3, "name": "edges"}),
        LayerSpec("BatchNormalization"),
        LayerSpec("Activation", {"activation": "swish"}),
        LayerSpec("MaxPooling2D", {"strides": 1}),
        LayerSpec("DepthwiseConv2D", {"kernel_size": 3, "dilation_rate": 2, "padding": "same"}),
        LayerSpec("SeparableConv2D", {"filters": 6, "kernel_size": [1, 3], "activation": "relu"}),
        LayerSpec("Dropout", {"rate": 0.5}),
        LayerSpec("AveragePooling2D", {"pool_size": 2}),
        LayerSpec("Dense", {"units": 5}),
        LayerSpec("GlobalMaxPooling2D"),
        LayerSpec("Flatten"),
        LayerSpec("Dropout", {"rate": 0.5}),
        LayerSpec("Dense", {"units": 3, "activation": "softmax"}),
    ),
)
SHAPE = (8, 8, 2)


def build(seed):
    return build_model(EVERY_LAYER, SHAPE, 3, seed)


def bits_of(model):
    """Every variable, the states of dropout among them."""
    return [np.asarray(variable.value).tobytes() for variable in model.variables]


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(0, 16, (2, *SHAPE)).astype("float32")


def test_layers_are_keras_layers_with_stable_names():
    build(0)
    model = build(0)
    assert [layer.name for layer in model.layers] == [
        "rescaling_1", "zero_padding2d_1", "edges", "batch_normalization_1", "activation_1",
        "max_pooling2d_1", "depthwise_conv2d_1", "separable_conv2d_1", "dropout_1",
        "average_pooling2d_1", "dense_1", "global_max_pooling2d_1", "flatten_1", "dropout_2",
        "dense_2",
    ]  # fmt: skip
    assert [type(layer).__name__ for layer in model.layers] == [
        layer.layer for layer in EVERY_LAYER.layers
    ]
    assert (model.name, model.inputs[0].name) == ("모든 층", "image")
    assert (model.input_shape, model.output_shape) == ((None, *SHAPE), (None, 3))


def test_every_argument_reaches_keras():
    layers = {layer.name: layer.get_config() for layer in build(0).layers}
    wanted = {
        "rescaling_1": {"scale": 0.0625, "offset": 0.0},
        "zero_padding2d_1": {"padding": ((1, 1), (1, 1))},
        "edges": {"filters": 4, "kernel_size": (3, 3)},
        "activation_1": {"activation": "silu"},
        "max_pooling2d_1": {"pool_size": (2, 2), "strides": (1, 1)},
        "depthwise_conv2d_1": {"dilation_rate": (2, 2), "padding": "same"},
        "separable_conv2d_1": {"filters": 6, "kernel_size": (1, 3), "activation": "relu"},
        "dropout_1": {"rate": 0.5},
    }
    for name, arguments in wanted.items():
        assert {key: layers[name][key] for key in arguments} == arguments


def test_gives_probabilities(images):
    probabilities = np.asarray(build(0)(images))
    assert probabilities.shape == (2, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_the_same_seed_gives_the_same_bits_and_another_one_others():
    first, again, other = bits_of(build(7)), bits_of(build(7)), bits_of(build(8))
    assert first == again
    # Whatever starts as zeros or ones does so for every seed; kernels and dropout do not:
    # Conv2D, DepthwiseConv2D, SeparableConv2D's two, Dense twice, Dropout twice.
    assert sum(a != b for a, b in zip(first, other, strict=True)) == 8


def test_dropout_is_governed_by_the_seed(images):
    def drop(seed):
        return np.asarray(build(seed).get_layer("dropout_1")(images, training=True))

    np.testing.assert_array_equal(drop(7), drop(7))
    assert (drop(7) != drop(8)).any()


def test_layers_of_one_shape_start_apart():
    dense = LayerSpec("Dense", {"units": 4})
    spec = ModelSpec("twins", (LayerSpec("Flatten"), dense, dense, dense, EVERY_LAYER.layers[-1]))
    _, second, third, _ = (
        np.asarray(layer.kernel.value) for layer in build_model(spec, SHAPE, 3, 0).layers[1:]
    )
    assert (second != third).any()


def test_weights_are_glorot_uniform_with_zero_biases():
    dense = LayerSpec("Dense", {"units": 300, "activation": "softmax"})
    model = build_model(ModelSpec("m", (LayerSpec("Flatten"), dense)), (10, 10, 1), 300, 0)
    kernel, bias = (np.asarray(variable.value) for variable in model.variables)
    limit = np.sqrt(6 / (100 + 300))
    assert abs(kernel).max() <= limit
    # The standard error of a uniform variable's mean, and of its variance, times five.
    assert abs(kernel.mean()) < 5 * limit / np.sqrt(3 * kernel.size)
    np.testing.assert_allclose(kernel.var(), limit**2 / 3, rtol=5 * np.sqrt(0.8 / kernel.size))
    assert not bias.any()


def test_global_random_state_is_neither_read_nor_changed():
    keras = load_keras()

    def draw():
        return random.random(), np.random.random(), float(keras.random.uniform(()))

    keras.utils.set_random_seed(1)
    expected = draw()
    keras.utils.set_random_seed(1)
    first = bits_of(build(3))
    assert draw() == expected
    assert bits_of(build(3)) == first


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_seeds_fit_every_backend(seed):
    for layer in build(seed).layers:
        config = layer.get_config()
        seeds = [config.get("seed")] + [
            config[name]["config"].get("seed") for name in config if name.endswith("initializer")
        ]
        assert all(0 <= number < 2**31 for number in seeds if number is not None)


def test_settings_of_the_user_change_nothing(images):
    keras = load_keras()
    expected = build(0)
    try:
        keras.config.set_floatx("float16")
        keras.config.set_image_data_format("channels_first")
        keras.config.set_dtype_policy("mixed_float16")
        model = build(0)
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_image_data_format("channels_last")
        keras.config.set_dtype_policy("float32")
    assert bits_of(model) == bits_of(expected)
    np.testing.assert_array_equal(model(images), expected(images))
    assert all(layer.compute_dtype == "float32" for layer in model.layers)


def test_raw_bytes_are_taken_as_pixels(images):
    pixels = images.astype("uint8")
    model = build(0)
    np.testing.assert_array_equal(model(pixels), model(pixels.astype("float32")))


def test_a_saved_model_gives_the_same_answers(images, tmp_path):
    keras = load_keras()
    model = build(0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(images), model(images))


def test_a_model_for_other_classes_is_refused_before_keras_is_asked():
    with pytest.raises(LayerError, match=r"Layer 15 \(Dense on 5 values\).*but there are 4"):
        build_model(EVERY_LAYER, SHAPE, 4, 0)
