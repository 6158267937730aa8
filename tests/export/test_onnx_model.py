"""Every layer of the model file, written to ONNX and executed, beside Keras itself."""

import dataclasses
import json
from typing import Any

import numpy as np
import onnx
import onnx.reference
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearcnn.contract import InputContract
from clearcnn.errors import ExportError
from clearcnn.export import build_onnx, make_test_images, run_onnx
from clearcnn.export.onnx_layers import LAYER_WRITERS
from clearcnn.models import LAYERS
from clearcnn.models.layer_arguments import ACTIVATIONS
from clearcnn.specs import LayerSpec

pytestmark = pytest.mark.reference

CLASSES = ("고양이", "dog", "2")
SCALE = LayerSpec("Rescaling", {"scale": 1 / 127.5, "offset": -1.0})
FLATTEN = LayerSpec("Flatten")
SOFTMAX = LayerSpec("Dense", {"units": 3, "activation": "softmax"})
ONE_LAYER = {
    "Activation": [{"activation": name} for name in ACTIVATIONS],
    "AveragePooling2D": [
        {"pool_size": 2},
        {"pool_size": (3, 2), "strides": (2, 3), "padding": "same"},
        {"pool_size": (1, 2), "strides": 3, "padding": "same"},
        {"pool_size": 4, "strides": 1, "padding": "same"},
    ],
    "BatchNormalization": [{}, {"epsilon": 0.1}],
    "Conv2D": [
        {"filters": 4, "kernel_size": 3},
        {"filters": 4, "kernel_size": (2, 3), "strides": (2, 1), "padding": "same"},
        {"filters": 4, "kernel_size": (3, 2), "dilation_rate": (2, 3), "padding": "same"},
        {"filters": 4, "kernel_size": 2, "dilation_rate": 2, "use_bias": False},
        {"filters": 4, "kernel_size": 1, "strides": 3, "padding": "same", "activation": "gelu"},
    ],
    "Dense": [{"units": 5}, {"units": 5, "use_bias": False, "activation": "softmax"}],
    "DepthwiseConv2D": [
        {"kernel_size": 3},
        {"kernel_size": (2, 3), "depth_multiplier": 2, "padding": "same", "strides": 2},
        {"kernel_size": 2, "dilation_rate": 2, "use_bias": False, "activation": "mish"},
    ],
    "Dropout": [{"rate": 0.5}],
    "Flatten": [{}],
    "GlobalAveragePooling2D": [{}],
    "GlobalMaxPooling2D": [{}],
    "MaxPooling2D": [
        {},
        {"pool_size": (3, 2), "strides": (2, 3), "padding": "same"},
        {"pool_size": 5, "strides": 1, "padding": "same"},
    ],
    "Rescaling": [{"scale": 0.3}, {"scale": -2, "offset": 0.7}],
    "SeparableConv2D": [
        {"filters": 4, "kernel_size": 3},
        {"filters": 4, "kernel_size": (3, 2), "depth_multiplier": 2, "padding": "same"},
        {"filters": 2, "kernel_size": 2, "strides": 2, "use_bias": False, "activation": "silu"},
        {"filters": 2, "kernel_size": 2, "dilation_rate": 3, "padding": "same"},
    ],
    "ZeroPadding2D": [{}, {"padding": ((0, 2), (3, 1))}],
}


def compare(network: Any, contract: InputContract, sizes: tuple[int, ...] = (1, 7)) -> None:
    """Execute both files in batches of both sizes, and hold every output to Keras's."""
    import keras

    plain = build_onnx(network, CLASSES, contract).SerializeToString()
    with_layers = build_onnx(network, CLASSES, contract, layer_outputs=True).SerializeToString()
    inside = keras.Model(network.inputs, [layer.output for layer in network.layers])
    for size in sizes:
        images = make_test_images(contract, size, seed=size)[:size]
        layers = [np.asarray(values) for values in inside([images.astype(np.float32)])]
        expected = layers[-1]
        found = run_onnx(plain, images)
        assert list(found) == ["probabilities"]
        assert found["probabilities"].dtype == np.float32
        np.testing.assert_allclose(found["probabilities"], expected, rtol=0, atol=1e-5)
        found = run_onnx(with_layers, images)
        assert list(found) == ["probabilities", *(layer.name for layer in network.layers)]
        np.testing.assert_allclose(found["probabilities"], expected, rtol=0, atol=1e-5)
        for layer, values in zip(network.layers, layers, strict=True):
            np.testing.assert_allclose(found[layer.name], values, rtol=1e-4, atol=1e-4)


def test_every_layer_of_the_model_file_has_a_writer_and_is_tried() -> None:
    assert set(LAYER_WRITERS) == set(LAYERS) == set(ONE_LAYER)


