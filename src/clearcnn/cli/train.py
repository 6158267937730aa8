"""`clearcnn train`: from labelled images to a trained and tested CNN."""

import shlex
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any, get_args

from clearcnn.cli.exit_codes import Status
from clearcnn.cli.options import (
    SOURCES,
    add_augmentation_options,
    add_budget_option,
    add_output_options,
    add_reading_options,
    add_recipe_options,
    add_source,
    add_source_options,
    print_json,
    read_source,
)
from clearcnn.cli.parser import OptionGroup, Parser, number
from clearcnn.kernel_library import describe_kernels, open_library
from clearcnn.language import Language, say
from clearcnn.specs import SplitKind
from clearcnn.text import printable
from clearcnn.version import __version__

NAME = "train"
SUMMARY = say("train and test a CNN on labelled images")

_DESCRIPTION = say(
    """\
Train a small CNN on labelled images, test it on images it never saw, and write
everything into a run folder: model, figures, report.

{sources}Options that are not given take the recipe's values.
""",
    sources=SOURCES,
)

# Options allowed with --resume.
_ALLOWED_WITH_RESUME = {"source", "use", "resume", "epochs", "out", "checkpoint_seconds"}
_ALLOWED_WITH_RESUME |= {"quiet", "json", "debug", "language", "language_code"}

_EPILOG = say("""\
examples:
  clearcnn train
  clearcnn train photos/ --size 32 --out runs/photos
  clearcnn train photos/ --split group --seed 1
  clearcnn train photos/ --budget 60s
  clearcnn train --recipe tutorial --epochs 20
  clearcnn train --model model.toml --json > result.json
  clearcnn train --resume runs/photos
  clearcnn train --resume runs/photos --epochs 200
  clearcnn train photos/ --resume from-a-friend

Ctrl-C stops early and saves the model of the last finished epoch. A run that
was killed can be resumed as soon as it has kept a checkpoint, which it prints:
it ends in the same bits as an uninterrupted run. A finished run is trained
further into a new run folder; if its learning rate follows a cycle, the rest
follows the cycle of the new number of epochs.
""")


TEXTS = {
    "usage": "clearcnn train [SOURCE] [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}


def add_options(parser: Parser) -> None:
    """Add the verb's options to its parser.

    Args:
      parser: of `clearcnn train`.
    """
    parser.set_defaults(run=run, parser=parser)
    add_source(parser)
    _add_data_options(parser.add_argument_group(say("data")))
    training = parser.add_argument_group(say("model and training"))
    add_recipe_options(training)
    add_augmentation_options(training)
    add_budget_option(training, say("epochs"))
    training.add_argument(
        "--resume",
        type=Path,
        metavar="RUN",
        help=say(
            "resume a stopped run, or train a finished one for more --epochs; RUN may also be "
            "a unique beginning of its name below runs/, or latest"
        ),
    )
    training.add_argument(
        "--checkpoint-seconds",
        type=number,
        default=30.0,
        metavar="S",
        help=say("least seconds between checkpoints (default: 30; 0: as often as possible)"),
    )
    add_output_options(
        parser.add_argument_group(say("output")),
        out=say("the run folder to create (default: runs/ with the source and the time)"),
    )


def run(arguments: Namespace, words: list[str]) -> Status:
    """Train and print the result.

    Args:
      arguments: parsed.
      words: the command line after `clearcnn`, which is stored in the run folder.
    Returns:
      The exit status.
    """
    if arguments.resume is not None:
        _reject_other_options(arguments, words)
    if not arguments.quiet:
        # Printed before the heavy imports, so that the first line appears at once.
        first = sys.stderr if arguments.json else sys.stdout
        source = arguments.source if arguments.resume is None else str(arguments.resume)
        reading = say(
            "clearcnn {version} · reading {source} …\n",
            version=__version__,
            source=printable(source),
        )
        first.write(arguments.language.translate(reading))
        first.flush()
        if open_library() is None:
            first.write(arguments.language.translate(describe_kernels()) + "\n")

    from clearcnn.cli.console import Console, Line
    from clearcnn.cli.next_steps import view_next_steps
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

    language: Language = arguments.language
    stdout, stderr = Console(language=language), Console(stderr=True, language=language)
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
                language=arguments.language.code,
            )
        except KeyboardInterrupt:
            if display.unfinished is not None:
                stderr.print(
                    say(
                        "\nStopped. {unfinished}",
                        unfinished=printable(suggest_resume(display.unfinished)),
                    )
                )
            elif arguments.resume is not None:
                stderr.print(say("\nStopped. The run can be resumed as before."))
            else:
                raise
            return Status.INTERRUPTED
        except SystemExit:
            # SIGTERM, or SIGHUP.
            if display.unfinished is not None:
                stderr.print(Line("\n", printable(suggest_resume(display.unfinished))))
            raise
    if not arguments.quiet:
        people.show(view_result(result))
        people.show(view_next_steps(result))
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


def _add_data_options(group: OptionGroup) -> None:
    add_source_options(group)
    add_reading_options(group)
    group.add_argument(
        "--split",
        choices=get_args(SplitKind),
        metavar="KIND",
        help=say(
            "random, stratified (keeps class proportions) or group (keeps groups on one side)"
        ),
    )
    group.add_argument(
        "--test-fraction",
        type=number,
        metavar="F",
        help=say("share of all images for the test set"),
    )
    group.add_argument(
        "--validation-fraction",
        type=number,
        metavar="F",
        help=say("share of the rest for the validation set (default: 0.2; 0.1 of 2,000 and more)"),
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
        "augment": arguments.augment,
        "flip": arguments.flip,
        "budget": arguments.budget,
        "out": arguments.out,
        "resume": arguments.resume,
        "checkpoint_seconds": arguments.checkpoint_seconds,
    }


def _reject_other_options(arguments: Namespace, words: list[str]) -> None:
    """Exit with status 2 if an option is given that the run to resume already fixes."""
    parser: Parser = arguments.parser
    parser.set_defaults(**dict.fromkeys(vars(arguments), None))
    given = vars(parser.parse_args(words[1:]))
    others = [
        option
        for option, value in given.items()
        if value is not None and option not in _ALLOWED_WITH_RESUME
    ]
    if others:
        parser.error(
            say(
                "--{option} cannot be combined with --resume: the run fixes it. Only SOURCE, "
                "--use, --epochs and --out may be given.",
                option=others[0].replace("_", "-"),
            )
        )
