"""`clearcnn predict` as people run it: tables, JSON, a CSV that survives a killed process."""

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.cells import cell_len
from sklearn.datasets import load_digits

import clearcnn
from clearcnn.cli.main import main
from clearcnn.cli.predict_display import PredictDisplay, PredictionLines, count_classes
from clearcnn.language import ENGLISH
from clearcnn.results.json_codec import to_json
from clearcnn.results.predict import ClassProbability, Prediction

HEAVY = {"keras", "jax", "sklearn", "scipy", "matplotlib", "pyarrow", "jinja2"}
NUM_MANY = 3_000
DIGITS = np.rint(load_digits().images * (255 / 16)).astype(np.uint8)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("work") / "run"
    return str(clearcnn.train("digits", recipe="tutorial", epochs=2, out=place).run_folder)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for row in range(4):
        Image.fromarray(DIGITS[row]).save(folder / f"{row}.png")
    return folder


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for number in range(NUM_MANY):
        if number % 500 == 17:
            (folder / f"{number}.png").write_bytes(b"no picture")
        else:
            Image.fromarray(DIGITS[number % len(DIGITS)]).save(folder / f"{number}.png")
    return folder


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_neither_keras_nor_jax_is_loaded(run: str, pictures: Path) -> None:
    words = ["predict", run, str(pictures), "--csv", str(pictures.parent / "a.csv")]
    for case in (words, words[:3], [*words[:3], "--json"]):
        program = (
            "import sys; from clearcnn.cli.main import main; "
            f"assert main({case!r}) == 0; "
            f"print('loaded:', *sorted({HEAVY!r} & set(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "loaded:"


def test_the_table_has_a_line_per_image(
    run: str, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "bad.png").write_bytes(b"bad")
    (pictures / "note.txt").write_text("x", encoding="utf-8")
    assert main(["predict", run, str(pictures)]) == 1
    out, err = capsys.readouterr()
    lines = [line for line in out.splitlines() if not line.startswith("    ")]
    assert lines[0].split() == ["image", "prediction", "confidence", "next"]
    assert len(lines) == 6
    for line, answer in zip(lines[1:], clearcnn.predict(run, pictures), strict=True):
        # Long names lose their beginning.
        assert Path(answer.name).name in line
        assert answer.error is not None or f" {answer.prediction} " in line
    assert "cannot be read" in lines[-1]
    assert err.count("bad.png cannot be read as an image") == 1
    assert "error: 1 of 5 images could not be read." in err
    assert "1 file that is not an image was ignored, such as note.txt." in err


def test_a_remedy_follows_the_first_error_that_it_is_for(
    run: str, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.HEIC", "b.HEIC"):
        (pictures / name).write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64))
    (pictures / "bad.png").write_bytes(b"bad")
    assert main(["predict", run, str(pictures)]) == 1
    lines = capsys.readouterr().err.splitlines()
    (first,) = [row for row, line in enumerate(lines) if "a.HEIC cannot be read" in line]
    assert lines[first + 1].startswith("Convert it to JPEG or PNG")
    assert sum("Convert it" in line for line in lines) == 1
    # An option of other commands is no remedy here.
    assert not any("--skip-unreadable" in line for line in lines)


def test_images_without_a_class_are_counted_after_the_classes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    top = (ClassProbability("abstained", 0.9),)
    known = Prediction("1.png", "abstained", 0.9, top, False, False, (), None)
    unsure = Prediction("2.png", None, 0.9, top, True, False, (), None)
    broken = Prediction("3.png", None, None, (), False, False, (), "3.png is empty.")
    shown = [broken, broken, known, unsure, unsure, unsure]
    # A class may have the name of what is counted beside the classes.
    expected = "abstained: 1 · abstained: 3 · cannot be read: 2"
    assert count_classes(shown) == expected
    with PredictDisplay(len(shown), None, ENGLISH) as display:
        for each in shown:
            display.show(each)
    display.summarise(None, csv=None, earlier=(0, 0))
    assert expected in capsys.readouterr().err.splitlines()


