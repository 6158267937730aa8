"""Replace primitives of a traced function before it is differentiated.

JAX documents this way of writing an interpreter ("Writing custom Jaxpr interpreters in JAX"):
trace to a jaxpr, then evaluate it equation by equation.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import jax
from jax.extend import core

from clearcnn.training.cpu_kernels import direct, warping
from clearcnn.training.cpu_kernels.convolution import convolution_form, pooled_convolution_form
from clearcnn.training.cpu_kernels.cropping import Extents, crop, find_extents
from clearcnn.training.cpu_kernels.evaluate_chains import ChainEvaluator
from clearcnn.training.cpu_kernels.find_chains import Chains, find_chains
from clearcnn.training.cpu_kernels.one_pass import OnePass, evaluate_one_pass, find_one_pass
from clearcnn.training.cpu_kernels.pool_before_relu import (
    Postponed,
    find_pooled,
    find_postponable,
    operation_of,
)
from clearcnn.training.cpu_kernels.pooling import max_pooling_form, sum_pooling_form
from clearcnn.training.cpu_kernels.threefry import random_bits_form

P = ParamSpec("P")
R = TypeVar("R")

# A form takes the equation's parameters and its inputs' abstract values; it gives a function
# with the same meaning, or None where it does not cover the case.
Form = Callable[[dict[str, Any], list[Any]], Callable[..., Any] | None]

FORMS: dict[str, Form] = {
    "conv_general_dilated": convolution_form,
    "reduce_window_max": max_pooling_form,
    "reduce_window_sum": sum_pooling_form,
    "random_bits": random_bits_form,
}


def rewrite(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give `function` the CPU forms of the operations in it.

    Args:
      function: a pure function of pytrees of arrays, traceable by JAX.
    Returns:
      A function with the same signature, results and derivatives, to float tolerance. Calls to
      jitted functions are looked into; loops, branches and functions with derivative rules of
      their own are left as they are.
    """

    def rewritten(*args: Any) -> Any:
        closed, shapes = jax.make_jaxpr(function, return_shape=True)(*args)
        outputs = _evaluate(closed.jaxpr, closed.consts, jax.tree.leaves(args))
        return jax.tree.unflatten(jax.tree.structure(shapes), outputs)

    return rewritten


def rewrite_on_cpu(function: Callable[P, R]) -> Callable[P, R]:
    """Apply `rewrite` if JAX computes on the CPU; on other devices, return `function`."""
    return rewrite(function) if jax.default_backend() == "cpu" else function


def _evaluate(jaxpr: Any, consts: list[Any], args: list[Any]) -> list[Any]:
    values: dict[Any, Any] = {}

    def read(atom: Any) -> Any:
        return atom.val if isinstance(atom, core.Literal) else values[atom]

    values.update(zip(jaxpr.constvars, consts, strict=True))
    values.update(zip(jaxpr.invars, args, strict=True))
    chains = find_chains(jaxpr) if direct.are_on() else Chains()
    postponable = {
        output: position
        for output, position in find_postponable(jaxpr).items()
        if output not in chains.inner and output not in chains.normalized
    }
    pooled = find_pooled(jaxpr, postponable)
    one_pass = find_one_pass(jaxpr, postponable) if direct.are_on() else OnePass()
    extents = find_extents(jaxpr, postponable)
    warps = warping.find_warps(jaxpr) if direct.are_on() else warping.Warps()
    evaluator = ChainEvaluator(chains, values)
    for equation in jaxpr.eqns:
        output = equation.outvars[0]
        if output in chains.inner or output in warps.inner or output in one_pass.inner:
            continue
        if (chain := one_pass.ends.get(output)) is not None:
            values[output] = evaluate_one_pass(chain, read, extents)
            continue
        if (warp := warps.ends.get(output)) is not None:
            values[output] = warping.evaluate(warp, read)
            continue
        if chained := evaluator.evaluate(equation):
            values.update(zip(equation.outvars, chained, strict=True))
            continue
        inputs = [read(atom) for atom in equation.invars]
        if (position := postponable.get(equation.outvars[0])) is not None:
            waiting = inputs[position]
            if not isinstance(waiting, Postponed):
                waiting = Postponed(waiting)
            outputs = [waiting.then(operation_of(equation, position, inputs))]
        elif (pooling := pooled.get(equation.outvars[0])) is not None:
            outputs = _pool_ahead(equation, inputs, pooling, extents) or _apply(
                equation, inputs, jaxpr, extents
            )
        else:
            outputs = _apply(equation, inputs, jaxpr, extents)
        values.update(zip(equation.outvars, outputs, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _pool_ahead(
    equation: Any, inputs: list[Any], pooling: Any, extents: Extents
) -> list[Any] | None:
    """Convolve and pool at once, before bias and ReLU; None where no form does."""
    image, kernel = inputs
    params, image = crop(equation, image, extents)
    avals = [jax.typeof(image), equation.invars[1].aval]
    form = pooled_convolution_form(params, avals, pooling)
    return None if form is None else [Postponed(form(image, kernel), is_pooled=True)]


def _apply(equation: Any, inputs: list[Any], jaxpr: Any, extents: Extents) -> list[Any]:
    primitive = equation.primitive
    if primitive.name in FORMS:
        avals = [atom.aval for atom in equation.invars]
        first, *others = inputs
        waiting = first if isinstance(first, Postponed) else Postponed(first)
        if waiting.is_pooled:
            return [waiting.finish(waiting.value)]
        params, value = crop(equation, waiting.value, extents)
        form = FORMS[primitive.name](params, avals)
        if form is not None:
            return [waiting.finish(form(value, *others))]
    elif primitive.name == "jit" and _holds_a_form(equation.params["jaxpr"].jaxpr):
        inner = equation.params["jaxpr"]
        return _evaluate(inner.jaxpr, inner.consts, inputs)
    return _evaluate_plain(equation, inputs, jaxpr)


def _evaluate_plain(equation: Any, inputs: list[Any], jaxpr: Any) -> list[Any]:
    """Leave the equation to JAX, as a program of one equation."""
    values = {
        atom: value
        for atom, value in zip(equation.invars, inputs, strict=True)
        if not isinstance(atom, core.Literal)
    }
    alone = jaxpr.replace(
        constvars=[],
        invars=list(values),
        outvars=equation.outvars,
        eqns=[equation],
        effects=equation.effects,
    )
    return list(core.jaxpr_as_fun(core.ClosedJaxpr(alone, ()))(*values.values()))


def _holds_a_form(jaxpr: Any) -> bool:
    return any(
        equation.primitive.name in FORMS
        or (equation.primitive.name == "jit" and _holds_a_form(equation.params["jaxpr"].jaxpr))
        for equation in jaxpr.eqns
    )
