"""Predictions as a CSV file, written row by row; a killed process's file can be resumed."""

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
from clearcnn.language import say
from clearcnn.results.predict import Prediction
from clearcnn.text import escape
from clearcnn.workflows.runs.load_onnx_model import OpenModel
from clearcnn.workflows.runs.save_onnx import MODEL

_MOST_ROW_BYTES = 2**20
_MODEL_DIGITS = 12


class NullTable:
    """The null object where no CSV was requested: it contains nothing and writes nothing."""

    num_rows = num_errors = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def holds(self, name: str) -> bool:  # noqa: ARG002
        """Return False."""
        return False

    def write(self, prediction: Prediction) -> None:
        """Write nothing."""


def open_prediction_table(
    path: Path | None, model: OpenModel, *, top: int, abstain_below: float, resume: bool
) -> "PredictionTable | NullTable":
    """Open the CSV file of predictions.

    Args:
      path: of the file; None for no file.
      model: that predicts.
      top, abstain_below, resume: as for PredictionTable.
    Returns:
      The table, a context manager.
    Raises:
      PredictionError: as PredictionTable.
    """
    if path is None:
        return NullTable()
    sha256 = model.manifest.files[MODEL].sha256
    return PredictionTable(path, top=top, model=sha256, abstain_below=abstain_below, resume=resume)


class PredictionTable:
    """The file of `--csv`: a header, then one row for each prediction, written immediately.

    Each row has the first digits of the model's SHA-256, so that predictions of two models are
    never mixed. Only one process can write the file at a time.

    Args:
      path: of the file.
      top: classes per row.
      model: the SHA-256 of the model, hexadecimal.
      abstain_below: below this confidence the model abstains.
      resume: append to an existing file: its rows are kept, and an incomplete last row is removed.

    Attributes:
      num_rows, num_errors: rows that were there already, and those of them that are errors.
    Raises:
      PredictionError: the file exists and `resume` is not set; or it is another kind of file,
        or was made with another model, `top` or `abstain_below`; or another process is writing
        it; or it cannot be written.
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
            # Unbuffered: a row reaches the operating system before the next image is predicted.
            self._file = _open(path)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            if atomic_write.try_lock(self._file.fileno()) is False:
                raise self._locked()
            size = self._file.seek(0, os.SEEK_END)
            if size and not resume:
                raise PredictionError(
                    say("{path} exists, and predictions never overwrite a file.", path=path),
                    remedy=say("Append to it with --resume, or give another name."),
                )
            self._end = self._read() if size else 0
            self._cut()
            if self._end == 0:
                self._write(_name_columns(top))
        except BaseException as error:
            # Even if another process has just opened the empty file.
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
        """Return whether an image has a row already, a prediction or an error."""
        return escape(name) in self._names

    def write(self, prediction: Prediction) -> None:
        """Append a row.

        Raises:
          PredictionError: the file cannot be written, for example because the disk is full.
        """
        classes = [value for each in prediction.top for value in (each.name, each.probability)]
        row = [
            prediction.name,
            prediction.prediction,
            prediction.confidence,
            _format_bool(prediction.abstained),
            _format_bool(prediction.is_unlike),
            *classes,
            *[None] * (2 * self._top - len(classes)),
            " ".join(prediction.preparation),
            prediction.error,
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
        """Truncate the file after its last complete row."""
        self._file.truncate(self._end)

    def _read(self) -> int:
        """Read the existing rows; return the offset where the last complete one ends."""
        end, columns = 0, _name_columns(self._top)
        try:
            for row_end, row in _read_whole_rows(self._path):
                if end > 0:
                    self._note(dict(zip(columns, row, strict=True)))
                elif row != columns:
                    raise self._mismatch(say("its columns do not match these options"))
                end = row_end
        except (ValueError, csv.Error) as error:
            raise self._mismatch(say("it is not a table of predictions")) from error
        if end == 0 and not _format(columns).startswith(self._path.read_bytes()):
            raise self._mismatch(say("it is not a table of predictions"))
        return end

    def _note(self, row: dict[str, str]) -> None:
        if row["model"] != self._model:
            raise self._mismatch(
                say("it has predictions of another model ({row})", row=row["model"])
            )
        if row["error"]:
            self.num_errors += 1
        elif (float(row["confidence"]) < self._abstain_below) != (row["abstained"] == "true"):
            raise self._mismatch(say("it was written with another --abstain-below"))
        self.num_rows += 1
        self._names.add(row["name"])

    def _mismatch(self, why: str) -> PredictionError:
        return PredictionError(
            say("{path} cannot be resumed: {why}.", path=self._path, why=why),
            remedy=say("Give another name with --csv."),
        )

    def _locked(self) -> PredictionError:
        return PredictionError(
            say("Another process is writing {path}.", path=self._path),
            remedy=say("Wait until it has ended, or give another name with --csv."),
        )

    def _unwritable(self, error: OSError) -> PredictionError:
        return PredictionError(
            say(
                "{path} cannot be written: {reason}.",
                path=self._path,
                reason=error.strerror or error,
            ),
            remedy=say(
                "Free disk space or give another path; --resume continues where the file ends."
            ),
        )


def _open(path: Path) -> io.FileIO:
    """Open to read and append; pipes and devices, which cannot be truncated, raise OSError."""

    def open_regular(name: str, flags: int) -> int:
        descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(None, say("it is not a regular file"))
        return descriptor

    return io.FileIO(path, "a+", opener=open_regular)


def _name_columns(top: int) -> list[str]:
    classes = [f"{kind}_{k}" for k in range(1, top + 1) for kind in ("class", "probability")]
    first = ["name", "prediction", "confidence", "abstained", "is_unlike"]
    return [*first, *classes, "preparation", "error", "model"]


def _read_whole_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each complete row and the offset where it ends."""
    end, row, marks = 0, bytearray(), 0
    with path.open("rb") as file:
        while line := file.readline(_MOST_ROW_BYTES):
            row += line
            marks += line.count(b'"')
            if len(row) > _MOST_ROW_BYTES:
                raise ValueError(say("a row is too long"))
            # In files of older versions, class names may contain line breaks, in quotation marks.
            if row.endswith(b"\n") and marks % 2 == 0:
                end += len(row)
                yield end, next(csv.reader(io.StringIO(row.decode("utf-8"), newline="")))
                row, marks = bytearray(), 0


def _format(row: Sequence[object]) -> bytes:
    text = io.StringIO(newline="")
    cells = [escape(cell) if isinstance(cell, str) else cell for cell in row]
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8")


def _format_bool(value: bool) -> str:
    return "true" if value else "false"
