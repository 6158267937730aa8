"""Find what `batch_norm` and `gelu` have forms for in a traced function."""

import math
from dataclasses import dataclass, field
from typing import Literal as OneOf

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core
from jax.extend.core import Jaxpr, JaxprEqn, Literal

from clearcnn.training.cpu_kernels.batch_norm import Activation, Pair, Prepare
from clearcnn.training.cpu_kernels.equations import (
    Atom,
    count_uses,
    find_between,
    find_makers,
    input_shapes,
    is_relu,
    shape_of,
)
from clearcnn.training.cpu_kernels.gelu import Gelu, find_gelus
from clearcnn.training.cpu_kernels.pooling import pooling_geometry
from clearcnn.training.cpu_kernels.window_geometry import Size
from clearcnn.training.first_moments import FIRST_MOMENTS

_ALL_BUT_CHANNELS = (0, 1, 2)
# Statistics that a normalization needs: a mean or sum, and a variance.
_MOMENTS = 2


@dataclass(frozen=True)
class Statistic:
    """A number for each channel of a batch.

    Attributes:
      batch: of images where the kind is "sum"; otherwise of any shape (n, …, channels).
      count: how many of the first samples it is of; None for all.
    """

    batch: Atom
    count: Atom | None
    kind: OneOf["sum", "mean", "variance"]


@dataclass(frozen=True)
class Normalization:
    """Equations that are one `batch_norm.normalize`, which has the same arguments.

    A bias before it would be one more pass over the image: it is among the others instead.
    """

    image: Atom
    count: Atom | None
    activation: Activation
    window: Size
    prepare: Prepare
    others: tuple[Atom, ...]


@dataclass
class Chains:
    """Variables of a jaxpr, by what computes them.

    Attributes:
      statistics: those of a batch that has a variance as well as a sum or a mean.
      biased: an image that only its normalization reads → the image without bias, and the bias.
      normalized: the last output of a normalization → the normalization.
      gelus: the output of a GELU outside a normalization → its input.
      inner: outputs within a normalization or GELU, which nothing else reads.
    """

    statistics: dict[Atom, Statistic] = field(default_factory=dict)
    biased: dict[Atom, tuple[Atom, Atom]] = field(default_factory=dict)
    normalized: dict[Atom, Normalization] = field(default_factory=dict)
    gelus: dict[Atom, Atom] = field(default_factory=dict)
    inner: set[Atom] = field(default_factory=set)


def find_chains(jaxpr: Jaxpr) -> Chains:
    """Search a function of images (n, height, width, channels)."""
    found = Chains(statistics=_find_statistics(jaxpr))
    search = _Search(jaxpr, found)
    for equation in jaxpr.eqns:
        if equation.primitive.name == "mul" and (factors := _image_and_channels(equation)):
            search.follow(equation.outvars[0], *factors)
    return found


class _Search:
    def __init__(self, jaxpr: Jaxpr, found: Chains) -> None:
        self.found = found
        gelus = find_gelus(jaxpr)
        for gelu in gelus:
            if gelu.approximate:
                continue
            self.found.gelus[gelu.output] = gelu.x
            self.found.inner |= gelu.inner
        self._jaxpr = jaxpr
        self._gelus = {gelu.x: gelu for gelu in gelus}
        self._uses = count_uses(jaxpr)
        self._makers = find_makers(jaxpr)
        # Of several readers one; asked only where there is one, or a GELU.
        self._reader: dict[Atom, JaxprEqn] = {
            atom: equation
            for equation in jaxpr.eqns
            for atom in equation.invars
            if not isinstance(atom, Literal)
        }

    def follow(self, product: Atom, image: Atom, scale: Atom) -> None:
        """Note the longest normalization that begins with this product, if there is one."""
        sources = [atom for atom, of in self.found.statistics.items() if of.batch == image]
        reader = self._only_reader(product)
        terms = reader and reader.primitive.name == "add" and _image_and_channels(reader)
        if not (reader and terms and terms[0] == product and len(sources) == _MOMENTS):
            return
        sources.sort(key=lambda atom: self.found.statistics[atom].kind)  # The variance is last.
        first, targets = self.found.statistics[sources[0]], (scale, terms[1])
        rows = math.prod(shape_of(image).shape[:3]) if first.kind == "sum" else 1
        equations, others = find_between(self._jaxpr, sources, targets)
        if any(shape_of(atom).dtype != jnp.float32 for atom in others):
            return
        self.found.inner.add(product)
        activation, last = self._follow_activation(reader.outvars[0])
        window, last = self._follow_pooling(last)
        program = self._jaxpr.replace(
            constvars=[],
            invars=[*sources, *others],
            outvars=list(targets),
            eqns=equations,
            effects=frozenset(),
        )
        run = core.jaxpr_as_fun(core.ClosedJaxpr(program, ()))

        def prepare(mean: jax.Array, variance: jax.Array, *rest: jax.Array) -> Pair:
            shaped = variance.reshape(shape_of(sources[1]).shape)
            scale, shift = run(mean * rows, shaped, *rest)
            return scale, shift

        bias = self._find_bias(image)
        if bias is not None:
            self.found.biased[image] = bias
            self.found.inner.add(image)
            image, prepare, others = bias[0], _with_bias(prepare), (bias[1], *others)
        self.found.normalized[last] = Normalization(
            image, first.count, activation, window, prepare, others
        )

    def _find_bias(self, image: Atom) -> tuple[Atom, Atom] | None:
        """Part an image that is read only for its statistics and by its normalization."""
        maker = self._makers.get(image)
        if maker is None or maker.primitive.name != "add":
            return None
        readers = {
            id(self._makers[atom])
            for atom, of in self.found.statistics.items()
            if of.batch == image
        }
        if self._uses[image] != len(readers) + 1:
            return None
        return _image_and_channels(maker)

    def _follow_activation(self, value: Atom) -> tuple[Activation, Atom]:
        gelu: Gelu | None = self._gelus.get(value)
        reader = self._only_reader(value)
        if reader and is_relu(reader):
            self.found.inner.add(value)
            return "relu", reader.outvars[0]
        if gelu and self._uses[value] == gelu.uses:
            self.found.inner |= {value, *gelu.inner}
            self.found.gelus.pop(gelu.output, None)
            return ("tanh_gelu" if gelu.approximate else "gelu"), gelu.output
        return "linear", value

    def _follow_pooling(self, value: Atom) -> tuple[Size, Atom]:
        """Go on past a max pooling whose windows do not overlap."""
        passed, reader = {value}, self._only_reader(value)
        if reader and reader.primitive.name == "copy":
            passed.add(reader.outvars[0])
            reader = self._only_reader(reader.outvars[0])
        if reader and reader.primitive.name == "reduce_window_max":
            window = pooling_geometry(reader.params, input_shapes(reader))
            is_whole = window and window.kernel == window.strides and not np.any(window.padding)
            if window and is_whole and shape_of(reader.outvars[0]).size:
                self.found.inner |= passed
                return window.kernel, reader.outvars[0]
        return (1, 1), value

    def _only_reader(self, value: Atom) -> JaxprEqn | None:
        return self._reader.get(value) if self._uses[value] == 1 else None


