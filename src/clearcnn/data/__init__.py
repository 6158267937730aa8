"""Sources of labelled images, and their split."""

from clearcnn.data.classes import quote
from clearcnn.data.duplicates import find_first_copies, find_near_copies
from clearcnn.data.folder import describe_ignored, walk_pictures
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.polarity import infer_polarity
from clearcnn.data.safe_files import LARGEST_IMAGE_BYTES, read_bytes
from clearcnn.data.single_image import OnePicture, prepare_one_picture, read_one_picture
from clearcnn.data.sources import load
from clearcnn.data.splits import Split, split
from clearcnn.data.use_list import write_use_list

__all__ = [
    "LARGEST_IMAGE_BYTES",
    "LabelledImages",
    "OnePicture",
    "Split",
    "describe_ignored",
    "find_first_copies",
    "find_near_copies",
    "infer_polarity",
    "load",
    "prepare_one_picture",
    "quote",
    "read_bytes",
    "read_one_picture",
    "split",
    "walk_pictures",
    "write_use_list",
]
