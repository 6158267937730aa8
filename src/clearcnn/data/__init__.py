"""Sources of labelled images, and their split."""

from clearcnn.data.images import LabelledImages
from clearcnn.data.sources import load
from clearcnn.data.splits import Split, split

__all__ = ["LabelledImages", "Split", "load", "split"]
