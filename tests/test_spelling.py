import pytest

from clearcnn.spelling import did_you_mean, suggest


@pytest.mark.parametrize(
    ("word", "choice"),
    [("kernel", "kernel_size"), ("FILTERS", "filters"), ("", None), ("optimizer", None)],
)
def test_suggests_the_nearest_choice_or_none(word, choice):
    assert suggest(word, ["filters", "kernel_size", "strides"]) == choice


def test_the_question_is_whole_or_absent():
    assert did_you_mean("lable", ["label", "name"]) == "Did you mean 'label'? "
    assert did_you_mean("xyz", ["label"]) == ""
