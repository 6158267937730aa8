"""Find the image to explain, and read the data of the run."""

from dataclasses import dataclass, replace
from pathlib import Path

from clearcnn import bundle, data
from clearcnn.contract import InputContract
from clearcnn.data.labelled_images import Images
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.results.explain import ExplainedImage
from clearcnn.workflows.runs.preprocess import (
    POLARITY_NAMES,
    find_opposite_polarity,
    invert_pixels,
)
from clearcnn.workflows.runs.run_data import RunData, Source, read_run_data


@dataclass(frozen=True, eq=False)
class InputImage:
    """The image to explain.

    Attributes:
      pixels: (height, width, channels), preprocessed for the model.
      record: its name, and its row, label and split in the source.
      warnings: one sentence each.
    """

    pixels: Images
    record: ExplainedImage
    warnings: tuple[str, ...] = ()


def read_run_data_or_reason(manifest: bundle.Manifest, named: Source | None) -> RunData | str:
    """Read the images of a run again, or return why they are not available.

    Args:
      manifest, named: as for `read_run_data`.
    Returns:
      RunData; or, if `named` is None and the run's source cannot be read, the reason in a sentence.
    Raises:
      DataError: `named` has other images than the run.
    """
    try:
        return read_run_data(manifest, named)
    except DataError as error:
        if named is not None:
            raise
        # Without the remedy: it may reveal what is at a path that a stranger's run folder names.
        return say("{problem} Give them with --data, or data= in Python.", problem=error.problem)


def find_input_image(
    image: str | int | Path, manifest: bundle.Manifest, run_data: RunData | str, *, invert: bool
) -> InputImage:
    """Take an image by its row in the source, or read an image file.

    Args:
      image: a row of the source, as an int or its digits; the path of a file; or, if there is no
        such file, the name of an image of the source.
      manifest: of the run.
      run_data: from `read_run_data_or_reason`.
      invert: invert the image.
    Raises:
      DataError: there is no such row or file, or it cannot be read.
    """
    contract = manifest.input
    if isinstance(image, int) or (isinstance(image, str) and image.isdecimal()):
        input_image = _take_row(int(image), run_data)
    elif (row := _find_name(image, run_data)) is not None:
        input_image = _take_row(row, run_data)
    else:
        input_image = _read_file(Path(image).expanduser(), contract)
    if invert:
        inverted = invert_pixels(input_image.pixels, contract.value_range)
        record = input_image.record
        preparation = (*record.preparation, say("Inverted, as requested."))
        record = replace(record, preparation=preparation)
        input_image = replace(input_image, pixels=inverted, record=record)
    warnings = [
        _warn_of_polarity(input_image, contract),
        _warn_of_duplicate(input_image, run_data),
    ]
    return replace(input_image, warnings=tuple(filter(None, warnings)))


def _find_name(image: str | Path, run_data: RunData | str) -> int | None:
    """Return the row of the image of this name, unless there is a file at that path."""
    if isinstance(run_data, str) or Path(image).expanduser().exists():
        return None
    # Names of sources have slashes on every system.
    name = str(image).replace("\\", "/")
    found = [row for row, each in enumerate(run_data.images.names) if each == name]
    return found[0] if len(found) == 1 else None


def _take_row(row: int, run_data: RunData | str) -> InputImage:
    if isinstance(run_data, str):
        raise DataError(
            say(
                "Image {row} cannot be read from the run's source. {run_data}",
                row=row,
                run_data=run_data,
            ),
            remedy=say("Or give an image file."),
        )
    images, splits = run_data.images, run_data.splits
    if not 0 <= row < len(images):
        raise DataError(
            say(
                "There is no image {row}: the source has the rows 0 to {num_images:,}.",
                row=row,
                num_images=len(images) - 1,
            ),
            remedy=say(
                "Take a number from the column index of predictions.csv, or give an image "
                "file; ./17 is a file named 17."
            ),
        )
    split_name = next(
        name for name in ("train", "validation", "test") if row in getattr(splits, name)
    )
    record = ExplainedImage(
        name=images.names[row],
        row=row,
        label=images.class_names[images.labels[row]],
        part=split_name,
        preparation=(),
    )
    return InputImage(images.images[row], record)


def _read_file(path: Path, contract: InputContract) -> InputImage:
    if path.is_dir():
        raise DataError(
            say("{path} is a folder; one image was expected.", path=path),
            remedy=say("Give the path of one image in it. clearcnn predict takes whole folders."),
        )
    image = data.read_image_file(
        path,
        size=contract.shape[:2],
        color_mode=contract.color_mode,
        dtype=contract.dtype,
        value_range=contract.value_range,
    )
    record = ExplainedImage(path.name, None, None, None, image.preparation)
    return InputImage(image.pixels, record)


def _warn_of_duplicate(input_image: InputImage, run_data: RunData | str) -> str | None:
    """Return a warning if the training set has the same pixels."""
    if isinstance(run_data, str) or input_image.record.row is not None:
        return None
    rows = run_data.splits.train
    same = (run_data.images.images[rows] == input_image.pixels).all(axis=(1, 2, 3))
    if not same.any():
        return None
    name = run_data.images.names[rows[same.argmax()]]
    return say(
        "This image is a duplicate of a training image ({name}), so its prediction says "
        "little about new images.",
        name=name,
    )


def _warn_of_polarity(input_image: InputImage, contract: InputContract) -> str | None:
    """Return a warning if the polarity is clearly the opposite of the training images'."""
    polarity = find_opposite_polarity(input_image.pixels, contract)
    if polarity is None:
        return None
    return say(
        "This image is {polarity}, and the model was trained on {polarity_names} images, "
        "so its prediction means little. Invert the image with --invert.",
        polarity=polarity,
        polarity_names=POLARITY_NAMES[contract.polarity],
    )
