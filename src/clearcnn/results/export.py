"""The result of `export`: a frozen record, with the same fields as its JSON."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ExportResult:
    """A trained model, exported for other programs.

    Attributes:
      to: the format, such as "onnx".
      path: the file or folder written.
      files: the paths of its files.
      largest_difference: largest absolute difference from Keras's probabilities.
      num_images: images used for the comparison.
    """

    to: str
    path: Path
    files: tuple[str, ...]
    largest_difference: float
    num_images: int
