"""Measurements as JSON lines: a header, then one line for each process."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contest import Run


@dataclass(frozen=True)
class Record:
    """All runs of one question.

    Attributes:
      question: the name of its module.
      device: "cpu" or "gpu".
      measured: the day, as YYYY-MM-DD.
      machine: as `describe_machine` returns it.
      others_fraction: share of the machine's time that other programs used during the run, in
        [0, 1]; None if unknown.
      runs: in the order in which they ran.
    """

    question: str
    device: str
    measured: str
    machine: dict[str, Any]
    others_fraction: float | None
    runs: tuple[Run, ...]

    def results(self, contender: str) -> list[dict[str, Any]]:
        """The results of a contender, run by run."""
        return [
            run.result for run in self.runs if run.contender == contender and run.failure is None
        ]

    def contenders(self) -> list[str]:
        """The contenders with at least one finished run, in order."""
        return list(dict.fromkeys(run.contender for run in self.runs if run.failure is None))

    def failures(self) -> dict[str, str]:
        """Contender → why it failed."""
        return {run.contender: run.failure for run in self.runs if run.failure is not None}


def write_record(folder: Path, record: Record) -> None:
    """Write `<question>-<device>.jsonl` to the folder, replacing an older one."""
    folder.mkdir(parents=True, exist_ok=True)
    head = {name: value for name, value in vars(record).items() if name != "runs"}
    lines = [head, *(dataclasses.asdict(run) for run in record.runs)]
    path = folder / f"{record.question}-{record.device}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def read_records(folder: Path) -> list[Record]:
    """Read every record of the folder, by file name; none if there is no folder."""
    records = []
    for path in sorted(folder.glob("*.jsonl")):
        head, *runs = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        records.append(Record(**head, runs=tuple(Run(**run) for run in runs)))
    return records
