"""`clearcnn cache`: the compiled programs kept between runs."""

import sys
from argparse import Namespace

from clearcnn import cache
from clearcnn.cli.exit_codes import Status
from clearcnn.cli.options import add_help_options
from clearcnn.cli.parser import Parser
from clearcnn.errors import CacheError
from clearcnn.language import say
from clearcnn.text import printable

NAME = "cache"
SUMMARY = say("show or clear the cache of compiled programs")

_DESCRIPTION = say("""\
Show where compiled programs are kept between runs, and how much space they
take. A training whose program is cached does not compile it again. Beyond
256 MiB the least recently used programs are dropped; the cache may be deleted
at any time.

JAX_COMPILATION_CACHE_DIR chooses another folder, which JAX then manages
itself; JAX_ENABLE_COMPILATION_CACHE=0 turns the cache off.
""")

_EPILOG = say("""\
examples:
  clearcnn cache
  clearcnn cache --clear
""")

TEXTS = {
    "usage": "clearcnn cache [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}


def add_options(parser: Parser) -> None:
    """Add the verb's options to its parser.

    Args:
      parser: of `clearcnn cache`.
    """
    parser.set_defaults(run=run, parser=parser)
    group = parser.add_argument_group(say("options"))
    group.add_argument("--clear", action="store_true", help=say("delete all compiled programs"))
    add_help_options(group)


def run(arguments: Namespace, _: list[str]) -> Status:
    """Print the folder and size of the cache, and clear it if asked.

    Args:
      arguments: parsed.
    Returns:
      The exit status.
    Raises:
      CacheError: a file cannot be deleted.
    """
    folder = cache.programs_folder()
    num_files, num_bytes = cache.measure(folder)
    what = say(
        "{num_bytes:.1f} MiB in {num_files:,} files",
        num_bytes=num_bytes / 2**20,
        num_files=num_files,
    )
    if not arguments.clear:
        sys.stdout.write(f"{printable(str(folder))}\n{arguments.language.translate(what)}\n")
        return Status.SUCCESS
    try:
        cache.clear(folder)
    except OSError as error:
        raise CacheError(
            say(
                "The cache folder {folder} cannot be cleared: {reason}.",
                folder=folder,
                reason=error.strerror or error,
            ),
            remedy=say("Check its permissions, or delete it by hand."),
        ) from error
    sys.stdout.write(arguments.language.translate(say("Cleared {what}.\n", what=what)))
    return Status.SUCCESS
