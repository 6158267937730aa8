"""The float32 operations a second of a library in a large matrix product."""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import protocol


def main() -> None:
    """Multiply repeatedly, and report the best."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--with", dest="library", choices=("jax", "numpy", "torch"), required=True)
    parser.add_argument("--side", type=int, default=2048)
    parser.add_argument("--times", type=int, default=20)
    arguments = parser.parse_args()
    a = np.random.default_rng(0).standard_normal((arguments.side, arguments.side), np.float32)
    multiply = _prepare(arguments.library, a)
    multiply()
    best = float("inf")
    for _ in range(arguments.times):
        begun = time.perf_counter()
        multiply()
        best = min(best, time.perf_counter() - begun)
    protocol.report(operations_per_second=2 * arguments.side**3 / best)


def _prepare(library: str, a: Any) -> Callable[[], Any]:
    if library == "numpy":
        return lambda: a @ a
    if library == "torch":
        import torch

        tensor = torch.from_numpy(a)
        return lambda: tensor @ tensor
    import jax

    product = jax.jit(lambda a: a @ a)
    array = jax.numpy.asarray(a)
    return lambda: product(array).block_until_ready()


if __name__ == "__main__":
    main()
