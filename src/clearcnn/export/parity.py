"""Whether an ONNX file, executed, says what Keras says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from clearcnn.contract import InputContract
from clearcnn.errors import ExportError

LARGEST_DIFFERENCE = 1e-5
"""The most that two programs for one network may differ by, in any probability."""

_BATCH_SIZE = 64


def run_onnx(
    model: Path | bytes,
    images: NDArray[Any],
    batch_size: int = _BATCH_SIZE,
    outputs: Sequence[str] | None = None,
) -> dict[str, NDArray[Any]]:
    """Execute an ONNX model with ONNX Runtime on one core.

    Args:
      model: the file, or its bytes.
      images: (n, height, width, channels), n >= 1, in the dtype of the model's input.
      batch_size: images at once.
      outputs: the names of those wanted; None wants all.
    Returns:
      The outputs by name, each (n, …) float32.
    Raises:
      ExportError: it is no model, or fails on these images.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            model if isinstance(model, bytes) else str(model),
            options,
            providers=["CPUExecutionProvider"],
        )
        (source,) = session.get_inputs()
        names = outputs or [output.name for output in session.get_outputs()]
        batches = [
            session.run(names, {source.name: images[start : start + batch_size]})
            for start in range(0, len(images), batch_size)
        ]
    except Exception as error:  # ONNX Runtime's own errors have no common root.
        reason = str(error).partition("\n")[0]
        raise ExportError(
            f"The ONNX model cannot be executed: {reason}",
            remedy="Train again, or give the run folder as it was written.",
        ) from error
    return dict(zip(names, map(np.concatenate, zip(*batches, strict=True)), strict=True))


def check_parity(what: str, found: NDArray[Any], expected: NDArray[Any]) -> float:
    """Check that probabilities are those of Keras.

    Args:
      what: the file or program that gave them, for the message.
      found, expected: (n, classes) float, n >= 1.
    Returns:
      The largest absolute difference.
    Raises:
      ExportError: it is above `LARGEST_DIFFERENCE`, or a value is no number.
    """
    differences = np.abs(np.asarray(found, np.float64) - np.asarray(expected, np.float64))
    largest = float(differences.max())
    if not largest <= LARGEST_DIFFERENCE:  # NaN is no agreement.
        raise ExportError(
            f"{what} gives other probabilities than Keras: they differ by up to {largest:.1e} on "
            f"{len(differences):,} images, and at most {LARGEST_DIFFERENCE:.0e} was expected.",
            remedy="Scale the pixels first, as Rescaling does: large values magnify rounding.",
        )
    return largest


def make_probes(contract: InputContract, num_random: int = 30, seed: int = 0) -> NDArray[Any]:
    """Make images to try a model on, within what the input contract allows.

    Args:
      contract: the input contract of the model.
      num_random: images of uniformly drawn pixels, half of them drawn image by image in a
        narrower range.
      seed: of the draws.
    Returns:
      (num_random + 2, height, width, channels) in the contract's dtype; the last two have the
      lowest and the highest value everywhere.
    """
    low, high = contract.value_range
    dtype = np.dtype(contract.dtype)
    random = np.random.default_rng(seed)
    pixels = random.uniform(low, high, (num_random + 2, *contract.shape))
    middle, width = random.uniform(low, high, (2, num_random // 2, 1, 1, 1))
    narrow = middle + (pixels[: num_random // 2] - middle) * (width - low) / ((high - low) or 1)
    pixels[: num_random // 2] = narrow
    pixels[-2], pixels[-1] = low, high
    return np.clip(pixels.round() if dtype.kind == "u" else pixels, low, high).astype(dtype)
