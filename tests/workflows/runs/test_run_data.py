"""A run's source is opened only if the user trained it here or names it."""

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearcnn
from clearcnn.bundle import read_bundle
from clearcnn.cli.main import main
from clearcnn.errors import DataError, SpecError
from clearcnn.specs import DataSpec
from clearcnn.workflows.playground.page_data import choose_test_images
from clearcnn.workflows.playground.worker import _read as read_for_playground
from clearcnn.workflows.runs.run_data import read_run_data
from clearcnn.workflows.runs.run_version import RunVersion

NOT_OPENED = "were not opened: nothing proves that you trained this run on this computer"

_watched: list[str] = []
_touched: list[str] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("open", "os.scandir", "os.listdir") and _watched:
        path = str(arguments[0])
        _touched.extend(path for place in _watched if path.startswith(place))


sys.addaudithook(_hear)


@pytest.fixture
def secret(tmp_path):
    """A folder that the user did not name and that must not be read."""
    folder = tmp_path / "private"
    write_classes(folder, seed=1)
    _watched.append(str(folder))
    yield folder
    _watched.clear()
    _touched.clear()


def write_classes(folder: Path, seed: int = 0) -> None:
    random = np.random.default_rng(seed)
    for name, bright in (("a", 0), ("b", 2)):
        (folder / name).mkdir(parents=True)
        for number in range(15):
            pixels = random.integers(0, 120, (8, 10, 3), np.uint8)
            pixels[..., bright] += 100
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, Path]:
    """A run of this user, and its source."""
    place = tmp_path_factory.mktemp("trained")
    write_classes(place / "photos")
    run = clearcnn.train(place / "photos", recipe="tutorial", epochs=1, out=place / "run")
    return run.run_folder, place / "photos"


@pytest.fixture
def theirs(trained, tmp_path, monkeypatch) -> Path:
    """The same run, as received from another user."""
    run = shutil.copytree(trained[0], tmp_path / "theirs")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another user"))
    return run


def rewrite(run: Path, **data: object) -> Path:
    """What a stranger may do: name any place, and keep everything else as it was."""
    path = run / "bundle.json"
    values = json.loads(path.read_bytes())
    values["data"] |= data
    path.write_text(json.dumps(values))
    return run


ASKING = {
    "explain a row": lambda run, **named: clearcnn.explain(run, 0, **named),
    "evaluate": lambda run, **named: clearcnn.evaluate(
        run, out=run.with_name("evaluation"), **named
    ),
    "playground": lambda run, data=None: read_for_playground(RunVersion.find(run), data),
    "resume": lambda run, data="digits": clearcnn.train(
        data, resume=run, epochs=2, out=run.with_name("longer")
    ),
}


@pytest.mark.parametrize("prefix", ["", "folder:"])
@pytest.mark.parametrize("verb", ASKING)
def test_a_source_that_a_stranger_names_is_not_opened(verb, prefix, trained, secret, tmp_path):
    run = rewrite(shutil.copytree(trained[0], tmp_path / "run"), source=f"{prefix}{secret}")
    with pytest.raises(DataError) as raised:
        ASKING[verb](run)
    assert NOT_OPENED in str(raised.value)
    assert str(secret) not in str(raised.value)
    assert _touched == []


def test_the_page_and_the_explanation_say_so_and_name_nothing(trained, secret, tmp_path):
    run = rewrite(shutil.copytree(trained[0], tmp_path / "run"), source=str(secret))
    told = choose_test_images(read_bundle(run))
    assert told["images"] == []
    assert NOT_OPENED in told["why"]
    result = clearcnn.explain(run, trained[1] / "a" / "0.png", out=tmp_path / "x")
    assert result.neighbours is None
    assert NOT_OPENED in result.warnings[-1]
    assert str(secret) not in (result.folder / "explanation.html").read_text(encoding="utf-8")
    assert _touched == []


@pytest.mark.parametrize("verb", ASKING)
def test_a_use_list_that_a_stranger_names_is_not_opened(verb, trained, secret, tmp_path):
    run = rewrite(
        shutil.copytree(trained[0], tmp_path / "run"),
        source="digits",
        use=str(secret / "a" / "0.png"),
    )
    with pytest.raises(DataError, match=NOT_OPENED):
        ASKING[verb](run)
    assert _touched == []


def test_an_unchanged_run_of_another_user_opens_nothing(theirs, trained):
    _watched.append(str(trained[1]))
    try:
        for ask in ASKING.values():
            with pytest.raises(DataError, match=NOT_OPENED):
                ask(theirs)
        assert _touched == []
    finally:
        _watched.clear()


@pytest.mark.parametrize("verb", ASKING)
def test_the_users_own_run_reopens_its_source_wherever_it_was_moved(verb, trained, tmp_path):
    moved = shutil.copytree(trained[0], tmp_path / "elsewhere" / "moved")
    assert ASKING[verb](moved)
    assert len(choose_test_images(read_bundle(moved))["images"]) > 0


@pytest.mark.parametrize("verb", ASKING)
def test_data_that_the_user_names_is_read(verb, theirs, trained):
    assert ASKING[verb](theirs, data=DataSpec(str(trained[1])))


