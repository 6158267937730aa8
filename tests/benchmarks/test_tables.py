from typing import Any

import pytest
from benchmarks.contest import Run
from benchmarks.record import Record, read_records, write_record
from benchmarks.tables import (
    PEAK_MEMORY,
    SAMPLES_PER_SECOND,
    SECONDS,
    compare,
    find_best,
    find_ratio,
    tabulate,
)

WORK = {"samples": 1005, "epochs": 100, "parameters": 5160, "accuracy": 0.98, "loss": 0.1}


def make_record(key: str, values: dict[str, list[float]], **changes: Any) -> Record:
    """Runs in turn; `changes` are what one contender did differently, by its name."""
    rounds = range(len(next(iter(values.values()))))
    runs = tuple(
        Run(name, number, {**WORK, key: values[name][number], **changes.get(name, {})})
        for number in rounds
        for name in values
    )
    return Record("digits_fit", "cpu", "2026-01-01", {}, 0.01, runs)


def test_a_ratio_is_of_medians_and_its_spread_of_rounds() -> None:
    record = make_record("seconds", {"ours": [1.0, 2.0, 4.0], "peer": [10.0, 10.0, 30.0]})
    ratio = find_ratio(record, SECONDS, "ours", "peer")
    # Medians 2 and 10; the rounds give 10, 5 and 7.5.
    assert (ratio.medians, ratio.low, ratio.high) == (5.0, 5.0, 10.0)


def test_of_a_rate_more_is_better_and_of_memory_less() -> None:
    rate = make_record("samples_per_second", {"ours": [9000.0], "peer": [3000.0]})
    assert find_ratio(rate, SAMPLES_PER_SECOND, "ours", "peer").medians == 3.0
    memory = make_record("peak_memory_bytes", {"ours": [9000.0], "peer": [3000.0]})
    assert find_ratio(memory, PEAK_MEMORY, "ours", "peer").medians == pytest.approx(1 / 3)


@pytest.mark.parametrize(("quantity", "best"), [(SECONDS, "a"), (SAMPLES_PER_SECOND, "b")])
def test_the_best_peer_is_the_best_median_of_those_that_ran(quantity: Any, best: str) -> None:
    record = make_record(quantity.key, {"a": [1.0, 1.0, 9.0], "b": [2.0, 2.0, 2.0]})
    assert find_best(record, quantity, ("a", "b", "c")) == best
    assert find_best(record, quantity, ("c",)) is None


def test_a_table_has_medians_ratios_and_what_everyone_did() -> None:
    text = compare(make_record("seconds", {"ours": [1.0], "peer": [12.5]}), SECONDS)
    assert "| ours | 1.00 | 1.00–1.00 |  | 98.0% | 0.100 |" in text
    assert "| peer | 12.5 | 12.5–12.5 | 12.50× (12.50–12.50) | 98.0% | 0.100 |" in text
    assert "Each: 1,005 training images, 100 epochs, 5,160 parameters; 1 run." in text


def test_unequal_work_is_said_in_bold() -> None:
    record = make_record("seconds", {"ours": [1.0], "peer": [2.0]}, peer={"epochs": 99})
    assert "**The work was not equal**" in compare(record, SECONDS)


def test_a_record_survives_being_written(tmp_path: Any) -> None:
    record = make_record("seconds", {"ours": [1.0, 2.0], "peer": [2.0, 3.0]})
    write_record(tmp_path, record)
    assert read_records(tmp_path) == [record]
    assert read_records(tmp_path / "nothing") == []


def test_columns_of_numbers_lean_right() -> None:
    assert tabulate(["", "s"], [["a", "1"]]) == "|  | s |\n| --- | --: |\n| a | 1 |"
