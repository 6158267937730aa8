"""Evaluations checked against scikit-learn on the same folds, and on synthetic data."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix
from sklearn.neighbors import KNeighborsClassifier

import clearcnn
from clearcnn.errors import ClearCNNError, DataError, SpecError
from clearcnn.evaluation import leave_groups_out, make_random_folds
from clearcnn.results.json_codec import to_json
from clearcnn.workflows.evaluate.evaluate import EvaluateListener

DIGITS = clearcnn.load("digits")
FEW = DIGITS.take(np.arange(0, 1797, 6))
UNGROUPED = dataclasses.replace(FEW, groups=None)
QUICK = {"recipe": "tutorial", "epochs": 3, "folds": 3}
BARE = {**QUICK, "baselines": False, "learning_curve": False}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A complete evaluation of 300 digits."""
    out = tmp_path_factory.mktemp("evaluation") / "whole"
    return clearcnn.evaluate(FEW, **QUICK, out=out)


def read_answers(folder):
    lines = (folder / "predictions.csv").read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines[1:]]
    return {int(row[0]): (row[2], row[3]) for row in rows}


def test_every_image_is_predicted_once_and_metrics_match_scikit_learn(whole):
    answers = read_answers(whole.folder)
    assert sorted(answers) == list(range(300))
    truth, given = zip(*answers.values(), strict=True)
    headline = whole.headline
    assert headline.score.accuracy == pytest.approx(accuracy_score(truth, given))
    assert headline.score.correct == sum(fold.correct for fold in headline.folds)
    names = list(whole.class_names)
    assert np.array_equal(whole.evaluation.confusion, confusion_matrix(truth, given, labels=names))
    assert headline.score.interval.low < headline.score.accuracy < headline.score.interval.high


def test_equal_classes_get_no_balanced_accuracy(whole):
    models = [model for protocol in whole.protocols for model in protocol.models]
    assert {(each.balanced, each.balanced_difference) for each in models} == {(None, None)}


def test_the_headline_leaves_groups_out_beside_random_folds(whole):
    groups, random = whole.protocols
    assert (groups.kind, random.kind) == ("groups", "random")
    assert [fold.name for fold in groups.models[0].folds] == [f"block {k}" for k in range(1, 15)]
    assert len(random.models[0].folds) == 3
    assert groups.models[0].worst.accuracy == min(f.accuracy for f in groups.models[0].folds)
    assert len({fold.seed for fold in groups.models[0].folds}) == 14
    assert any("points" in note and "unseen groups" in note for note in whole.notes)


def test_baselines_match_scikit_learn_on_the_same_folds(whole):
    flat = FEW.images.reshape(300, -1) / 16
    for protocol, folds in (
        (
            whole.protocols[0],
            leave_groups_out(FEW.labels, FEW.groups, num_folds=3, seed=777),
        ),
        (
            whole.protocols[1],
            make_random_folds(FEW.labels, num_folds=3, repeat=0, seed=777),
        ),
    ):
        nearest = next(m for m in protocol.models if m.name == "nearest neighbour")
        model = KNeighborsClassifier(1)
        expected = [
            int(
                (
                    model.fit(flat[f.train], FEW.labels[f.train]).predict(flat[f.test])
                    == FEW.labels[f.test]
                ).sum()
            )
            for f in folds
        ]
        assert [fold.correct for fold in nearest.folds] == expected
        ours = protocol.models[0]
        gaps = [a.accuracy - b.accuracy for a, b in zip(ours.folds, nearest.folds, strict=True)]
        assert nearest.difference.mean == pytest.approx(np.mean(gaps))


def test_the_learning_curve_ends_with_the_full_folds(whole):
    curve = whole.learning_curve
    sizes = [point.num_train for point in curve.points]
    assert len(sizes) >= 3
    assert sizes == sorted(sizes)
    assert sizes[-1] == pytest.approx(
        np.mean([fold.num_train for fold in whole.headline.folds]), rel=0.02
    )
    assert curve.sentence


def test_robustness_starts_with_undistorted_images(whole):
    plain = whole.robustness[0]
    assert plain.distortion == "none"
    assert plain.ours == pytest.approx(whole.headline.score.accuracy)
    best = max((m for m in whole.protocols[0].models[1:]), key=lambda model: model.score.accuracy)
    assert whole.baseline == best.name
    assert plain.baseline == pytest.approx(best.score.accuracy)
    assert len(whole.robustness) == 8


