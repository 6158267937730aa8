import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from clearcnn.errors import SpecError
from clearcnn.evaluation import evaluate_predictions, wilson_interval
from clearcnn.evaluation.scores import balance
from clearcnn.results.scores import ClassScore, Mistake


# The first is the tutorial's result; the others are printed in Newcombe 1998, Statistics in
# Medicine 17, Table I, method 3 (Wilson's score without continuity correction).
@pytest.mark.parametrize(
    ("correct", "total", "low", "high", "decimals"),
    [
        (525, 540, 0.955, 0.983, 3),
        (81, 263, 0.2553, 0.3662, 4),
        (15, 148, 0.0624, 0.1605, 4),
        (0, 20, 0.0000, 0.1611, 4),
        (1, 29, 0.0061, 0.1718, 4),
    ],
)
def test_interval_is_the_published_one(correct, total, low, high, decimals):
    interval = wilson_interval(correct, total)
    assert (round(interval.low, decimals), round(interval.high, decimals)) == (low, high)
    assert (interval.confidence, interval.method) == (0.95, "wilson")


@given(st.integers(1, 10_000), st.floats(0, 1), st.sampled_from([0.8, 0.95, 0.99]))
def test_interval_ends_where_the_score_test_just_rejects(total, share, confidence):
    from scipy.stats import norm

    correct = round(share * total)
    interval = wilson_interval(correct, total, confidence)
    z = norm.ppf(0.5 + confidence / 2)
    for bound in (interval.low, interval.high):
        if 1e-12 < bound < 1 - 1e-12:
            score = (correct / total - bound) / np.sqrt(bound * (1 - bound) / total)
            assert abs(score) == pytest.approx(z, rel=1e-5)
    assert 0 <= interval.low <= correct / total <= interval.high <= 1


@pytest.mark.parametrize(
    ("correct", "total", "confidence"),
    [(0, 0, 0.95), (2, 1, 0.95), (-1, 5, 0.95), (1, 2, 0.0), (1, 2, 1.0), (1, 2, 95.0)],
)
def test_interval_refuses_what_is_no_proportion(correct, total, confidence):
    with pytest.raises(SpecError):
        wilson_interval(correct, total, confidence)


# Six images of three classes, worked out by hand. "owl" is never predicted.
LABELS = [0, 0, 0, 1, 1, 2]
PROBABILITIES = [
    [0.8, 0.1, 0.1],  # cat, right
    [0.6, 0.3, 0.1],  # cat, right
    [0.2, 0.7, 0.1],  # cat taken for dog, 0.7
    [0.1, 0.9, 0.0],  # dog, right
    [0.75, 0.25, 0.0],  # dog taken for cat, 0.75
    [0.1, 0.7, 0.2],  # owl taken for dog, 0.7
]
NAMES = ["a.png", "b.png", "c.png", "d.png", "e.png", "f.png"]


def _evaluate(labels=LABELS, probabilities=PROBABILITIES, classes=("cat", "dog", "owl")):
    return evaluate_predictions(labels, probabilities, classes, [10, 11, 19, 13, 14, 15], NAMES)


def test_every_figure_of_a_case_worked_out_by_hand():
    evaluation = _evaluate()
    assert (evaluation.score.correct, evaluation.score.total) == (3, 6)
    assert evaluation.score.interval == wilson_interval(3, 6)
    assert evaluation.confusion == ((2, 1, 0), (1, 1, 0), (0, 1, 0))
    assert evaluation.loss == pytest.approx(
        -np.log([0.8, 0.6, 0.2, 0.9, 0.25, 0.2]).mean(), rel=1e-6
    )
    cat, dog, owl = evaluation.classes
    assert cat == ClassScore("cat", pytest.approx(2 / 3), pytest.approx(2 / 3), 2 / 3, 3, 3)
    assert dog == ClassScore("dog", pytest.approx(1 / 3), 1 / 2, pytest.approx(2 / 5), 2, 3)
    assert owl == ClassScore("owl", None, 0.0, 0.0, 1, 0)


@pytest.mark.parametrize("seed", range(5))
def test_every_figure_is_scikit_learns_and_scipys(seed):
    generator = np.random.default_rng(seed)
    size, num_classes = int(generator.integers(1, 60)), int(generator.integers(2, 9))
    labels = generator.integers(0, num_classes, size)
    chances = generator.dirichlet(np.full(num_classes, 0.3), size).astype(np.float32)
    classes = range(num_classes)
    names = [str(row) for row in range(size)]
    found = evaluate_predictions(labels, chances, list(map(str, classes)), np.arange(size), names)
    predictions = chances.argmax(axis=1)
    np.testing.assert_array_equal(
        found.confusion, confusion_matrix(labels, predictions, labels=classes)
    )
    assert found.loss == pytest.approx(log_loss(labels, chances, labels=classes), rel=1e-6)
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predictions, labels=classes, zero_division=np.nan
    )
    for k, each in enumerate(found.classes):
        expected = (precision[k], recall[k], f1[k] if support[k] else np.nan)
        values = (each.precision, each.recall, each.f1)
        assert [np.nan if v is None else v for v in values] == pytest.approx(expected, nan_ok=True)
        assert (each.support, each.predicted) == (support[k], (predictions == k).sum())
    interval = binomtest(found.score.correct, size).proportion_ci(method="wilson")
    low, high = found.score.interval.low, found.score.interval.high
    assert (low, high) == pytest.approx((interval.low, interval.high), rel=1e-12, abs=1e-15)


