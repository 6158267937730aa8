"""Sources of labelled images, and their split into training, validation and test set."""

from clearcnn.data.classes import quote
from clearcnn.data.duplicates import find_duplicates, find_near_duplicates
from clearcnn.data.forms.csv_pixels import read_images_of_rows
from clearcnn.data.forms.folder import describe_ignored, walk_images
from clearcnn.data.image_error import find_image_remedy
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.name_groups import propose_name_groups
from clearcnn.data.pixel_tables.layout import is_pixel_table
from clearcnn.data.polarity import infer_polarity
from clearcnn.data.python_objects.samples import PythonImages
from clearcnn.data.safe_files import LARGEST_IMAGE_BYTES, read_bytes
from clearcnn.data.single_image import (
    PreparedImage,
    prepare_image,
    prepare_pixels,
    read_image_file,
)
from clearcnn.data.sources import load
from clearcnn.data.splits import Split, choose_validation_fraction, split
from clearcnn.data.thumbnails import read_thumbnail
from clearcnn.data.use_list import write_use_list

__all__ = [
    "LARGEST_IMAGE_BYTES",
    "LabelledImages",
    "PreparedImage",
    "PythonImages",
    "Split",
    "choose_validation_fraction",
    "describe_ignored",
    "find_duplicates",
    "find_image_remedy",
    "find_near_duplicates",
    "infer_polarity",
    "is_pixel_table",
    "load",
    "prepare_image",
    "prepare_pixels",
    "propose_name_groups",
    "quote",
    "read_bytes",
    "read_image_file",
    "read_images_of_rows",
    "read_thumbnail",
    "split",
    "walk_images",
    "write_use_list",
]
