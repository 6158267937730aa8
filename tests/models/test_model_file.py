import os
import tomllib

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from clearcnn.errors import LayerError, SpecError
from clearcnn.models.model_file import read_model, write_model
from clearcnn.specs import LayerSpec, ModelSpec

LESSON = """\
name = "lesson"

[[layers]]
layer = "Conv2D"
filters = 10
kernel_size = [3, 3]

[[layers]]
layer = "Activation"
activation = "relu"

[[layers]]
layer = "MaxPooling2D"
pool_size = [2, 2]

[[layers]]
layer = "Flatten"

[[layers]]
layer = "Dense"
units = 50

[[layers]]
layer = "Activation"
activation = "relu"

[[layers]]
layer = "Dense"
units = 10

[[layers]]
layer = "Activation"
activation = "softmax"
"""


@pytest.fixture
def write(tmp_path):
    def write_file(text):
        path = tmp_path / "model.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write_file


def test_reads_and_writes_the_lesson(write, lesson):
    assert read_model(write(LESSON)) == lesson
    assert read_model(write(LESSON), (8, 8, 1)) == lesson
    assert write_model(lesson) == LESSON


def test_a_model_without_a_name_is_called_as_its_file(write):
    assert read_model(write('[[layers]]\nlayer = "Flatten"\n')).name == "model"


@pytest.mark.parametrize("form", ["\ufeff{}", "# 설명\r\n{}"])
def test_reads_what_editors_on_windows_write(write, lesson, form):
    text = form.format(LESSON).replace("\r\n", "\n").replace("\n", "\r\n")
    assert read_model(write(text)) == lesson


NAMES = st.text(min_size=1).filter(lambda t: t.isprintable() and t.strip() and "/" not in t)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
LAYER = st.one_of(
    st.builds(LayerSpec, st.just("Rescaling"), st.fixed_dictionaries({"scale": NUMBERS})),
    st.builds(
        LayerSpec,
        st.just("ZeroPadding2D"),
        st.fixed_dictionaries(
            {"padding": st.tuples(st.integers(0, 512), st.tuples(st.just(1), st.just(2)))}
        ),
    ),
    st.builds(
        LayerSpec,
        st.just("Dense"),
        st.fixed_dictionaries({"units": st.integers(1, 65_536), "use_bias": st.booleans()}),
    ),
)


@settings(deadline=None)
@given(NAMES, st.lists(LAYER, min_size=1, max_size=4), st.none() | NAMES)
def test_what_is_written_is_read_back(tmp_path_factory, name, layers, layer_name):
    if layer_name not in (None, "image"):
        layers = [LayerSpec("Flatten", {"name": layer_name}), *layers]
    spec = ModelSpec(name, tuple(layers))
    path = tmp_path_factory.getbasetemp() / "written.toml"
    path.write_text(write_model(spec), encoding="utf-8")
    assert tomllib.loads(path.read_text(encoding="utf-8"))["name"] == name
    assert read_model(path) == spec


def test_arguments_that_are_none_are_left_out():
    spec = ModelSpec("m", (LayerSpec("Dense", {"units": 3, "activation": None}),))
    assert write_model(spec) == 'name = "m"\n\n[[layers]]\nlayer = "Dense"\nunits = 3\n'


def test_a_model_that_is_not_in_order_is_not_written():
    with pytest.raises(LayerError, match=r"Layer 1 \(Dense\) has no units;"):
        write_model(ModelSpec("m", (LayerSpec("Dense"),)))


FLATTEN = '[[layers]]\nlayer = "Flatten"\n'


