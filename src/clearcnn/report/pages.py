"""How a page is made: one environment for the templates, files of `page/`, pictures within."""

import base64
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from clearcnn.report import wording

if TYPE_CHECKING:
    from jinja2 import Environment

_PAGE = Path(__file__).parent / "page"


@cache
def make_environment() -> "Environment":
    """Make the environment that every page is rendered in: all that is shown is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        percent=wording.percent,
        count=wording.count,
        shape=wording.shape,
        seconds=wording.seconds,
        number=wording.number,
    )
    return environment


def read_page(name: str) -> str:
    """Read a file that pages are made of, such as "style.css"."""
    return (_PAGE / name).read_text(encoding="utf-8")


def embed(png: bytes) -> str:
    """Write a PNG as a data URI."""
    return "data:image/png;base64," + base64.b64encode(png).decode()
