import logging
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from clearcnn.report.figures import write_confusion, write_curves
from clearcnn.results.train import History


def _read(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def _near(pixels, color):
    return np.all(np.abs(pixels - color) < 12, axis=-1)


def test_curves_are_drawn_in_both_colours(tmp_path, digits):
    write_curves(tmp_path / "curves.png", digits[0].history)
    pixels = _read(tmp_path / "curves.png")
    assert _near(pixels, (0x0B, 0x7A, 0x75)).sum() > 500
    assert _near(pixels, (0xCF, 0x5A, 0x1C)).sum() > 500


def test_pyplot_is_left_alone(tmp_path):
    """A new process, since other tests may have loaded it."""
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from clearcnn.report.figures import write_curves\n"
        "from clearcnn.results.train import History\n"
        "write_curves(Path(sys.argv[1]), History({'loss': (2.0, 1.0)}, 1))\n"
        "print('matplotlib.pyplot' in sys.modules)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "curves.png")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_confusion_is_dark_where_all_are_right(tmp_path, digits):
    write_confusion(tmp_path / "confusion.png", digits[0].test)
    pixels = _read(tmp_path / "confusion.png")
    # The darkest colour of the map, from the colour bar and ten diagonal cells.
    darkest = np.array(mpl.colormaps["GnBu"](1.0)[:3]) * 255
    assert _near(pixels, darkest.round().astype(int)).sum() > 1_000


@pytest.mark.parametrize("case", ["hostile", "korean"])
def test_no_name_breaks_a_figure_or_warns(tmp_path, request, case, caplog):
    evaluation = request.getfixturevalue(case)[0].test
    with caplog.at_level(logging.WARNING):
        write_confusion(tmp_path / "confusion.png", evaluation)
    assert caplog.text == ""
    assert _read(tmp_path / "confusion.png").std() > 0


def test_missing_glyphs_are_no_word_to_the_user(tmp_path, korean, monkeypatch):
    from clearcnn.report import fonts

    dejavu = fonts._candidates()[:1]
    monkeypatch.setattr(fonts, "_candidates", lambda: dejavu)
    write_confusion(tmp_path / "confusion.png", korean[0].test)


@pytest.mark.parametrize(
    "metrics",
    [{"loss": (0.3,)}, {"accuracy": (0.5, float("nan")), "loss": (float("nan"),) * 2}, {}],
)
def test_short_odd_and_empty_histories_are_drawn(tmp_path, metrics):
    write_curves(tmp_path / "curves.png", History(metrics, best_epoch=0))
    assert _read(tmp_path / "curves.png").shape[0] > 100


def test_the_users_own_style_is_neither_used_nor_changed(tmp_path, digits):
    write_curves(tmp_path / "plain.png", digits[0].history)
    with mpl.rc_context({"lines.linewidth": 20.0, "axes.facecolor": "red"}):
        write_curves(tmp_path / "styled.png", digits[0].history)
        assert mpl.rcParams["axes.facecolor"] == "red"
    np.testing.assert_array_equal(_read(tmp_path / "plain.png"), _read(tmp_path / "styled.png"))
