"""`load`: reads every kind of source, which it detects or the user names by a prefix."""

import dataclasses
import os
import re
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from clearcnn.data.archive_members import is_archive
from clearcnn.data.choices import split_choice
from clearcnn.data.decode_image import SUFFIXES
from clearcnn.data.forms import digits
from clearcnn.data.forms.folder import subfolders
from clearcnn.data.forms.form import Form
from clearcnn.data.forms.table import BY_NAME, FORMS
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.name_groups import with_name_groups
from clearcnn.data.python_objects.read import read_objects
from clearcnn.data.python_objects.samples import PythonImages
from clearcnn.data.rare_classes import leave_out_rare
from clearcnn.data.reading_progress import Progress, report_reading
from clearcnn.data.safe_files import open_regular
from clearcnn.data.splits import name_test_set
from clearcnn.data.unpack import read_archive
from clearcnn.data.use_list import apply_use_list
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import PYTHON_SOURCE, ColorMode, DataSpec
from clearcnn.spelling import did_you_mean

_REMEDY = say(
    "Name 'digits', a folder or a file; a prefix states the form of the source: {by_name}.",
    by_name=", ".join(f"{name}:" for name in BY_NAME),
)
_PREFIXED = re.compile(r"([A-Za-z_]{2,}):(.+)", re.DOTALL)


def load(
    source: str | PathLike[str] | DataSpec | PythonImages = "digits",
    *,
    size: int | tuple[int, int] | None = None,
    color_mode: ColorMode = "auto",
    class_names: Sequence[str] | None = None,
    skip_unreadable: bool = False,
    image_column: str | None = None,
    label_column: str | None = None,
    groups_from_name: str | None = None,
    min_images: int | None = None,
    progress: Progress | None = None,
) -> LabelledImages:
    """Read labelled images from any source.

    Args:
      source: "digits", a path to a folder of class folders, a folder or table with file names
        and labels, IDX files, an NPZ file, a CSV file of pixels, or Parquet files; a prefix
        such as "folder:" states the kind. Any of these may be in a zip or tar archive. A
        DataSpec has the other arguments, too. Or images in Python: a Dataset or DatasetDict of
        Hugging Face, a data set of PyTorch or a list with items (image, label), a tuple
        (images, labels), or a DataFrame; with images of Pillow, arrays (height, width[,
        channels]), or, in tables, paths.
      size: (height, width), or one int for both, to resize to; None keeps the common size if it is
        at most 96 pixels, and otherwise chooses one, which `preparation` states.
      color_mode: "grayscale" or "rgb" converts; "auto" is greyscale if every image is.
      class_names: exactly the classes of the data, in the order to use; None sorts naturally.
      skip_unreadable: skip files that cannot be read, and list them in `skipped`.
      image_column, label_column: the columns of a table; None finds them.
      groups_from_name: a regular expression whose group finds the group of an image in its name.
      min_images: leave out the classes with fewer images, at least 2; None keeps every class.
      progress: called with the number of image files read so far, and of all; first with 0.
    Returns:
      LabelledImages of at least two classes with at least two images each; or of at least one image
      if a DataSpec says that the images are not for training.
    Raises:
      DataError: the source is missing, unknown, unreadable or inconsistent.
      SpecError: an argument is out of its range.
      MissingExtraError: the source needs a package that is not installed.
    """
    named = os.fspath(source) if isinstance(source, (str, PathLike)) else None
    spec = (
        source
        if isinstance(source, DataSpec)
        else DataSpec(
            source=PYTHON_SOURCE if named is None else named,
            size=(size, size) if isinstance(size, int) else size,
            color_mode=color_mode,
            class_names=None if class_names is None else tuple(class_names),
            skip_unreadable=skip_unreadable,
            image_column=image_column,
            label_column=label_column,
            groups_from_name=groups_from_name,
            min_images=min_images,
        )
    )
    if named is None and source is not spec:
        with report_reading(progress):
            every = _of_every_class(spec)
            images = _with_groups(read_objects(source, every), spec)
            return images if every is spec else leave_out_rare(images, spec)
    if spec.use is not None:
        whole = dataclasses.replace(spec, use=None, skip_unreadable=True)
        return apply_use_list(load(whole, progress=progress), Path(spec.use))
    if spec.min_images is not None:
        return leave_out_rare(load(_of_every_class(spec), progress=progress), spec)
    try:
        if spec.source == "digits":
            _require_table(spec, None)
            return _with_groups(digits.read(spec), spec)
        with report_reading(progress):
            stated, path = find_source(spec.source)
            if _is_packed(path, stated):
                images = read_archive(path, lambda place: _read(place, stated, spec))
            else:
                images = _read(path, stated, spec)
    except OSError as error:
        raise DataError(
            say(
                "{filename} cannot be read: {reason}.",
                filename=error.filename or spec.source,
                reason=error.strerror or error,
            ),
            remedy=say("Check the path, its permissions and the disk."),
        ) from None
    return _with_groups(images, spec)