@pytest.mark.parametrize(
    ("layer", "arguments"),
    [(layer, arguments) for layer, given in ONE_LAYER.items() for arguments in given],
    ids=str,
)
def test_a_layer_gives_what_keras_gives(
    layer: str, arguments: dict[str, Any], network_of: Any, contract_of: Any
) -> None:
    tried = LayerSpec(layer, arguments)
    ending = (SOFTMAX,) if layer.startswith(("Global", "Flatten")) else (FLATTEN, SOFTMAX)
    compare(network_of(SCALE, tried, *ending), contract_of())
    if not layer.endswith("2D"):
        compare(network_of(SCALE, FLATTEN, tried, SOFTMAX), contract_of(), sizes=(7,))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_pixels_go_in_as_they_are_and_come_out_as_keras_predicts(
    dtype: str, network_of: Any, contract_of: Any
) -> None:
    contract = contract_of(dtype)
    scale = LayerSpec("Rescaling", {"scale": 2 / contract.value_range[1], "offset": -1.0})
    network = network_of(
        scale, LayerSpec("Conv2D", {"filters": 3, "kernel_size": 3}), FLATTEN, SOFTMAX
    )
    model = build_onnx(network, CLASSES, contract)
    source = model.graph.input[0].type.tensor_type
    assert onnx.helper.tensor_dtype_to_np_dtype(source.elem_type) == dtype
    assert [d.dim_param or d.dim_value for d in source.shape.dim] == ["batch", 9, 8, 3]
    images = make_test_images(contract)
    found = run_onnx(model.SerializeToString(), images)["probabilities"]
    np.testing.assert_allclose(found, network.predict(images, verbose=0), rtol=0, atol=1e-5)
    if dtype != "float32":
        with pytest.raises(ExportError, match="cannot be executed"):
            run_onnx(model.SerializeToString(), images.astype(np.float32))


IMAGE_LAYERS = ("AveragePooling2D", "BatchNormalization", "Conv2D", "DepthwiseConv2D")
IMAGE_LAYERS += ("MaxPooling2D", "SeparableConv2D", "ZeroPadding2D", "Dense", "Activation")
SIDE = st.integers(1, 3)
SIDES = st.tuples(SIDE, SIDE)


@st.composite
def any_layer(draw: Any) -> LayerSpec:
    layer = draw(st.sampled_from(IMAGE_LAYERS))
    arguments: dict[str, Any] = {}
    if layer in ("Activation", "Conv2D", "Dense", "DepthwiseConv2D", "SeparableConv2D"):
        arguments["activation"] = draw(st.sampled_from(ACTIVATIONS))
    if "Conv" in layer:
        arguments |= {"kernel_size": draw(SIDES), "use_bias": draw(st.booleans())}
        # "same" always fits, whatever came before; one of strides and dilation may be above 1.
        which = draw(st.sampled_from(["strides", "dilation_rate"]))
        arguments |= {which: draw(SIDES), "padding": "same"}
    if layer in ("DepthwiseConv2D", "SeparableConv2D"):
        arguments["depth_multiplier"] = draw(st.integers(1, 2))
    if layer in ("Conv2D", "SeparableConv2D"):
        arguments["filters"] = draw(st.integers(1, 4))
    if "Pooling" in layer:
        arguments |= {"pool_size": draw(SIDES), "strides": draw(SIDES), "padding": "same"}
    if layer == "ZeroPadding2D":
        arguments["padding"] = draw(st.tuples(SIDES, SIDES))
    if layer == "Dense":
        arguments["units"] = draw(st.integers(1, 4))
    return LayerSpec(layer, arguments)


@pytest.mark.release
@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    layers=st.lists(any_layer(), min_size=2, max_size=4),
    ending=st.sampled_from(["Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D"]),
)
def test_any_chain_gives_what_keras_gives(
    layers: list[LayerSpec], ending: str, network_of: Any, contract_of: Any
) -> None:
    compare(network_of(SCALE, *layers, LayerSpec(ending), SOFTMAX), contract_of(), sizes=(7,))


def test_an_image_is_turned_once_each_way(network_of: Any, contract_of: Any) -> None:
    conv = LayerSpec("Conv2D", {"filters": 3, "kernel_size": 3, "activation": "relu"})
    pool, drop = LayerSpec("MaxPooling2D"), LayerSpec("Dropout", {"rate": 0.5})
    model = build_onnx(
        network_of(SCALE, conv, drop, pool, conv, FLATTEN, SOFTMAX), CLASSES, contract_of()
    )
    operators = [node.op_type for node in model.graph.node]
    assert operators.count("Transpose") == 2
    assert "Identity" not in operators[:-1]


