"""What `check` finds in a class folder, beside the pictures that it is about."""

import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from clearcnn import data
from clearcnn.data import LabelledImages
from clearcnn.results.json_codec import to_json
from clearcnn.specs import DataSpec
from clearcnn.types import JsonObject, JsonValue
from clearcnn.workflows.check.examine import Examination, LabelOptions, examine
from clearcnn.workflows.fitting.listeners import EvaluateListener

Note = tuple[str, JsonObject]


def look(folder: Path, listener: EvaluateListener) -> JsonObject:
    """Check a class folder.

    Args:
      folder: the class folder.
      listener: hears about the progress.
    Returns:
      JSON values: `notes`, picture → what was found about it, each with a `kind` (duplicate,
      other_label, near_duplicate, empty, suspect or unreadable) and its values; and `findings`
      about all pictures, with `kind`, `is_problem`, `sentence` and `names`.
    Raises:
      ClearCNNError: no picture can be read.
    """
    begun = time.perf_counter()
    spec = DataSpec(f"folder:{folder}", skip_unreadable=True, for_training=False)
    images = data.load(spec, progress=listener.on_reading)
    found = examine(images, LabelOptions(begun), listener)
    notes: dict[str, list[JsonValue]] = defaultdict(list)
    for picture, note in _list_duplicates(images, found):
        notes[picture].append(note)
    for row in found.empty.tolist():
        notes[images.names[row]].append({"kind": "empty"})
    for suspect in found.suspects:
        notes[suspect.name].append(
            {
                "kind": "suspect",
                "suggestion": suspect.suggestion,
                "confidence": suspect.suggested_confidence,
            }
        )
    for skipped in images.skipped:
        notes[skipped.path].append({"kind": "unreadable", "reason": skipped.reason})
    return {
        "num_images": len(images),
        "notes": dict(notes),
        "findings": [to_json(finding) for finding in found.general],
    }


def _list_duplicates(images: LabelledImages, found: Examination) -> Iterator[Note]:
    """List every duplicate but the first, and the first too if their labels differ."""
    exact, near = found.exact, found.near
    rows = np.arange(len(images))
    for first, kind in (
        (exact, "duplicate"),
        (np.where(exact == rows, near, rows), "near_duplicate"),
    ):
        for row in np.flatnonzero(first != rows).tolist():
            other = int(first[row])
            differs = images.labels[row] != images.labels[other]
            shown = "other_label" if differs else kind
            yield images.names[row], {"kind": shown, "of": images.names[other]}
            if differs:
                yield images.names[other], {"kind": shown, "of": images.names[row]}
