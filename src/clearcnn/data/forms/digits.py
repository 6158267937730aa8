"""The digits in scikit-learn: 1,797 images of 8×8 pixels, in 14 blocks by writer."""

import gzip
import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcnn.data.arrays import prepare_array
from clearcnn.data.build_dataset import build_from_array
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.language import say
from clearcnn.specs import DataSpec

SOURCE = say("scikit-learn's digits")

_FILE = ("datasets", "data", "digits.csv.gz")

# Where one writer's digits end and the next one's begin. Source: scikit-learn's course, "Non i.i.d.
# data".
BLOCK_STARTS = (0, 130, 256, 386, 516, 646, 776, 915, 1029, 1157, 1287, 1415, 1545, 1667)


def read(spec: DataSpec) -> LabelledImages:
    """Load the test set of the UCI optical digits, as scikit-learn ships it.

    Returns:
      1,797 images, (8, 8, 1) uint8 with values 0 to 16 unless the spec asks for another size or
      colour mode; 10 classes; 14 groups.
    """
    pixels, labels = _read_table()
    images, preparation = prepare_array(pixels, spec, SOURCE)
    blocks = np.searchsorted(BLOCK_STARTS, np.arange(len(images)), side="right")
    return build_from_array(
        images,
        labels,
        spec,
        source=SOURCE,
        groups=[say("block {block}", block=block) for block in blocks],
        value_range=(0.0, 16.0),
        preparation=(
            *preparation,
            say(
                "Groups are the 14 contiguous blocks of writing, inferred from the order of "
                "the images: 13 people wrote them, so one person wrote two blocks."
            ),
        ),
    )


def _read_table() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the images, uint8 (1797, 8, 8), and their classes, int64.

    They are what `sklearn.datasets.load_digits` returns. Its import takes 0.8 seconds, a quarter
    of a whole `clearcnn train --recipe tutorial`, so the file that it reads is read here.
    """
    spec = importlib.util.find_spec("sklearn")
    folders = (spec and spec.submodule_search_locations) or []
    for folder in folders:
        try:
            with gzip.open(Path(folder, *_FILE)) as file:
                table = np.loadtxt(file, np.int64, delimiter=",")
        except FileNotFoundError:
            continue
        return table[:, :-1].reshape(-1, 8, 8).astype(np.uint8), table[:, -1]
    # A scikit-learn that is packed in another way.
    from sklearn.datasets import load_digits

    digits = load_digits()
    # The floats are whole numbers from 0 to 16, so uint8 holds them exactly.
    return digits.images.astype(np.uint8), digits.target
