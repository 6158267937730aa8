"""The image to be explained, and the images that its model was trained on."""

from dataclasses import dataclass, replace
from pathlib import Path

from clearcnn import bundle, data
from clearcnn.contract import InputContract
from clearcnn.data.labelled_images import Images
from clearcnn.errors import DataError
from clearcnn.results.explain import ExplainedImage
from clearcnn.workflows.runs.preprocess import (
    POLARITY_NAMES,
    exchange_light_and_dark,
    find_opposite,
)
from clearcnn.workflows.runs.run_data import Lesson, Source, read_run_data


@dataclass(frozen=True, eq=False)
class Subject:
    """The image to be explained.

    Attributes:
      pixels: (height, width, channels) as the model takes them.
      facts: what is known of it.
      warnings: one sentence each.
    """

    pixels: Images
    facts: ExplainedImage
    warnings: tuple[str, ...] = ()


def read_lesson(manifest: bundle.Manifest, named: Source | None) -> Lesson | str:
    """Read the images of a run once more, if they can be.

    Args:
      manifest, named: as for `read_run_data`.
    Returns:
      A Lesson; or, if nothing was named, why there is none, in a sentence.
    Raises:
      DataError: what was named is not the images of the run.
    """
    try:
        return read_run_data(manifest, named)
    except DataError as error:
        if named is not None:
            raise
        # The remedy may name what lies there, which nobody knows to be the images of the run.
        return f"{error.problem} They can be named with --data, or data= in Python."


def find_subject(
    image: str | int | Path, manifest: bundle.Manifest, lesson: Lesson | str, *, invert: bool
) -> Subject:
    """Find the image: the row of a number, or a picture file.

    Args:
      image: a row of the source, as a number or its digits; anything else is a path.
      manifest: of the run.
      lesson: as `read_lesson` gave it.
      invert: exchange light and dark.
    Raises:
      DataError: there is no such row or file, or it cannot be read.
    """
    contract = manifest.input
    if isinstance(image, int) or (isinstance(image, str) and image.isdecimal()):
        subject = _take_row(int(image), lesson)
    else:
        subject = _read_file(Path(image).expanduser(), contract)
    if invert:
        turned = exchange_light_and_dark(subject.pixels, contract.value_range)
        said = (*subject.facts.preparation, "Light and dark exchanged, as asked (inverted).")
        subject = replace(subject, pixels=turned, facts=replace(subject.facts, preparation=said))
    warnings = [_judge_polarity(subject, contract), _find_copy(subject, lesson)]
    return replace(subject, warnings=tuple(filter(None, warnings)))


def _take_row(row: int, lesson: Lesson | str) -> Subject:
    if isinstance(lesson, str):
        raise DataError(
            f"Image {row} was asked for by its row. {lesson}",
            remedy="Or give a picture file.",
        )
    images, parts = lesson.images, lesson.parts
    if not 0 <= row < len(images):
        raise DataError(
            f"There is no image {row}: the source has the rows 0 to {len(images) - 1:,}.",
            remedy="Take a number from the column index of predictions.csv, or give a picture "
            "file; ./17 is a file called 17.",
        )
    part = next(name for name in ("train", "validation", "test") if row in getattr(parts, name))
    facts = ExplainedImage(
        name=images.names[row],
        row=row,
        label=images.class_names[images.labels[row]],
        part=part,
        preparation=(),
    )
    return Subject(images.images[row], facts)


def _read_file(path: Path, contract: InputContract) -> Subject:
    picture = data.read_image_file(
        path,
        size=contract.shape[:2],
        color_mode=contract.color_mode,
        dtype=contract.dtype,
        value_range=contract.value_range,
    )
    facts = ExplainedImage(path.name, None, None, None, picture.preparation)
    return Subject(picture.pixels, facts)


def _find_copy(subject: Subject, lesson: Lesson | str) -> str | None:
    """Say so if the model has learnt from these very pixels."""
    if isinstance(lesson, str) or subject.facts.row is not None:
        return None
    rows = lesson.parts.train
    same = (lesson.images.images[rows] == subject.pixels).all(axis=(1, 2, 3))
    if not same.any():
        return None
    name = lesson.images.names[rows[same.argmax()]]
    return (
        f"This picture stands, pixel for pixel, in the training part ({name}): the model has "
        "learnt from it, and that it is right here says little."
    )


def _judge_polarity(subject: Subject, contract: InputContract) -> str | None:
    """Say so if figure and ground are clearly the other way round."""
    seen = find_opposite(subject.pixels, contract)
    if seen is None:
        return None
    return (
        f"This picture is {seen}, the model was trained on "
        f"{POLARITY_NAMES[contract.polarity]}: its answer means little. Explain the picture again "
        "inverted (--invert)."
    )
