"""ONNX files of run folders: those that are written pass, and all others are refused unparsed."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from clearcnn.contract import InputContract
from clearcnn.errors import ExportError
from clearcnn.export import (
    Layer,
    Network,
    build_features,
    build_onnx,
    limit_bytes,
    list_weights,
    make_placeholder,
    read_onnx,
)
from clearcnn.export.onnx_model import build_graph
from clearcnn.models.layer_arguments import ACTIVATIONS
from clearcnn.ood import DistanceWeights
from clearcnn.specs import LayerSpec
from clearcnn.version import __version__

CLASSES = ("고양이", "dog", "2")
LAYERS = (
    LayerSpec("Rescaling", {"scale": 1 / 127.5, "offset": -1.0}),
    LayerSpec("ZeroPadding2D", {"padding": 1}),
    LayerSpec("Conv2D", {"filters": 2, "kernel_size": 3, "activation": "gelu"}),
    LayerSpec("SeparableConv2D", {"filters": 5, "kernel_size": 2, "name": "apart_1"}),
    LayerSpec("BatchNormalization"),
    LayerSpec("GlobalMaxPooling2D"),
    LayerSpec("Dense", {"units": 3, "activation": "softmax"}),
)
WINDOW = {"padding": "same", "strides": 2}
EVERY_LAYER = (
    LayerSpec("Rescaling", {"scale": 1, "offset": 3}),
    LayerSpec("Dense", {"units": 2}),
    *(LayerSpec("Activation", {"activation": name}) for name in ACTIVATIONS),
    LayerSpec("ZeroPadding2D", {"padding": [[0, 2], [3, 1]]}),
    LayerSpec("Conv2D", {"filters": 4, "kernel_size": [2, 3], "dilation_rate": [1, 2]}),
    LayerSpec("DepthwiseConv2D", {"kernel_size": 2, "depth_multiplier": 3}),
    LayerSpec("SeparableConv2D", {"filters": 2, "kernel_size": 2, "use_bias": False, **WINDOW}),
    LayerSpec("BatchNormalization", {"epsilon": 0.01}),
    LayerSpec("MaxPooling2D", {"pool_size": 2, **WINDOW}),
    LayerSpec("AveragePooling2D", {"pool_size": 2, **WINDOW}),
    LayerSpec("Dropout", {"rate": 0.5}),
)
SOFTMAX = LayerSpec("Dense", {"units": 3, "activation": "softmax"})


def make_distances(network: Any, contract: InputContract, num_centres: int) -> DistanceWeights:
    features = build_features(network, CLASSES, contract)
    size = features.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    arrays = (np.full(shape, 0.5) for shape in ((size, size), (size,), (num_centres, size)))
    return DistanceWeights(*arrays)


def read(content: bytes, description: Any, contract: InputContract, **more: Any) -> Any:
    arguments = {"where": "model.onnx", "version": __version__, **more}
    return read_onnx(content, description, CLASSES, contract, **arguments)


@pytest.fixture(scope="module")
def written(network_of: Any, contract_of: Any) -> onnx.ModelProto:
    return build_onnx(network_of(*LAYERS), CLASSES, contract_of())


@pytest.fixture(scope="module")
def description(description_of: Any) -> Any:
    return description_of(*LAYERS)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("ending", ["Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D"])
def test_what_is_written_of_any_layer_is_read_as_onnx_reads_it(
    ending: str, dtype: str, network_of: Any, description_of: Any, contract_of: Any
) -> None:
    layers, contract = (*EVERY_LAYER, LayerSpec(ending), SOFTMAX), contract_of(dtype)
    network, description = network_of(*layers), description_of(*layers)
    forms: list[dict[str, Any]] = [{}, {"layer_outputs": True}]
    forms += [{"distances": make_distances(network, contract, number)} for number in (1, 2, 3)]
    for form in forms:
        model = build_onnx(network, CLASSES, contract, **form)
        content = model.SerializeToString()
        assert len(content) <= limit_bytes(description)
        found = read(content, description, contract, layer_outputs=form.get("layer_outputs", False))
        expected = {
            tensor.name.rpartition("_")[0]: numpy_helper.to_array(tensor)
            for tensor in model.graph.initializer
        }
        assert list(found) == list(expected)
        for name, values in found.items():
            assert values.dtype == np.float32
            np.testing.assert_array_equal(values, expected[name])


def test_kernels_have_outputs_first_and_dense_inputs_first(
    network_of: Any, written: Any, description: Any, contract_of: Any
) -> None:
    network = network_of(*LAYERS)
    weights = read(written.SerializeToString(), description, contract_of())
    _, _, convolution, separable, _, _, dense = network.layers
    kernel = np.asarray(convolution.kernel)
    np.testing.assert_array_equal(weights["conv2d_1/kernel"], kernel.transpose(3, 2, 0, 1))
    np.testing.assert_array_equal(weights["dense_1/kernel"], np.asarray(dense.kernel))
    depth = np.asarray(separable.depthwise_kernel)  # (rows, columns, channels, 1)
    np.testing.assert_array_equal(weights["apart_1/kernel"][1, 0], depth[:, :, 1, 0])
    assert weights["apart_1/pointwise_kernel"].shape == (5, 2, 1, 1)
    listed = list_weights(network, CLASSES, contract_of())
    assert list(listed) == list(weights)
    for name, values in listed.items():
        np.testing.assert_array_equal(values, weights[name])


def add_operator(model: onnx.ModelProto) -> None:
    model.graph.node[1].op_type = "Loop"


def add_domain(model: onnx.ModelProto) -> None:
    model.graph.node[1].domain = "com.microsoft"


def take_another_activation(model: onnx.ModelProto) -> None:
    (node,) = (node for node in model.graph.node if node.op_type == "Erf")
    node.op_type = "Sin"


def keep_elsewhere(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[-1]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret.txt")


def keep_as_numbers(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[-1]
    tensor.float_data.extend(numpy_helper.to_array(tensor).ravel())
    tensor.ClearField("raw_data")


def keep_as_doubles(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[-1]
    tensor.CopyFrom(numpy_helper.from_array(np.zeros(3), tensor.name))


def keep_another_shape(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[-1]
    tensor.CopyFrom(numpy_helper.from_array(np.zeros((1, 3), np.float32), tensor.name))


def scale_otherwise(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.CopyFrom(numpy_helper.from_array(np.ones(1, np.float32), tensor.name))


def pad_by_a_million(model: onnx.ModelProto) -> None:
    (tensor,) = (each for each in model.graph.initializer if "/pads" in each.name)
    pads = np.array([0, 0, 0, 0, 0, 0, 10**6, 10**6])
    tensor.CopyFrom(numpy_helper.from_array(pads, tensor.name))


def pad_to_many_values(model: onnx.ModelProto) -> None:
    """2²⁴ values, a hundred sigmoids of them, all alive until they are added in reverse."""
    nodes, kept = model.graph.node, numpy_helper.from_array(np.array([0] * 7 + [2**24]), "many")
    model.graph.initializer.append(kept)
    names = ["wide", *(f"wide{number}" for number in range(100))]
    nodes.insert(0, helper.make_node("Pad", ["input", "many"], ["wide"]))
    for before, after in pairwise(names):
        nodes.append(helper.make_node("Sigmoid", [before], [after]))
    for name in reversed(names):
        nodes.append(helper.make_node("Add", [name, name], [f"{name}+"]))


def take_no_batch(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def take_another_shape(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 10**6


def give_another_output(model: onnx.ModelProto) -> None:
    model.graph.output.append(helper.make_tensor_value_info("more", onnx.TensorProto.FLOAT, [1]))


def tell_shapes(model: onnx.ModelProto) -> None:
    model.graph.value_info.append(
        helper.make_tensor_value_info("more", onnx.TensorProto.FLOAT, [1])
    )


def add_sparse_weights(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add()


def add_function(model: onnx.ModelProto) -> None:
    model.functions.append(
        helper.make_function("mine", "F", ["x"], ["y"], [], [helper.make_opsetid("", 17)])
    )


def add_metadata(model: onnx.ModelProto) -> None:
    model.metadata_props.add(key="more", value="x")


def take_another_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 18


def say_more(model: onnx.ModelProto) -> None:
    model.doc_string = "x" * 2**21


FAULTS: tuple[Callable[[onnx.ModelProto], None], ...] = (
    add_operator,
    add_domain,
    take_another_activation,
    keep_elsewhere,
    keep_as_numbers,
    keep_as_doubles,
    keep_another_shape,
    scale_otherwise,
    pad_by_a_million,
    pad_to_many_values,
    take_no_batch,
    take_another_shape,
    give_another_output,
    tell_shapes,
    add_sparse_weights,
    add_function,
    add_metadata,
    take_another_opset,
    say_more,
)


@pytest.mark.parametrize("spoil", FAULTS, ids=lambda fault: fault.__name__)
def test_what_clearcnn_never_writes_is_refused(
    spoil: Any, written: Any, description: Any, contract_of: Any
) -> None:
    model = onnx.ModelProto()
    model.CopyFrom(written)
    spoil(model)
    assert model != written
    with pytest.raises(ExportError, match=r"model\.onnx is damaged"):
        read(model.SerializeToString(), description, contract_of())


@settings(max_examples=100, deadline=None, derandomize=True)
@given(place=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_a_bit_turned_anywhere_changes_a_weight_or_is_refused(
    place: int, bit: int, written: Any, description: Any, contract_of: Any
) -> None:
    content = bytearray(written.SerializeToString())
    before = read(bytes(content), description, contract_of())
    content[place % len(content)] ^= 1 << bit
    try:
        after = read(bytes(content), description, contract_of())
    except ExportError:
        return
    changed = [
        (before[name].view(np.uint32) != after[name].view(np.uint32)).sum() for name in before
    ]
    assert sum(changed) == 1
    assert before.keys() == after.keys()


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, b"\xff" * 10_000])
def test_bytes_that_are_no_model_are_refused(
    content: bytes, description: Any, contract_of: Any
) -> None:
    with pytest.raises(ExportError, match=r"not the network that bundle\.json describes"):
        read(content, description, contract_of())


def test_a_file_of_other_layers_classes_pixels_or_versions_is_refused(
    written: Any, description: Any, description_of: Any, contract_of: Any
) -> None:
    content = written.SerializeToString()
    other = (*LAYERS[:2], LayerSpec("Conv2D", {"filters": 2, "kernel_size": 3}), *LAYERS[3:])
    for changed in (
        (description_of(*other), contract_of(), {}),
        (description_of(*LAYERS, name="another"), contract_of(), {}),
        (description, contract_of("uint16"), {}),
        (description, contract_of(polarity="light_on_dark"), {}),
        (description, contract_of(), {"version": "0.0.9"}),
        (description, contract_of(), {"version": "\udc80"}),
        (description, contract_of(), {"layer_outputs": True}),
    ):
        with pytest.raises(ExportError):
            read(content, changed[0], changed[1], **changed[2])
    with pytest.raises(ExportError):
        read_onnx(
            content,
            description,
            ("a", "b", "\udc80"),
            contract_of(),
            where="model.onnx",
            version=__version__,
        )
    read(content, description, contract_of())


def test_a_small_file_for_large_layers_costs_nothing(description_of: Any, contract_of: Any) -> None:
    """Fourteen million parameters are asked for; none of them is made."""
    layers = (
        LayerSpec("Flatten"),
        LayerSpec("Dense", {"units": 2**16}),
        LayerSpec("Dense", {"units": 3, "activation": "softmax"}),
    )
    description = description_of(*layers)
    assert description.num_parameters > 2**23
    assert all(
        values.strides == (0,) * values.ndim
        for layer in description.layers
        for values in layer.weights.values()
    )
    with pytest.raises(ExportError):
        read(b"x" * 1000, description, contract_of())


def test_the_largest_tensor_may_lie_within_a_layer(description_of: Any) -> None:
    layer = LayerSpec("SeparableConv2D", {"filters": 2, "kernel_size": 1, "depth_multiplier": 9})
    network = description_of(layer, LayerSpec("Flatten"), SOFTMAX)
    assert network.most_values == 9 * 8 * 3 * 9


@pytest.mark.parametrize("num_centres", [1, 2, 99, 127, 128, 129, 255, 256, 298, 299, 300])
@pytest.mark.parametrize("features", [1, 40])
def test_classes_that_were_not_trained_on_have_no_centre(
    num_centres: int, features: int, contract_of: Any
) -> None:
    names, weights = [str(number) for number in range(300)], make_placeholder((features, 300))
    network = Network(
        "many",
        (
            Layer("Flatten", "flatten_1", {}, (9, 8, 3), (216,), {}),
            Layer(
                "Dense",
                "dense_1",
                {"activation": "relu"},
                (216,),
                (features,),
                {"kernel": make_placeholder((216, features))},
            ),
            Layer(
                "Dense",
                "dense_2",
                {"activation": "softmax"},
                (features,),
                (300,),
                {"kernel": weights},
            ),
        ),
    )
    arrays = (np.ones(shape) for shape in ((features, features), (features,)))
    distances = DistanceWeights(*arrays, np.ones((num_centres, features)))
    model, kept = build_graph(network, names, contract_of(), distances=distances)
    for each in kept:
        values = np.ascontiguousarray(each.values)
        model.graph.initializer.append(numpy_helper.from_array(values, each.name))
    content = model.SerializeToString()
    arguments = {"where": "model.onnx", "version": __version__}
    found = read_onnx(content, network, names, contract_of(), **arguments)
    assert found["distances/centres"].shape == (features, num_centres)
    np.testing.assert_array_equal(found["distances/norms"], np.full(num_centres, features))
