"""Writes docs/cli.md from the help pages; `make docs` runs it, a test keeps it current."""

import os
from pathlib import Path

from clearcnn.cli.main import build_help

PAGE = Path(__file__).with_name("cli.md")

_HEAD = """\
# The command line

Made from the help pages by `make docs`; do not edit.

| exit status | meaning |
| ---: | --- |
| 0 | success |
| 1 | an error, said in one message with its remedy; `--debug` shows the traceback |
| 2 | wrong usage |
| 130 | stopped by Ctrl-C; a sentence says what is kept |
| 141 | the reader went away, as `\\| head` does |
"""


def write_page() -> str:
    """Make the text of the page, the same on every machine and Python."""
    os.environ["COLUMNS"] = "80"
    pages = (f"\n## {title}\n\n```text\n{text}```\n" for title, text in build_help().items())
    return _HEAD + "".join(pages)


if __name__ == "__main__":
    PAGE.write_text(write_page(), encoding="utf-8")
