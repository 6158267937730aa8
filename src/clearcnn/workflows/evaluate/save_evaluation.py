"""Write an evaluation: its figures as JSON, its predictions as CSV, its report."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcnn import bundle, report
from clearcnn.data import LabelledImages
from clearcnn.language import Language
from clearcnn.results.evaluate import Assessment
from clearcnn.results.json_codec import SCHEMA_VERSION, to_json

_PARENT = Path("evaluations")


@dataclass
class EvaluationFolder:
    """The folder of an evaluation.

    Attributes:
      partial: the draft of the folder.
      path: its final path, fixed when it is complete.
      command: the command that gives the same result.
      language: of the report.
    """

    partial: Path
    path: Path
    command: str
    language: Language

    def write(
        self,
        result: Assessment,
        images: LabelledImages,
        rows: NDArray[np.intp],
        probabilities: NDArray[np.floating],
    ) -> None:
        """Write all files.

        Args:
          result: the evaluation.
          images: all images of the source.
          rows: the scored ones.
          probabilities: (n, num_classes), one row for each of `rows`; calibrated, if there is a
            temperature.
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
            self.language,
        )


@contextmanager
def open_evaluation_folder(
    name: str, out: Path | None, command: str, language: Language
) -> Iterator[EvaluationFolder]:
    """Open a folder for an evaluation; after an exception, nothing of it remains.

    Args:
      name: the evaluated source or run, for the name of the folder.
      out: the exact path; None makes `evaluations/<name>-<UTC time>/`.
      command: the command that gives the same result.
      language: of the report.
    """
    with bundle.open_run_folder(name, out=out, parent=_PARENT) as run:
        folder = EvaluationFolder(run.partial, run.path, command, language)
        yield folder
    folder.path = run.path
