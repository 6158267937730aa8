"""Where the program runs: in a notebook, in an interactive Python, or as a script."""

import sys
from typing import Literal

from clearcnn.language import say

Environment = Literal["notebook", "terminal", "script"]


def find_environment() -> Environment:
    """Return where the program runs.

    Returns:
      "notebook" if IPython runs as a kernel, which shows HTML; "terminal" if people type into
      IPython or Python; otherwise "script".
    """
    # Only a loaded IPython can be running us.
    module = sys.modules.get("IPython")
    shell = None if module is None else module.get_ipython()
    if shell is not None:
        return "notebook" if hasattr(shell, "kernel") else "terminal"
    return "terminal" if hasattr(sys, "ps1") else "script"


def shows_progress(verbose: int | str) -> bool:
    """Return whether `verbose` asks for progress here.

    Args:
      verbose: 0 shows nothing, 1 or 2 shows progress anywhere, and "auto" shows it where somebody
        is looking: in a notebook or in an interactive Python, not in scripts.
    Raises:
      SpecError: it is something else.
    """
    from clearcnn.errors import SpecError

    if verbose == "auto":
        return find_environment() != "script"
    if verbose not in (0, 1, 2):
        raise SpecError(
            say('verbose is {verbose!r}; expected "auto", 0, 1 or 2.', verbose=verbose),
            remedy=say("Leave it out, or give 0 for silence or 1 for progress."),
        )
    return bool(verbose)
