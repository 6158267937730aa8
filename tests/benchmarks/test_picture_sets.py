import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.enlarged_signs import enlarge_signs
from benchmarks.picture_sets import SETS
from benchmarks.record import read_records
from numpy.typing import NDArray
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier

from benchmarks import questions, workloads
from clearcnn import data

CONTENDERS = Path(questions.__file__).parents[1] / "contenders"
ROOT = CONTENDERS.parents[1]


@pytest.fixture
def signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, NDArray[np.uint8]]:
    """22 classes of plain signs, of 2 to 5 images; an archive of them in place of the real one."""
    random = np.random.default_rng(0)
    written: dict[str, NDArray[np.uint8]] = {}
    with zipfile.ZipFile(tmp_path / "gtsrb.zip", "w") as archive:
        for kind in range(22):
            for number in range(2 + kind % 4):
                name = f"GTSRB/Images/kind_{kind}/{number:05}.ppm"
                colour = random.integers(30, 220, (1, 1, 3))
                written[name] = np.broadcast_to(colour, (35, 30, 3)).astype(np.uint8)
                content = io.BytesIO()
                Image.fromarray(written[name]).save(content, "PPM")
                archive.writestr(name, content.getvalue())
        archive.writestr("GTSRB/Readme.txt", "not a picture")
    monkeypatch.setattr(workloads, "PICTURES", tmp_path)
    monkeypatch.setattr(workloads, "FOLDER", tmp_path / "written")
    return written


def test_signs_are_enlarged_and_the_smallest_classes_left_out(
    signs: dict[str, NDArray[np.uint8]],
) -> None:
    images = data.load(str(enlarge_signs()))
    assert images.images.shape[1:] == (96, 96, 3)
    # Six classes have two images; the first four of them fill up the 20.
    kept = {f"kind_{kind}" for kind in range(22)} - {"kind_16", "kind_20"}
    assert set(images.class_names) == kept
    assert len(images) == sum(name.split("/")[-2] in kept for name in signs)
    for name, pixels in signs.items():
        kind = name.split("/")[-2]
        if kind not in kept:
            continue
        mine = images.images[images.labels == images.class_names.index(kind)]
        colours = np.abs(mine.mean((1, 2)) - pixels[0, 0]).max(axis=1)
        # JPEG keeps a plain colour to a few levels.
        assert colours.min() < 4


def test_the_loop_has_every_option_that_a_set_gives_it() -> None:
    script = (CONTENDERS / "torch_residual.py").read_text(encoding="utf-8")
    known = set(re.findall(r'add_argument\(\s*"(--[a-z-]+)"', script))
    for pictures in SETS.values():
        assert {word for word in pictures.loop if word.startswith("--")} <= known


def test_a_contender_sees_the_digits_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workloads, "FOLDER", tmp_path)
    monkeypatch.syspath_prepend(CONTENDERS)
    import labelled_workload  # type: ignore[import-not-found]

    seen = labelled_workload.read_labelled(workloads.stratified_digits(quick=False).to_json())
    images = data.load("digits")
    rows = data.split(images).test
    is_test = seen.split_names == "test"
    assert np.array_equal(seen.images[is_test], images.images[rows])
    assert np.array_equal(seen.labels[is_test], images.labels[rows])
    assert seen.value_range == images.value_range == (0, 16)
    assert is_test.sum() == 540
    assert len(seen) == 1797


def test_the_baselines_are_scikit_learns_on_the_same_images(tmp_path: Path) -> None:
    done = ask("baselines", "--only", "digits", "--quick", "--here", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (record,) = read_records(tmp_path)
    assert record.contenders() == ["digits"]
    (result,) = record.results("digits")
    images = data.load("digits")
    parts = data.split(images)
    flat = images.images.reshape(len(images), -1)
    train, test = np.concatenate([parts.train, parts.validation])[:256], parts.test[:256]
    neighbour: Any = KNeighborsClassifier(1).fit(flat[train], images.labels[train])
    right = int(np.sum(neighbour.predict(flat[test]) == images.labels[test]))
    assert result["right"]["nearest neighbour"] == right > 200
    assert (result["num_train"], result["total"]) == (256, 256)
    assert "| digits | 256 |" in (tmp_path / "benchmarks.md").read_text(encoding="utf-8")


def test_only_names_a_contender_that_there_is() -> None:
    done = ask("accuracy_digits", "--only", "nobody")
    assert done.returncode == 1
    assert "no contender with 'nobody' in its name: ['clearcnn, recipe default" in done.stderr


def ask(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m benchmarks`."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *words],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
