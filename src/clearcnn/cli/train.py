"""`clearcnn train`: from labelled images to a trained, evaluated CNN."""

import shlex
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any, get_args

from clearcnn.cli.exit_codes import Status
from clearcnn.cli.output_options import add_output_options, print_json
from clearcnn.cli.parser import Parser, number
from clearcnn.cli.recipe_options import add_recipe_options
from clearcnn.cli.source_options import (
    SOURCES,
    add_reading_options,
    add_source,
    add_source_options,
    read_source,
)
from clearcnn.specs import SplitKind
from clearcnn.text import printable
from clearcnn.version import __version__

NAME = "train"
SUMMARY = "train and score a CNN on labelled images"

_DESCRIPTION = f"""\
Train a small CNN on labelled images, score it on a test part that it never
saw, and keep everything in a run folder: model, figures, report.

{SOURCES}Whatever is not asked for below is as the recipe says.
"""

# What may be given beside --resume.
_GO_ON = {"source", "use", "resume", "epochs", "out", "checkpoint_seconds"}
_GO_ON |= {"quiet", "json", "debug"}

_EPILOG = """\
examples:
  clearcnn train
  clearcnn train photos/ --size 32 --out runs/photos
  clearcnn train photos/ --split group --seed 1
  clearcnn train --recipe tutorial --epochs 20
  clearcnn train --model model.toml --json > result.json
  clearcnn train --resume runs/photos
  clearcnn train --resume runs/photos --epochs 200
  clearcnn train photos/ --resume from-a-friend

Ctrl-C stops early and keeps the model of the last finished epoch. A run that
was killed can be gone on with, once it has kept a checkpoint, which it says:
it ends in the same bits as if it had never been stopped. One that is finished
is trained on into a new run folder; where its learning rate follows a cycle,
the rest follows the cycle of so many epochs.
"""


TEXTS = {
    "usage": "clearcnn train [SOURCE] [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}


def add_options(parser: Parser) -> None:
    """Fill the verb's own parser.

    Args:
      parser: of `clearcnn train`.
    """
    parser.set_defaults(run=run, parser=parser)
    add_source(parser)
    _add_data_options(parser.add_argument_group("data"))
    training = parser.add_argument_group("model and training")
    add_recipe_options(training)
    training.add_argument(
        "--resume",
        type=Path,
        metavar="RUN",
        help="go on with a run that was stopped, or with a finished one for more --epochs",
    )
    training.add_argument(
        "--checkpoint-seconds",
        type=number,
        default=30.0,
        metavar="S",
        help="keep a checkpoint every S seconds at most, for --resume (default: 30; 0: always)",
    )
    add_output_options(
        parser.add_argument_group("output"),
        out="the run folder to make; without it, runs/ with the source and the time",
    )


def run(arguments: Namespace, words: list[str]) -> Status:
    """Train as asked, and say what came out.

    Args:
      arguments: parsed.
      words: the command line after `clearcnn`, to be kept with the run.
    Returns:
      The exit status.
    """
    if arguments.resume is not None:
        _refuse_more(arguments, words)
    if not arguments.quiet:
        # Said before anything large is imported: the first line must not wait for it.
        first = sys.stderr if arguments.json else sys.stdout
        source = arguments.source if arguments.resume is None else str(arguments.resume)
        first.write(f"clearcnn {__version__} · reading {printable(source)} …\n")
        first.flush()

    from clearcnn.cli.console import Console
    from clearcnn.cli.progress import TrainDisplay, WarningsOnly
    from clearcnn.cli.result_tables import (
        view_divergence,
        view_interruption,
        view_result,
        view_score,
    )
    from clearcnn.results.json_codec import to_json
    from clearcnn.workflows.fitting.repro_command import suggest_resume
    from clearcnn.workflows.train.train import train

    stdout, stderr = Console(), Console(stderr=True)
    people = stderr if arguments.json else stdout
    is_named = arguments.resume is None or arguments.use or arguments.source != "digits"
    source = read_source(arguments) if is_named else "digits"
    with WarningsOnly(stderr) if arguments.quiet else TrainDisplay(people) as display:
        try:
            result = train(
                source,
                **_options_asked_for(arguments),
                listener=display,
                command=shlex.join(["clearcnn", *words]),
            )
        except KeyboardInterrupt:
            if display.unfinished is not None:
                stderr.print(f"\nStopped. {printable(suggest_resume(display.unfinished))}")
            elif arguments.resume is not None:
                stderr.print("\nStopped. The run can be resumed as before.")
            else:
                raise
            return Status.INTERRUPTED
        except SystemExit:
            # SIGTERM, or SIGHUP.
            if display.unfinished is not None:
                stderr.print(f"\n{printable(suggest_resume(display.unfinished))}")
            raise
    if not arguments.quiet:
        people.show(view_result(result))
    if arguments.json:
        print_json(to_json(result))
    elif arguments.quiet:
        stdout.print(view_score(result))
    if result.divergence is not None:
        stderr.print(view_divergence(result))
        return Status.ERROR
    if not result.interrupted:
        return Status.SUCCESS
    stderr.print(view_interruption(result))
    return Status.INTERRUPTED


def _add_data_options(group: Any) -> None:
    add_source_options(group)
    add_reading_options(group)
    group.add_argument(
        "--split",
        choices=get_args(SplitKind),
        metavar="KIND",
        help="random, stratified (keeps each class's share) or group (keeps groups whole)",
    )
    group.add_argument(
        "--test-fraction",
        type=number,
        metavar="F",
        help="share of all images kept for the test",
    )
    group.add_argument(
        "--validation-fraction",
        type=number,
        metavar="F",
        help="share of the rest kept for validation",
    )


def _options_asked_for(arguments: Namespace) -> dict[str, Any]:
    # None leaves the choice to the recipe.
    return {
        "recipe": arguments.recipe,
        "model": arguments.model,
        "epochs": arguments.epochs,
        "batch_size": arguments.batch_size,
        "learning_rate": arguments.learning_rate,
        "seed": arguments.seed,
        "split": arguments.split,
        "test_fraction": arguments.test_fraction,
        "validation_fraction": arguments.validation_fraction,
        "out": arguments.out,
        "resume": arguments.resume,
        "checkpoint_seconds": arguments.checkpoint_seconds,
    }


def _refuse_more(arguments: Namespace, words: list[str]) -> None:
    """End with status 2 if anything is given that the run to go on with has already."""
    parser: Parser = arguments.parser
    parser.set_defaults(**dict.fromkeys(vars(arguments), None))
    given = vars(parser.parse_args(words[1:]))
    others = [name for name, value in given.items() if value is not None and name not in _GO_ON]
    if others:
        parser.error(
            f"--{others[0].replace('_', '-')} beside --resume: the run has that already. SOURCE, "
            "--use, --epochs and --out may be given."
        )