def test_the_checker_and_the_reference_take_it_too(network_of: Any, contract_of: Any) -> None:
    """`onnx.reference` is NumPy's own reading of the operators, apart from ONNX Runtime."""
    conv = LayerSpec(
        "Conv2D", {"filters": 3, "kernel_size": 3, "padding": "same", "activation": "selu"}
    )
    pool = LayerSpec("AveragePooling2D", {"pool_size": 3, "strides": 2, "padding": "same"})
    network = network_of(SCALE, conv, pool, LayerSpec("BatchNormalization"), FLATTEN, SOFTMAX)
    model = build_onnx(network, CLASSES, contract_of())
    onnx.checker.check_model(model, full_check=True)
    images = make_test_images(contract_of())
    (found,) = onnx.reference.ReferenceEvaluator(model).run(None, {"images": images})
    np.testing.assert_allclose(found, network.predict(images, verbose=0), rtol=0, atol=1e-5)


def test_the_file_says_what_it_is(network_of: Any, contract_of: Any) -> None:
    import clearcnn

    network = network_of(SCALE, FLATTEN, SOFTMAX)
    model = build_onnx(network, CLASSES, contract_of())
    stored = onnx.load_from_string(model.SerializeToString())
    said = {entry.key: entry.value for entry in stored.metadata_props}
    assert json.loads(said["class_names"]) == list(CLASSES)
    assert "고양이" in said["class_names"]
    contract = json.loads(json.dumps(dataclasses.asdict(contract_of())))
    # What is not known is left out.
    known = {name: value for name, value in contract.items() if value is not None}
    assert json.loads(said["input_contract"]) == known
    assert (said["clearcnn"], said["opset"]) == (clearcnn.__version__, "17")
    assert (stored.opset_import[0].version, stored.ir_version) == (17, 8)
    again = build_onnx(network, CLASSES, contract_of())
    assert again.SerializeToString() == model.SerializeToString()


def test_a_layer_may_have_any_name_in_the_plain_file(network_of: Any, contract_of: Any) -> None:
    network = network_of(
        LayerSpec("Rescaling", {"scale": 0.01, "name": "images"}),
        LayerSpec("Flatten", {"name": "펼치기"}),
        LayerSpec("Dense", {"units": 3, "activation": "softmax", "name": "probabilities"}),
    )
    images = make_test_images(contract_of())
    model = build_onnx(network, CLASSES, contract_of()).SerializeToString()
    found = run_onnx(model, images)["probabilities"]
    np.testing.assert_allclose(found, network.predict(images, verbose=0), rtol=0, atol=1e-5)
    with pytest.raises(ExportError, match="named 'images'"):
        build_onnx(network, CLASSES, contract_of(), layer_outputs=True)


def make_unknown(kind: str) -> Any:
    import keras

    class Conv2D(keras.layers.Conv2D):
        """A class of one's own by a known name."""

    layers: dict[str, Any] = {
        "GaussianNoise": lambda: keras.layers.GaussianNoise(0.1),
        "Conv2D": lambda: Conv2D(2, 3),
        "axis": lambda: keras.layers.BatchNormalization(axis=1),
        "exponential": lambda: keras.layers.Activation("exponential"),
    }
    return layers[kind]()


@pytest.mark.parametrize("kind", ["GaussianNoise", "Conv2D", "axis", "exponential"])
def test_what_is_not_in_the_table_is_refused_by_name(kind: str, contract_of: Any) -> None:
    import keras

    network = keras.Sequential([keras.Input((9, 8, 3)), make_unknown(kind), keras.layers.Flatten()])
    with pytest.raises(ExportError, match=kind):
        build_onnx(network, CLASSES, contract_of())


# Batch normalization


@pytest.mark.parametrize("use_bias", [True, False])
def test_batch_normalization_is_folded_into_the_layer_before_it(
    use_bias: bool, network_of: Any, contract_of: Any
) -> None:
    def convolve(**arguments: Any) -> LayerSpec:
        given = {"filters": 4, "kernel_size": 3, "padding": "same", "use_bias": use_bias}
        return LayerSpec("Conv2D", given | arguments)

    normalize = LayerSpec("BatchNormalization", {"epsilon": 0.01})
    dense = LayerSpec("Dense", {"units": 5, "use_bias": use_bias})
    pool = LayerSpec("MaxPooling2D")
    linear = (SCALE, convolve(), normalize, convolve(strides=2), normalize, normalize, FLATTEN)
    network = network_of(*linear, dense, normalize, SOFTMAX)
    compare(network, contract_of())
    operators = [node.op_type for node in build_onnx(network, CLASSES, contract_of()).graph.node]
    assert "BatchNormalization" not in operators
    with_layers = build_onnx(network, CLASSES, contract_of(), layer_outputs=True)
    assert [n.op_type for n in with_layers.graph.node].count("BatchNormalization") == 4
    # After a pooling or an activation it is no longer the same.
    between = (SCALE, convolve(), pool, normalize, convolve(activation="relu"), normalize, FLATTEN)
    network = network_of(*between, SOFTMAX)
    compare(network, contract_of())
    operators = [node.op_type for node in build_onnx(network, CLASSES, contract_of()).graph.node]
    assert operators.count("BatchNormalization") == 2
