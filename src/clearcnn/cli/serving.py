"""What the verbs share that run a server: the extra they need, and their first line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from clearcnn.errors import MissingExtraError
from clearcnn.language import Language, say


@contextmanager
def require_serve_extra(verb: str) -> Iterator[None]:
    """Turn a missing package of the extra `serve` into an error that names it.

    Raises:
      MissingExtraError: a package outside clearcnn is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "clearcnn":
            raise
        raise MissingExtraError(
            say(
                "clearcnn {verb} needs the package {name}, which is not installed.",
                verb=verb,
                name=error.name,
            ),
            remedy=say("Run pip install 'clearcnn[serve]'."),
        ) from error


def print_address(line: str, language: Language) -> None:
    """Print where the server listens, and at a terminal how to stop it."""
    stop = say("; Ctrl-C stops") if sys.stdout.isatty() else ""
    sys.stdout.write(language.translate(say("{line}{stop}\n", line=line, stop=stop)))
    sys.stdout.flush()
