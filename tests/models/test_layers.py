import inspect

import pytest

from clearcnn.backend import load_keras
from clearcnn.errors import LayerError, SpecError
from clearcnn.models.layers import LAYERS, check_model, complete_layer, name_layers
from clearcnn.specs import LayerSpec, ModelSpec

REQUIRED = {
    "activation": "relu",
    "filters": 4,
    "kernel_size": 3,
    "pool_size": 3,
    "rate": 0.5,
    "scale": 2.0,
    "units": 4,
}


@pytest.mark.parametrize("layer", sorted(LAYERS))
def test_every_argument_and_default_is_keras_own(layer):
    made = getattr(load_keras().layers, layer)
    required = {name for name, argument in LAYERS[layer].items() if argument.required}
    parameters = inspect.signature(made).parameters
    for name in LAYERS[layer]:
        assert (name in required) == (parameters[name].default is inspect.Parameter.empty)
    arguments = {name: REQUIRED[name] for name in required}
    config = made(**arguments).get_config()
    plain = complete_layer(LayerSpec(layer, arguments), 1)
    assert plain == {name: config[name] for name in LAYERS[layer]}


@pytest.mark.parametrize(
    ("layer", "arguments", "plain"),
    [
        (
            "Conv2D",
            {"filters": 8, "kernel_size": 3, "name": "edges"},
            {
                "filters": 8,
                "kernel_size": (3, 3),
                "strides": (1, 1),
                "padding": "valid",
                "dilation_rate": (1, 1),
                "activation": "linear",
                "use_bias": True,
            },
        ),
        (
            "SeparableConv2D",
            {"filters": 8, "kernel_size": [3, 1], "padding": "SAME", "activation": "swish"},
            {
                "filters": 8,
                "kernel_size": (3, 1),
                "strides": (1, 1),
                "padding": "same",
                "dilation_rate": (1, 1),
                "depth_multiplier": 1,
                "activation": "silu",
                "use_bias": True,
            },
        ),
        (
            "MaxPooling2D",
            {"pool_size": (2, 3)},
            {"pool_size": (2, 3), "strides": (2, 3), "padding": "valid"},
        ),
        (
            "AveragePooling2D",
            {"pool_size": 3, "strides": 2, "padding": "same"},
            {"pool_size": (3, 3), "strides": (2, 2), "padding": "same"},
        ),
        ("ZeroPadding2D", {"padding": [1, [2, 3]]}, {"padding": ((1, 1), (2, 3))}),
        (
            "Dense",
            {"units": 5, "activation": None, "name": None},
            {"units": 5, "activation": "linear", "use_bias": True},
        ),
        ("Rescaling", {"scale": 2, "offset": -1}, {"scale": 2.0, "offset": -1.0}),
        ("Dropout", {"rate": 0}, {"rate": 0.0}),
        ("BatchNormalization", {"momentum": 0.9}, {"momentum": 0.9, "epsilon": 0.001}),
        ("Flatten", {}, {}),
    ],
)
def test_arguments_get_one_plain_form(layer, arguments, plain):
    assert complete_layer(LayerSpec(layer, arguments), 1) == plain


SIDES = "a whole number from 1 to 512, or a pair of them was expected."
COUNT = "a whole number from 1 to 65,536 was expected."
CONV = {"filters": 8, "kernel_size": 3}


