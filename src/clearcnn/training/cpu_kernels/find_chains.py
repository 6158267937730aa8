"""Find what `batch_norm` and `gelu` have forms for in a traced function."""

from collections.abc import Collection
from dataclasses import dataclass, field

import jax.numpy as jnp
from jax.extend.core import Jaxpr, JaxprEqn, Literal

from clearcnn.training.cpu_kernels.batch_norm import Activation
from clearcnn.training.cpu_kernels.equations import Atom, count_uses, is_relu, shape_of
from clearcnn.training.cpu_kernels.gelu import Gelu, find_gelus

_ALL_BUT_CHANNELS = (0, 1, 2)


@dataclass(frozen=True)
class ScaleShift:
    """Equations that are one `batch_norm.scale_shift`; without a shift, a product alone."""

    image: Atom
    scale: Atom
    shift: Atom | None
    activation: Activation


@dataclass
class Chains:
    """Variables of a jaxpr, by what computes them.

    Attributes:
      sums, variances: of the channels of an image → that image.
      scaled: the last output of a chain → the chain.
      gelus: the output of a GELU outside a chain → its input.
      inner: outputs within a chain or GELU, which nothing else reads.
    """

    sums: dict[Atom, Atom] = field(default_factory=dict)
    variances: dict[Atom, Atom] = field(default_factory=dict)
    scaled: dict[Atom, ScaleShift] = field(default_factory=dict)
    gelus: dict[Atom, Atom] = field(default_factory=dict)
    inner: set[Atom] = field(default_factory=set)


def find_chains(jaxpr: Jaxpr, postponable: Collection[Atom]) -> Chains:
    """Search a jaxpr.

    Args:
      jaxpr: a function of images (n, height, width, channels).
      postponable: outputs that are computed after a pooling, so not by a chain.
    """
    search = _Search(jaxpr, postponable)
    found = search.found
    for equation in jaxpr.eqns:
        output = equation.outvars[0]
        if _is_variance(equation):
            found.variances[output] = equation.invars[0]
        elif _is_sum(equation):
            found.sums[output] = equation.invars[0]
        elif equation.primitive.name == "mul" and (factors := _image_and_channels(equation)):
            search.follow(output, *factors)
    both = set(found.sums.values()) & set(found.variances.values())
    found.sums = {atom: image for atom, image in found.sums.items() if image in both}
    found.variances = {atom: image for atom, image in found.variances.items() if image in both}
    return found


class _Search:
    def __init__(self, jaxpr: Jaxpr, postponable: Collection[Atom]) -> None:
        self.found = Chains()
        gelus = find_gelus(jaxpr)
        for gelu in gelus:
            self.found.gelus[gelu.output] = gelu.x
            self.found.inner |= gelu.inner
        self._gelus = {gelu.x: gelu for gelu in gelus}
        self._uses = count_uses(jaxpr)
        self._postponable = postponable
        # Of several readers one; asked only where there is one, or a GELU.
        self._reader: dict[Atom, JaxprEqn] = {
            atom: equation
            for equation in jaxpr.eqns
            if equation.outvars[0] not in postponable
            for atom in equation.invars
            if not isinstance(atom, Literal)
        }

    def follow(self, product: Atom, image: Atom, scale: Atom) -> None:
        """Note the longest chain that begins with the product of an image and its scales."""
        shift: Atom | None = None
        activation: Activation = "linear"
        last = product
        reader = self._only_reader(product)
        terms = reader and reader.primitive.name == "add" and _image_and_channels(reader)
        if reader and terms and terms[0] == product:
            self.found.inner.add(product)
            shift, last = terms[1], reader.outvars[0]
            activation, last = self._follow_activation(last)
        self.found.scaled[last] = ScaleShift(image, scale, shift, activation)

    def _follow_activation(self, value: Atom) -> tuple[Activation, Atom]:
        gelu: Gelu | None = self._gelus.get(value)
        reader = self._only_reader(value)
        if reader and is_relu(reader):
            self.found.inner.add(value)
            return "relu", reader.outvars[0]
        if gelu and self._uses[value] == 2:  # Halved and negated.
            self.found.inner.add(value)
            del self.found.gelus[gelu.output]
            return "gelu", gelu.output
        return "linear", value

    def _only_reader(self, value: Atom) -> JaxprEqn | None:
        return self._reader.get(value) if self._uses[value] == 1 else None


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
