"""`evaluate`'s tables at 80 and at 120 columns: no row is torn."""

from clearcnn.cli.console import Console
from clearcnn.cli.evaluate_view import view_models
from clearcnn.results.evaluate import FoldScore, ModelScore, Protocol
from clearcnn.results.scores import Difference, Interval, Score

FOLDS = tuple(FoldScore(f"fold {n}", n, 90, 10 - n % 3, 10) for n in range(1, 11))
SCORE = Score(970, 1000, Interval(0.955, 0.983, 0.95, "folds"))
DIFFERENCE = Difference(-0.012, Interval(-0.021, -0.003, 0.95, "folds"))
PROTOCOL = Protocol(
    "random",
    "1,000 images.",
    (
        ModelScore("default", SCORE, 0.011, FOLDS, None, None),
        ModelScore("logistic regression", SCORE, 0.02, FOLDS, DIFFERENCE, 0.03),
    ),
)


def lines(columns: int) -> list[str]:
    console = Console(width=columns, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(view_models(PROTOCOL))
    found = [line.rstrip() for line in capture.get().splitlines() if line.strip()]
    assert all(len(line) <= columns for line in found)
    return found


def test_in_a_wide_terminal_each_model_is_a_row() -> None:
    heading, ours, theirs = lines(140)
    assert heading.split()[:2] == ["model", "accuracy"]
    assert ours.split()[0] == "default"
    assert theirs.endswith("worse, −1.2 points (−2.1 to −0.3)")


def test_in_a_narrow_one_the_rest_is_below_the_accuracy() -> None:
    found = lines(80)
    assert found[0].split() == ["default", "97.0", "%", "(95.5–98.3)"]
    assert found[1].strip() == "±1.1, worst 80.0 % on fold 2"
    assert found[2].split()[:2] == ["logistic", "regression"]
    assert found[4].strip() == "default is worse, −1.2 points (−2.1 to −0.3)"
    assert len(found) == 5
