"""Write down an evaluation: its figures as JSON, its answers as CSV, its report."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcnn import bundle, report
from clearcnn.data import LabelledImages
from clearcnn.results.evaluate import Assessment
from clearcnn.results.json_codec import SCHEMA_VERSION, to_json

_PARENT = Path("evaluations")


@dataclass
class Keeping:
    """Where an evaluation goes.

    Attributes:
      partial: the folder in the making.
      path: its final place, known for sure when it is finished.
      command: what to type for the same result.
    """

    partial: Path
    path: Path
    command: str

    def write(
        self,
        result: Assessment,
        images: LabelledImages,
        rows: NDArray[np.intp],
        probabilities: NDArray[np.float32],
    ) -> None:
        """Fill the folder.

        Args:
          result: what was found.
          images: that were read.
          rows: those that were scored.
          probabilities: float32 (n, num_classes), for each of `rows`.
        """
        values = to_json(result)
        del values["folder"]
        bundle.write_json(
            self.partial / "evaluation.json", {"schema_version": SCHEMA_VERSION, **values}
        )
        names = [images.names[row] for row in rows]
        bundle.write_predictions(
            self.partial, images.labels[rows], probabilities, images.class_names, rows, names
        )
        shown = [mistake.index for mistake in result.evaluation.mistakes[: report.MOST_MISTAKES]]
        report.write_assessment(
            self.partial,
            result,
            images.images[np.asarray(shown, dtype=np.intp)],
            images.value_range,
            self.command,
        )


@contextmanager
def keep_assessment(name: str, out: Path | None, command: str) -> Iterator[Keeping]:
    """Open a folder for an evaluation; left by an exception, nothing of it remains.

    Args:
      name: what was evaluated; names the folder.
      out: the exact place; None makes `evaluations/<name>-<UTC time>/`.
      command: what to type for the same result.
    """
    with bundle.open_run_folder(name, out=out, parent=_PARENT) as run:
        keeping = Keeping(run.partial, run.path, command)
        yield keeping
    keeping.path = run.path
