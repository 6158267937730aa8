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
    find_opposite_polarity,
    invert_pixels,
)
from clearcnn.workflows.runs.run_data import RunData, Source, read_run_data


@dataclass(frozen=True, eq=False)
class InputImage:
    """The image to be explained.

    Attributes:
      pixels: (height, width, channels) as the model takes them.
      record: what is known of it.
      warnings: one sentence each.
    """

    pixels: Images
    record: ExplainedImage
    warnings: tuple[str, ...] = ()


def read_run_data_or_reason(manifest: bundle.Manifest, named: Source | None) -> RunData | str:
    """Read the images of a run once more, if they can be.

    Args:
      manifest, named: as for `read_run_data`.
    Returns:
      A RunData; or, if nothing was named, why there is none, in a sentence.
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


def find_input_image(
    image: str | int | Path, manifest: bundle.Manifest, run_data: RunData | str, *, invert: bool
) -> InputImage:
    """Find the image: the row of a number, or a picture file.

    Args:
      image: a row of the source, as a number or its digits; anything else is a path.
      manifest: of the run.
      run_data: as `read_run_data_or_reason` gave it.
      invert: exchange light and dark.
    Raises:
      DataError: there is no such row or file, or it cannot be read.
    """
    contract = manifest.input
    if isinstance(image, int) or (isinstance(image, str) and image.isdecimal()):
        input_image = _take_row(int(image), run_data)
    else:
        input_image = _read_file(Path(image).expanduser(), contract)
    if invert:
        turned = invert_pixels(input_image.pixels, contract.value_range)
        said = (*input_image.record.preparation, "Light and dark exchanged, as asked (inverted).")
        input_image = replace(
            input_image, pixels=turned, record=replace(input_image.record, preparation=said)
        )
    warnings = [_judge_polarity(input_image, contract), _find_copy(input_image, run_data)]
    return replace(input_image, warnings=tuple(filter(None, warnings)))


def _take_row(row: int, run_data: RunData | str) -> InputImage:
    if isinstance(run_data, str):
        raise DataError(
            f"Image {row} was asked for by its row. {run_data}",
            remedy="Or give a picture file.",
        )
    images, parts = run_data.images, run_data.splits
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
    return InputImage(images.images[row], facts)


def _read_file(path: Path, contract: InputContract) -> InputImage:
    picture = data.read_one_picture(
        path,
        size=contract.shape[:2],
        color_mode=contract.color_mode,
        dtype=contract.dtype,
        value_range=contract.value_range,
    )
    facts = ExplainedImage(path.name, None, None, None, picture.preparation)
    return InputImage(picture.pixels, facts)


def _find_copy(input_image: InputImage, run_data: RunData | str) -> str | None:
    """Say so if the model has learnt from these very pixels."""
    if isinstance(run_data, str) or input_image.record.row is not None:
        return None
    rows = run_data.splits.train
    same = (run_data.images.images[rows] == input_image.pixels).all(axis=(1, 2, 3))
    if not same.any():
        return None
    name = run_data.images.names[rows[same.argmax()]]
    return (
        f"This picture stands, pixel for pixel, in the training part ({name}): the model has "
        "learnt from it, and that it is right here says little."
    )


def _judge_polarity(input_image: InputImage, contract: InputContract) -> str | None:
    """Say so if figure and ground are clearly the other way round."""
    seen = find_opposite_polarity(input_image.pixels, contract)
    if seen is None:
        return None
    return (
        f"This picture is {seen}, the model was trained on "
        f"{POLARITY_NAMES[contract.polarity]}: its answer means little. Explain the picture again "
        "inverted (--invert)."
    )
