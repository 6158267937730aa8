"""Checks that an exported model gives the same probabilities as Keras."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import onnxruntime

from clearcnn.contract import InputContract
from clearcnn.errors import ExportError
from clearcnn.language import say
from clearcnn.types import Array

LARGEST_DIFFERENCE = 1e-5
"""The largest accepted difference of a probability between two programs for one network."""

_BATCH_SIZE = 64


def run_onnx(
    model: Path | bytes,
    images: Array,
    batch_size: int = _BATCH_SIZE,
    outputs: Sequence[str] | None = None,
) -> dict[str, Array]:
    """Execute an ONNX model with ONNX Runtime, one batch on each core.

    Args:
      model: the file, or its bytes.
      images: (n, height, width, channels), n >= 1, in the dtype of the model's input.
      batch_size: images per batch.
      outputs: names of the outputs to return; None returns all.
    Returns:
      The outputs by name, each (n, …) float32.
    Raises:
      ExportError: it is not a valid model, or fails on these images.
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

        def run(start: int) -> list[Array]:
            found: list[Array] = session.run(
                names, {source.name: images[start : start + batch_size]}
            )
            return found

        starts = range(0, len(images), batch_size)
        with ThreadPoolExecutor(min(len(starts), joblib.cpu_count())) as pool:
            batches = list(pool.map(run, starts))
    except Exception as error:  # ONNX Runtime's own errors have no common root.
        reason = str(error).partition("\n")[0]
        raise ExportError(
            say("The ONNX model cannot be executed: {reason}", reason=reason),
            remedy=say("Train again, or restore the run folder from a backup."),
        ) from error
    return dict(zip(names, map(np.concatenate, zip(*batches, strict=True)), strict=True))


def check_parity(what: str, found: Array, expected: Array) -> float:
    """Check that probabilities equal those of Keras, to within `LARGEST_DIFFERENCE`.

    Args:
      what: the file or program that computed them, for the message.
      found, expected: (n, classes) float, n >= 1.
    Returns:
      The largest absolute difference.
    Raises:
      ExportError: the difference is larger, or a value is NaN.
    """
    differences = np.abs(np.asarray(found, np.float64) - np.asarray(expected, np.float64))
    largest = float(differences.max())
    if not largest <= LARGEST_DIFFERENCE:  # True for NaN, too.
        raise ExportError(
            say(
                "{what} gives other probabilities than Keras: they differ by up to "
                "{largest:.1e} on {num_differences:,} images; expected at most "
                "{largest_difference:.0e}.",
                what=what,
                largest=largest,
                num_differences=len(differences),
                largest_difference=LARGEST_DIFFERENCE,
            ),
            remedy=say("Put a Rescaling layer first: large pixel values amplify rounding errors."),
        )
    return largest


def make_test_images(contract: InputContract, num_random: int = 30, seed: int = 0) -> Array:
    """Make random images for testing a model, within the value range of its input contract.

    Args:
      contract: the input contract of the model.
      num_random: number of images with uniformly random pixels; half of them have a narrower
        random range each.
      seed: of the random generator.
    Returns:
      (num_random + 2, height, width, channels) in the contract's dtype; the last two are
      constant, with the lowest and the highest value.
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