def test_json_is_one_line_per_image(
    run: str, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "bad.png").write_bytes(b"bad")
    assert main(["predict", run, str(pictures), "--json", "--top", "2"]) == 1
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(each["name"]).name for each in records] == [
        "0.png",
        "1.png",
        "2.png",
        "3.png",
        "bad.png",
    ]
    expected = next(iter(clearcnn.predict(run, pictures / "0.png", top=2)))
    assert records[0].keys() == to_json(expected).keys()
    assert [each["name"] for each in records[0]["top"]] == [each.name for each in expected.top]
    assert records[0]["confidence"] == pytest.approx(expected.confidence, abs=1e-6)
    assert records[-1]["prediction"] is None
    assert "cannot be read" in records[-1]["error"]


def test_stdin_in_a_real_process(run: str, pictures: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "clearcnn", "predict", run, "-", "--json"],
        input=(pictures / "3.png").read_bytes(),
        capture_output=True,
        check=True,
    )
    found = json.loads(done.stdout)
    expected = next(iter(clearcnn.predict(run, pictures / "3.png")))
    assert (found["name"], found["prediction"]) == ("-", expected.prediction)


def test_a_killed_prediction_resumes_and_loses_or_repeats_nothing(
    run: str, many: Path, tmp_path: Path
) -> None:
    table = tmp_path / "predictions.csv"
    command = [sys.executable, "-m", "clearcnn", "predict", run, str(many), "--csv", str(table)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (table.exists() and table.stat().st_size > 50_000):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    killed_after = table.read_bytes()
    # As if the last row had been incomplete, too.
    table.write_bytes(killed_after[:-5])

    resumed = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert resumed.returncode == 1
    rows = read_rows(table)
    assert 0 < len(killed_after.splitlines()) - 1 < NUM_MANY
    assert [Path(row["name"]).name for row in rows] == [f"{n}.png" for n in range(NUM_MANY)]
    bad = [n for n in range(NUM_MANY) if rows[n]["error"]]
    assert bad == [n for n in range(NUM_MANY) if n % 500 == 17]
    assert f"error: {len(bad)} of 3,000 images could not be read." in resumed.stderr
    # The same predictions as for each image alone in a batch.
    for n in (0, 1, 999, NUM_MANY - 1):
        alone = next(iter(clearcnn.predict(run, many / f"{n}.png")))
        assert rows[n]["prediction"] == alone.prediction
        assert float(rows[n]["confidence"]) == pytest.approx(alone.confidence, abs=1e-5)

    again = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert read_rows(table) == rows
    assert "3,000 of them from earlier" in again.stderr


def show_on_terminal(words: list[str], **settings: Any) -> bytes:
    """Run a command that fails, with its messages on a terminal; return them."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "clearcnn", *words],
        stderr=theirs,
        stdout=subprocess.DEVNULL,
        **settings,
    )
    os.close(theirs)
    shown = b""
    # Linux raises an error on a terminal that no process holds any more.
    with contextlib.suppress(OSError):
        while piece := os.read(ours, 1 << 16):
            shown += piece
    os.close(ours)
    assert process.wait() == 1
    return shown


def test_a_terminal_shows_a_progress_bar(run: str, pictures: Path, tmp_path: Path) -> None:
    for number in range(100, 250):
        Image.fromarray(DIGITS[number]).save(pictures / f"{number}.png")
    (pictures / "bad.png").write_bytes(b"bad")
    words = ["predict", run, str(pictures), "--csv", str(tmp_path / "a.csv")]
    shown = show_on_terminal(words)
    assert b"155/155" in shown
    assert shown.count(b"cannot be read as") == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pty")
@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_line_below_the_table_is_wider_than_the_terminal(
    run: str, pictures: Path, language: str
) -> None:
    (pictures / "bad.png").write_bytes(b"bad")
    words = ["predict", run, str(pictures), "--csv", "a.csv", "--lang", language]
    environment = os.environ | {"COLUMNS": "60"}
    shown = show_on_terminal(words, cwd=pictures.parent, env=environment)
    lines = shown.decode().splitlines()
    assert len(lines) > 5
    # A path is never broken, so that it can be copied.
    assert all(cell_len(line) < 60 or str(pictures) in line for line in lines)


def test_ctrl_c_says_how_to_resume(run: str, many: Path, tmp_path: Path) -> None:
    table = tmp_path / "predictions.csv"
    command = [sys.executable, "-m", "clearcnn", "predict", run, str(many), "--csv", str(table)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (table.exists() and table.stat().st_size > 20_000):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "of 3,000 images; --resume continues there." in err
    assert "Traceback" not in err


def test_without_resume_an_existing_table_is_unchanged(
    run: str, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["predict", run, str(pictures), "--csv", str(tmp_path / "a.csv")]
    assert main(words) == 0
    content = (tmp_path / "a.csv").read_bytes()
    assert main(words) == 1
    assert "--resume" in capsys.readouterr().err
    assert (tmp_path / "a.csv").read_bytes() == content


@pytest.mark.parametrize(
    ("confidence", "told"),
    [
        (None, "This run has no validation set"),
        (
            {"distance_threshold": None, "false_alarms": None, "num_images": 20},
            "20 validation images are",
        ),
        (
            {"threshold": 1.0, "distance_threshold": None, "false_alarms": 2, "num_images": 250},
            "4 of 4 look like none of the classes: a confidence below 1.00, as 2 of 250 "
            "validation images have.",
        ),
        (
            {"distance_threshold": 0.04, "false_alarms": 2, "num_images": 250},
            "4 of 4 look like none of the classes: distance to every class above 0.0 times "
            "the confidence, as for 2 of 250 validation images.",
        ),
    ],
)
def test_the_confidence_of_the_run_is_explained(
    run: str,
    pictures: Path,
    tmp_path: Path,
    confidence: dict[str, object] | None,
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copied = Path(shutil.copytree(run, tmp_path / "run"))
    manifest = json.loads((copied / "bundle.json").read_text(encoding="utf-8"))
    manifest["confidence"] = confidence and manifest["confidence"] | confidence
    (copied / "bundle.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert main(["predict", str(copied), str(pictures)]) == 0
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ([], 2, "required: RUN, FILE"),
        (["{run}"], 2, "required: FILE"),
        (["{run}", "a.png", "--resume"], 2, "--resume needs --csv"),
        (["{run}", "a.png", "--abstain"], 2, "Did you mean --abstain-below?"),
        (["{run}", "a.png", "--abstain-below", "2"], 1, "from 0 to 1"),
        (["{run}", "no.png"], 1, "error: no.png cannot be opened"),
        (["nowhere", "no.png"], 1, "error: nowhere is not a run folder"),
    ],
)
def test_an_error_is_one_message(
    run: str, words: list[str], status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", *(word.format(run=run) for word in words)]) == status
    err = capsys.readouterr().err
    assert told in err
    assert "Traceback" not in err


def test_control_characters_and_wide_letters_keep_the_table_whole() -> None:
    names = ["\x1b[2J.png", "한글.png", "plain.png"]
    lines = PredictionLines(names, ("고양이", "dog"))
    top = (ClassProbability("dog", 0.99999),)
    shown = [
        lines.line(Prediction(name, "dog", 0.99999, top, False, True, (), None)) for name in names
    ]
    assert "\x1b" not in "".join(shown)
    places = {cell_len(line[: line.index("  dog") + 2]) for line in shown}
    assert len(places) == 1
    assert all("99.9 %" in line and "looks like none of the classes" in line for line in shown)


def test_an_abstention_lists_the_most_probable_classes() -> None:
    top = (ClassProbability("dog", 0.6), ClassProbability("cat", 0.4))
    answer = Prediction("a.png", None, 0.6, top, True, False, ("Resized.",), None)
    line = PredictionLines(["a.png"], ("cat", "dog")).line(answer)
    assert line.splitlines()[1] == "    Resized."
    assert "abstained" in line
    assert "dog? · cat 40.0 %" in line
