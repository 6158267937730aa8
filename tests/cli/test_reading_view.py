import io

import pytest

from clearcnn.cli import reading_view
from clearcnn.cli.console import Console
from clearcnn.cli.reading_view import ReadingView


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def test_outside_a_terminal_many_images_are_announced_and_counted(out, monkeypatch) -> None:
    now = 100.0
    monkeypatch.setattr(reading_view.time, "monotonic", lambda: now)
    view = ReadingView(Console(file=out))
    view.show(0, 60_000)
    view.show(64, 60_000)
    now += 11
    view.show(12_000, 60_000)
    view.show(12_064, 60_000)
    view.close()
    assert out.getvalue().splitlines() == [
        "  reading 60,000 images …",
        "  12,000 of 60,000 images read",
    ]


def test_a_few_images_are_read_without_a_word(out) -> None:
    view = ReadingView(Console(file=out))
    view.show(0, 500)
    view.show(500, 500)
    assert out.getvalue() == ""


def test_a_terminal_shows_a_bar_which_goes_away(out, monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    view = ReadingView(Console(file=out, force_terminal=True, width=80))
    view.show(0, 300)
    assert "0/300" in out.getvalue()
    view.show(300, 300)
    assert view.progress is None
    view.show(0, 20)  # Large images are read a second time.
    view.close()
    assert view.progress is None
