"""Convolutions as JAX has them, which the kernels are compared with."""

import functools

import jax
import jax.numpy as jnp
import numpy as np


def normal(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def convolution(groups=1, strides=(1, 1), padding="SAME", dilation=(1, 1)):
    return functools.partial(
        jax.lax.conv_general_dilated,
        window_strides=strides,
        padding=padding,
        rhs_dilation=dilation,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )


def values_and_gradients(function, image, kernel):
    value, pull_back = jax.vjp(function, image, kernel)
    return value, *pull_back(normal(*value.shape, seed=2))
