import re
import subprocess
import sys

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings

from clearcnn.backend import load_keras
from clearcnn.errors import LayerError, SpecError
from clearcnn.models.shape_inference import count_operations, summarize_model
from clearcnn.specs import LayerSpec, ModelSpec

SIDE = st.integers(1, 4)
SIDES = SIDE | st.tuples(SIDE, SIDE)
PADDING = st.sampled_from(["valid", "same"])
# A stride of one or a dilation of one: Keras has both only one at a time.
STEPS = st.fixed_dictionaries({}, optional={"strides": SIDES}) | st.fixed_dictionaries(
    {}, optional={"dilation_rate": SIDES}
)
BORDER = st.integers(0, 2)
RESPONSE = {"use_bias": st.booleans(), "activation": st.sampled_from(["relu", "linear", "softmax"])}
DEPTH = {"depth_multiplier": st.integers(1, 3)}


def layers_of(kind, required=None, optional=None, *more):
    parts = [st.fixed_dictionaries(required or {}, optional=optional or {}), *more]
    return st.tuples(*parts).map(
        lambda drawn: LayerSpec(
            kind, {name: value for part in drawn for name, value in part.items()}
        )
    )


def convolutions(optional):
    kernel = {"kernel_size": SIDES}
    filters = {"filters": st.integers(1, 4), **kernel}
    some = {"padding": PADDING, **optional}
    return (
        layers_of("Conv2D", filters, some, STEPS)
        | layers_of("DepthwiseConv2D", kernel, {**some, **DEPTH}, STEPS)
        | layers_of("SeparableConv2D", filters, {**some, **DEPTH}, STEPS)
    )


PLACES = {"strides": SIDES, "padding": PADDING}
POOLINGS = layers_of("MaxPooling2D", None, {"pool_size": SIDES, **PLACES}) | layers_of(
    "AveragePooling2D", {"pool_size": SIDES}, PLACES
)
ZERO_PADDINGS = layers_of(
    "ZeroPadding2D",
    None,
    {
        "padding": BORDER
        | st.tuples(BORDER, BORDER)
        | st.tuples(st.tuples(BORDER, BORDER), st.tuples(BORDER, BORDER))
    },
)
POINTWISE = (
    layers_of("BatchNormalization", None, {"momentum": st.just(0.9)})
    | layers_of("Dropout", {"rate": st.just(0.5)})
    | layers_of("Activation", {"activation": st.sampled_from(["relu", "softmax"])})
    | layers_of("Rescaling", {"scale": st.just(0.0625)}, {"offset": st.just(-1)})
)
FLATTENINGS = st.sampled_from(
    [LayerSpec("Flatten"), LayerSpec("GlobalAveragePooling2D"), LayerSpec("GlobalMaxPooling2D")]
)
DENSES = layers_of("Dense", {"units": st.integers(1, 8)}, RESPONSE)
IMAGES = st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 3))


def build_in_keras(layers, shape):
    keras = load_keras()
    made = [getattr(keras.layers, layer.layer)(**layer.arguments) for layer in layers]
    return keras.Sequential([keras.Input(shape), *made])


def summarize(shape, *layers):
    return summarize_model(ModelSpec("model", layers), shape)


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
@settings(max_examples=40, deadline=None)
@given(
    IMAGES,
    st.lists(
        convolutions(RESPONSE) | POOLINGS | ZERO_PADDINGS | POINTWISE | FLATTENINGS | DENSES,
        min_size=1,
        max_size=5,
    ),
)
def test_agrees_with_keras_on_shapes_and_parameters_or_both_refuse(shape, layers):
    try:
        model = build_in_keras(layers, shape)
    except ValueError:
        with pytest.raises(LayerError):
            summarize(shape, *layers)
        return
    summary = summarize(shape, *layers)
    assert [row.output_shape for row in summary.layers] == [
        layer.output.shape[1:] for layer in model.layers
    ]
    assert [row.parameters for row in summary.layers] == [
        layer.count_params() for layer in model.layers
    ]
    assert summary.parameters == model.count_params()


def see_field(layers, shape):
    """Light one pixel at a time, and see how far apart the pixels are that light one value up."""
    height, width, channels = shape
    model = build_in_keras(layers, shape)
    model.set_weights([np.ones(weights.shape) for weights in model.weights])
    lit = np.zeros((height * width, height, width, channels), "float32")
    for pixel in range(height * width):
        lit[pixel, pixel // width, pixel % width] = 1
    dark = np.asarray(model(np.zeros((1, *shape), "float32")))
    changed = (np.asarray(model(lit)) != dark).reshape(height, width, -1)
    extents = [(0, 0)]
    for value in np.moveaxis(changed, -1, 0):
        rows, columns = np.nonzero(value)
        if len(rows):
            extents.append((np.ptp(rows) + 1, np.ptp(columns) + 1))
    return tuple(max(extent) for extent in zip(*extents, strict=True))


@pytest.mark.release
@settings(max_examples=25, deadline=None)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 2)),
    st.lists(convolutions({}) | POOLINGS | ZERO_PADDINGS, max_size=3),
    st.sampled_from(
        [
            (),
            (LayerSpec("Flatten"),),
            (LayerSpec("Dense", {"units": 2}),),
            (LayerSpec("Flatten"), LayerSpec("Dense", {"units": 2})),
            (LayerSpec("GlobalAveragePooling2D"),),
        ]
    ),
)
def test_receptive_field_is_what_pixels_lit_one_by_one_show(shape, layers, ending):
    layers = [*layers, *ending]
    assume(layers)
    try:
        row = summarize(shape, *layers).layers[-1]
    except LayerError:
        assume(False)
    assert row.receptive_field == see_field(layers, shape)


