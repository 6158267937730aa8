"""The error that this room's own image readers raise, and what users read instead of others."""

from collections.abc import Iterator
from contextlib import contextmanager

from clearcnn.errors import DataError
from clearcnn.language import say

_LEAVE_OUT = say("Replace or remove the file, or skip unreadable files (--skip-unreadable).")


def find_image_remedy(error: DataError) -> str:
    """Return what to do about an image itself; "" if nothing but to replace it."""
    return "" if error.remedy == _LEAVE_OUT else error.remedy


class ImageError(ValueError):
    """An image file cannot be read.

    Only these messages are shown to users; those of image libraries are too technical.

    Args:
      problem: a clause that follows "FILE cannot be read as an image: ", without a full stop.
      remedy: one sentence: what to do next; "" takes the general one.
      cause: what the file is instead of an image, such as "a PDF document"; "" if it is unknown.
    """

    def __init__(self, problem: str, remedy: str = "", cause: str = "") -> None:
        super().__init__(problem)
        self.remedy, self.cause = remedy, cause


@contextmanager
def faults_explained(name: str, kind: str | None) -> Iterator[None]:
    """Raise any error within a `with` block as a DataError that names the image.

    Its `values` have the `cause` of an ImageError, if that is known.

    Args:
      name: of the image.
      kind: Pillow's name of its format, if it is known.
    """
    remedy = cause = ""
    try:
        yield
        return
    except ImageError as fault:
        reason, remedy, cause = str(fault), fault.remedy, fault.cause
    except MemoryError:
        reason = say("there is not enough memory to decode it")
    except Exception as error:  # Pillow's readers raise almost any exception on damaged files
        reason = _explain(error, kind or "image")
    raise DataError(
        say("{name} cannot be read as an image: {reason}.", name=name, reason=reason),
        remedy=remedy or _LEAVE_OUT,
        values={"cause": cause} if cause else {},
    ) from None


def _explain(error: Exception, kind: str) -> str:
    """Describe an error of Pillow's for users; its own message is for developers."""
    if isinstance(error, EOFError) or "truncated" in str(error).lower():
        return say("its {kind} data are truncated", kind=kind)
    return say("its {kind} data are damaged, or in an unsupported form", kind=kind)
