"""What to do after a training: commands that can be copied into each system's shell."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from clearcnn.cli.main import build_parser
from clearcnn.cli.next_steps import list_next_steps, quote
from clearcnn.results.scores import Mistake

from .conftest import make_result

MISTAKE = Mistake(843, "row 843", "6", "0", 0.7)


@pytest.fixture
def result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    made = make_result(tmp_path / "runs" / "my digits")
    return replace(made, test=replace(made.test, mistakes=(MISTAKE,)))


def test_the_commands_are_valid_and_relative(result) -> None:
    steps = dict(list_next_steps(result, "linux"))
    commands = [shlex.split(command) for command in steps.values()]
    assert commands[0] == ["xdg-open", "runs/my digits/report.html"]
    for words in commands[1:]:
        assert words[0] == "clearcnn"
        assert build_parser().parse_args(words[1:]).verb == words[1]
    assert [words[1] for words in commands[1:]] == ["explain", "predict", "serve"]
    assert commands[1][2:] == ["runs/my digits", "843"]
    assert "why 6 was predicted as 0, the most confident mistake" in steps


@pytest.mark.parametrize(
    ("platform", "command"),
    [
        ("darwin", "open 'runs/my digits/report.html'"),
        ("win32", 'start "" "runs/my digits/report.html"'),
    ],
)
def test_each_system_opens_the_report_in_its_way(result, platform: str, command: str) -> None:
    assert next(iter(list_next_steps(result, platform)))[1] == command


def test_without_a_mistake_there_is_none_to_explain(result) -> None:
    clean = replace(result, test=replace(result.test, mistakes=()))
    assert not any("explain" in command for _, command in list_next_steps(clean))


@pytest.mark.parametrize(
    ("platform", "path", "quoted"),
    [
        ("linux", "a b", "'a b'"),
        ("linux", "a'b", "'a'\"'\"'b'"),
        ("win32", "a b", '"a b"'),
        ("win32", "plain", "plain"),
    ],
)
def test_paths_are_quoted_for_the_shell(platform: str, path: str, quoted: str) -> None:
    assert quote(Path(path), platform) == quoted