def test_json_and_record_have_the_same_fields(whole):
    written = json.loads((whole.folder / "evaluation.json").read_text(encoding="utf-8"))
    fields = {field.name for field in dataclasses.fields(whole)} - {"folder", "pictures"}
    assert set(written) == fields | {"schema_version"}
    assert written["protocols"][0]["models"][0]["score"] == to_json(whole.headline.score)
    assert written["protocols"][0]["models"][1]["difference"]["verdict"]
    assert (whole.folder / "report.html").is_file()


def test_the_same_seed_gives_the_same_predictions_and_another_does_not(tmp_path):
    results = [
        clearcnn.evaluate(UNGROUPED, **BARE, seed=seed, out=tmp_path / str(number))
        for number, seed in enumerate((1, 1, 2))
    ]
    chances = [(r.folder / "predictions.csv").read_text(encoding="utf-8") for r in results]
    assert chances[0] == chances[1] != chances[2]


@pytest.mark.release
def test_test_images_are_not_learned(tmp_path):
    """With random labels, only a model that saw the test images scores above chance."""
    labels = np.random.default_rng(0).integers(0, 2, 300)
    images = dataclasses.replace(UNGROUPED, labels=labels, class_names=("heads", "tails"))
    result = clearcnn.evaluate(
        images,
        recipe="tutorial",
        epochs=30,
        folds=5,
        learning_curve=False,
        out=tmp_path / "e",
    )
    for model in result.protocols[0].models:
        assert 0.38 < model.score.accuracy < 0.62, model.name


@pytest.mark.release
def test_repeats_use_other_seeds(tmp_path):
    result = clearcnn.evaluate(
        UNGROUPED, **{**BARE, "repeats": 20, "epochs": 1, "folds": 2}, out=tmp_path / "e"
    )
    folds = result.headline.folds
    assert len(folds) == 40
    assert len({fold.seed for fold in folds}) == 40
    assert result.headline.score.total == 20 * 300
    assert "20 times with different seeds" in result.protocols[0].sentence


def test_a_test_set_of_the_source_is_not_used(tmp_path):
    parts = np.where(np.arange(300) < 200, "train", "test")
    images = dataclasses.replace(UNGROUPED, split_names=parts)
    result = clearcnn.evaluate(images, **BARE, out=tmp_path / "e")
    assert result.num_images == 200
    assert any("100 images of the source's test set" in note for note in result.notes)
    assert sorted(read_answers(result.folder)) == list(range(200))


def test_models_are_compared_on_the_same_folds(tmp_path):
    wide = tmp_path / "wide.toml"
    wide.write_text(
        'name = "wide"\n'
        '[[layers]]\nlayer = "Conv2D"\nfilters = 16\nkernel_size = 3\nactivation = "relu"\n'
        '[[layers]]\nlayer = "Flatten"\n'
        '[[layers]]\nlayer = "Dense"\nunits = 10\nactivation = "softmax"\n',
        encoding="utf-8",
    )
    result = clearcnn.evaluate(UNGROUPED, **BARE, compare=[wide], out=tmp_path / "e")
    ours, theirs = result.protocols[0].models
    assert (ours.name, theirs.name) == ("tutorial", "wide.toml")
    assert [f.total for f in ours.folds] == [f.total for f in theirs.folds]
    assert theirs.difference.verdict
    assert 0 <= theirs.p_value <= 1


def test_compare_compares_with_the_first(tmp_path):
    listener = EvaluateListener()
    with pytest.raises(SpecError, match="1 of at least 2 models"):
        clearcnn.compare(["tutorial"])
    with pytest.raises(SpecError, match="compared with itself"):
        clearcnn.compare(["tutorial", "tutorial"], UNGROUPED, listener=listener)


def test_compare_writes_its_report_in_the_language_asked_for(tmp_path):
    with pytest.raises(SpecError, match="fr"):
        clearcnn.compare(["tutorial", "default"], UNGROUPED, language="fr")
    small = tmp_path / "small.toml"
    small.write_text(
        'name = "small"\n[[layers]]\nlayer = "Flatten"\n'
        '[[layers]]\nlayer = "Dense"\nunits = 10\nactivation = "softmax"\n',
        encoding="utf-8",
    )
    few = UNGROUPED.take(np.arange(100))
    result = clearcnn.compare(["tutorial", small], few, folds=2, out=tmp_path / "c", language="ko")
    assert [model.name for model in result.protocols[0].models] == ["tutorial", "small.toml"]
    assert '<html lang="ko">' in (result.folder / "report.html").read_text("utf-8")[:300]


def test_new_images_without_a_run_raise():
    with pytest.raises(SpecError, match="not a run folder"):
        clearcnn.evaluate("digits", "digits")


