"""Read the images of a run again, from a source that this user named or trained from."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from clearcnn import bundle, data
from clearcnn.data import LabelledImages, Split
from clearcnn.errors import ClearCNNError, DataError
from clearcnn.language import say
from clearcnn.specs import PREFERRED_SIDES, PYTHON_SOURCE, DataSpec

Source = str | Path | DataSpec | LabelledImages


@dataclass(frozen=True, eq=False)
class RunData:
    """The images of a run, with the same split."""

    images: LabelledImages
    splits: Split


def read_run_data(manifest: bundle.Manifest, named: Source | None = None) -> RunData:
    """Read the images of a run again.

    Args:
      manifest: of the run.
      named: the source that the user named, or the images themselves. Of a DataSpec, only source
        and use count; the rest is taken from the run. None takes the run's own source, if this
        user trained it on this computer.
    Returns:
      RunData; its images have the run's content hash.
    Raises:
      DataError: the source must not be opened, cannot be read, or has other images. The problem
        reveals nothing about what is at the source; the remedy may.
    """
    if isinstance(named, LabelledImages):
        images = named
    else:
        spec = choose_source(manifest.data, named, is_own=bundle.is_own(manifest))
        try:
            images = data.load(spec)
        except ClearCNNError as error:
            raise DataError(
                say("The images that the model was trained on could not be read."),
                remedy=say("{problem} {remedy}", problem=error.problem, remedy=error.remedy),
            ) from error
    if images.content_hash != manifest.content_hash:
        raise DataError(
            say(
                "These are not the images that the model was trained on: their content hash "
                "is {content_hash}…, the run's is {run_hash}….",
                content_hash=images.content_hash[:12],
                run_hash=manifest.content_hash[:12],
            ),
            remedy=say(
                "Give the images that it was trained on: --data SOURCE, or data= in Python."
            ),
        )
    return RunData(images, data.split(images, manifest.split))


def choose_source(
    recorded: DataSpec, named: str | Path | DataSpec | None, *, is_own: bool
) -> DataSpec:
    """Choose the source to read the images of a run from.

    A run folder may come from a stranger and name any path on this computer. That path is read
    only if this user named it when training here.

    Args:
      recorded: the run's own.
      named: as for `read_run_data`.
      is_own: whether this user trained the run here, as from `bundle.is_own`.
    Raises:
      DataError: the run's source must not be opened, or the run has a use list, or a stranger's
        regular expression for groups, and none was named.
    """
    if named is not None:
        spec = named if isinstance(named, DataSpec) else DataSpec(str(named))
        if recorded.use is not None and spec.use is None:
            raise DataError(
                say("The run was trained with a use list (--use), and none was given."),
                remedy=say("Give it with the images: --use FILE, or DataSpec(…, use=…) in Python."),
            )
        # A stranger's regular expression could take for ever.
        if not is_own and recorded.groups_from_name not in (None, spec.groups_from_name):
            raise DataError(
                say(
                    "The run was trained with groups from names, and the regular expression "
                    "in it is not used, since nothing proves that you wrote it: "
                    "{groups_from_name!r}.",
                    groups_from_name=recorded.groups_from_name,
                ),
                remedy=say(
                    "If it looks right, give it in Python: DataSpec(…, groups_from_name=…)."
                ),
            )
        return dataclasses.replace(recorded, source=spec.source, use=spec.use)
    if recorded.source.startswith(PYTHON_SOURCE):
        raise DataError(
            say(
                "The images that the model was trained on came from Python ({python_source}), "
                "so they cannot be read again.",
                python_source=recorded.source.removeprefix(PYTHON_SOURCE),
            ),
            remedy=say(
                "Give them in Python: data= for evaluate and explain, the source for train "
                "with resume."
            ),
        )
    # The embedded digits are public. Resized to a large size, they would fill the memory.
    largest = max(recorded.size or (0,))
    is_embedded = recorded.source == "digits" and recorded.use is None
    if not is_own and not (is_embedded and largest <= PREFERRED_SIDES[1]):
        raise DataError(
            say(
                "The images that the model was trained on were not opened: nothing proves "
                "that you trained this run on this computer, from this working folder."
            ),
            remedy=say(
                "Give them: --data SOURCE, or data= in Python; to resume a run, SOURCE before "
                "--resume."
            ),
        )
    return recorded
