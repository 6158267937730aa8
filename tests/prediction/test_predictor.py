"""The predictor on models written by hand, against NumPy."""

import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from scipy.special import softmax

from clearcnn.errors import PredictionError
from clearcnn.prediction import Predictor

RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.normal(size=(12, 3)).astype(np.float32)
IMAGES = RANDOM.integers(0, 5, (70, 2, 2, 3), np.uint8)


def write_model(
    *, source="images", end="Softmax", element=TensorProto.UINT8, distances: int | None = None
):
    nodes = [
        helper.make_node("Cast", [source], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["floats"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node(end, ["logits"], ["probabilities"]),
    ]
    outputs = {"probabilities": 3}
    if distances is not None:
        nodes.append(helper.make_node("Slice", ["logits", "first", "end", "axis"], ["cut"]))
        nodes.append(helper.make_node("Abs", ["cut"], ["distances"]))
        outputs["distances"] = distances
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(source, element, ["batch", 2, 2, 3])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
            for name, width in outputs.items()
        ],
        [
            numpy_helper.from_array(WEIGHTS, "weights"),
            *(
                numpy_helper.from_array(np.array([value]), name)
                for name, value in (("first", 0), ("end", distances or 0), ("axis", 1))
            ),
        ],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.mark.parametrize("n", [0, 1, 32, 33, 70])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_it_gives_calibrated_probabilities_for_any_number_of_images(n, temperature):
    predictor = Predictor(write_model(), 3, temperature=temperature)
    assert (predictor.shape, predictor.dtype) == ((2, 2, 3), np.uint8)
    found = predictor.predict(IMAGES[:n])
    assert (found.shape, found.dtype) == ((n, 3), np.float32)
    logits = IMAGES[:n].reshape(n, 12).astype(float) @ WEIGHTS
    # Where float32 holds them: a probability below its resolution has no logarithm.
    plain = np.maximum(softmax(logits, axis=1), np.finfo(np.float32).eps)
    expected = plain ** (1 / temperature)
    np.testing.assert_allclose(
        found, expected / expected.sum(axis=1, keepdims=True), rtol=1e-4, atol=1e-6
    )


def test_images_need_no_order_in_memory():
    predictor = Predictor(write_model(), 3)
    turned = np.asfortranarray(IMAGES)
    np.testing.assert_array_equal(predictor.predict(turned), predictor.predict(IMAGES))


@pytest.mark.parametrize(
    "images", [IMAGES.astype(np.float32), IMAGES[:, :1], IMAGES[..., :1], IMAGES[0]]
)
def test_other_images_are_refused(images):
    with pytest.raises(PredictionError, match="the model expects"):
        Predictor(write_model(), 3).predict(images)


@pytest.mark.parametrize(
    "content",
    [b"", b"no model", write_model()[:-40], write_model(source="x")],
    ids=["empty", "text", "cut off", "another input"],
)
def test_what_is_no_model_of_ours_is_refused(content):
    with pytest.raises(PredictionError, match="cannot be executed"):
        Predictor(content, 3)


def test_what_gives_no_probabilities_is_refused():
    with pytest.raises(PredictionError, match="not valid probabilities; expected 4 classes"):
        Predictor(write_model(), 4).predict(IMAGES)
    with pytest.raises(PredictionError, match="not valid probabilities"):
        # Logarithms of negative numbers.
        Predictor(write_model(end="Log"), 3).predict(IMAGES)


def write_odd_distances(nodes, shape):
    """The model of `write_model`, with these nodes from its logits to distances so declared."""
    model = onnx.ModelProto.FromString(write_model())
    model.graph.node.extend(nodes)
    told = helper.make_tensor_value_info("distances", TensorProto.FLOAT, shape)
    model.graph.output.append(told)
    return model.SerializeToString()


# How many values are not zero nobody can tell before.
COUNTED = [
    helper.make_node("NonZero", ["logits"], ["places"]),
    helper.make_node("Cast", ["places"], ["distances"], to=TensorProto.FLOAT),
]


@pytest.mark.parametrize(
    ("nodes", "shape"),
    [
        ([helper.make_node("ReduceSum", ["logits"], ["distances"], keepdims=0)], []),
        ([helper.make_node("Abs", ["floats"], ["distances"])], ["batch", 2, 2, 3]),
        (COUNTED, [2, "width"]),
    ],
    ids=["rank 0", "rank 4", "no width"],
)
def test_distances_of_another_form_are_refused(nodes, shape):
    declared = re.escape(f"its distances are declared with the shape {shape}")
    with pytest.raises(PredictionError, match=declared):
        Predictor(write_odd_distances(nodes, shape), 3)


def test_distances_that_are_not_as_declared_are_refused():
    predictor = Predictor(write_odd_distances(COUNTED, ["batch", 2]), 3)
    with pytest.raises(
        PredictionError, match=re.escape("shape (2, 15) for 5 images; expected (5, 2)")
    ):
        predictor.predict_with_distances(IMAGES[:5])


def test_a_name_that_is_no_unicode_is_refused():
    content = write_model(distances=2)
    assert b"distances" in content
    with pytest.raises(PredictionError, match="cannot be executed: 'utf-8' codec"):
        Predictor(content.replace(b"distances", b"dist\x9ences"), 3)


@pytest.mark.parametrize("n", [0, 1, 33])
def test_distances_are_told_where_the_model_gives_them(n):
    answers = Predictor(write_model(distances=2), 3, temperature=2).predict_with_distances(
        IMAGES[:n]
    )
    logits = IMAGES[:n].reshape(n, 12).astype(float) @ WEIGHTS
    assert answers.distances.shape == (n, 2)
    np.testing.assert_allclose(answers.distances, np.abs(logits[:, :2]), rtol=1e-5, atol=1e-5)
    plain = Predictor(write_model(), 3, temperature=2)
    assert plain.predict_with_distances(IMAGES[:n]).distances is None
    np.testing.assert_array_equal(answers.probabilities, plain.predict(IMAGES[:n]))
