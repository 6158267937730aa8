"""`clearcnn cache`: the compiled programs that are kept between runs."""

import sys
from argparse import Namespace

from clearcnn import cache
from clearcnn.cli.exit_codes import Status
from clearcnn.cli.output_options import add_help_options
from clearcnn.cli.parser import Parser
from clearcnn.errors import CacheError
from clearcnn.text import printable

NAME = "cache"
SUMMARY = "show or clear the compiled programs that are kept"

_DESCRIPTION = """\
Show where compiled programs are kept between runs, and how much room they
take. A training whose program is there need not compile it. What was used
longest ago is dropped beyond 256 MiB; all of it may be deleted at any time.

JAX_COMPILATION_CACHE_DIR chooses another folder, which is then JAX's own
affair; JAX_ENABLE_COMPILATION_CACHE=0 keeps nothing.
"""

_EPILOG = """\
examples:
  clearcnn cache
  clearcnn cache --clear
"""

TEXTS = {
    "usage": "clearcnn cache [options]",
    "description": _DESCRIPTION,
    "epilog": _EPILOG,
}


def add_options(parser: Parser) -> None:
    """Fill the verb's own parser.

    Args:
      parser: of `clearcnn cache`.
    """
    parser.set_defaults(run=run, parser=parser)
    group = parser.add_argument_group("options")
    group.add_argument("--clear", action="store_true", help="delete all of them")
    add_help_options(group)


def run(arguments: Namespace, _: list[str]) -> Status:
    """Say what is kept, and delete it if asked to.

    Args:
      arguments: parsed.
    Returns:
      The exit status.
    Raises:
      CacheError: something cannot be deleted.
    """
    folder = cache.programs_folder()
    num_files, num_bytes = cache.measure(folder)
    what = f"{num_bytes / 2**20:.1f} MiB in {num_files:,} files"
    if not arguments.clear:
        sys.stdout.write(f"{printable(str(folder))}\n{what}\n")
        return Status.SUCCESS
    try:
        cache.clear(folder)
    except OSError as error:
        raise CacheError(
            f"The cache folder {folder} cannot be cleared: {error.strerror or error}.",
            remedy="Check its permissions, or delete it by hand.",
        ) from error
    sys.stdout.write(f"Cleared {what}.\n")
    return Status.SUCCESS
