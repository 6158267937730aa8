"""What the table says of each form of a data set."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clearcnn.data.labelled_images import LabelledImages
from clearcnn.specs import DataSpec


@dataclass(frozen=True)
class Form:
    """One form in which people have labelled images.

    Attributes:
      name: the prefix that states it, without the colon.
      recognise: whether a file or folder, which exists, has this form. Cheap: it looks at names and
        at the beginnings of files. It raises a DataError if the form is clear but the content is
        contradictory.
      read: reads it; raises a DataError if it cannot.
      looks_like: what it looks like on disk, one sentence in English for the guide's table.
      looks_like_korean: the same in Korean.
      has_columns: whether the images are rows of a table, whose columns the user may name.
    """

    name: str
    recognise: Callable[[Path], bool]
    read: Callable[[Path, DataSpec], LabelledImages]
    looks_like: str
    looks_like_korean: str
    has_columns: bool = False
