"""Rough estimates of how long work takes, so that short work need not wait behind long work.

The rates are those of a slow core. They only determine the order of work and whether the queue has
room for it, so they need not be exact.
"""

QUICK_SECONDS = 0.1
"""Work estimated to take longer is long."""

_BYTES_A_SECOND = 10e6  # JSON, or an image file that consists of tiny segments.
_PIXELS_A_SECOND = 25e6
_OPERATIONS_A_SECOND = 4e9


def estimate_reading(num_bytes: int) -> float:
    """Estimate the seconds to parse a body."""
    return num_bytes / _BYTES_A_SECOND


def estimate_decoding(pixels: int) -> float:
    """Estimate the seconds to decode and resize images with so many pixels in total."""
    return pixels / _PIXELS_A_SECOND


def estimate_inference(operations: int) -> float:
    """Estimate the seconds of an inference with so many operations (`models.count_operations`)."""
    return operations / _OPERATIONS_A_SECOND
