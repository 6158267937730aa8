"""What every result can do in Python: a one-line repr, and a view of itself in IPython.

A view is made by the room `clearcnn.notebook`, which is above this one and knows the tables of the
terminal and the parts of the report. It is loaded by its name when somebody looks.
"""

import dataclasses
import importlib
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clearcnn.language import say

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_ROOM = "clearcnn.notebook"
_MOST_ITEMS = 3
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 60


class Record:
    """A frozen record whose repr is one line."""

    def __repr__(self) -> str:
        return shorten(self)


class Shown(Record):
    """A result that IPython shows as the terminal and the report do."""

    def _repr_mimebundle_(
        self,
        include: Collection[str] | None = None,  # noqa: ARG002
        exclude: Collection[str] | None = None,  # noqa: ARG002
    ) -> dict[str, str]:
        """Return the text of the terminal, and the HTML of the report's parts."""
        found: dict[str, str] = load_room("views").make_bundle(self)
        return found

    def _repr_html_(self) -> str:
        """Return the report's parts as HTML that fetches nothing."""
        return self._repr_mimebundle_()["text/html"]


class Reported(Shown, ABC):
    """A result with a page: its report or its explanation."""

    @property
    @abstractmethod
    def page(self) -> Path:
        """The path of the page."""

    def show(self) -> None:
        """Open the page: in a notebook below the cell, elsewhere in the browser.

        Raises:
          BundleError: the page is not there, because its folder was moved or deleted.
        """
        load_room("pages").show_page(self.page)


def load_room(module: str) -> Any:
    """Load a module of `clearcnn.notebook`, which no module below may import by a statement."""
    return importlib.import_module(f"{_ROOM}.{module}")


def shorten(record: object) -> str:
    """Return a record's repr in one line: long collections by their length, records by name."""
    if not dataclasses.is_dataclass(record) or isinstance(record, type):
        return _REPR.repr(record)
    fields = ", ".join(
        f"{field.name}={_shorten_value(getattr(record, field.name))}" for field in _shown(record)
    )
    return f"{type(record).__name__}({fields})"


def _shown(record: "DataclassInstance") -> list["dataclasses.Field[Any]"]:
    return [field for field in dataclasses.fields(record) if field.repr]


def _shorten_value(value: object) -> str:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return f"<{type(value).__name__}>"
    if isinstance(value, (str, Path)):
        return _REPR.repr(str(value))
    if isinstance(value, Sized) and not _is_short(value):
        return say("<{number:,} items>", number=len(value))
    return f"{value:.4g}" if isinstance(value, float) else _REPR.repr(value)


def _is_short(value: Sized) -> bool:
    if not isinstance(value, (tuple, list)) or len(value) > _MOST_ITEMS:
        return len(value) == 0
    return all(
        isinstance(item, (int, float)) or (isinstance(item, str) and len(item) <= 20)
        for item in value
    )
