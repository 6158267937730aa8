import argparse

import pytest

from clearcnn.cli.parser import Parser, names, number, size, whole_number


@pytest.mark.parametrize(
    ("text", "expected"), [("28", (28, 28)), ("28x20", (28, 20)), ("8X9", (8, 9)), ("8×9", (8, 9))]
)
def test_size_is_height_by_width(text: str, expected: tuple[int, int]) -> None:
    assert size(text) == expected


@pytest.mark.parametrize("text", ["", "x", "x20", "2.5", "28x20x3", "big"])
def test_an_invalid_size_is_rejected(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="not a size; write 28"):
        size(text)


def test_names_keep_their_order_and_their_inner_spaces() -> None:
    assert names("zebra, house cat,고양이") == ("zebra", "house cat", "고양이")


@pytest.mark.parametrize("text", ["", "cat,,dog", "cat,"])
def test_an_empty_name_is_rejected(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="has an empty name"):
        names(text)


def test_numbers_are_parsed_or_rejected_with_a_message() -> None:
    assert whole_number("12") == 12
    assert number("1e-3") == 0.001
    with pytest.raises(argparse.ArgumentTypeError, match=r"'1\.5' is not a whole number"):
        whole_number("1.5")
    with pytest.raises(argparse.ArgumentTypeError, match="'fast' is not a number"):
        number("fast")


@pytest.fixture
def parser() -> Parser:
    parser = Parser(prog="prog", usage="prog [options]")
    parser.add_argument("--epochs", type=whole_number)
    parser.add_argument("--split", choices=("random", "stratified"))
    parser.add_argument("--json", action="store_true")
    return parser


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--epoch", "3"], "unknown option --epoch. Did you mean --epochs?"),
        (["--epohcs=3"], "unknown option --epohcs. Did you mean --epochs?"),
        (["--zzz"], "unknown option --zzz.\n"),
        (["extra"], "unexpected argument 'extra'."),
        (["--epochs", "x"], "argument --epochs: 'x' is not a whole number."),
        (
            ["--split", "startified"],
            "argument --split: 'startified' is not one of: random, stratified. "
            "Did you mean stratified?",
        ),
    ],
)
def test_wrong_usage_suggests_a_correction(
    parser: Parser, words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parser.parse_args(words)
    captured = capsys.readouterr()
    assert end.value.code == 2
    assert captured.out == ""
    assert f"prog: error: {sentence}" in captured.err
    assert captured.err.endswith("See prog --help.\n")


def test_help_is_no_wider_than_the_terminal(
    parser: Parser, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser.add_argument("--long", help="many words " * 20)
    for columns in (50, 80, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        widest = max(map(len, parser.format_help().splitlines()))
        assert widest <= min(columns, 80)


def test_help_has_no_colours_even_where_they_are_forced(
    parser: Parser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in parser.format_help()