@pytest.mark.parametrize(
    ("layer", "arguments", "problem", "remedy"),
    [
        (
            "Conv2D",
            {"kernel_size": 3},
            f"has no filters; {COUNT}",
            "Add filters, such as filters = 16.",
        ),
        ("Conv2D", {**CONV, "filters": 0}, f"has filters=0; {COUNT}", "filters = 16."),
        ("Conv2D", {**CONV, "filters": True}, f"has filters=True; {COUNT}", "filters = 16."),
        ("Conv2D", {**CONV, "filters": 8.0}, f"has filters=8.0; {COUNT}", "filters = 16."),
        ("Conv2D", {**CONV, "filters": 65_537}, f"has filters=65537; {COUNT}", "filters = 16."),
        ("Conv2D", {**CONV, "filters": None}, f"has filters=None; {COUNT}", "filters = 16."),
        (
            "Conv2D",
            {**CONV, "kernel_size": (3, 3, 3)},
            f"has kernel_size=(3, 3, 3); {SIDES}",
            "= 3.",
        ),
        ("Conv2D", {**CONV, "strides": (0, 1)}, f"has strides=(0, 1); {SIDES}", "strides = 3."),
        ("Conv2D", {**CONV, "strides": "2"}, f"has strides='2'; {SIDES}", "strides = 3."),
        (
            "Conv2D",
            {**CONV, "padding": "sane"},
            'has padding=\'sane\'; "valid" or "same" was expected.',
            'Did you mean "same"?',
        ),
        (
            "Conv2D",
            {**CONV, "padding": 1},
            'has padding=1; "valid" or "same" was expected.',
            'Give it a value such as padding = "same".',
        ),
        (
            "Conv2D",
            {**CONV, "strides": 2, "dilation_rate": (1, 2)},
            "has strides=(2, 2) and dilation_rate=(1, 2): Keras lets one of them be above 1, not "
            "both.",
            "Leave out strides or dilation_rate.",
        ),
        (
            "Activation",
            {"activation": "rellu"},
            "has activation='rellu'; one of elu, gelu, hard_sigmoid, hard_silu, leaky_relu, "
            "linear, mish, relu, relu6, selu, sigmoid, silu, softmax, softplus, softsign, tanh was "
            "expected.",
            'Did you mean "relu"?',
        ),
        ("Activation", {"activation": 3}, "has activation=3; one of elu,", '= "relu".'),
        (
            "Dense",
            {"units": 3, "use_bias": 1},
            "has use_bias=1; true or false was expected.",
            "false.",
        ),
        ("Dropout", {"rate": 1}, "has rate=1; a number in [0, 1) was expected.", "rate = 0.25."),
        (
            "Dropout",
            {"rate": float("nan")},
            "has rate=nan; a number in [0, 1) was expected.",
            "0.25.",
        ),
        ("Dropout", {"rate": True}, "has rate=True; a number in [0, 1) was expected.", "0.25."),
        ("Rescaling", {"scale": 10**400}, "; a finite number was expected.", "scale = 0.0625."),
        ("Rescaling", {"scale": "1/255"}, "has scale='1/255'; a finite number", "scale = 0.0625."),
        (
            "BatchNormalization",
            {"epsilon": 0},
            "has epsilon=0; a number above 0 was expected.",
            "epsilon = 0.001.",
        ),
        (
            "ZeroPadding2D",
            {"padding": -1},
            "has padding=-1; a whole number from 0 to 512, a pair (rows, columns) of them, or a "
            "pair of pairs ((top, bottom), (left, right)) was expected.",
            "padding = 1.",
        ),
        (
            "Flatten",
            {"name": "a/b"},
            "has name='a/b'; printable text without \"/\" was",
            '"edges".',
        ),
        ("Flatten", {"name": " "}, "has name=' '; printable text without \"/\" was", '"edges".'),
        (
            "Conv2D",
            {**CONV, "groups": 2},
            "has no argument 'groups': it takes filters, kernel_size, strides, padding, "
            "dilation_rate, activation, use_bias, name.",
            "Leave it out.",
        ),
        (
            "Conv2D",
            {"Filters": 8, "kernel_size": 3},
            "has no argument 'Filters': it takes",
            "Did you mean filters?",
        ),
    ],
)
def test_wrong_argument_is_named_with_position_and_what_is_expected(
    layer, arguments, problem, remedy
):
    with pytest.raises(LayerError) as caught:
        complete_layer(LayerSpec(layer, arguments), 3)
    assert caught.value.problem.startswith(f"Layer 3 ({layer}) ")
    assert problem in caught.value.problem
    assert caught.value.remedy.endswith(remedy)


@pytest.mark.parametrize("layer", ["Conv2D", "DepthwiseConv2D", "SeparableConv2D"])
def test_strides_with_dilation_are_refused_as_the_documentation_of_keras_says(layer):
    made = getattr(load_keras().layers, layer)
    said = " ".join(made.__doc__.split())
    assert "`strides > 1` is incompatible with `dilation_rate > 1`" in said
    with pytest.raises(LayerError, match="strides"):
        arguments = {name: CONV[name] for name in CONV if name in LAYERS[layer]}
        complete_layer(LayerSpec(layer, {**arguments, "strides": 2, "dilation_rate": 2}), 1)


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("conv2d", "Did you mean Conv2D?"),
        ("AvgPooling2D", "Did you mean AveragePooling2D?"),
        ("Linear", "Choose a layer from these."),
    ],
)
def test_unknown_layer_is_named_with_the_nearest(written, remedy):
    with pytest.raises(LayerError) as caught:
        complete_layer(LayerSpec(written), 2, (6, 6, 10))
    assert caught.value.problem.startswith(
        f"Layer 2 ({written!r} on 6×6×10) is unknown; expected one of "
    )
    assert caught.value.remedy == remedy


def test_layers_are_named_by_kind_and_number_around_the_names_given():
    layers = [
        LayerSpec("Conv2D", {"name": "edges"}),
        LayerSpec("Conv2D"),
        LayerSpec("GlobalAveragePooling2D"),
        LayerSpec("Dense", {"name": "dense_2"}),
        LayerSpec("Dense"),
        LayerSpec("Dense"),
        LayerSpec("BatchNormalization"),
    ]
    assert name_layers(layers) == (
        "edges",
        "conv2d_1",
        "global_average_pooling2d_1",
        "dense_2",
        "dense_1",
        "dense_3",
        "batch_normalization_1",
    )


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (("a", "b", "a"), "Layer 3 (Flatten) has name='a', which layer 1 has already; each name"),
        (("image",), "Layer 1 (Flatten) has name='image', which the input has already; each name"),
    ],
)
def test_two_layers_of_one_name_are_refused(names, problem):
    with pytest.raises(LayerError) as caught:
        check_model(ModelSpec("m", tuple(LayerSpec("Flatten", {"name": name}) for name in names)))
    assert caught.value.problem.startswith(problem)
    assert caught.value.remedy == "Give it another name, or none."


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            ModelSpec("a/b", (LayerSpec("Flatten"),)),
            "The model has name='a/b'; printable text without \"/\" was expected. "
            'Give it a name such as name = "small".',
        ),
        (
            ModelSpec("empty", ()),
            "The model 'empty' has no layers; at least one was expected. "
            'Add layers that end with Dense and activation="softmax".',
        ),
    ],
)
def test_model_without_layers_or_name_is_refused(spec, message):
    with pytest.raises(SpecError) as caught:
        check_model(spec)
    assert str(caught.value) == message
