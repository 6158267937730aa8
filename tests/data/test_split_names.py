import pytest

from clearcnn.data.split_names import parse_split_name, require_split_name
from clearcnn.errors import DataError


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("Training", "train"),
        ("VAL", "validation"),
        ("valid", "validation"),
        ("dev", "validation"),
        (" testing ", "test"),
        ("eval", "test"),
        ("cats", None),
        ("trains", None),
    ],
)
def test_the_usual_aliases_are_known_whatever_their_capitals(name, part):
    assert parse_split_name(name) == part


def test_an_unknown_part_is_refused_with_its_place():
    with pytest.raises(DataError, match=r"t\.csv.*'holdout'.*validation"):
        require_split_name("holdout", "t.csv")
