"""Compute by kernels what `find_chains` has found."""

import math
from collections.abc import Mapping
from typing import cast

import jax
import jax.numpy as jnp
from jax.extend.core import JaxprEqn, Literal

from clearcnn.training.cpu_kernels.batch_norm import Pair, moments, normalize
from clearcnn.training.cpu_kernels.equations import Atom, shape_of
from clearcnn.training.cpu_kernels.find_chains import Chains, Statistic
from clearcnn.training.cpu_kernels.gelu import gelu


class ChainEvaluator:
    """Computes the equations in which chains end.

    Args:
      chains: of a function.
      values: of its variables, as they become known.
    """

    def __init__(self, chains: Chains, values: Mapping[Atom, jax.Array]) -> None:
        self._chains = chains
        self._values = values
        self._moments: dict[tuple[Atom, Atom | None], Pair] = {}

    def evaluate(self, equation: JaxprEqn) -> list[jax.Array]:
        """Return the outputs of an equation; none if no chain ends in it."""
        output, chains = equation.outvars[0], self._chains
        if output in chains.statistics:
            return [
                self._statistic(chains.statistics[each]).reshape(shape_of(each).shape)
                for each in equation.outvars
            ]
        if (x := chains.gelus.get(output)) is not None:
            return [gelu(self._values[x])]
        if (chain := chains.normalized.get(output)) is not None:
            return [
                normalize(
                    chain.prepare,
                    chain.activation,
                    chain.window,
                    self._values[chain.image],
                    self._count(chain.image, chain.count),
                    self._find_moments(chain.image, chain.count),
                    [self._values[atom] for atom in chain.others],
                )
            ]
        return []

    def _statistic(self, statistic: Statistic) -> jax.Array:
        unbiased, bias = self._chains.biased.get(statistic.batch, (statistic.batch, None))
        mean, variance = self._find_moments(unbiased, statistic.count)
        if statistic.kind == "variance":
            return variance
        if bias is not None:
            mean = mean + self._values[bias].ravel()
        rows = math.prod(shape_of(statistic.batch).shape[:-1])
        return mean * rows if statistic.kind == "sum" else mean

    def _find_moments(self, batch: Atom, count: Atom | None) -> Pair:
        if (batch, count) not in self._moments:
            found = moments(self._values[batch], self._count(batch, count))
            self._moments[batch, count] = found
        return self._moments[batch, count]

    def _count(self, batch: Atom, count: Atom | None) -> jax.Array:
        if count is None:
            return jnp.asarray(len(self._values[batch]), jnp.int32)
        value = count.val if isinstance(count, Literal) else self._values[count]
        return cast(jax.Array, value)
