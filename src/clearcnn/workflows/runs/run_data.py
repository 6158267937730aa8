"""The images that a run was trained on, read once more, from where this user says they are."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from clearcnn import bundle, data
from clearcnn.data import LabelledImages, Split
from clearcnn.errors import ClearCNNError, DataError
from clearcnn.specs import PREFERRED_SIDES, DataSpec

Source = str | Path | DataSpec | LabelledImages


@dataclass(frozen=True, eq=False)
class RunData:
    """The images a model was trained and tested on, as they were then."""

    images: LabelledImages
    splits: Split


def read_run_data(manifest: bundle.Manifest, named: Source | None = None) -> RunData:
    """Read the images of a run once more.

    Args:
      manifest: of the run.
      named: where the user says that they are, or the images themselves; of a DataSpec, source
        and use count, the rest is as the run has it. None takes the place that the run names, if
        this user trained it on this computer.
    Returns:
      A RunData whose content hash is that of the run.
    Raises:
      DataError: the images may not be opened, cannot be read, or are not those of the run. Its
        problem says nothing of what lies there, its remedy may.
    """
    if isinstance(named, LabelledImages):
        images = named
    else:
        spec = choose_source(manifest.data, named, is_own=bundle.is_own(manifest))
        try:
            images = data.load(spec)
        except ClearCNNError as error:
            raise DataError(
                "The images the model was trained on could not be read again.",
                remedy=f"{error.problem} {error.remedy}",
            ) from error
    if images.content_hash != manifest.content_hash:
        raise DataError(
            "The images the model was trained on are no longer the same: their content hash is "
            f"{images.content_hash[:12]}…, that of the run is {manifest.content_hash[:12]}….",
            remedy="Name those that it was trained on: --data SOURCE, or data= in Python.",
        )
    return RunData(images, data.split(images, manifest.split))


def choose_source(
    recorded: DataSpec, named: str | Path | DataSpec | None, *, is_own: bool
) -> DataSpec:
    """Choose where to read the images of a run from.

    A run folder may come from anybody, and name any place of this computer. It is obeyed only
    if this user named that place when training here.

    Args:
      recorded: as the run has it.
      named: as for `read_run_data`.
      is_own: whether the run is this user's own, as `bundle.is_own` says.
    Raises:
      DataError: the place that the run names may not be opened, or a list that images were left
        out by was not named.
    """
    if named is not None:
        spec = named if isinstance(named, DataSpec) else DataSpec(str(named))
        if recorded.use is not None and spec.use is None:
            raise DataError(
                "The run was trained on what a list left of its images (--use), and no list was "
                "named.",
                remedy="Name it beside the images: --use FILE, or DataSpec(…, use=…) in Python.",
            )
        return dataclasses.replace(recorded, source=spec.source, use=spec.use)
    # The embedded digits are no secret; made large, they would fill the memory.
    largest = max(recorded.size or (0,))
    is_embedded = recorded.source == "digits" and recorded.use is None
    if not is_own and not (is_embedded and largest <= PREFERRED_SIDES[1]):
        raise DataError(
            "The images the model was trained on were not opened: nothing proves that you trained "
            "this run on this computer, from this working folder.",
            remedy="Name them: --data SOURCE, or data= in Python; to resume a run, SOURCE before "
            "--resume.",
        )
    return recorded
