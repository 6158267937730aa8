import math

import pytest

from clearcnn.results.json_codec import Mismatch, decode
from clearcnn.results.train import History
from clearcnn.specs import DataSpec, TrainSpec


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (int, True, "field is True, not int"),
        (int, 1.0, "not int"),
        (str, None, "not str"),
        (float, "1", "not float"),
        (float, False, "not float"),
        (bool, 1, "not bool"),
        (tuple[int, int], [1], "not tuple"),
        (tuple[int, ...], "12", "not tuple"),
        (tuple[int, ...], [1, "2"], r"field\[1\] is '2'"),
        (dict[str, float], [], "not dict"),
        (dict[str, float], {"a": "b"}, "field.a is 'b'"),
        (int | None, "1", "not int"),
        (History, [], "not History"),
        (History, {"metrics": {}}, "field lacks best_epoch"),
        (DataSpec, {"color_mode": "sepia"}, "field.color_mode is 'sepia'"),
        (TrainSpec, {"epochs": 0}, "epochs=0 is out of range"),
        (str, 5 * [list(range(100))], r"\.\.\., not str"),
    ],
)
def test_what_does_not_fit_is_named(kind, value, words):
    with pytest.raises(Mismatch, match=words):
        decode(kind, value, "field")


def test_null_is_none_where_none_may_be_and_nan_where_a_float_is():
    assert decode(float | None, None, "x") is None
    assert math.isnan(decode(float, None, "x"))
    assert decode(float, 3, "x") == 3.0


def test_an_integer_that_no_float_holds_is_named():
    with pytest.raises(Mismatch, match="field is an integer too large"):
        decode(float, 10**400, "field")
