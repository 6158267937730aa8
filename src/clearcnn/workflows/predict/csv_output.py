"""A CSV of answers that grows row by row, and goes on where a killed process left it."""

import csv
import io
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from clearcnn import atomic_write
from clearcnn.errors import PredictionError
from clearcnn.results.predict import Prediction
from clearcnn.text import escape
from clearcnn.workflows.runs.load_onnx_model import OpenModel
from clearcnn.workflows.runs.save_onnx import MODEL

_MOST_ROW_BYTES = 2**20
_MODEL_DIGITS = 12


class NoTable:
    """Stands where no file was asked for: it holds nothing, and keeps nothing."""

    num_rows = num_errors = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def holds(self, name: str) -> bool:  # noqa: ARG002
        """Hold nothing."""
        return False

    def write(self, answer: Prediction) -> None:
        """Keep nothing."""


def open_table(
    path: Path | None, model: OpenModel, *, top: int, abstain_below: float, resume: bool
) -> "AnswerTable | NoTable":
    """Open the file of answers.

    Args:
      path: of the file; None for no file.
      model: whose answers they are.
      top, abstain_below, resume: as for AnswerTable.
    Returns:
      A context manager.
    Raises:
      PredictionError: as AnswerTable.
    """
    if path is None:
        return NoTable()
    sha256 = model.manifest.files[MODEL].sha256
    return AnswerTable(path, top=top, model=sha256, abstain_below=abstain_below, resume=resume)


class AnswerTable:
    """The file of `--csv`: a header, then one whole row for each answer, written at once.

    Each row names the model by the first digits of its SHA-256, so that answers of two models
    are never taken for those of one. Two processes never write one file.

    Args:
      path: of the file.
      top: classes that a row names.
      model: the SHA-256 of the model, hexadecimal.
      abstain_below: with less confidence an answer abstains.
      resume: go on in a file that exists: its rows are kept, and a last row that is not whole
        is cut off.

    Attributes:
      num_rows, num_errors: that were there already; errors are pictures without an answer.
    Raises:
      PredictionError: the file exists and `resume` is not set; or it is another kind of file,
        or was made with another model, `top` or `abstain_below`; or another process writes it;
        or it cannot be written.
    """

    def __init__(
        self, path: Path, *, top: int, model: str, abstain_below: float, resume: bool
    ) -> None:
        self._path, self._top, self._abstain_below = path, top, abstain_below
        self._model = model[:_MODEL_DIGITS]
        self._names: set[str] = set()
        self.num_rows = self.num_errors = 0
        was_there = os.path.lexists(path)
        try:
            # Unbuffered: a row is with the system before the next picture is answered.
            self._file = _open(path)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            if atomic_write.try_lock(self._file.fileno()) is False:
                raise self._taken()
            size = self._file.seek(0, os.SEEK_END)
            if size and not resume:
                raise PredictionError(
                    f"{path} exists; answers are never written over what is there.",
                    remedy="Go on where it ends with --resume, or give another name.",
                )
            self._end = self._read() if size else 0
            self._cut()
            if self._end == 0:
                self._write(_name_columns(top))
        except BaseException as error:
            # Beside an empty file that another process may have begun to fill, too.
            if not was_there and not isinstance(error, PredictionError):
                with suppress(OSError):
                    path.unlink()
            self._file.close()
            if isinstance(error, OSError):
                raise self._unwritable(error) from error
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            os.fsync(self._file.fileno())
        except OSError as problem:
            if error[0] is None:
                raise self._unwritable(problem) from problem
        finally:
            self._file.close()

    def holds(self, name: str) -> bool:
        """Whether a picture has its row already, with an answer or an error."""
        return escape(name) in self._names

    def write(self, answer: Prediction) -> None:
        """Add a row.

        Raises:
          PredictionError: the disk is full, or the like.
        """
        classes = [value for each in answer.top for value in (each.name, each.probability)]
        row = [
            answer.name,
            answer.prediction,
            answer.confidence,
            _truth(answer.abstained),
            _truth(answer.is_unlike),
            *classes,
            *[None] * (2 * self._top - len(classes)),
            " ".join(answer.preparation),
            answer.error,
            self._model,
        ]
        try:
            self._write(row)
        except OSError as error:
            raise self._unwritable(error) from error

    def _write(self, row: Sequence[object]) -> None:
        content = left = _format(row)
        try:
            while left:
                left = left[self._file.write(left) :]
        except BaseException:
            with suppress(OSError):
                self._cut()
            raise
        self._end += len(content)

    def _cut(self) -> None:
        """End the file with its last whole row."""
        self._file.truncate(self._end)

    def _read(self) -> int:
        """Take note of what is there; give the byte where its last whole row ends."""
        end, columns = 0, _name_columns(self._top)
        try:
            for row_end, row in _read_whole_rows(self._path):
                if end > 0:
                    self._note(dict(zip(columns, row, strict=True)))
                elif row != columns:
                    raise self._foreign("its columns are others than those of these options")
                end = row_end
        except (ValueError, csv.Error) as error:
            raise self._foreign("it is no table of answers") from error
        if end == 0 and not _format(columns).startswith(self._path.read_bytes()):
            raise self._foreign("it is no table of answers")
        return end

    def _note(self, row: dict[str, str]) -> None:
        if row["model"] != self._model:
            raise self._foreign(f"it has answers of another model ({row['model']})")
        if row["error"]:
            self.num_errors += 1
        elif (float(row["confidence"]) < self._abstain_below) != (row["abstained"] == "true"):
            raise self._foreign("its answers abstain below another confidence")
        self.num_rows += 1
        self._names.add(row["name"])

    def _foreign(self, what: str) -> PredictionError:
        return PredictionError(
            f"{self._path} cannot be gone on with: {what}.",
            remedy="Give another name with --csv.",
        )

    def _taken(self) -> PredictionError:
        return PredictionError(
            f"Another process is writing {self._path}.",
            remedy="Wait until it has ended, or give another name with --csv.",
        )

    def _unwritable(self, error: OSError) -> PredictionError:
        return PredictionError(
            f"{self._path} cannot be written: {error.strerror or error}.",
            remedy="Make room or give another place; --resume goes on where it ends.",
        )


def _open(path: Path) -> io.FileIO:
    """Open to read and to append; a pipe or a device, which cannot be cut off, is refused."""

    def open_regular(name: str, flags: int) -> int:
        descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(None, "it is no ordinary file")
        return descriptor

    return io.FileIO(path, "a+", opener=open_regular)


def _name_columns(top: int) -> list[str]:
    classes = [f"{kind}_{k}" for k in range(1, top + 1) for kind in ("class", "probability")]
    first = ["name", "prediction", "confidence", "abstained", "is_unlike"]
    return [*first, *classes, "preparation", "error", "model"]


def _read_whole_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Give each row that is whole, and the byte where it ends."""
    end, row, marks = 0, bytearray(), 0
    with path.open("rb") as file:
        while line := file.readline(_MOST_ROW_BYTES):
            row += line
            marks += line.count(b'"')
            if len(row) > _MOST_ROW_BYTES:
                raise ValueError("longer than any row")
            # A class may hold line breaks in files of old, and then it stands in quotation marks.
            if row.endswith(b"\n") and marks % 2 == 0:
                end += len(row)
                yield end, next(csv.reader(io.StringIO(row.decode("utf-8"), newline="")))
                row, marks = bytearray(), 0


def _format(row: Sequence[object]) -> bytes:
    text = io.StringIO(newline="")
    cells = [escape(cell) if isinstance(cell, str) else cell for cell in row]
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8")


def _truth(value: bool) -> str:
    return "true" if value else "false"