def test_images_may_be_passed_in_python(theirs, trained, tmp_path):
    images = clearcnn.load(trained[1])
    assert clearcnn.explain(theirs, 0, data=images, out=tmp_path / "x").neighbours is not None
    assert clearcnn.evaluate(theirs, data=images, out=tmp_path / "e").num_images == 9
    clearcnn.train(images, resume=theirs, epochs=2, out=tmp_path / "longer")
    # What is signed is not the place that a stranger named.
    assert read_bundle(tmp_path / "longer").manifest.data.source == images.source


@pytest.mark.parametrize("verb", ASKING)
def test_data_other_than_the_runs_is_rejected_and_not_shown(verb, theirs, secret):
    with pytest.raises(DataError, match=r"are not the images|has changed since") as raised:
        ASKING[verb](theirs, data=DataSpec(str(secret)))
    assert ".png" not in str(raised.value)
    assert _touched
    told = choose_test_images(read_bundle(theirs), DataSpec(str(secret)))
    assert told["images"] == []
    assert str(secret) not in told["why"]


def test_the_reason_for_unreadable_data_is_shown_to_the_user_and_not_on_the_page(theirs, tmp_path):
    write_classes(tmp_path / "photos")
    (tmp_path / "photos" / "a" / "broken.png").write_bytes(b"no picture")
    named = DataSpec(str(tmp_path / "photos"))
    with pytest.raises(DataError) as raised:
        clearcnn.explain(theirs, 0, data=named)
    assert "broken.png" in raised.value.remedy
    assert "broken" not in choose_test_images(read_bundle(theirs), named)["why"]


def test_the_embedded_digits_are_read_for_everybody(tmp_path, monkeypatch):
    clearcnn.train("digits", recipe="tutorial", epochs=1, out=tmp_path / "run")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another user"))
    manifest = read_bundle(tmp_path / "run").manifest
    assert len(read_run_data(manifest).images) == 1797
    large = dataclasses.replace(manifest, data=DataSpec("digits", size=(512, 512)))
    with pytest.raises(DataError, match=NOT_OPENED):
        read_run_data(large)


def test_a_runs_use_list_must_be_given_with_the_data(trained, tmp_path, monkeypatch):
    source = trained[1]
    use = tmp_path / "use.csv"
    rows = [f"{name},x,{'no' if name.endswith('/3.png') else 'yes'}," for name in _names(source)]
    use.write_text("\n".join(["name,label,use,reason", *rows]) + "\n")
    spec = DataSpec(str(source), use=str(use))
    run = clearcnn.train(spec, recipe="tutorial", epochs=1, out=tmp_path / "run").run_folder
    assert len(read_run_data(read_bundle(run).manifest).images) == 28
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another user"))
    manifest = read_bundle(run).manifest
    with pytest.raises(DataError, match="none was given"):
        read_run_data(manifest, source)
    assert len(read_run_data(manifest, spec).images) == 28


def _names(source: Path) -> tuple[str, ...]:
    return clearcnn.load(source).names


def test_the_command_line_names_data(theirs, trained, tmp_path, capsys):
    run, photos = str(theirs), str(trained[1])
    for words in (
        ["explain", run, "0", "--out", str(tmp_path / "x")],
        ["evaluate", run, "--out", str(tmp_path / "e")],
    ):
        assert main(words) == 1
        assert NOT_OPENED in capsys.readouterr().err
        assert main([*words, "--data", photos]) == 0
    words = ["--resume", run, "--epochs", "2", "--out", str(tmp_path / "longer"), "--quiet"]
    assert main(["train", *words]) == 1
    assert NOT_OPENED in capsys.readouterr().err
    assert main(["train", photos, *words]) == 0
    # From here on it is this user's own.
    assert len(read_run_data(read_bundle(tmp_path / "longer").manifest).images) == 30


def test_data_cannot_be_combined_with_new_images(trained, tmp_path):
    run, photos = trained
    with pytest.raises(SpecError, match="either on its own test set"):
        clearcnn.evaluate(run, photos, data=photos, out=tmp_path / "e")
    with pytest.raises(SpecError, match="not a run folder"):
        clearcnn.evaluate(photos, data=photos, out=tmp_path / "e")


def test_an_unfinished_run_of_a_stranger_opens_nothing(trained, secret, tmp_path, make_ear):
    ear, run = make_ear(), tmp_path / "stopped"

    def cut(epoch, metrics):
        if epoch == 1:
            raise RuntimeError("power cut")

    ear.on_epoch_end = cut
    with pytest.raises(RuntimeError, match="power cut"):
        clearcnn.train(
            trained[1], recipe="tutorial", epochs=3, out=run, listener=ear, checkpoint_seconds=0
        )
    request = tmp_path / "stopped.unfinished" / "request.json"
    values = json.loads(request.read_bytes())
    request.write_text(json.dumps(values | {"data": values["data"] | {"source": str(secret)}}))
    for epochs in (None, 4, None):
        with pytest.raises(DataError, match=NOT_OPENED):
            clearcnn.train(resume=run, epochs=epochs)
    assert _touched == []
    assert clearcnn.train(str(trained[1]), resume=run).run_folder == run
    made = read_bundle(run).manifest
    assert made.data == dataclasses.replace(made.data, source=str(trained[1]))


@pytest.mark.parametrize("verb", ["explain", "evaluate", "serve"])
def test_a_use_list_without_its_images_is_rejected(verb, trained, capsys):
    words = [verb, str(trained[0]), *(["0"] if verb == "explain" else []), "--use", "list.csv"]
    assert main(words) == 1
    assert "--use was given without --data" in capsys.readouterr().err
