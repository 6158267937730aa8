import pytest

from clearcnn.models.spelling import suggest


@pytest.mark.parametrize(
    ("word", "choice"),
    [("kernel", "kernel_size"), ("FILTERS", "filters"), ("", None), ("optimizer", None)],
)
def test_suggests_the_nearest_choice_or_none(word, choice):
    assert suggest(word, ["filters", "kernel_size", "strides"]) == choice