def _of_every_class(spec: DataSpec) -> DataSpec:
    """Return a spec that keeps the classes with few images."""
    if spec.min_images is None:
        return spec
    return dataclasses.replace(spec, min_images=None, class_names=None, for_training=False)


def _with_groups(images: LabelledImages, spec: DataSpec) -> LabelledImages:
    pattern = spec.groups_from_name
    return images if pattern is None else with_name_groups(images, pattern)


def _require_table(spec: DataSpec, form: Form | None) -> None:
    """Raise if the user named a column, and the source has none."""
    if form is not None and form.has_columns:
        return
    named = [spec.image_column, spec.label_column]
    named += [spec.group_column] if spec.group_column != "group" else []
    if column := next((name for name in named if name is not None), None):
        raise DataError(
            say(
                "{source} has no table of images, and so no column {column!r}.",
                source=spec.source,
                column=column,
            ),
            remedy=say(
                "Leave out the name of the column, or write metadata.csv with the columns "
                "file_name, label and {group_column}.",
                group_column=spec.group_column,
            ),
        )


def _read(path: Path, stated: Form | None, spec: DataSpec) -> LabelledImages:
    form, place = find_form(path, stated)
    _require_table(spec, form)
    return name_test_set(form.read(place, spec))


def find_source(source: str) -> tuple[Form | None, Path]:
    """Find the form that a prefix states, if any, and the path.

    Raises:
      DataError: the path does not exist, or the prefix is unknown.
    """
    path = Path(split_choice(source)[0]).expanduser()
    stated = None
    if (match := _PREFIXED.fullmatch(source)) and not path.exists():
        stated, path = match[1], Path(split_choice(match[2])[0]).expanduser()
        if stated not in BY_NAME:
            raise DataError(
                say(
                    "The source {source!r} has the unknown prefix {stated!r}.",
                    source=source,
                    stated=stated,
                ),
                remedy=say(
                    "{suggestion}{remedy}", suggestion=did_you_mean(stated, BY_NAME), remedy=_REMEDY
                ),
            )
    if not path.exists():
        raise DataError(
            say("There is no file or folder {path!r}.", path=str(path)),
            remedy=say("{path}{remedy}", path=_suggest_path(path), remedy=_REMEDY),
        )
    return BY_NAME[stated] if stated else None, path


def recognise(source: str) -> tuple[Form, Path]:
    """Find the form of a source that is no archive, and the folder that has it.

    Raises:
      DataError: the path does not exist, or has none of the forms.
    """
    stated, path = find_source(source)
    return find_form(path, stated)


def find_form(path: Path, stated: Form | None = None) -> tuple[Form, Path]:
    """Find the form of a file or folder, and the folder in it that has this form.

    Args:
      path: it exists, and is no archive.
      stated: the form that the user states.
    Raises:
      DataError: it has none of the forms.
    """
    if stated is BY_NAME["folder"] and not path.is_dir():
        raise DataError(
            say("{path} is not a folder.", path=path),
            remedy=say("Name the folder, or leave out folder:."),
        )
    forms = [stated] if stated else [form for form in FORMS if form is not BY_NAME["folder"]]
    place = path
    while True:
        form = next((form for form in forms if form.recognise(place)), None)
        if form is not None:
            return form, place
        if not path.is_dir():
            break
        inside = subfolders(place)
        if len(inside) != 1 or inside[0].is_symlink():
            break
        place = inside[0]
    if stated or path.is_dir():
        # If there are no class folders either, its reader's error lists what was looked for.
        return stated or BY_NAME["folder"], path
    with open_regular(path) as file:
        start = file.read(4)
    is_image = path.suffix.lower() in SUFFIXES
    what = (
        say("a single image")
        if is_image
        else say("a file that starts with {hex}", hex=start.hex(" "))
    )
    raise DataError(
        say(
            "{path} is {what}, not a data set. Expected an .npz, .csv, .jsonl, Parquet or IDX "
            "file, or an archive.",
            path=path,
            what=what,
        ),
        remedy=say("Name the folder that contains the class folders."),
    )


def _is_packed(path: Path, stated: Form | None) -> bool:
    """Whether a file is an archive; .npz files and others are, but have a form of their own."""
    if path.is_dir() or any(form.recognise(path) for form in ([stated] if stated else FORMS)):
        return False
    return is_archive(path)


def _suggest_path(path: Path) -> str:
    neighbours = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    if near := did_you_mean(path.name, neighbours):
        return near
    return did_you_mean(str(path), ["digits"])
