"""`use.csv`, which says what images to use."""

import numpy as np

from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.use_list import apply_use_list
from fuzz.target import Target, put

_IMAGES = LabelledImages(
    images=np.zeros((4, 2, 2, 1), np.uint8),
    labels=np.array([0, 1, 0, 1]),
    class_names=("cat", "dog"),
    source="four images",
    value_range=(0.0, 255.0),
    names=("1.png", "in/2.png", '3, "b".png', "넷.png"),
)


def seeds() -> list[bytes]:
    """One list, with and without the columns that are not needed."""
    full = 'name,label,use,reason\n1.png,cat,yes,\nin/2.png,dog,no,copy\n"3, ""b"".png",cat,yes,\n'
    short = '\ufeffuse,name\r\nYES,1.png\r\nno,in/2.png\r\nyes,"3, ""b"".png"\r\n'
    return [(full + "넷.png,dog,yes,\n").encode(), (short + "no,넷.png\r\n").encode()]


def read(content: bytes) -> None:
    """Apply it to four images."""
    taken = apply_use_list(_IMAGES, put("use.csv", content))
    assert 1 <= len(taken) <= len(_IMAGES)


TARGET = Target(seeds, read)