def _find_statistics(jaxpr: Jaxpr) -> dict[Atom, Statistic]:
    found: dict[Atom, Statistic] = {}
    for equation in jaxpr.eqns:
        if _is_first_moments(equation):
            batch, count = equation.invars
            mean, variance = equation.outvars
            found[mean] = Statistic(batch, count, "mean")
            found[variance] = Statistic(batch, count, "variance")
        elif _is_variance(equation):
            found[equation.outvars[0]] = Statistic(equation.invars[0], None, "variance")
        elif _is_sum(equation):
            found[equation.outvars[0]] = Statistic(equation.invars[0], None, "sum")
    with_sum = {each.batch for each in found.values() if each.kind != "variance"}
    with_variance = {each.batch for each in found.values() if each.kind == "variance"}
    both = with_sum & with_variance
    return {atom: each for atom, each in found.items() if each.batch in both}


def _with_bias(prepare: Prepare) -> Prepare:
    """Let `prepare` take the mean of an image without its bias, and the bias after the variance."""

    def biased(mean: jax.Array, variance: jax.Array, bias: jax.Array, *rest: jax.Array) -> Pair:
        scale, shift = prepare(mean + bias.ravel(), variance, *rest)
        return scale, shift + bias * scale

    return biased


def _image_and_channels(equation: JaxprEqn) -> tuple[Atom, Atom] | None:
    """Return the inputs if one is an image and the other has one number per channel."""
    for image, channels in (equation.invars, equation.invars[::-1]):
        if isinstance(image, Literal) or isinstance(channels, Literal) or not _is_image(image):
            continue
        shape = shape_of(channels)
        if shape.shape == (1, 1, 1, shape_of(image).shape[3]) and shape.dtype == jnp.float32:
            return image, channels
    return None


def _is_image(atom: Atom) -> bool:
    shape = shape_of(atom)
    is_batch = shape.ndim == 4 and shape.size > shape.shape[3] > 0
    return bool(is_batch and shape.dtype == jnp.float32)


def _is_first_moments(equation: JaxprEqn) -> bool:
    return (
        equation.primitive.name == "jit"
        and equation.params["name"] == FIRST_MOMENTS
        and shape_of(equation.invars[0]).dtype == jnp.float32
        and shape_of(equation.invars[0]).size > 0
    )


def _is_sum(equation: JaxprEqn) -> bool:
    return (
        equation.primitive.name == "reduce_sum"
        and tuple(equation.params["axes"]) == _ALL_BUT_CHANNELS
        and _is_image(equation.invars[0])
    )


def _is_variance(equation: JaxprEqn) -> bool:
    """Tell whether this is `jnp.var` over all axes but the last, biased."""
    if equation.primitive.name != "jit" or equation.params["name"] != "_var":
        return False
    image, *rest = equation.invars
    sums = [inner for inner in equation.params["jaxpr"].jaxpr.eqns if _is_sum(inner)]
    return (
        _is_image(image)
        and len(sums) == 2
        and [atom.val for atom in rest if isinstance(atom, Literal)] == [0]
        and shape_of(equation.outvars[0]).shape == (1, 1, 1, shape_of(image).shape[3])
    )
