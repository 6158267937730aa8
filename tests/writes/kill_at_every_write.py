"""Kill a process at each step of the verbs' writing: kill_at_every_write.py HOME OUT EVERY VERB …

The process forks, once all is computed, and it is the child that is killed. What is wrong is an
AssertionError; otherwise each verb, its steps, and how many of them were struck are printed.
"""

import contextlib
import io
import itertools
import os
import shutil
import signal
import sys
import warnings
from pathlib import Path
from typing import Any
from unittest import mock

import strikes
import verbs

from clearcnn.cli import main as command_line
from clearcnn.cli.signals import exit_on_signals


def run_in_child(words: list[str], out: Path, at: int, kind: str) -> int:
    """Give the status of a child that runs the verb: negative if a signal ended it."""
    # The child computes nothing, and the threads of the parent are idle; so the guard against
    # forks is told that JAX has not computed.
    with warnings.catch_warnings(), mock.patch.dict(sys.modules, {"jax._src.xla_bridge": None}):
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        status = 99
        try:
            exit_on_signals()
            with strikes.striking(out, at, strikes.FAILURES[kind]):
                status = command_line.main(words)
        finally:
            os._exit(status)
    _, how = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(how)


def strip_drafts(found: dict[str, Any]) -> dict[str, Any]:
    return {name: content for name, content in found.items() if ".partial-" not in name}


def go_through(name: str, home: Path, out: Path, kind: str, every: int) -> str:
    verb, before = verbs.VERBS[name], strikes.look(out)
    words = verbs.command(verb, home, out)
    with strikes.striking(out, 0, None) as counting:
        assert command_line.main(words) == 0
    whole = strikes.look(out)
    clear_away(out)
    steps = range(1, counting.steps + 1, every)
    for at in steps:
        where = f"{name}, {kind} at step {at} of {counting.steps}"
        status = run_in_child(words, out, at, kind)
        found = strikes.look(out)
        if kind == "SIGKILL":
            assert status == -signal.SIGKILL, (where, status)
            # The folders above the place may stay, and one draft.
            drafts = {Path(left).parts[1] for left in found.keys() - strip_drafts(found).keys()}
            assert len(drafts) <= 1, (where, drafts)
            rest = strip_drafts(found)
            if found.keys() - before.keys() <= {"new"} | (found.keys() - rest.keys()):
                rest.pop("new", None)
        else:
            assert status == 128 + signal.SIGTERM, (where, status)
            assert found == strip_drafts(found), (where, found.keys())
            rest = found
        if verb.keeps_rows:
            rows = (rest.pop("a.csv", None) or b"").splitlines(keepends=True)
            assert all(row.endswith(b"\n") for row in rows), where
            words_again = [*words, "--resume"]
        else:
            words_again = words
        if rest != before:
            # It was killed after the last step that counts: all is there.
            assert rest.keys() == whole.keys(), (where, rest.keys() ^ before.keys())
            clear_away(out)
        if at + every > counting.steps or at % 5 == 1:
            # Whatever was left, the next one does all its work, and clears away.
            assert run_in_child(words_again, out, 0, kind) == 0, where
            assert strikes.look(out).keys() == whole.keys(), (where, strikes.look(out).keys())
        clear_rows = out / "a.csv"
        clear_rows.unlink(missing_ok=True)
        if kind == "SIGTERM" or at % 5 == 1:
            clear_away(out)
    clear_away(out)
    return f"{name}: {counting.steps} steps, {kind} at {len(steps)}"


def clear_away(out: Path) -> None:
    shutil.rmtree(out / "new", ignore_errors=True)
    (out / "a.csv").unlink(missing_ok=True)


if __name__ == "__main__":
    home, out, every, *names = sys.argv[1:]
    lines = []
    with contextlib.ExitStack() as stack:
        verbs.remember(stack.enter_context, verbs.EXECUTED)
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        for name, kind in itertools.product(names, ("SIGKILL", "SIGTERM")):
            lines += [go_through(name, Path(home), Path(out), kind, int(every))]
    sys.stdout.write("\n".join(lines) + "\n")
