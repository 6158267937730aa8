import pytest

from clearcnn.backend import load_keras
from clearcnn.models.layer_arguments import ACTIVATION, ACTIVATIONS
from clearcnn.models.layers import LAYERS


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_one_of_keras(name):
    assert load_keras().activations.get(name) is getattr(load_keras().activations, name)


@pytest.mark.parametrize("alias", [name for name in ACTIVATION.choices if name not in ACTIVATIONS])
def test_an_alias_stands_for_what_it_does_in_keras(alias):
    activations = load_keras().activations
    assert activations.get(alias) is activations.get(ACTIVATION.parse(alias))


def test_no_activation_is_linear():
    assert ACTIVATION.parse(None) == "linear"


def test_every_example_is_a_value_of_its_kind():
    kinds = {argument.kind for table in LAYERS.values() for argument in table.values()}
    for kind in kinds:
        value = {"true": True, "false": False}.get(kind.example)
        if value is None:
            value = kind.example.strip('"') if '"' in kind.example else float(kind.example)
        kind.parse(int(value) if isinstance(value, float) and value.is_integer() else value)
