"""The compiled kernels equal XLA's own convolution and its gradients, over drawn shapes."""

import functools
import subprocess
import sys

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from tests.training.cpu_kernels.plain_convolution import convolution, normal, values_and_gradients

from clearcnn.kernel_library import describe_kernels, open_library
from clearcnn.training.cpu_kernels import direct, rewrite
from clearcnn.training.cpu_kernels.window_geometry import Geometry

if open_library() is None:
    pytest.skip(describe_kernels(), allow_module_level=True)

# Each example is compiled, so a failing one is not made smaller: that would take minutes.
SETTINGS = settings(
    max_examples=25, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
sides = st.integers(1, 12)
steps = st.integers(1, 3)
# Each width of vectors, one less and one more, and more vectors than a block holds.
widths = st.one_of(st.integers(1, 40), st.sampled_from([48, 63, 64, 65, 80, 96, 129]))


@pytest.fixture(autouse=True)
def kernels():
    """Leave the kernels on."""


def assert_same(function, image, kernel):
    wanted = values_and_gradients(function, image, kernel)
    got = jax.jit(functools.partial(values_and_gradients, rewrite(function)))(image, kernel)
    for mine, plain in zip(got, wanted, strict=True):
        scale = max(1.0, float(jnp.abs(plain).max()))
        np.testing.assert_allclose(mine, plain, rtol=0, atol=1e-5 * scale)


@SETTINGS
@given(
    samples=st.sampled_from([1, 2, 3, 7, 16, 33]),
    size=st.tuples(sides, sides),
    kernel=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    strides=st.tuples(steps, steps),
    dilation=st.tuples(steps, steps),
    padding=st.sampled_from(["VALID", "SAME", ((2, 0), (-1, 3)), ((-1, -1), (0, 9))]),
    channels=widths,
    filters=widths,
)
def test_any_convolution(samples, size, kernel, strides, dilation, padding, channels, filters):
    assume(isinstance(padding, str) or min(size) > 2)  # JAX crops no more than there is.
    convolve = convolution(1, strides, padding, dilation)
    image, weights = normal(samples, *size, channels), normal(*kernel, channels, filters, seed=1)
    assume(0 not in jax.eval_shape(convolve, image, weights).shape)
    assert_same(convolve, image, weights)


@pytest.mark.parametrize("target", direct.TARGETS[:3])
def test_the_kernels_are_really_called(target):
    image, weights = normal(2, 8, 8, 16), normal(3, 3, 16, 16, seed=1)
    program = jax.jit(functools.partial(values_and_gradients, rewrite(convolution())))
    assert target in program.lower(image, weights).as_text()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_spreads_as_in_xla(value):
    image, weights = normal(3, 9, 9, 5), normal(3, 3, 5, 17, seed=1)
    image = image.at[1, 4, 4, 2].set(value)
    plain = values_and_gradients(convolution(), image, weights)
    got = values_and_gradients(rewrite(convolution()), image, weights)
    for mine, wanted in zip(got, plain, strict=True):
        np.testing.assert_array_equal(np.isfinite(mine), np.isfinite(wanted))
    assert not np.isfinite(got[0]).all()


def test_a_kept_trace_is_run_by_a_process_that_traced_nothing(tmp_path):
    program = jax.jit(functools.partial(values_and_gradients, rewrite(convolution())))
    image, weights = normal(2, 8, 8, 3), normal(3, 3, 3, 4, seed=1)
    checks = [jax.export.DisabledSafetyCheck.custom_call(name) for name in direct.TARGETS]
    exported = jax.export.export(program, disabled_checks=checks)(image, weights)
    (tmp_path / "trace").write_bytes(exported.serialize())
    np.savez(tmp_path / "arrays.npz", image=image, weights=weights)
    other = """
import sys, numpy, jax
from clearcnn.training.cpu_kernels.direct import register
assert register()
arrays = numpy.load(sys.argv[1] + "/arrays.npz")
call = jax.export.deserialize(bytearray(open(sys.argv[1] + "/trace", "rb").read())).call
numpy.savez(sys.argv[1] + "/results.npz", *call(arrays["image"], arrays["weights"]))
"""
    subprocess.run([sys.executable, "-c", other, tmp_path], check=True)
    with np.load(tmp_path / "results.npz") as results:
        for mine, again in zip(program(image, weights), results.values(), strict=True):
            np.testing.assert_array_equal(again, mine)


def test_under_vmap():
    images, weights = normal(3, 2, 6, 6, 4), normal(3, 3, 3, 4, 5, seed=1)
    got = jax.vmap(functools.partial(values_and_gradients, rewrite(convolution())))(images, weights)
    plain = jax.vmap(functools.partial(values_and_gradients, convolution()))(images, weights)
    for mine, wanted in zip(got, plain, strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-5, atol=1e-5)


def test_the_same_bits_each_time_on_many_threads_at_once():
    image, weights = normal(64, 16, 16, 16), normal(3, 3, 16, 32, seed=1)
    program = jax.jit(functools.partial(values_and_gradients, rewrite(convolution())))
    first = program(image, weights)
    several = jax.jit(lambda *a: [program(a[0] + 0 * k, a[1]) for k in range(8)])
    for again in several(image, weights):
        for one, other in zip(first, again, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("groups", "dtype", "covered"),
    [
        (1, jnp.float32, True),
        (2, jnp.float32, True),
        (8, jnp.float32, False),
        (1, jnp.bfloat16, False),
    ],
)
def test_what_is_not_covered_is_left_to_the_forms(groups, dtype, covered):
    geometry = Geometry((3, 3), (1, 1), (1, 1), ((1, 1), (1, 1)), groups)
    image, weights = jnp.zeros((8, 32, 32, 16), dtype), jnp.zeros((3, 3, 16 // groups, 16), dtype)
    assert direct.suits(geometry, image, weights) is covered


def test_shapes_that_do_not_belong_together_are_refused():
    call = jax.ffi.ffi_call("clearcnn_convolve", jax.ShapeDtypeStruct((2 * 9 * 8, 4), jnp.float32))
    sizes = {
        "strides": np.array([1, 1]),
        "dilation": np.array([1, 1]),
        "padding": np.array([1, 1, 1, 1]),
    }
    with pytest.raises(jax.errors.JaxRuntimeError, match="do not belong together"):
        jax.block_until_ready(call(normal(2, 8, 8, 3), normal(3, 3, 3, 4), **sizes))
