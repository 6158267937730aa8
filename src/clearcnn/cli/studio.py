"""`clearcnn studio`: collect pictures and train a model in the browser."""

import sys
from argparse import Namespace
from pathlib import Path

from clearcnn.cli.exit_codes import Status
from clearcnn.cli.options import add_help_options
from clearcnn.cli.parser import Parser, whole_number
from clearcnn.cli.serving import print_address, require_serve_extra
from clearcnn.language import say
from clearcnn.text import printable

NAME = "studio"
SUMMARY = say("collect pictures, train and improve a model, in the browser")

_DESCRIPTION = say("""\
Open a page in the browser, on which you collect pictures, look at them, train,
improve the model and keep it; until Ctrl-C. Needs clearcnn[serve].

Pictures are saved at once in FOLDER, an ordinary class folder: closing the page
loses nothing, and every other command can read the folder. Runs go into runs/
beside it. Only programs on this computer can connect, and the pictures never
leave it.
""")

_EPILOG = say("""\
examples:
  clearcnn studio
  clearcnn studio photos/
  clearcnn studio photos/ --port 9000 --no-browser
""")

TEXTS = {
    "usage": "clearcnn studio [FOLDER] [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}

_FOLDER = "clearcnn-studio"
_PORT = 8010


def add_options(parser: Parser) -> None:
    """Add the verb's options to its parser.

    Args:
      parser: of `clearcnn studio`.
    """
    parser.set_defaults(run=run, parser=parser)
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path(_FOLDER),
        metavar="FOLDER",
        help=say("the class folder; made if it does not exist (default: {folder})", folder=_FOLDER),
    )
    group = parser.add_argument_group("page")
    group.add_argument(
        "--port",
        type=whole_number,
        default=_PORT,
        metavar="N",
        help=say("port; 0 takes a free one (default: {port})", port=_PORT),
    )
    group.add_argument(
        "--no-browser",
        action="store_false",
        dest="opens",
        help=say("print the page's address without opening it"),
    )
    add_help_options(parser.add_argument_group("output"))


def run(arguments: Namespace, _: list[str]) -> Status:
    """Serve the studio until it is told to stop.

    Args:
      arguments: parsed.
    Returns:
      The exit status, which is success after a signal.
    """
    with require_serve_extra(NAME):
        from clearcnn.web.settings import ServeSettings
        from clearcnn.web.studio_app import run_studio
        from clearcnn.workflows.studio.studio import Studio

    settings = ServeSettings(port=arguments.port, drain_seconds=0)

    def announce(address: str) -> None:
        folder = printable(str(arguments.folder))
        line = say("The studio of {folder} is at {address}", folder=folder, address=address)
        print_address(line, arguments.language)
        if arguments.opens:
            import threading
            import webbrowser

            # The server answers only after this function returns.
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    run_studio(Studio(arguments.folder), settings, announce, logs_json=not sys.stderr.isatty())
    return Status.SUCCESS