def test_few_images_of_a_class_get_fewer_folds(tmp_path):
    keep = np.concatenate([np.flatnonzero(UNGROUPED.labels == k)[:4] for k in range(10)])
    result = clearcnn.evaluate(UNGROUPED.take(keep), **{**BARE, "folds": 10}, out=tmp_path / "e")
    assert len(result.headline.folds) == 4


def test_many_groups_of_few_images_of_a_class_get_fewer_folds_too(tmp_path):
    """A flip trial takes the first of ten folds, whatever number is asked for."""
    keep = np.concatenate([np.flatnonzero(UNGROUPED.labels == k)[:9] for k in range(3)])
    images = dataclasses.replace(
        UNGROUPED.take(keep),
        labels=np.repeat([0, 1, 2], 9),
        class_names=("0", "1", "2"),
        groups=np.array([f"group {number}" for number in range(27)]),
    )
    result = clearcnn.evaluate(images, **BARE, out=tmp_path / "three")
    assert [len(each.models[0].folds) for each in result.protocols] == [3, 3]
    assert "27 images of 27 groups; each of 3 trainings tests on whole groups" in (
        result.protocols[0].sentence
    )
    result = clearcnn.evaluate(images, **{**BARE, "folds": 10}, out=tmp_path / "ten")
    assert [len(each.models[0].folds) for each in result.protocols] == [9, 5]


def test_much_work_gets_five_folds_unless_ten_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr("clearcnn.workflows.evaluate.work._MUCH_WORK", 0)
    options = {"recipe": "tutorial", "epochs": 1, "baselines": False, "learning_curve": False}
    few = clearcnn.evaluate(UNGROUPED, **options, out=tmp_path / "a")
    assert len(few.headline.folds) == 5
    again = clearcnn.evaluate(UNGROUPED, **options, folds=5, out=tmp_path / "b")
    assert again.protocols == few.protocols
    ten = clearcnn.evaluate(UNGROUPED, **options, folds=10, out=tmp_path / "c")
    assert len(ten.headline.folds) == 10
    # The groups of the digits are left out one by one, whatever the work.
    groups = clearcnn.evaluate(FEW, **options, out=tmp_path / "d")
    assert len(groups.headline.folds) == 14


@pytest.mark.parametrize(
    ("recipe", "said"),
    [("default", "to the power −0.5, also for the logistic"), ("tutorial", "counts the same")],
)
def test_unequal_classes_get_the_balanced_accuracy(recipe, said, tmp_path):
    """Against scikit-learn: 170 threes and 15 eights."""
    rows = [np.flatnonzero(DIGITS.labels == digit)[:n] for digit, n in ((3, 170), (8, 15))]
    some = dataclasses.replace(DIGITS.take(np.concatenate(rows)), groups=None)
    images = dataclasses.replace(
        some, labels=(some.labels == 8).astype(np.int64), class_names=("3", "8")
    )
    options = {"epochs": 2, "folds": 3, "learning_curve": False}
    result = clearcnn.evaluate(images, recipe=recipe, **options, out=tmp_path / "e")
    truth, given = zip(*read_answers(result.folder).values(), strict=True)
    ours, *others = result.protocols[0].models
    assert ours.balanced.accuracy == pytest.approx(balanced_accuracy_score(truth, given))
    frequent = next(each for each in others if each.name == "most frequent class")
    assert frequent.balanced.accuracy == 0.5
    best = max(others, key=lambda each: each.balanced.accuracy)
    (note,) = (note for note in result.notes if note.startswith("The classes are unequal"))
    assert said in note
    assert f"{best.name} has the highest" in note
    assert best.balanced_difference.verdict in note


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "digits"
    return clearcnn.train("digits", recipe="tutorial", epochs=3, out=out)


def test_a_runs_own_test_set_has_the_same_score(run, tmp_path):
    result = clearcnn.evaluate(run.run_folder, out=tmp_path / "e")
    assert result.evaluation.score == run.test.score
    assert result.evaluation.mistakes == run.test.mistakes
    assert result.protocols[0].kind == "test"
    interval = result.headline.score.interval
    assert interval.method == "wilson, whole groups"
    assert result.robustness[0].ours == pytest.approx(run.test.score.accuracy)


