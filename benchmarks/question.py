"""A question: who contends, in what quantity, with what aim."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from benchmarks.contest import Contender
from benchmarks.environments import Device
from benchmarks.record import Record
from benchmarks.tables import Aim, Quantity, compare


def answer_by_comparison(question: "Question", record: Record, _: Path) -> str:
    """One row for each contender, beside the first of them."""
    return compare(record, question.quantity)


@dataclass(frozen=True)
class Question:
    """How one question is asked; its words are the docstring of its module.

    Attributes:
      contenders: (quick) → who contends, ours first. Quick is the same in small.
      quantity: what is compared.
      aims: how far ours shall be ahead.
      rounds: runs of each contender.
      warm_ups: whole processes before the first that is counted.
      minutes: what it takes on two cores, roughly, once the environments are made.
      devices: where it can be asked.
      answer: makes the Markdown below the question; may draw figures into the folder.
    """

    contenders: Callable[[bool], list[Contender]]
    quantity: Quantity
    minutes: float
    aims: tuple[Aim, ...] = ()
    rounds: int = 5
    warm_ups: int = 0
    devices: tuple[Device, ...] = ("cpu",)
    answer: Callable[["Question", Record, Path], str] = answer_by_comparison


def split_words(module: ModuleType) -> tuple[str, str]:
    """Part a question's docstring into the question and what is said about it."""
    question, _, explanation = (module.__doc__ or "").strip().partition("\n\n")
    return " ".join(question.split()), explanation.strip()
