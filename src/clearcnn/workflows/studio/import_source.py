"""Pictures of any source that `load` reads, copied into a class folder."""

import re
from io import BytesIO

import numpy as np
from PIL import Image

from clearcnn import data
from clearcnn.errors import StudioError
from clearcnn.language import say
from clearcnn.specs import DataSpec
from clearcnn.workflows.studio.class_folder import ClassFolder

MOST_IMAGES = 20_000


def import_source(folder: ClassFolder, source: str, batch: str) -> int:
    """Copy every picture of a source as PNG, at the size that training would use.

    Its groups are kept in the pictures' names, so that a group split keeps them on one side.

    Args:
      folder: to copy into; missing classes are made.
      source: as for `load`, such as "digits" or a path.
      batch: one batch of changes, which are undone together.
    Returns:
      How many pictures were copied.
    Raises:
      ClearCNNError: the source cannot be read, has too many images, or a class has a name that a
        folder cannot have; or the disk is full. What was copied until then stays, and can be
        undone.
    """
    images = data.load(DataSpec(source, skip_unreadable=True, for_training=False))
    if len(images) > MOST_IMAGES:
        raise StudioError(
            say(
                "{source} has {num_images:,} images; the studio takes {most_images:,} at once.",
                source=source,
                num_images=len(images),
                most_images=MOST_IMAGES,
            ),
            remedy=say("Train on it directly with clearcnn train."),
            code="source_too_large",
            values={"found": len(images), "most": MOST_IMAGES},
        )
    known = {each.name for each in folder.scan()}
    names = {
        name: name if name in known else folder.add_class(name, batch)
        for name in images.class_names
    }
    for row in range(len(images)):
        stem = re.sub(r"\.\w+$", "", images.names[row].rpartition("/")[2])
        folder.add(
            names[images.class_names[images.labels[row]]],
            _as_png(images, row),
            f"{stem}.png",
            None if images.groups is None else _as_burst(str(images.groups[row])),
            batch,
        )
    return len(images)


def _as_png(images: data.LabelledImages, row: int) -> bytes:
    low, high = images.value_range
    pixels = images.images[row].astype(np.float64)
    levels = np.rint(np.clip((pixels - low) / ((high - low) or 1), 0, 1) * 255).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(np.squeeze(levels, -1) if levels.shape[-1] == 1 else levels).save(file, "PNG")
    return file.getvalue()


def _as_burst(group: str) -> str:
    return f"group-{re.sub(r'[^0-9A-Za-z]+', '-', group)[:30]}"