@pytest.mark.parametrize(
    ("text", "error", "problem", "remedy"),
    [
        (
            'title = "m"\n' + FLATTEN,
            SpecError,
            ": key 'title' is not known outside the layers: only name and [[layers]] go there.",
            "Leave it out, or put it in a layer.",
        ),
        (
            '[[layer]]\nlayer = "Flatten"\n',
            SpecError,
            ": key 'layer' is not known outside the layers: only name and [[layers]] go there.",
            "Did you mean layers?",
        ),
        (
            'layers = ["Flatten"]\n',
            SpecError,
            ": layers is not a list of tables: a [[layers]] table for each layer was expected.",
            'Write each layer as [[layers]] with layer = "Dense" below it.',
        ),
        (
            '[layers]\nlayer = "Flatten"\n',
            SpecError,
            ": layers is not a list of tables: a [[layers]] table for each layer was expected.",
            'Write each layer as [[layers]] with layer = "Dense" below it.',
        ),
        (
            'name = "m"\n',
            SpecError,
            ": The model 'm' has no layers; at least one was expected.",
            'Add layers that end with Dense and activation="softmax".',
        ),
        (
            "name = 5\n" + FLATTEN,
            SpecError,
            ': The model has name=5; printable text without "/" was expected.',
            'Give it a name such as name = "small".',
        ),
        (
            FLATTEN + '[[layers]]\ntype = "Dense"\nunits = 3\n',
            LayerError,
            ': Layer 2 does not say which layer it is: layer = "…" was expected, its keys are '
            "type, units.",
            'Add a line such as layer = "Dense".',
        ),
        (
            "[[layers]]\n",
            LayerError,
            ': Layer 1 does not say which layer it is: layer = "…" was expected, its keys are '
            "none.",
            'Add a line such as layer = "Dense".',
        ),
        (
            FLATTEN + '[[layers]]\nlayer = "Dens"\n',
            LayerError,
            ": Layer 2 ('Dens' on 64 values) is unknown; expected one of Activation, "
            "AveragePooling2D, "
            "BatchNormalization, Conv2D, Dense, DepthwiseConv2D, Dropout, Flatten, "
            "GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D, Rescaling, "
            "SeparableConv2D, ZeroPadding2D.",
            "Did you mean Dense?",
        ),
        (
            FLATTEN + '[[layers]]\nlayer = "Dense"\nunits = 3\nactivation = 1979-05-27\n',
            LayerError,
            ": Layer 2 (Dense on 64 values) has activation=datetime.date(1979, 5, 27); one of elu, "
            "gelu, hard_sigmoid, hard_silu, leaky_relu, linear, mish, relu, relu6, selu, sigmoid, "
            "silu, softmax, softplus, softsign, tanh was expected.",
            'Give it a value such as activation = "relu".',
        ),
        (
            "name = lesson\n",
            SpecError,
            " is not a TOML file: Invalid value (at line 1, column 8).",
            'Write each layer as [[layers]] with layer = "Dense" below it.',
        ),
        (
            b"name = '\xff'\n",
            SpecError,
            " is not a TOML file: 'utf-8' codec can't decode byte 0xff in position 8: invalid "
            "start byte.",
            'Write each layer as [[layers]] with layer = "Dense" below it.',
        ),
        (
            "name = " + "[\n" * 50_000,
            SpecError,
            " is not a TOML file: it is nested too deeply.",
            'Write each layer as [[layers]] with layer = "Dense" below it.',
        ),
    ],
)
def test_errors_name_the_file_and_the_place(write, text, error, problem, remedy):
    path = write(text)
    with pytest.raises(SpecError) as caught:
        read_model(path, (8, 8, 1))
    assert type(caught.value) is error
    assert caught.value.problem == f"{path}{problem}"
    assert caught.value.remedy == remedy


def test_without_a_shape_layers_are_checked_all_the_same(write):
    path = write(FLATTEN + '[[layers]]\nlayer = "Dense"\nunit = 3\n')
    with pytest.raises(LayerError) as caught:
        read_model(path)
    assert caught.value.problem == (
        f"{path}: Layer 2 (Dense) has no argument 'unit': it takes units, activation, use_bias, "
        "name."
    )
    assert caught.value.remedy == "Did you mean units?"


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "none.toml"
    with pytest.raises(SpecError) as caught:
        read_model(path)
    assert caught.value.problem == f"{path} cannot be read: {os.strerror(2)}."
    assert caught.value.remedy == "Give the path of a model file such as model.toml."
