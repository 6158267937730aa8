"""Open the page of a result."""

import html
import webbrowser
from pathlib import Path

from clearcnn.errors import BundleError
from clearcnn.language import say
from clearcnn.notebook.environment import find_environment

_HEIGHT = 640
"""Of the page below a cell, in pixels."""


def show_page(page: Path) -> None:
    """Show a page below the cell of a notebook; elsewhere, open it in the browser.

    Raises:
      BundleError: there is no such file.
    """
    if not page.is_file():
        raise BundleError(
            say("There is no {page}: the folder was moved or deleted.", page=page),
            remedy=say("Open the page where it is now."),
        )
    if find_environment() != "notebook":
        webbrowser.open(page.absolute().as_uri())
        return
    from IPython.display import display

    content = html.escape(page.read_text(encoding="utf-8", errors="replace"))
    frame = (
        f'<iframe title="{html.escape(page.name)}" srcdoc="{content}" '
        f'style="width:100%;height:{_HEIGHT}px;border:1px solid #8884"></iframe>'
    )
    display({"text/html": frame, "text/plain": str(page)}, raw=True)