@pytest.mark.parametrize(
    ("ending", "field"),
    [
        ([], (3, 3)),
        ([LayerSpec("Flatten")], (3, 3)),
        ([LayerSpec("Activation", {"activation": "softmax"})], (3, 3)),
        ([LayerSpec("Flatten"), LayerSpec("Activation", {"activation": "softmax"})], (8, 8)),
        ([LayerSpec("GlobalMaxPooling2D")], (8, 8)),
        ([LayerSpec("Flatten"), LayerSpec("BatchNormalization")], (3, 3)),
    ],
)
def test_receptive_field_widens_only_where_values_are_mixed(ending, field):
    convolution = LayerSpec("Conv2D", {"filters": 2, "kernel_size": 3})
    assert summarize((8, 8, 1), convolution, *ending).layers[-1].receptive_field == field


@pytest.mark.parametrize(
    ("shape", "layers"),
    [
        (
            (4, 4, 1),
            [
                LayerSpec("ZeroPadding2D", {"padding": 1}),
                LayerSpec("MaxPooling2D", {"pool_size": 1, "strides": 9}),
            ],
        ),
        # The two taps of each column fall on either side of the only row.
        (
            (1, 2, 1),
            [
                LayerSpec(
                    "Conv2D",
                    {"filters": 1, "kernel_size": 2, "padding": "same", "dilation_rate": 2},
                )
            ],
        ),
    ],
)
def test_receptive_field_of_padding_alone_is_nothing(shape, layers):
    assert summarize(shape, *layers).layers[-1].receptive_field == (0, 0)
    assert see_field(layers, shape) == (0, 0)


def count_multiply_adds_with_xla(layer, shape):
    import jax

    keras = load_keras()
    made = getattr(keras.layers, layer.layer)(**layer.arguments, use_bias=False)
    made.build((None, *shape))
    lowered = jax.jit(lambda image: made(image)).lower(np.ones((1, *shape), "float32"))
    return lowered.cost_analysis()["flops"] / 2


@pytest.mark.parametrize(
    ("layer", "arguments"),
    [
        ("Conv2D", {"filters": 5, "kernel_size": 3}),
        ("Conv2D", {"filters": 5, "kernel_size": (1, 4), "strides": (2, 3)}),
        ("Conv2D", {"filters": 5, "kernel_size": 3, "dilation_rate": 2}),
        ("DepthwiseConv2D", {"kernel_size": 3}),
        ("DepthwiseConv2D", {"kernel_size": (2, 3), "depth_multiplier": 4, "strides": 2}),
        ("SeparableConv2D", {"filters": 7, "kernel_size": 3, "depth_multiplier": 2}),
        ("Dense", {"units": 6}),
    ],
)
def test_multiply_adds_are_half_the_operations_that_xla_counts(layer, arguments):
    spec = LayerSpec(layer, arguments)
    row = summarize((9, 8, 3), spec).layers[0]
    assert row.multiply_adds == count_multiply_adds_with_xla(spec, (9, 8, 3))


def test_operations_are_multiply_adds_and_what_pooling_and_memory_cost():
    layers = (
        LayerSpec("Conv2D", {"filters": 2, "kernel_size": 3}),
        LayerSpec("MaxPooling2D", {"pool_size": 2}),
        LayerSpec("Flatten"),
    )
    conv, pool, flat = 4 * 4 * 2, 2 * 2 * 2, 8
    expected = conv * 9 * 3 + pool * 4 + 16 * (conv + pool + flat)
    assert count_operations(ModelSpec("m", layers), (6, 6, 3)) == expected


def test_multiply_adds_count_padding_like_pixels():
    arguments = {"filters": 5, "kernel_size": 3}
    padded = count_multiply_adds_with_xla(LayerSpec("Conv2D", arguments), (11, 10, 3))
    row = summarize((9, 8, 3), LayerSpec("Conv2D", {**arguments, "padding": "same"})).layers[0]
    assert row.multiply_adds == padded


def test_multiply_adds_of_scaling_are_one_for_each_value():
    summary = summarize(
        (4, 5, 3),
        LayerSpec("Rescaling", {"scale": 2}),
        LayerSpec("BatchNormalization"),
        LayerSpec("MaxPooling2D"),
        LayerSpec("Flatten"),
    )
    assert [row.multiply_adds for row in summary.layers] == [60, 60, 0, 0]