def test_new_images_are_matched_by_class_names(run, tmp_path):
    """Only threes and eights, numbered 0 and 1 among themselves."""
    rows = np.flatnonzero(np.isin(FEW.labels, (3, 8)))
    some = FEW.take(rows)
    new = dataclasses.replace(
        some, labels=(some.labels == 8).astype(np.int64), class_names=("3", "8")
    )
    result = clearcnn.evaluate(run.run_folder, new, out=tmp_path / "e")
    assert result.num_images == len(rows)
    assert {truth for truth, _ in read_answers(result.folder).values()} == {"3", "8"}
    assert result.headline.score.accuracy > 0.5


def save_digits(folder: Path, rows: list[int]) -> Path:
    for row in rows:
        place = folder / str(FEW.labels[row])
        place.mkdir(parents=True, exist_ok=True)
        pixels = np.rint(FEW.images[row, ..., 0] * (255 / 16)).astype(np.uint8)
        Image.fromarray(pixels).save(place / f"{row}.png")
    return folder


@pytest.fixture(scope="module")
def picture_run(tmp_path_factory):
    """A run that was trained on PNG images."""
    place = tmp_path_factory.mktemp("pictures")
    save_digits(place / "digits", [*range(200)])
    out = place / "run"
    return clearcnn.train(str(place / "digits"), recipe="tutorial", epochs=2, out=out)


@pytest.mark.parametrize("digits", [[3], [3, 8], [*range(10)]], ids=str)
@pytest.mark.parametrize("of_each", [1, 2])
def test_scoring_does_not_need_two_images_of_a_class(digits, of_each, picture_run, tmp_path):
    rows = [row for k in digits for row in np.flatnonzero(FEW.labels == k)[:of_each].tolist()]
    new = save_digits(tmp_path / "new", rows)
    (new / "9").mkdir(exist_ok=True)
    result = clearcnn.evaluate(picture_run.run_folder, new, out=tmp_path / "e")
    answers = clearcnn.predict(picture_run.run_folder, [new], keep_polarity=True)
    right = sum(answer.prediction == Path(answer.name).parent.name for answer in answers)
    assert result.num_images == len(rows)
    assert result.evaluation.score.correct == right
    assert [each.support for each in result.evaluation.classes] == [
        of_each * (k in digits) for k in range(10)
    ]
    said = [note for note in result.notes if note.startswith("No image of the class")]
    absent = [each.name for each in result.evaluation.classes if not each.support]
    assert bool(said) == bool(absent)
    assert all(repr(name) in said[0] for name in absent[:8])
    assert (result.folder / "report.html").is_file()


def test_one_image_in_an_array_is_scored(run, tmp_path):
    new = dataclasses.replace(FEW.take([5]), groups=None)
    result = clearcnn.evaluate(run.run_folder, new, out=tmp_path / "e")
    assert result.headline.score.total == 1


def test_unknown_classes_without_images_are_accepted(picture_run, tmp_path):
    rows = [int(np.flatnonzero(FEW.labels == k)[0]) for k in (3, 8)]
    new = save_digits(tmp_path / "new", rows)
    (new / "zebra").mkdir()
    (new / "ant").mkdir()
    result = clearcnn.evaluate(picture_run.run_folder, new, out=tmp_path / "e")
    assert {truth for truth, _ in read_answers(result.folder).values()} == {"3", "8"}


def test_training_still_needs_two_images_of_each_class(tmp_path):
    rows = [int(np.flatnonzero(FEW.labels == k)[0]) for k in (3, 8)]
    new = save_digits(tmp_path / "new", rows)
    for learn in (clearcnn.train, clearcnn.evaluate):
        with pytest.raises(DataError, match="only one image in the classes '3', '8'"):
            learn(str(new), out=tmp_path / "x")


def test_unknown_classes_raise(run, tmp_path):
    new = dataclasses.replace(FEW, class_names=tuple("abcdefghij"))
    with pytest.raises(DataError, match="class 'a', which the model does not know"):
        clearcnn.evaluate(run.run_folder, new, out=tmp_path / "e")
    assert not (tmp_path / "e").exists()


def test_another_value_range_raises(run, tmp_path):
    bright = FEW.images * np.uint8(15)
    new = dataclasses.replace(FEW, images=bright, value_range=(0.0, 255.0))
    with pytest.raises(DataError, match="0 to 255; the model expects"):
        clearcnn.evaluate(run.run_folder, new, out=tmp_path / "e")


def test_a_changed_source_raises(run, tmp_path, monkeypatch):
    changed = dataclasses.replace(DIGITS, labels=DIGITS.labels[::-1].copy())
    monkeypatch.setattr("clearcnn.data.load", lambda *_: changed)
    with pytest.raises(ClearCNNError, match="are not the images that"):
        clearcnn.evaluate(run.run_folder, out=tmp_path / "e")
