"""Each step of each verb's writing fails in turn: all is there in the end, or all is as it was."""

import shutil
from pathlib import Path
from typing import Any

import pytest

ERRORS = ("ENOSPC", "EACCES", "EFBIG", "EROFS")
# Ctrl-C may come between the opening of a file and the name that would close it.
pytestmark = [
    pytest.mark.strike,
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <_io:pytest.PytestUnraisableExceptionWarning"
    ),
]
EVERY = (*ERRORS, "SIGINT")
NAMES = (
    "train",
    "check",
    "evaluate",
    "explain",
    "export onnx",
    "export keras",
    "export triton",
    "predict",
)


def say_one_message(said: str) -> None:
    """One error with its remedy, and no line of a traceback; warnings are others' affair."""
    assert said.count("error: ") == 1, said
    lines = said[said.index("error: ") :].splitlines()
    assert len(lines) == 2, said
    assert "Traceback" not in said
    assert "Exception ignored" not in said


def strike_steps(kinds: tuple[str, ...], name: str, out: Path, tools: Any, every: int = 1) -> int:
    """Strike at step after step, with the kinds in turn; give how many steps there are."""
    strikes, verbs, run_verb = tools
    verb, before = verbs.VERBS[name], strikes.look(out)
    with strikes.striking(out, 0, None) as counting:
        status, said = run_verb(name, out)
    assert status == 0, said
    whole = strikes.look(out)
    assert set(before) < set(whole)
    clear_away(out)
    for turn, at in enumerate(range(1, counting.steps + 1, every)):
        kind = kinds[turn % len(kinds)]
        with strikes.striking(out, at, strikes.FAILURES[kind]) as strike:
            status, said = run_verb(name, out)
        assert strike.struck
        where = f"{name}, {kind} at step {at}: {said}"
        if kind == "SIGINT" and not (verb.keeps_at_ctrl_c and status == 0):
            assert status == 130, where
            assert "Stopped" in said, where
            if at == counting.steps and strikes.look(out) != before:
                # It had its place already, and only the flush of that was left.
                assert set(strikes.look(out)) == set(whole), where
                clear_away(out)
        elif status == 0:
            # Ctrl-C after training; a disk without second names; or only the last flush failed,
            # of what had its place already.
            assert set(strikes.look(out)) == set(whole), where
            clear_away(out)
        else:
            assert status == 1, where
            say_one_message(said)
        if verb.keeps_rows:
            keep_whole_rows(out, tools, name)
        assert strikes.look(out) == before, where
    return int(counting.steps)


def clear_away(out: Path) -> None:
    shutil.rmtree(out / "new", ignore_errors=True)
    (out / "a.csv").unlink(missing_ok=True)


def keep_whole_rows(out: Path, tools: Any, name: str) -> None:
    """What there is of a table are whole rows, from which --resume goes on to the whole table."""
    path = out / "a.csv"
    rows = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    assert all(row.endswith(b"\n") for row in rows)
    status, said = tools[2](name, out, "--resume")
    assert status == 0, said
    table = path.read_bytes().splitlines(keepends=True)
    assert table[: len(rows)] == rows
    assert len(table) == 6
    path.unlink()


@pytest.fixture
def tools(strikes: Any, verbs: Any, run_verb: Any, remembering: None) -> Any:
    return strikes, verbs, run_verb


@pytest.mark.parametrize("name", NAMES)
def test_whatever_step_fails_all_is_there_or_all_is_as_it_was(
    name: str, out: Path, tools: Any
) -> None:
    assert tuple(tools[1].VERBS) == NAMES
    # Those with the most steps take the longest; the test below goes through all of them.
    every = {"train": 3, "explain": 2}.get(name, 1)
    assert strike_steps(EVERY, name, out, tools, every) >= 8


@pytest.mark.release
@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("name", NAMES)
def test_whatever_step_fails_in_whatever_way(name: str, kind: str, out: Path, tools: Any) -> None:
    assert strike_steps((kind,), name, out, tools) >= 8
