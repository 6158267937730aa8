"""A question: its contenders, the quantity that is compared, and the aim."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from benchmarks.contest import Contender
from benchmarks.environments import Device
from benchmarks.record import Record
from benchmarks.tables import Aim, Quantity, compare


def answer_by_comparison(question: "Question", record: Record, _: Path) -> str:
    """One row for each contender, compared with the first."""
    return compare(record, question.quantity)


@dataclass(frozen=True)
class Question:
    """How a question is measured; its text is the docstring of its module.

    Attributes:
      contenders: (quick) → the contenders, ours first; quick uses tiny sizes.
      quantity: what is compared.
      aims: the ratios to reach.
      rounds: runs of each contender.
      warm_ups: processes of each contender that are run first and not counted.
      minutes: roughly, on two cores, with the environments installed.
      devices: on which it can be run.
      added: what the page's previous version did not have, in words; else empty.
      answer: returns the Markdown below the question; may write figures to the folder.
    """

    contenders: Callable[[bool], list[Contender]]
    quantity: Quantity
    minutes: float
    aims: tuple[Aim, ...] = ()
    rounds: int = 5
    warm_ups: int = 0
    devices: tuple[Device, ...] = ("cpu",)
    added: str = ""
    answer: Callable[["Question", Record, Path], str] = answer_by_comparison


def split_words(module: ModuleType) -> tuple[str, str]:
    """Split a question's docstring into the question and its explanation."""
    question, _, explanation = (module.__doc__ or "").strip().partition("\n\n")
    return " ".join(question.split()), explanation.strip()
