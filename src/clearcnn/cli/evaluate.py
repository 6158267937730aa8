"""`clearcnn evaluate`: the accuracy of a recipe or of a finished run, with its uncertainty."""

import shlex
import sys
from argparse import SUPPRESS, Namespace
from pathlib import Path

from clearcnn.cli.exit_codes import Status
from clearcnn.cli.options import (
    SOURCES,
    add_augmentation_options,
    add_budget_option,
    add_output_options,
    add_reading_options,
    add_recipe_options,
    add_run_data_options,
    add_source,
    add_source_options,
    print_json,
    read_run_data,
    read_source,
)
from clearcnn.cli.parser import OptionGroup, Parser, whole_number
from clearcnn.cli.signals import interrupt_on_signals
from clearcnn.language import say
from clearcnn.text import printable
from clearcnn.version import __version__

NAME = "evaluate"
SUMMARY = say("estimate the accuracy of a CNN, with its uncertainty")

_DESCRIPTION = say(
    """\
Estimate the accuracy of a CNN by cross-validation: every image is tested by a
model that was trained without it. Prints confidence intervals, simple
classifiers on the same folds, calibration, robustness and a learning curve.
Where images have groups, whole groups are left out. Ctrl-C keeps the folds
that are finished, if there are two. With a run folder in
place of SOURCE, its finished model is scored on its test set, or on the
images of NEW. RUN may also be a unique beginning of its name, or latest.

{sources}""",
    sources=SOURCES,
)

_EPILOG = say("""\
examples:
  clearcnn evaluate
  clearcnn evaluate photos/ --groups camera --budget 5min
  clearcnn evaluate --recipe tutorial --compare default wide.toml
  clearcnn evaluate runs/photos
  clearcnn evaluate runs/photos new-photos/ --json > scores.json
""")

TEXTS = {
    "usage": "clearcnn evaluate [SOURCE | RUN [NEW]] [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}


def add_options(parser: Parser) -> None:
    """Add the verb's options to its parser.

    Args:
      parser: of `clearcnn evaluate`.
    """
    parser.set_defaults(run=run, parser=parser)
    add_source(parser)
    parser.add_argument("new", nargs="?", metavar="NEW", help=SUPPRESS)
    data = parser.add_argument_group(say("data"))
    add_source_options(data)
    add_reading_options(data)
    add_run_data_options(data, use=False)
    training = parser.add_argument_group(say("model and training"))
    add_recipe_options(training)
    add_augmentation_options(training)
    _add_fold_options(parser.add_argument_group(say("folds")))
    add_output_options(
        parser.add_argument_group(say("output")),
        out=say("the folder to create (default: evaluations/ with the source and the time)"),
    )


@interrupt_on_signals()
def run(arguments: Namespace, words: list[str]) -> Status:
    """Evaluate and print the result.

    Args:
      arguments: parsed.
      words: the command line after `clearcnn`, which the report shows.
    Returns:
      The exit status.
    """
    if not arguments.quiet:
        first = sys.stderr if arguments.json else sys.stdout
        reading = say(
            "clearcnn {version} · reading {source} …\n",
            version=__version__,
            source=printable(arguments.source),
        )
        first.write(arguments.language.translate(reading))
        first.flush()

    from clearcnn.cli.console import Console
    from clearcnn.cli.evaluate_view import EvaluateDisplay, view_assessment, view_verdict
    from clearcnn.results.json_codec import to_json
    from clearcnn.workflows.evaluate.evaluate import EvaluateListener, evaluate

    people = Console(stderr=arguments.json, language=arguments.language)
    listener = EvaluateListener() if arguments.quiet else EvaluateDisplay(people)
    run_folder = _find_run_folder(arguments.source)
    is_run = run_folder is not None
    try:
        result = evaluate(
            read_source(arguments) if run_folder is None else run_folder,
            arguments.new,
            data=read_run_data(arguments) if is_run or arguments.data else None,
            recipe=arguments.recipe,
            model=arguments.model,
            compare=arguments.compare,
            epochs=arguments.epochs,
            batch_size=arguments.batch_size,
            learning_rate=arguments.learning_rate,
            folds=arguments.folds,
            repeats=arguments.repeats,
            budget=arguments.budget,
            augment=arguments.augment,
            flip=arguments.flip,
            baselines=arguments.baselines,
            learning_curve=arguments.learning_curve,
            seed=arguments.seed,
            out=arguments.out,
            listener=listener,
            command=shlex.join(["clearcnn", *words]),
            language=arguments.language.code,
        )
    finally:
        if isinstance(listener, EvaluateDisplay):
            listener.close()
    if arguments.json:
        print_json(to_json(result))
    if arguments.quiet and not arguments.json:
        people.print(view_verdict(result))
    elif not arguments.quiet:
        people.show(view_assessment(result))
    return Status.INTERRUPTED if result.interrupted else Status.SUCCESS


def _find_run_folder(source: str) -> Path | None:
    """Return the run folder that SOURCE names, if it is one."""
    from clearcnn.workflows.runs.find_run import LATEST, find_run, list_runs

    path = Path(source)
    if (path / "bundle.json").is_file():
        return path
    if path.exists() or source == "digits":
        return None
    if source == LATEST:
        return find_run(source)
    # Other sources are named too, so only the beginning of one run's name counts.
    found = [run for run in list_runs(Path("runs")) if run.name.startswith(source)]
    return found[0] if len(found) == 1 else None


def _add_fold_options(group: OptionGroup) -> None:
    group.add_argument(
        "--folds",
        type=whole_number,
        metavar="N",
        help=say(
            "number of folds: stratified, or of groups where there are many groups (default: 10; "
            "5 for many or large images)"
        ),
    )
    group.add_argument(
        "--repeats",
        type=whole_number,
        default=1,
        metavar="N",
        help=say("train on the folds N times, each time with other seeds (default: 1)"),
    )
    add_budget_option(group, say("learning curve, folds, epochs and repeats"))
    group.add_argument(
        "--compare",
        nargs="+",
        default=[],
        metavar="MODEL",
        help=say("recipes or TOML files to train on the same folds"),
    )
    group.add_argument(
        "--no-baselines",
        dest="baselines",
        action="store_false",
        help=say("leave out the baselines, which are simple classifiers"),
    )
    group.add_argument(
        "--no-learning-curve",
        dest="learning_curve",
        action="store_false",
        help=say("leave out the trainings on fewer images"),
    )
