"""`metrics.json` read back: what a run writes, typed, and nothing that takes more memory."""

import dataclasses
import json
import math
from pathlib import Path

import pytest

from clearcnn.bundle import (
    read_bundle,
    read_metrics,
    read_mistakes,
    write_manifest,
    write_metrics,
)
from clearcnn.errors import BundleError
from clearcnn.results.json_codec import decode, to_json
from clearcnn.results.train import Divergence, TrainResult


def seal(folder, content):
    """Give the file another content, and a hash that fits."""
    (folder / "metrics.json").write_bytes(content)
    write_manifest(folder, read_bundle(folder, only=()).manifest)
    return read_bundle(folder)


def test_what_a_run_writes_is_read_back(whole_folder, manifest, result):
    divergence = Divergence(3, "The loss is NaN.", ("The learning rate is high.",))
    for written in (result, dataclasses.replace(result, divergence=divergence, interrupted=True)):
        write_metrics(whole_folder, written)
        write_manifest(whole_folder, manifest)
        metrics = read_metrics(read_bundle(whole_folder))
        assert metrics.recipe == "default"
        assert to_json(metrics.history) == to_json(written.history)
        assert metrics.history.num_epochs == 2
        assert metrics.test.score == written.test.score
        assert metrics.divergence == written.divergence
        assert metrics.interrupted == written.interrupted


def test_a_whole_result_comes_back(result):
    values = json.loads(json.dumps(to_json(result)))
    back = decode(TrainResult, values, "result")
    # NaN equals nothing, itself included.
    assert math.isnan(back.history.metrics["val_loss"][0])
    assert to_json(back) == to_json(result)
    assert back.test == result.test
    assert back.model_spec == result.model_spec
    assert back.train == result.train
    assert back.run_folder == Path("somewhere")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda values: values.pop("test"), "metrics lacks test"),
        (lambda values: values["test"].update(score=None), "metrics.test.score is None"),
        (lambda values: values["test"]["score"].update(total=0), "its test score is 1 of 0"),
        (lambda values: values["test"]["score"].update(correct=-1), "its test score is -1 of 2"),
        (lambda values: values["test"]["score"].update(total="9"), "score.total is '9', not int"),
        (lambda values: values["history"].update(metrics=[]), "metrics.history.metrics is"),
        (lambda values: values.update(divergence=True), "metrics.divergence is True"),
    ],
)
def test_a_value_of_another_kind_is_named(whole_folder, manifest, result, change, words):
    write_metrics(whole_folder, result)
    values = json.loads((whole_folder / "metrics.json").read_bytes())
    change(values)
    run = seal(whole_folder, json.dumps(values).encode())
    with pytest.raises(BundleError, match=f"is damaged: .*{words}"):
        read_metrics(run)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[]", r"metrics is \[\]"),
        (b"{", "it is not JSON: "),
        (b"[" * 100_000, "it is nested too deeply"),
        (b"[{}" + b",{}" * 2_000_000 + b"]", "bytes in memory, and at most"),
    ],
)
def test_what_no_run_writes_is_refused(whole_folder, content, words):
    run = seal(whole_folder, content)
    with pytest.raises(BundleError, match=words):
        read_metrics(run)


def test_metrics_of_many_classes_are_read(whole_folder, result):
    """2,350 classes are the syllables of KS X 1001: a confusion matrix of 5.5 million places."""
    write_metrics(whole_folder, result)
    values = json.loads((whole_folder / "metrics.json").read_bytes())
    values["test"]["confusion"] = 0
    row = b"[" + b",\n          ".join([b"0"] * 2_350) + b"]"
    matrix = b'"confusion": [' + b",".join([row] * 2_350) + b"]"
    run = seal(whole_folder, json.dumps(values).encode().replace(b'"confusion": 0', matrix))
    with pytest.raises(BundleError, match="bytes in memory, and at most"):
        read_metrics(run)  # Of two classes.
    names = tuple(map(str, range(2_350)))
    many = dataclasses.replace(run.manifest, class_names=names)
    assert read_metrics(dataclasses.replace(run, manifest=many)).test.score == result.test.score


def test_the_mistakes_are_read_back_and_name_classes_of_the_run(whole_folder, manifest, result):
    write_metrics(whole_folder, result)
    write_manifest(whole_folder, manifest)
    assert read_mistakes(read_bundle(whole_folder)) == result.test.mistakes != ()
    values = json.loads((whole_folder / "metrics.json").read_bytes())
    values["test"]["mistakes"][0]["prediction"] = "nothing"
    run = seal(whole_folder, json.dumps(values).encode())
    with pytest.raises(BundleError, match="is damaged: it names an unknown class, 'nothing'"):
        read_mistakes(run)
