import jax
import jax.numpy as jnp
import numpy as np
import pytest

from clearcnn.training import xla_options


def _lowered():
    return jax.jit(lambda a, b: a @ b).lower(jnp.ones((1800, 9)), jnp.ones((9, 10)))


def test_the_product_is_numpys():
    a, b = np.random.default_rng(0).random((2, 50, 50), dtype=np.float32)
    compiled = xla_options.compile_lowered(jax.jit(lambda a, b: a @ b).lower(a, b))
    np.testing.assert_allclose(compiled(a, b), a @ b, rtol=1e-5)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="the option is of XLA on a CPU")
def test_products_are_left_to_eigen():
    assert "ynn" in _lowered().compile().as_text()
    assert "ynn" not in xla_options.compile_lowered(_lowered()).as_text()


@pytest.mark.parametrize(
    "option", [{"xla_cpu_no_such_option": "1"}, {"xla_cpu_experimental_ynn_fusion_type": "NONE"}]
)
def test_an_option_that_xla_no_longer_knows_is_done_without(option, monkeypatch):
    monkeypatch.setattr(xla_options, "_CPU_OPTIONS", option)
    assert (
        xla_options.compile_lowered(_lowered())(jnp.ones((1800, 9)), jnp.ones((9, 10)))[0, 0] == 9
    )
