"""`clearcnn VERB …`: the parser, error messages and the exit status.

Status 0 is success, 1 an error, 2 wrong usage, 130 Ctrl-C, 141 a closed pipe, as with `| head`,
and 143 SIGTERM.
"""

import gc
import signal
import sys
from argparse import SUPPRESS, Action, ArgumentParser
from collections.abc import Sequence
from itertools import pairwise

from clearcnn.backend import own_process
from clearcnn.cli import cache, check, evaluate, explain, export, predict, serve, studio, train
from clearcnn.cli.exit_codes import ReaderGoneError, Status, StdoutError
from clearcnn.cli.options import LANGUAGE_OPTION, add_language_option
from clearcnn.cli.parser import Parser
from clearcnn.cli.signals import SIGNALLED, exit_on_signals
from clearcnn.cli.streams import secure_streams, silence_stdout
from clearcnn.cli.warnings_filter import show_warnings_once
from clearcnn.errors import ClearCNNError
from clearcnn.language import CODES, ENGLISH, Language, choose_language, join, say
from clearcnn.version import __version__

VERBS = (train, evaluate, check, predict, explain, export, serve, studio, cache)

# Nearly all objects created by imports and tracing live until the end; collecting garbage among
# them took half a second of a training, and as long again at exit.
_OBJECTS_BETWEEN_COLLECTIONS = 1_000_000

_DESCRIPTION = say("""\
From a folder of labelled small images to a CNN you can trust, see into and
ship, in seconds, on an ordinary computer.

verbs:
""")

_EPILOG = say("""\
examples:
  clearcnn train            train on the embedded handwritten digits
  clearcnn train photos/    train on your images, one folder per class
  clearcnn evaluate         cross-validation, intervals, baselines
  clearcnn check photos/    find problems in the data first
  clearcnn predict runs/photos cat.png
                            predict the class of a new image
  clearcnn explain runs/photos cat.png
                            see why the model predicted that
  clearcnn export runs/a --to onnx
                            export its model for other programs
  clearcnn serve runs/a     predictions over HTTP, and the page
  clearcnn studio           collect pictures and train, in the browser
  clearcnn train --help     all options of a verb
""")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
      argv: the words after `clearcnn`; None takes them from `sys.argv`.
    Returns:
      The exit status.
    """
    is_whole_process = argv is None
    words = list(sys.argv[1:] if argv is None else argv)
    language = _find_language(words)
    if is_whole_process:
        secure_streams()
        show_warnings_once(language)
        exit_on_signals()
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
        own_process()
    else:
        _escape_unprintable()
    try:
        status = _run(words, language)
        sys.stdout.flush()
    except (BrokenPipeError, ReaderGoneError):
        silence_stdout()
        status = Status.BROKEN_PIPE
    except StdoutError as error:
        silence_stdout()
        status = _fail(error, language)
    except KeyboardInterrupt:
        stopped = say("Stopped. Nothing of this run was kept; earlier runs are unchanged.")
        sys.stderr.write(f"\n{language.translate(stopped)}\n")
        status = Status.INTERRUPTED
    if is_whole_process:
        gc.freeze()
    return status


class _ShowVersion(Action):
    def __call__(self, parser: ArgumentParser, *_: object) -> None:
        from clearcnn.kernel_library import describe_kernels

        assert isinstance(parser, Parser)
        shown = say(
            "clearcnn {version}\n{kernels}\n",
            version=__version__,
            kernels=describe_kernels(),
        )
        sys.stdout.write(parser.language.translate(shown))
        parser.exit()


def build_parser(language: Language = ENGLISH) -> Parser:
    """Return the parser with every verb.

    Args:
      language: of the help and of the errors; the namespaces have it as `language`.
    Returns:
      The parser of `clearcnn`; its namespaces have `run`, the verb's function, and `parser`.
    """
    parser = Parser(
        language=language,
        prog="clearcnn",
        usage="clearcnn VERB [SOURCE] [options]",
        description=_DESCRIPTION + join("\n", (f"  {v.NAME:<10}" + v.SUMMARY for v in VERBS)),
        epilog=_EPILOG,
    )
    _add_verbs(parser)
    options = parser.add_argument_group(say("options"))
    options.add_argument("-h", "--help", action="help", help=say("show this help and exit"))
    add_language_option(options)
    options.add_argument(
        "--version",
        action=_ShowVersion,
        nargs=0,
        help=say("show the version, and which CPU kernels run, and exit"),
    )
    return parser


def build_help(language: Language = ENGLISH) -> dict[str, str]:
    """Return every help page.

    Args:
      language: of the pages.
    Returns:
      The help as plain text, by command, such as "clearcnn train".
    """
    parser = build_parser(language)
    verbs = _add_verbs(Parser(language=language, prog="clearcnn"))
    return {page.prog: page.format_help() for page in (parser, *verbs)}


def _add_verbs(parser: Parser) -> list[Parser]:
    verbs = parser.add_subparsers(prog="clearcnn", dest="verb", metavar="VERB", help=SUPPRESS)
    made = []
    for verb in VERBS:
        made.append(verbs.add_parser(verb.NAME, language=parser.language, **verb.TEXTS))
        verb.add_options(made[-1])
    return made


def _find_language(words: list[str]) -> Language:
    """The language is chosen before the words are parsed, for errors among them."""
    pairs = [*pairwise(words), *(word.split("=", 1) for word in words)]
    asked = [each[1] for each in pairs if each[0] == LANGUAGE_OPTION and len(each) == 2]
    known = [code for code in asked if code in CODES]
    return choose_language(known[-1] if known else None)


def _run(words: list[str], language: Language) -> int:
    parser = build_parser(language)
    try:
        arguments = parser.parse_args(words)
    except SystemExit as end:
        return int(end.code or 0)
    if arguments.verb is None:
        parser.print_help(sys.stderr)
        return Status.USAGE
    try:
        return int(arguments.run(arguments, words))
    except SystemExit as end:
        status = int(end.code or 0)
        # A lower status comes from a verb that rejected its usage.
        if status > SIGNALLED:
            name = signal.Signals(status - SIGNALLED).name
            stopped = say("Stopped by {name}.", name=name)
            sys.stderr.write(f"\n{language.translate(stopped)}\n")
        return status
    except StdoutError:
        raise
    except ClearCNNError as error:
        if arguments.debug:
            raise
        return _fail(error, language)
    except BrokenPipeError:
        raise
    except OSError as error:
        if arguments.debug:
            raise
        place = "" if error.filename is None else f"{error.filename}: "
        return _fail(
            ClearCNNError(
                say("{place}{reason}.", place=place, reason=error.strerror or error),
                remedy=say("Check the path and the disk; --debug shows the traceback."),
            ),
            language,
        )


def _fail(error: ClearCNNError, language: Language) -> int:
    from clearcnn.cli.console import print_error

    print_error(error, language)
    return Status.ERROR


def _escape_unprintable() -> None:
    # A file name may hold any bytes, and a terminal may lack characters.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
