"""Leave out classes with too few images, as in faces of which most people have one."""

import dataclasses

import numpy as np

from clearcnn.data.classes import check_counts, number_classes, quote
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.errors import DataError
from clearcnn.language import say, say_count
from clearcnn.specs import DataSpec


def leave_out_rare(data: LabelledImages, spec: DataSpec) -> LabelledImages:
    """Keep the classes with at least `spec.min_images` images.

    Args:
      data: images of all classes.
      spec: has the number, and the class names that the user wants among those that are left.
    Returns:
      LabelledImages; `preparation` says what was left out.
    Raises:
      DataError: fewer than two classes are left to train on, or they are not those that are wanted.
    """
    fewest = spec.min_images or 0
    counts = np.bincount(data.labels, minlength=len(data.class_names))
    rare = np.flatnonzero(counts < fewest)
    kept = [name for name, count in zip(data.class_names, counts, strict=True) if count >= fewest]
    if not kept:
        raise DataError(
            say(
                "{source}: no class has {fewest} images; the largest has {counts}.",
                source=data.source,
                fewest=fewest,
                counts=counts.max(),
            ),
            remedy=say("Choose a smaller number of images."),
        )
    frequent = data.take(np.flatnonzero(~np.isin(data.labels, rare)))
    texts = np.array(data.class_names)[frequent.labels]
    labels, names = number_classes(texts, data.source, known=kept, wanted=spec.class_names)
    if spec.for_training:
        check_counts(labels, names, data.source)
    listed = quote((data.class_names[k] for k in rare), most=3)
    sentence = say_count(
        "Left out {number:,} class with fewer than {fewest} images: {listed}; {left_out:,} of "
        "{total:,} images.",
        "Left out {number:,} classes with fewer than {fewest} images: {listed}; {left_out:,} of "
        "{total:,} images.",
        len(rare),
        fewest=fewest,
        listed=listed,
        left_out=len(data) - len(frequent),
        total=len(data),
    )
    return dataclasses.replace(
        frequent,
        labels=labels,
        class_names=names,
        preparation=(*data.preparation, sentence) if len(rare) else data.preparation,
    )
