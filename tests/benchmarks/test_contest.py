import dataclasses
import json
import os
import sys
from pathlib import Path

import pytest
from benchmarks.contest import SEED, Contender, play
from benchmarks.environments import Environments

HERE = Environments(here=True)


def make(folder: Path, name: str, program: str, *, keeps_cache: bool = True) -> Contender:
    """A contender that appends its name to a file and then runs a program of its own."""
    script = folder / f"{name}.py"
    script.write_text(
        f"import json, os, sys\nopen({str(folder / 'order')!r}, 'a').write({name!r})\n" + program,
        encoding="utf-8",
    )
    return Contender(name, "clearcnn", (str(script), SEED), keeps_cache=keeps_cache)


SAY_SEED = "print('chatter'); print(json.dumps({'seed': sys.argv[1], 'process': os.getpid()}))"


def test_contenders_take_turns_in_fresh_processes(tmp_path: Path) -> None:
    contenders = [make(tmp_path, name, SAY_SEED) for name in "AB"]
    runs = play(contenders, HERE, rounds=3, warm_ups=1, say=lambda _: None)
    assert (tmp_path / "order").read_text() == "ABABABAB"
    assert [run.contender for run in runs] == list("ABABAB")
    assert [run.result["seed"] for run in runs] == ["0", "0", "1", "1", "2", "2"]
    assert len({run.result["process"] for run in runs} | {os.getpid()}) == 7
    assert all(run.result["wall_seconds"] > 0 for run in runs)


def test_who_fails_is_left_out_with_the_reason_and_the_others_go_on(tmp_path: Path) -> None:
    broken = make(tmp_path, "A", "raise ValueError('no such thing')")
    said: list[str] = []
    runs = play([broken, make(tmp_path, "B", SAY_SEED)], HERE, rounds=2, say=said.append)
    assert [(run.contender, run.failure) for run in runs] == [
        ("A", "exit status 1: ValueError: no such thing"),
        ("B", None),
        ("B", None),
    ]
    assert "  A: left out, exit status 1: ValueError: no such thing" in said


def test_a_follower_gets_the_figure_of_its_round(tmp_path: Path) -> None:
    leader = make(tmp_path, "A", "print(json.dumps({'figure': 1.5 + int(sys.argv[1])}))")
    plain = make(tmp_path, "B", "print(json.dumps({'given': sys.argv[1:]}))")
    command = (*plain.command, "--seconds", "{length}")
    follower = dataclasses.replace(plain, command=command, follows={"{length}": ("A", "figure")})
    runs = play([leader, follower], HERE, rounds=2, say=lambda _: None)
    given = [run.result["given"] for run in runs if run.contender == "B"]
    assert given == [["0", "--seconds", "1.5"], ["1", "--seconds", "2.5"]]


def test_a_follower_of_who_failed_is_left_out(tmp_path: Path) -> None:
    leader = make(tmp_path, "A", "raise ValueError('no such thing')")
    plain = make(tmp_path, "B", SAY_SEED)
    follower = dataclasses.replace(plain, follows={"{length}": ("A", "figure")})
    runs = play([leader, follower], HERE, rounds=2, say=lambda _: None)
    assert [run.failure for run in runs if run.contender == "B"] == [
        "it follows A, which did not run"
    ]
    assert (tmp_path / "order").read_text() == "A"


def test_caches_last_only_for_who_keeps_them(tmp_path: Path) -> None:
    program = (
        "mark = os.path.join(os.environ['XDG_CACHE_HOME'], 'mark')\n"
        "print(json.dumps({'found': os.path.exists(mark)}))\n"
        "open(mark, 'w')\n"
    )
    keeper = make(tmp_path, "A", program)
    forgetter = make(tmp_path, "B", program, keeps_cache=False)
    runs = play([keeper, forgetter], HERE, rounds=2, say=lambda _: None)
    assert [run.result["found"] for run in runs] == [False, False, True, False]


def test_the_callers_own_settings_do_not_reach_a_contender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setenv("XLA_FLAGS", "--xla_force_host_platform_device_count=4")
    program = "print(json.dumps({'variables': dict(os.environ)}))"
    (run,) = play([make(tmp_path, "A", program)], HERE, rounds=1, say=lambda _: None)
    variables = run.result["variables"]
    assert "KERAS_BACKEND" not in variables
    assert "XLA_FLAGS" not in variables
    assert variables["JAX_PLATFORMS"] == "cpu"


def test_a_contender_that_finds_no_gpu_does_not_count_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_gpu = Environments(device="gpu")
    monkeypatch.setattr(Environments, "python", lambda *_: Path(sys.executable))
    report = "print(json.dumps({'accelerator': None}))"
    (run,) = play([make(tmp_path, "A", report)], on_gpu, rounds=1, say=lambda _: None)
    assert run.failure == "it found no GPU"


def test_results_are_read_from_the_last_line() -> None:
    from benchmarks.contest import read_last_line

    assert read_last_line("noise\n" + json.dumps({"seconds": 1.5}) + "\n") == {"seconds": 1.5}
