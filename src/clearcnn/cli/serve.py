"""`clearcnn serve`: predictions over HTTP."""

import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from clearcnn.cli.exit_codes import Status
from clearcnn.cli.options import add_help_options, add_run_data_options, read_run_data
from clearcnn.cli.parser import Parser, number, whole_number
from clearcnn.cli.serving import print_address, require_serve_extra
from clearcnn.errors import SpecError
from clearcnn.language import say
from clearcnn.text import printable

NAME = "serve"
SUMMARY = say("serve predictions over HTTP, and a page to draw on")
TOKEN_VARIABLE = "CLEARCNN_TOKEN"

_MOST_TOKEN_BYTES = 4096

_DESCRIPTION = say("""\
Serve the models of run folders over HTTP, until Ctrl-C. Each model is named
after its run folder; when the folder is replaced, the new model takes over and
no request is lost. Needs clearcnn[serve].

endpoints:
  /             a page to draw on, look inside the model and retrain it
  /predict      images in, classes out
  /v2           the Open Inference Protocol, for clients of Triton and KServe
  /metrics      figures for Prometheus
  /docs         every endpoint with its parameters and responses

Only programs on this computer can connect, unless --host says otherwise; then
a token is required, which requests send as "Authorization: Bearer TOKEN". The
log goes to stderr: at a terminal a few lines, elsewhere a line of JSON per
request.
""")

_EPILOG = say("""\
examples:
  clearcnn serve runs/digits
  clearcnn serve runs/digits runs/photos --port 9000
  CLEARCNN_TOKEN=$(openssl rand -hex 32) clearcnn serve runs/a --host 0.0.0.0
""")

TEXTS = {
    "usage": "clearcnn serve RUN [RUN ...] [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}

_EXPOSED = say("""\
Other computers can reach this server. Anyone with the token may request
predictions and see the models, their classes and figures, and test images.
Nothing is encrypted: where others can listen, put a TLS proxy in front of it.
""")

_TRAINS_FOR_ALL = say("""\
With --playground they may also train models on this computer, one at a time.
""")


def add_options(parser: Parser) -> None:
    """Add the verb's options to its parser.

    Args:
      parser: of `clearcnn serve`.
    """
    parser.set_defaults(run=run, parser=parser)
    parser.add_argument("runs", nargs="*", type=Path, metavar="RUN", help=say("a run folder"))
    group = parser.add_argument_group(say("address"))
    group.add_argument(
        "--host", metavar="HOST", help=say("address to listen on (default: 127.0.0.1)")
    )
    group.add_argument(
        "--port",
        type=whole_number,
        metavar="N",
        help=say("port; 0 takes a free one (default: 8000)"),
    )
    group.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help=say(
            "file with the token (default: the variable {token_variable})",
            token_variable=TOKEN_VARIABLE,
        ),
    )
    group.add_argument(
        "--allow-host",
        action="append",
        dest="allowed_hosts",
        metavar="NAME",
        help=say("host name that requests may use; may be repeated"),
    )
    group = parser.add_argument_group(say("limits"))
    group.add_argument(
        "--max-body-bytes",
        type=whole_number,
        metavar="N",
        help=say("maximum size of a request (default: 16777216)"),
    )
    group.add_argument(
        "--max-pixels",
        type=whole_number,
        metavar="N",
        help=say("maximum pixels of an image; four times as many per request (default: 25000000)"),
    )
    group.add_argument(
        "--max-images",
        type=whole_number,
        metavar="N",
        help=say("maximum images in a request (default: 64)"),
    )
    group.add_argument(
        "--body-seconds",
        type=number,
        metavar="SECONDS",
        help=say("time a request may take to arrive (default: 30)"),
    )
    group.add_argument(
        "--queue",
        type=whole_number,
        metavar="N",
        help=say("requests that may wait; more get status 503 (default: 128)"),
    )
    group.add_argument(
        "--threads",
        type=whole_number,
        metavar="N",
        help=say("worker threads (default: cores, from 2 to 4)"),
    )
    add_run_data_options(parser.add_argument_group(say("data")))
    group.add_argument(
        "--drain-seconds",
        type=number,
        metavar="SECONDS",
        help=say("time after SIGTERM in which requests are still answered (default: 5)"),
    )
    group.add_argument(
        "--log",
        choices=("json", "text"),
        metavar="FORMAT",
        help=say(
            "json: a line for each request; text: a few lines for people (default: text if "
            "stderr is a terminal, otherwise json)"
        ),
    )
    train = group.add_mutually_exclusive_group()
    train.add_argument(
        "--playground",
        action="store_true",
        default=None,
        help=say(
            "allow everyone who may connect to train on the page (default: people at this "
            "computer only)"
        ),
    )
    train.add_argument(
        "--no-playground",
        action="store_false",
        dest="playground",
        default=None,
        help=say("allow nobody to train"),
    )
    add_help_options(parser.add_argument_group(say("output")))


def run(arguments: Namespace, _: list[str]) -> Status:
    """Serve until the server is told to stop.

    Args:
      arguments: parsed.
    Returns:
      The exit status, which is success after a signal.
    """
    if not arguments.runs:
        arguments.parser.error(say("RUN is missing: a run folder such as runs/digits-…."))
    with require_serve_extra(NAME):
        from clearcnn.web.server import run_server
        from clearcnn.web.settings import ServeSettings
        from clearcnn.workflows.runs.find_run import find_run

    settings = ServeSettings(token=_read_token(arguments.token_file), **_given(arguments))
    runs = [find_run(each) for each in arguments.runs]
    if not settings.is_loopback:
        warning = _EXPOSED + (_TRAINS_FOR_ALL if settings.has_playground else "")
        sys.stderr.write(arguments.language.translate(warning))

    def announce(address: str) -> None:
        names = ", ".join(printable(run.absolute().name) for run in runs)
        line = say(
            "Serving {names} at {address}; endpoints: {address}/docs", names=names, address=address
        )
        print_address(line, arguments.language)

    logs_json = arguments.log == "json" if arguments.log else not sys.stderr.isatty()
    run_server(runs, settings, announce, read_run_data(arguments), logs_json=logs_json)
    return Status.SUCCESS


def _given(arguments: Namespace) -> dict[str, Any]:
    names = (
        "host",
        "port",
        "allowed_hosts",
        "max_body_bytes",
        "max_pixels",
        "max_images",
        "body_seconds",
        "queue",
        "threads",
        "drain_seconds",
        "playground",
    )
    given = {name: getattr(arguments, name) for name in names}
    if given["allowed_hosts"] is not None:
        given["allowed_hosts"] = tuple(given["allowed_hosts"])
    return {name: value for name, value in given.items() if value is not None}


def _read_token(path: Path | None) -> str | None:
    if path is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        with path.open("rb") as file:
            return file.read(_MOST_TOKEN_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            say(
                "The token file {path} cannot be read: {error}.",
                path=path,
                error=getattr(error, "strerror", None) or error,
            ),
            remedy=say("Write the token into it, on one line."),
        ) from error
