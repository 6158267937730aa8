"""Sources of labelled images, and their split."""

from clearcnn.data.duplicates import find_first_copies, find_near_copies
from clearcnn.data.images import LabelledImages
from clearcnn.data.one_picture import OnePicture, read_one_picture
from clearcnn.data.sources import load
from clearcnn.data.splits import Split, split

__all__ = [
    "LabelledImages",
    "OnePicture",
    "Split",
    "find_first_copies",
    "find_near_copies",
    "load",
    "read_one_picture",
    "split",
]
