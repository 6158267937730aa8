import dataclasses
import re
from pathlib import Path
from typing import Any

from benchmarks.contest import Run
from benchmarks.machine import OtherPrograms, describe_machine
from benchmarks.page import make_page
from benchmarks.record import Record

from benchmarks import questions

MACHINE = {
    "processor": "Abacus 9",
    "instructions": "AVX2",
    "cores": 2,
    "memory_bytes": 8 * 2**30,
    "system": "Linux x86_64",
    "python": "3.11.7",
}
WORK = {"samples": 1005, "epochs": 100, "parameters": 5160, "accuracy": 0.98, "loss": 0.1}


def make_record(seconds: dict[str, float]) -> Record:
    runs = tuple(
        Run(name, 0, {**WORK, "seconds": value, "versions": {"keras": "3.15.1"}})
        for name, value in seconds.items()
    )
    left_out = Run("Keras/PyTorch", 0, {}, "exit status 1: MemoryError")
    return Record("digits_fit", "cpu", "2026-01-01", MACHINE, 0.012, (*runs, left_out))


def test_the_page_judges_against_the_fastest_peer_and_says_who_was_left_out() -> None:
    record = make_record({"clearcnn.fit": 0.5, "Keras/TensorFlow": 10.0, "Keras/JAX": 7.5})
    page = make_page([record], MACHINE, Path("unused"))
    assert "Abacus 9 with AVX2, 2 cores, 8 GiB of memory" in page
    assert "keras 3.15.1" in page
    assert "at most 1.2% of the machine" in page
    # 7.5 / 0.5 = 15: past the aim of 12, not the moonshot of 20.
    assert ("| the fastest Keras (Keras/JAX) | 15.00× (15.00–15.00) | 12× | 20× | yes |") in page
    assert "Keras/PyTorch was left out: exit status 1: MemoryError." in page
    assert re.search(r"Not measured on this machine yet: .*`growth`", page)


def test_an_aim_that_is_missed_is_called_missed() -> None:
    page = make_page(
        [make_record({"clearcnn.fit": 1.0, "Keras/JAX": 3.0})], MACHINE, Path("unused")
    )
    assert "| 3.00× (3.00–3.00) | 12× | 20× | no |" in page


def test_figures_of_another_machine_are_not_mixed_in() -> None:
    record = make_record({"clearcnn.fit": 1.0, "Keras/JAX": 3.0})
    elsewhere = dataclasses.replace(record, machine={**MACHINE, "cores": 64})
    assert "3.00×" not in make_page([elsewhere], MACHINE, Path("unused"))
    page = make_page([record], MACHINE, Path("unused"), others=["benchmarks-abacus.md"])
    assert "other machines: [benchmarks-abacus.md](benchmarks-abacus.md)." in page


def test_growth_draws_its_figure(tmp_path: Path) -> None:
    growth: Any = questions.load("growth")
    runs = [Run("matrix product, jax", 0, {"operations_per_second": 1e11})]
    for key, (_, values) in growth.SERIES.items():
        for value in values:
            for name, seconds in (
                (growth.OURS, 1.0),
                (growth.KERAS_TENSORFLOW, 2.0),
                (growth.PYTORCH, 3.0),
            ):
                result = {"seconds": seconds, "epochs": 2, "samples": 1000}
                runs.append(Run(growth.label(name, key, value), 0, result))
    record = Record("growth", "cpu", "2026-01-01", MACHINE, None, tuple(runs))
    text = growth.answer(growth.QUESTION, record, tmp_path)
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")
    # An epoch takes 0.5 s for 1,000 images.
    compared = "1,000.0 | 2.00× (2.00–2.00) | 1,500.0 | 3.00× (3.00–3.00)"
    assert f"| image size, pixels 96 | 500.0 | {compared} |" in text
    assert "100 GFLOP/s" in text


def test_the_machine_is_described_without_its_name() -> None:
    import os
    import socket

    machine = describe_machine()
    assert 1 <= machine["cores"] <= (os.cpu_count() or 1)
    assert socket.gethostname() not in str(machine)


def test_work_of_others_is_not_our_own() -> None:
    watch = OtherPrograms()
    sum(number * number for number in range(300_000))
    fraction = watch.fraction()
    assert fraction is None or 0.0 <= fraction <= 1.0