def test_lesson_has_the_numbers_of_the_lesson(lesson):
    summary = summarize_model(lesson, (8, 8, 1))
    assert [row.parameters for row in summary.layers] == [100, 0, 0, 0, 4_550, 0, 510, 0]
    assert [row.output_shape for row in summary.layers] == [
        (6, 6, 10), (6, 6, 10), (3, 3, 10), (90,), (50,), (50,), (10,), (10,),
    ]  # fmt: skip
    assert [row.receptive_field for row in summary.layers[:4]] == [(3, 3), (3, 3), (4, 4), (4, 4)]
    assert summary.layers[-1].receptive_field == (8, 8)
    assert [row.dense_parameters for row in summary.layers] == [23_400, *[None] * 7]
    assert summary.parameters == 5_160
    assert summary.mlp_parameters == 23_400 + 4_550 + 510
    assert summary.multiply_adds == 36 * 9 * 10 + 90 * 50 + 50 * 10
    assert [row.layer for row in summary.layers] == [layer.layer for layer in lesson.layers]
    assert (summary.name, summary.input_shape) == ("lesson", (8, 8, 1))


def test_mlp_parameters_are_those_of_dense_layers_in_keras():
    layers = [
        LayerSpec("Conv2D", {"filters": 4, "kernel_size": 3}),
        LayerSpec("DepthwiseConv2D", {"kernel_size": 2, "strides": 2}),
        LayerSpec("Flatten"),
        LayerSpec("Dense", {"units": 3}),
    ]
    mlp = [LayerSpec("Dense", {"units": units}) for units in (4 * 5 * 4, 2 * 2 * 4, 3)]
    summary = summarize((6, 7, 2), *layers)
    assert [row.output_shape for row in summary.layers[:2]] == [(4, 5, 4), (2, 2, 4)]
    expected = build_in_keras([LayerSpec("Flatten"), *mlp], (6, 7, 2)).count_params()
    assert summary.mlp_parameters == expected


CONV = LayerSpec("Conv2D", {"filters": 10, "kernel_size": 3})
POOL = LayerSpec("MaxPooling2D")


@pytest.mark.parametrize(
    ("layers", "problem", "remedy"),
    [
        (
            [CONV, POOL, CONV, POOL],
            "Layer 4 (MaxPooling2D on 1×1×10) needs at least 2×2 pixels but receives 1×1: nothing "
            "would be left of the image.",
            'Give it padding="same" or a smaller pool_size, or shrink the image less before.',
        ),
        (
            [LayerSpec("Conv2D", {"filters": 1, "kernel_size": (2, 4), "dilation_rate": 3})],
            "Layer 1 (Conv2D on 8×8×1) needs at least 4×10 pixels but receives 8×8: nothing would "
            "be left of the image.",
            'Give it padding="same" or a smaller kernel_size, or shrink the image less before.',
        ),
        (
            [LayerSpec("Flatten"), CONV],
            "Layer 2 (Conv2D on 64 values) needs an image, height×width×channels, not a vector.",
            "Move it before the layer that flattens the image.",
        ),
        (
            [CONV, LayerSpec("MaxPool2D")],
            "Layer 2 ('MaxPool2D' on 6×6×10) is unknown; expected one of Activation, "
            "AveragePooling2D, "
            "BatchNormalization, Conv2D, Dense, DepthwiseConv2D, Dropout, Flatten, "
            "GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D, Rescaling, "
            "SeparableConv2D, ZeroPadding2D.",
            "Did you mean MaxPooling2D?",
        ),
        (
            [CONV, LayerSpec("Dense", {"unit": 10})],
            "Layer 2 (Dense on 6×6×10) has no argument 'unit': it takes units, activation, "
            "use_bias, name.",
            "Did you mean units?",
        ),
    ],
)
def test_impossible_layer_is_named_with_its_position_and_the_shape_there(layers, problem, remedy):
    with pytest.raises(LayerError) as caught:
        summarize((8, 8, 1), *layers)
    assert (caught.value.problem, caught.value.remedy) == (problem, remedy)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 0), (1, 8, 8, 1)])
def test_input_shape_must_be_an_image(shape):
    with pytest.raises(SpecError, match=re.escape(f"input_shape={shape} is not the shape of an")):
        summarize(shape, LayerSpec("Flatten"))


def test_model_without_layers_is_refused():
    with pytest.raises(SpecError, match=r"'model' has no layers; at least one was expected\."):
        summarize((8, 8, 1))


def test_arithmetic_loads_no_keras():
    program = (
        "import sys; from clearcnn.models import summarize_model; "
        "from clearcnn.specs import LayerSpec, ModelSpec; "
        "summarize_model(ModelSpec('m', (LayerSpec('Flatten'),)), (8, 8, 1)); "
        "print({'keras', 'jax'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
