"""`docs/benchmarks.md`, from all records of one machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import questions
from benchmarks.question import Question, split_words
from benchmarks.record import Record
from benchmarks.tables import Aim, find_best, find_ratio, tabulate

_INTRODUCTION = """\
# Benchmarks

<!-- Written by `make benchmark`; change benchmarks/ and run it again. -->

How fast clearcnn is beside other libraries, and whether it learns as much. `make benchmark`
installs the peers, asks every question below and writes this page; `benchmarks/` has one short file
for each question. Trust the ratios more than the seconds, and measure on your own machine before
you rely on them.

Every figure is a median over runs. A run is a fresh process, and the contenders take turns:
A B C A B C …, all with the same data, the same sizes of model and first weights of the same
distribution, drawn from the number of the round. A ratio is followed by the smallest and the
largest ratio within one round; above 1, clearcnn is better."""

_DEVICES = {"cpu": "On the CPU", "gpu": "On the GPU"}


def make_page(
    records: list[Record], machine: dict[str, Any], images: Path, *, others: Sequence[str] = ()
) -> str:
    """Return the whole page.

    Args:
      records: of any machine; only those of `machine` are shown.
      machine: as `describe_machine` returns it.
      images: the folder for figures.
      others: names of the pages of other machines in the same folder.
    """
    of_machine = [record for record in records if record.machine == machine]
    parts = [_INTRODUCTION]
    if others:
        links = ", ".join(f"[{name}]({name})" for name in others)
        parts.append(f"The same questions on other machines: {links}.")
    for device, title in _DEVICES.items():
        by_name = {record.question: record for record in of_machine if record.device == device}
        if not by_name:
            continue
        shown = [name for name in questions.NAMES if name in by_name]
        parts += [f"## {title}", _describe(machine, list(by_name.values()))]
        parts.append(_list_added(shown))
        parts.append(_summarize([(questions.load(name).QUESTION, by_name[name]) for name in shown]))
        for name in shown:
            parts += _answer(name, by_name[name], images)
        missing = [name for name in questions.NAMES if name not in by_name]
        asked = [name for name in missing if device in questions.load(name).QUESTION.devices]
        if asked:
            names = ", ".join(f"`{name}`" for name in asked)
            parts.append(f"Not measured on this machine yet: {names}.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _describe(machine: dict[str, Any], records: list[Record]) -> str:
    processor = machine["processor"] or "an unnamed processor"
    with_instructions = f" with {machine['instructions']}" if machine["instructions"] else ""
    memory = machine["memory_bytes"]
    lines = [
        f"- Machine: {processor}{with_instructions}, {machine['cores']} cores"
        + (f", {memory / 2**30:.0f} GiB of memory" if memory else "")
        + f", {machine['system']}, Python {machine['python']}."
    ]
    accelerators = sorted({r["accelerator"] for r in _results(records) if r.get("accelerator")})
    if accelerators:
        lines.append(f"- Accelerator: {', '.join(accelerators)}.")
    versions: dict[str, set[str]] = {}
    for result in _results(records):
        for package, version in result.get("versions", {}).items():
            versions.setdefault(package, set()).add(version)
    named = [f"{package} {' and '.join(sorted(v))}" for package, v in sorted(versions.items())]
    days = sorted({record.measured for record in records})
    lines.append(f"- Versions: {', '.join(named)}.")
    lines.append(f"- Measured: {' to '.join(dict.fromkeys((days[0], days[-1])))}.")
    known = [r.others_fraction for r in records if r.others_fraction is not None]
    if known:
        lines.append(
            f"- Other programs took at most {max(known):.1%} of the machine during a question."
        )
    return "\n".join(lines)


def _list_added(names: list[str]) -> str:
    """What earlier versions of the page did not have, so that nobody looks for it there."""
    modules = [questions.load(name) for name in names]
    lines = [
        f"- {split_words(module)[0]} New: {module.QUESTION.added}."
        for module in modules
        if module.QUESTION.added
    ]
    return "\n".join(["Earlier versions of this page did not have:\n", *lines]) if lines else ""


def _summarize(asked: list[tuple[Question, Record]]) -> str:
    rows = [
        row
        for question, record in asked
        for aim in question.aims
        if (row := _judge(question, record, aim))
    ]
    head = ["question", "against", "ratio", "aim", "moonshot", "reached"]
    return tabulate(head, rows) if rows else ""


def _judge(question: Question, record: Record, aim: Aim) -> list[str] | None:
    names = record.contenders()
    peer = find_best(record, question.quantity, aim.against)
    ours = aim.ours or next(iter(names), None)
    if peer is None or ours not in names:
        return None
    ratio = find_ratio(record, question.quantity, ours, peer)
    reached = (
        ("the moonshot" if ratio.medians >= aim.moonshot else "yes")
        if (ratio.medians >= aim.ratio)
        else "no"
    )
    words, _ = split_words(questions.load(record.question))
    if question.added:
        words += " (new)"
    against = f"{aim.label} ({peer})" if len(aim.against) > 1 else aim.label
    return [words, against, str(ratio), f"{aim.ratio:.3g}×", f"{aim.moonshot:g}×", reached]


def _answer(name: str, record: Record, images: Path) -> list[str]:
    module = questions.load(name)
    question: Question = module.QUESTION
    words, explanation = split_words(module)
    added = f"**New on this page: {question.added}.**" if question.added else ""
    return [f"### {words}", added, explanation, question.answer(question, record, images)]


def _results(records: list[Record]) -> list[dict[str, Any]]:
    return [run.result for record in records for run in record.runs if run.failure is None]
