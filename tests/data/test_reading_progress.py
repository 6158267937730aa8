from pathlib import Path

import pytest

from clearcnn.data import load
from clearcnn.errors import DataError


def test_a_count_is_reported_from_the_start_to_the_end(tmp_path: Path, write_picture) -> None:
    for number in range(200):
        write_picture(tmp_path / "ab"[number % 2] / f"{number}.png", number)
    heard: list[tuple[int, int]] = []
    load(tmp_path, progress=lambda number, total: heard.append((number, total)))
    assert heard == [(0, 200), (64, 200), (128, 200), (192, 200), (200, 200)]
    load(tmp_path)
    assert len(heard) == 5


def test_large_images_are_counted_a_second_time(tmp_path: Path, write_picture) -> None:
    for number in range(6):
        size = (6, 5) if number < 4 else (130, 120)
        write_picture(tmp_path / "ab"[number % 2] / f"{number}.png", number, size=size)
    heard: list[tuple[int, int]] = []
    load(tmp_path, progress=lambda number, total: heard.append((number, total)))
    assert heard == [(0, 6), (6, 6), (0, 2), (2, 2)]


def test_nothing_is_reported_after_an_error(tmp_path: Path, write_picture) -> None:
    for number in range(4):
        write_picture(tmp_path / "ab"[number % 2] / f"{number}.png", number)
    (tmp_path / "a" / "5.png").write_bytes(b"nothing")
    heard: list[tuple[int, int]] = []
    with pytest.raises(DataError, match=r"5\.png"):
        load(tmp_path, progress=lambda number, total: heard.append((number, total)))
    assert heard == [(0, 5)]
