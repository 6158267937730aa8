"""Options that name columns, where a source has none of them."""

from typing import Literal

from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import DataSpec

Option = Literal["image_column", "label_column", "group_column"]


def reject_columns(spec: DataSpec, place: object, *options: Option) -> None:
    """Raise a DataError if the spec names a column that this form of a source cannot have."""
    for option in options:
        wanted = getattr(spec, option)
        if wanted not in (None, "group"):
            raise DataError(
                say(
                    "{place} has no such columns, and so no {option} {wanted!r}.",
                    place=place,
                    option=option,
                    wanted=wanted,
                ),
                remedy=say("Leave out --{option}.", option=option.replace("_", "-")),
            )
