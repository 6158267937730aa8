"""Generates docs/cli.md from the help pages; `make docs` runs it, and a test keeps it current."""

import os
from pathlib import Path

from clearcnn.cli.main import build_help

PAGE = Path(__file__).with_name("cli.md")

_HEAD = """\
# The command line

Generated from the help pages by `make docs`; do not edit.

| exit status | meaning |
| ---: | --- |
| 0 | success |
| 1 | an error, with one message that has the remedy; `--debug` shows the traceback |
| 2 | wrong usage |
| 130 | stopped by Ctrl-C; a message says what was saved |
| 141 | stdout was closed early, as with `\\| head` |
"""


def write_page() -> str:
    """Return the text of the page, the same on every machine and Python."""
    os.environ["COLUMNS"] = "80"
    pages = (f"\n## {title}\n\n```text\n{text}```\n" for title, text in build_help().items())
    return _HEAD + "".join(pages)


if __name__ == "__main__":
    PAGE.write_text(write_page(), encoding="utf-8")