def test_mistakes_come_most_confident_first_then_by_index():
    assert _evaluate().mistakes == (
        Mistake(14, "e.png", "dog", "cat", 0.75),
        Mistake(15, "f.png", "owl", "dog", pytest.approx(0.7)),
        Mistake(19, "c.png", "cat", "dog", pytest.approx(0.7)),
    )


def test_a_class_without_test_images_has_no_recall_and_no_f1():
    *_, owl = _evaluate(labels=[0, 0, 0, 1, 1, 1]).classes
    assert owl == ClassScore("owl", None, None, None, 0, 0)
    probabilities = [*PROBABILITIES[:5], [0.1, 0.2, 0.7]]
    *_, owl = _evaluate(labels=[0, 0, 0, 1, 1, 1], probabilities=probabilities).classes
    assert owl == ClassScore("owl", 0.0, None, None, 0, 1)


def test_loss_is_the_one_keras_gives():
    from clearcnn.backend import load_keras

    keras = load_keras()
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 5, 200)
    scores = generator.normal(0, 2, (200, 5))
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    probabilities = probabilities.astype(np.float32)
    evaluation = evaluate_predictions(
        labels, probabilities, list("abcde"), np.arange(200), [str(i) for i in range(200)]
    )
    expected = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
    assert evaluation.loss == pytest.approx(float(np.mean(np.asarray(expected))), rel=1e-4)


def test_a_certain_mistake_has_a_finite_loss():
    evaluation = _evaluate(probabilities=np.eye(3)[[2, 2, 2, 2, 2, 0]])
    assert evaluation.loss == pytest.approx(16, abs=0.5)
    assert evaluation.score.correct == 0


@given(st.integers(2, 6), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_counts_agree_with_a_plain_count(num_classes, n, seed):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, num_classes, n)
    probabilities = generator.dirichlet(np.ones(num_classes), n)
    names = [str(i) for i in range(n)]
    evaluation = evaluate_predictions(
        labels, probabilities, list("abcdef")[:num_classes], np.arange(n), names
    )
    predictions = probabilities.argmax(axis=1)
    for row in range(num_classes):
        for column in range(num_classes):
            expected = sum(
                1 for a, b in zip(labels, predictions, strict=True) if (a, b) == (row, column)
            )
            assert evaluation.confusion[row][column] == expected
    assert sorted(m.index for m in evaluation.mistakes) == [
        i for i in range(n) if labels[i] != predictions[i]
    ]
    for k, score in enumerate(evaluation.classes):
        assert score.support == sum(labels == k)
        assert score.predicted == sum(predictions == k)
        assert (score.precision is None) == (score.predicted == 0)
        assert (score.recall is None) == (score.f1 is None) == (score.support == 0)


@pytest.mark.parametrize(
    ("labels", "probabilities", "classes", "words"),
    [
        (LABELS[:5], PROBABILITIES, ("cat", "dog", "owl"), "shapes"),
        (LABELS, PROBABILITIES, ("cat", "dog"), "shapes"),
        ([0, 0, 0, 1, 1, 3], PROBABILITIES, ("cat", "dog", "owl"), "0 to 2"),
        (np.array(LABELS) - 1.0, PROBABILITIES, ("cat", "dog", "owl"), "float64"),
        (LABELS, np.full((6, 3), np.nan), ("cat", "dog", "owl"), "6 of 6 rows"),
        (LABELS, np.full((6, 3), 0.5), ("cat", "dog", "owl"), "sum to 1"),
    ],
)
def test_what_does_not_fit_together_is_refused(labels, probabilities, classes, words):
    with pytest.raises(SpecError, match=words):
        _evaluate(labels, probabilities, classes)


def test_no_images_are_refused():
    with pytest.raises(SpecError):
        evaluate_predictions([], np.empty((0, 2)), ["a", "b"], [], [])


# Balanced accuracy


def test_balanced_accuracy_is_scikit_learns():
    from sklearn.metrics import balanced_accuracy_score

    random = np.random.default_rng(5)
    labels = random.choice(4, 300, p=[0.7, 0.2, 0.08, 0.02])
    chances = random.dirichlet(np.ones(4), 300) + np.eye(4)[labels]
    chances /= chances.sum(axis=1, keepdims=True)
    evaluation = evaluate_predictions(
        labels, chances, list("abcd"), np.arange(300), [str(n) for n in range(300)]
    )
    expected = balanced_accuracy_score(labels, chances.argmax(axis=1))
    assert evaluation.balanced.accuracy == pytest.approx(expected)
    assert evaluation.balanced.num_classes == 4
    assert evaluation.is_unequal


def test_the_interval_of_the_balanced_accuracy_covers_it():
    random = np.random.default_rng(6)
    recalls, supports = np.array([0.95, 0.8, 0.5]), np.array([200, 50, 20])
    covered = 0
    for _ in range(1000):
        hits = random.binomial(supports, recalls)
        confusion = np.diag(hits)
        confusion[:, 0] += supports - hits
        confusion[0, 0], confusion[0, 1] = hits[0], supports[0] - hits[0]
        interval = balance(confusion).interval
        covered += interval.low <= recalls.mean() <= interval.high
    assert 930 <= covered <= 985


def test_a_class_without_test_images_has_no_recall_to_average():
    found = balance(np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]))
    assert found.accuracy == pytest.approx((0.75 + 1) / 2)
    assert found.num_classes == 2
    assert 0 < found.interval.low < found.accuracy < found.interval.high < 1
