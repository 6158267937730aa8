"""The speed of a large matrix product, the limit for the arithmetic of a training."""

from benchmarks.contest import Contender
from benchmarks.record import Record

MATRIX_PRODUCT = "matrix product, "
_LIBRARIES = (("jax", "clearcnn"), ("numpy", "clearcnn"), ("torch", "torch"))


def matrix_products(quick: bool) -> list[Contender]:
    """One contender for each library."""
    less = ("--side", "256", "--times", "3") if quick else ()
    return [
        Contender(
            MATRIX_PRODUCT + library, environment, ("matrix_product.py", "--with", library, *less)
        )
        for library, environment in _LIBRARIES
    ]


def find_fastest_product(record: Record) -> tuple[float, str] | None:
    """Return operations a second of the fastest library, and its name; None if none ran."""
    return max(
        (
            (result["operations_per_second"], name.removeprefix(MATRIX_PRODUCT))
            for name in record.contenders()
            if name.startswith(MATRIX_PRODUCT)
            for result in record.results(name)
        ),
        default=None,
    )
