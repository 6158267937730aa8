"""Errors of the class folder: a picture or the folder is gone, or the disk refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clearcnn.errors import StudioError
from clearcnn.language import say


def tell_missing(picture: str) -> StudioError:
    """Return the error that there is no such picture."""
    return StudioError(
        say("There is no picture {picture!r} any more.", picture=picture[:200]),
        remedy=say("It was moved or removed, maybe in another tab; look at the sheet again."),
        code="no_picture",
    )


@contextmanager
def telling_missing(root: Path) -> Iterator[None]:
    """Say that the folder cannot be listed, instead of raising the operating system's error."""
    try:
        yield
    except OSError as error:
        raise StudioError(
            say(
                "The class folder {root} cannot be read: {reason}.",
                root=root,
                reason=error.strerror or error,
            ),
            remedy=say("Put it back, or start the studio with another folder."),
            code="no_folder",
        ) from error


@contextmanager
def telling_trouble() -> Iterator[None]:
    """Say that the disk is full or refuses, instead of raising the operating system's error."""
    try:
        yield
    except StudioError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise StudioError(
            say("The change could not be written: {reason}.", reason=reason),
            remedy=say("Free disk space or check the permissions of the folder, and try again."),
            code="disk",
            values={"reason": reason},
        ) from error
