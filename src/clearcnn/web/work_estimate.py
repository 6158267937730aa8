"""How long work takes, roughly: short work does not wait behind long work.

The rates are those of a slow core. They decide only the order of work and whether there is room
for it in the queue, so they need not be exact.
"""

QUICK_SECONDS = 0.1
"""Work estimated to take longer is long."""

_BYTES_A_SECOND = 10e6  # Of JSON, or of a picture file that consists of tiny pieces.
_PIXELS_A_SECOND = 25e6
_OPERATIONS_A_SECOND = 4e9


def estimate_reading(num_bytes: int) -> float:
    """Seconds to parse a body."""
    return num_bytes / _BYTES_A_SECOND


def estimate_decoding(pixels: int) -> float:
    """Seconds to decode and resize pictures with so many pixels together."""
    return pixels / _PIXELS_A_SECOND


def estimate_inference(operations: int) -> float:
    """Seconds that a network takes for so many operations, as `models.count_operations` counts."""
    return operations / _OPERATIONS_A_SECOND
