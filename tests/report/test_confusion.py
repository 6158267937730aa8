import numpy as np

from clearcnn.evaluation import evaluate_predictions
from clearcnn.report.confusion import Confusion, list_confusions, need_vertical_labels, tabulate


def _evaluate(pairs, names):
    labels, predictions = zip(*pairs, strict=True)
    probabilities = np.eye(len(names))[list(predictions)]
    return evaluate_predictions(
        labels, probabilities, names, range(len(pairs)), [str(k) for k in range(len(pairs))]
    )


PAIRS = [(0, 0)] * 7 + [(0, 1)] * 3 + [(1, 1)] * 9 + [(1, 2)]


def test_rows_hold_counts_shares_and_words():
    cat, dog, owl = tabulate(_evaluate(PAIRS, ["cat", "dog", "owl"]))
    assert [(row.name, row.support) for row in (cat, dog, owl)] == [
        *(("cat", 10), ("dog", 10), ("owl", 0))
    ]
    assert [cell.count for cell in cat.cells] == [7, 3, 0]
    assert [cell.right for cell in dog.cells] == [False, True, False]
    assert cat.cells[1].words == "3 of 10: true cat, predicted dog"
    assert cat.cells[2].words == ""
    assert all(cell.strength == 0 for cell in owl.cells)
    assert 0 < dog.cells[2].strength < cat.cells[1].strength < dog.cells[1].strength <= 100


def test_confusions_are_listed_from_the_most_frequent_if_they_happened_twice():
    evaluation = _evaluate([*PAIRS, (2, 0), (2, 0)], ["cat", "dog", "owl"])
    assert list_confusions(evaluation) == (
        Confusion("cat", "dog", 3, 10),
        Confusion("owl", "cat", 2, 2),
    )
    assert list_confusions(evaluation, most=1) == (Confusion("cat", "dog", 3, 10),)


def test_headings_stand_upright_only_where_they_must():
    assert not need_vertical_labels([str(k) for k in range(10)])
    assert not need_vertical_labels([str(k) for k in range(100)])
    assert not need_vertical_labels(["고양이", "강아지"])
    assert need_vertical_labels(["고양이", "강아지", "토끼", "거북이", "호랑이", "코끼리"])
    assert need_vertical_labels([f"class {k}" for k in range(10)])
