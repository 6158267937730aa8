"""`python -m benchmarks [QUESTION ...]`: measure, save the records, write the page."""

import argparse
import datetime
import sys
from pathlib import Path

from benchmarks import contest, questions
from benchmarks.environments import ROOT, Environments
from benchmarks.machine import OtherPrograms, describe_machine
from benchmarks.page import make_page
from benchmarks.question import Question, split_words
from benchmarks.record import Record, read_records, write_record

_DOCS = ROOT / "docs"
_RECORDS = ROOT / ".cache" / "benchmarks"
_BUSY_FRACTION = 0.05


def main() -> int:
    """Run the chosen questions; return 1 if no contender of a question could run."""
    arguments = _parse()
    environments = Environments(device=arguments.device, here=arguments.here)
    out = arguments.out or _choose_folder(arguments)
    records, docs = out or _RECORDS, out or _DOCS
    names = [] if arguments.page else _choose(arguments)
    status = 0
    for position, name in enumerate(names, start=1):
        module = questions.load(name)
        question: Question = module.QUESTION
        words, _ = split_words(module)
        minutes = "" if arguments.quick else f", about {question.minutes:g} minutes"
        print(f"\n{position} of {len(names)} · {name}{minutes}\n{words}", flush=True)
        record = _ask(name, question, environments, arguments)
        write_record(records, record)
        print("\n" + question.answer(question, record, docs / "images"), flush=True)
        if not arguments.quick:
            _warn_if_busy(record)
        if not record.contenders():
            status = 1
        # After every question, so that an interruption loses one question only.
        _write_page(records, docs)
    if arguments.page:
        _write_page(records, docs)
    return status


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare clearcnn with other libraries, and write docs/benchmarks.md.",
        epilog=f"Questions: {', '.join(questions.NAMES)}.",
    )
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help="default: all of them")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes, to check that everything runs"
    )
    parser.add_argument(
        "--only",
        metavar="WORDS",
        help="only the contenders whose names contain this, such as a data set of `pictures`",
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="runs of each contender")
    parser.add_argument(
        "--device",
        choices=("cpu", "gpu"),
        default="cpu",
        help="gpu runs only questions that can use a GPU",
    )
    parser.add_argument(
        "--here",
        action="store_true",
        help="create no environments; skip contenders whose library is not installed here",
    )
    parser.add_argument("--page", action="store_true", help="only rewrite the page")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="folder for records and page; default: .cache/benchmarks and docs, with --quick "
        ".cache/benchmarks/quick, and with --only .cache/benchmarks/part",
    )
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.questions) - set(questions.NAMES)):
        parser.error(f"no question {', '.join(unknown)}; choose from {', '.join(questions.NAMES)}")
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error(f"--rounds is {arguments.rounds}; at least 1")
    return arguments


def _choose_folder(arguments: argparse.Namespace) -> Path | None:
    """Keep the records of small runs and of some contenders apart; None for the usual places."""
    if arguments.quick:
        return _RECORDS / "quick"
    return _RECORDS / "part" if arguments.only else None


def _choose(arguments: argparse.Namespace) -> list[str]:
    """Return the questions, shortest first."""
    asked = {name: questions.load(name).QUESTION for name in arguments.questions or questions.NAMES}
    fitting = [name for name in asked if arguments.device in asked[name].devices]
    return sorted(fitting, key=lambda name: asked[name].minutes)


def _ask(
    name: str, question: Question, environments: Environments, arguments: argparse.Namespace
) -> Record:
    contenders = question.contenders(arguments.quick)
    if arguments.only:
        named = [each.name for each in contenders]
        contenders = [each for each in contenders if arguments.only in each.name]
        if not contenders:
            sys.exit(f"{name} has no contender with {arguments.only!r} in its name: {named}")
    others = OtherPrograms()
    rounds = arguments.rounds or (min(question.rounds, 2) if arguments.quick else question.rounds)
    runs = contest.play(
        contenders,
        environments,
        rounds,
        question.warm_ups,
        say=lambda line: print(line, flush=True),
    )
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    device = environments.device
    return Record(name, device, today, describe_machine(), others.fraction(), tuple(runs))


def _warn_if_busy(record: Record) -> None:
    if (record.others_fraction or 0) > _BUSY_FRACTION:
        print(
            f"Other programs used {record.others_fraction:.0%} of the machine during this time. "
            "Measure again when it is idle.",
            file=sys.stderr,
        )


def _write_page(records: Path, docs: Path) -> None:
    others = sorted(path.name for path in docs.glob("benchmarks-*.md"))
    page = make_page(read_records(records), describe_machine(), docs / "images", others=others)
    path = docs / "benchmarks.md"
    path.write_text(page, encoding="utf-8")
    print(f"Wrote {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}.")


if __name__ == "__main__":
    sys.exit(main())
