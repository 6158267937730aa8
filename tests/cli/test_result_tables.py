import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import RenderableType

from clearcnn.cli.console import Console
from clearcnn.cli.model_table import view_model
from clearcnn.cli.result_tables import (
    view_data,
    view_epochs,
    view_path,
    view_result,
    view_seconds,
)
from clearcnn.results.train import (
    ClassCount,
    DataSummary,
    History,
    ModelSummary,
    SkippedFile,
    TrainResult,
)
from clearcnn.text import printable

SHEET = Path("runs/a/figures/classes.png")


def draw(view: RenderableType, width: int = 80) -> list[str]:
    console = Console(force_terminal=True, color_system=None, width=width)
    with console.capture() as capture:
        console.print(view)
    return capture.get().splitlines()


def cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def test_korean_class_names_stay_in_line(data_summary: Callable[..., DataSummary]) -> None:
    names = ("cat", "고양이", "아주 긴 이름", "개a")
    lines = draw(view_data(data_summary(names), SHEET))
    rows = [line for line in lines if line.strip().startswith(names)]
    assert len(rows) == len(names)
    assert len({cells(row) for row in rows}) == 1


@pytest.mark.parametrize("width", [40, 60, 80, 132])
def test_nothing_is_wider_than_the_terminal_or_cut_off(
    width: int,
    data_summary: Callable[..., DataSummary],
    model_summary: ModelSummary,
    train_result: Callable[..., TrainResult],
) -> None:
    views = (
        view_data(data_summary(), SHEET),
        view_model(model_summary),
        view_result(train_result(Path("runs/a"))),
    )
    lines = [line for view in views for line in draw(view, width)]
    assert max(map(cells, lines)) <= width
    assert not any("…" in line for line in lines)


def test_a_narrow_terminal_loses_columns_not_digits(model_summary: ModelSummary) -> None:
    def has(header: str, width: int) -> bool:
        return any(header in line for line in draw(view_model(model_summary), width))

    assert has("as a Dense", 80)
    assert not has("as a Dense", 60)
    assert has("parameters", 40)


def test_the_model_table_has_totals(model_summary: ModelSummary) -> None:
    lines = draw(view_model(model_summary))
    total = next(line for line in lines if "total" in line)
    assert total.split() == ["total", "5,160", "8,240"]
    words = " ".join(" ".join(lines).split())
    assert "it would have 28,460 parameters, 5.5 times as many." in words


def test_a_model_without_convolutions_is_not_compared(model_summary: ModelSummary) -> None:
    dense = replace(model_summary, layers=model_summary.layers[2:])
    assert "times as many" not in "\n".join(draw(view_model(dense)))


def test_many_classes_are_summarised(data_summary: Callable[..., DataSummary]) -> None:
    lines = draw(view_data(data_summary(tuple(f"c{i}" for i in range(100))), SHEET))
    assert len(lines) < 20
    text = "\n".join(lines)
    assert "100, 170 to 269 images each" in text
    assert "fewest   c0 (170), c1 (171), c2 (172)" in text
    assert "most     c99 (269), c98 (268), c97 (267)" in text


def test_many_classes_of_one_size(data_summary: Callable[..., DataSummary]) -> None:
    even = tuple(ClassCount(f"c{i}", 50, 30, 10, 10) for i in range(21))
    text = "\n".join(draw(view_data(data_summary(classes=even), SHEET)))
    assert "21, 50 images each" in text
    assert "fewest" not in text


def test_every_skipped_file_is_listed(data_summary: Callable[..., DataSummary]) -> None:
    skipped = tuple(SkippedFile(f"photos/{i}.png", "truncated") for i in range(30))
    lines = draw(view_data(data_summary(skipped=skipped), SHEET))
    assert any("30 files that cannot be read" in line for line in lines)
    assert sum(": truncated" in line for line in lines) == 30


def test_a_skipped_file_is_named_once_and_a_remedy_is_told_once(
    data_summary: Callable[..., DataSummary],
) -> None:
    skipped = tuple(
        SkippedFile(name, f"{name} cannot be read.", "Convert it.") for name in ("a.heic", "b.heic")
    )
    text = " ".join(" ".join(draw(view_data(data_summary(skipped=skipped), SHEET))).split())
    assert "a.heic cannot be read. Convert it. b.heic cannot be read. sample" in text
    assert text.count("a.heic") == text.count("b.heic") == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"observed_range": (1.0, 15.5)}, "0 to 16 (seen: 1 to 15.5)"),
        ({"shape": (9, 8, 8, 3)}, "(9, 8, 8, 3) · images, height, width, channels"),
        ({"preparation": ("Resized to 28×28.",)}, "prepared       Resized to 28×28."),
        ({"num_groups": 14}, "groups         14"),
    ],
)
def test_the_facts_about_the_data_are_printed(
    changes: dict[str, Any], expected: str, data_summary: Callable[..., DataSummary]
) -> None:
    assert expected in "\n".join(draw(view_data(data_summary(**changes), SHEET)))


def test_data_without_groups_has_no_line_for_them(data_summary: Callable[..., DataSummary]) -> None:
    assert "groups" not in "\n".join(draw(view_data(data_summary(num_groups=None), SHEET)))


def test_names_cannot_control_the_terminal(data_summary: Callable[..., DataSummary]) -> None:
    names = ("\x1b[2J", "a\nb", "[red]c[/red]", ":smile:")
    text = "\n".join(draw(view_data(data_summary(names, source="\x1b]0;title\x07"), SHEET)))
    assert "\x1b" not in text
    assert "\x07" not in text
    for expected in (r"\x1b[2J", r"a\nb", "[red]c[/red]", ":smile:"):
        assert expected in text


def test_printable_keeps_every_script() -> None:
    assert printable("고양이 café ½ 猫 😀") == "고양이 café ½ 猫 😀"
    assert printable("a\u202eb\ud800") == r"a\u202eb\ud800"


def test_epochs_seconds_and_paths_are_formatted() -> None:
    assert view_epochs(History({"loss": (3.0, 2.0, 2.5)}, best_epoch=1), 60) == (
        "3 of 60, with the weights of epoch 2"
    )
    assert view_epochs(History({"loss": (3.0, 2.0)}, best_epoch=1), 2) == "2 of 2"
    assert view_seconds({"data": 0.5, "fit": 1.25}) == "1.75 in total · data 0.50 · fit 1.25"
    assert view_path(Path("runs/a b")).plain == "runs/a b"


def test_a_path_below_the_working_folder_is_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert view_path(tmp_path / "runs" / "a").plain == str(Path("runs/a"))
    assert view_path(tmp_path.parent / "a").plain == str(tmp_path.parent / "a")
