"""The kernel of augmentation equals the plain form, and SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from clearcnn.kernel_library import describe_kernels, open_library
from clearcnn.specs import AugmentationSpec
from clearcnn.training import augment_model, fit
from clearcnn.training.affine_warp import light, warp
from clearcnn.training.cpu_kernels import direct, rewrite, warping

import keras  # isort: skip

if open_library() is None:
    pytest.skip(describe_kernels(), allow_module_level=True)

SETTINGS = settings(
    max_examples=40, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
sides = st.integers(2, 17)


@pytest.fixture(autouse=True)
def kernels():
    """Leave the kernels on, and make them known to XLA."""
    assert direct.are_on()


def draw_case(seed, n, height, width, channels, dtype):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (n, height, width, channels)).astype(dtype)
    matrices = random.normal(0, random.choice([0.1, 1, 5]), (n, 6)).astype(np.float32)
    matrices[:, [0, 4]] += 1
    matrices[:, [2, 5]] *= 5
    lights = random.normal(size=(n, 2)).astype(np.float32)
    return images, matrices, lights


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(0, 40),
    height=sides,
    width=st.one_of(sides, st.sampled_from([63, 64, 65, 130])),
    channels=st.sampled_from([1, 2, 3, 4, 17]),
    dtype=st.sampled_from(["uint8", "float32"]),
    fill=st.sampled_from([None, 0.0, 77.5]),
    is_lit=st.booleans(),
)
@SETTINGS
def test_the_kernel_is_the_plain_form(seed, n, height, width, channels, dtype, fill, is_lit):
    images, matrices, lights = draw_case(seed, n, height, width, channels, dtype)
    given_fill = None if fill is None else jnp.float32(fill)
    arrays = (images, matrices, given_fill, lights if is_lit else None)
    wanted = np.asarray(warping.warp_plainly(*map(as_array, arrays)))
    found = np.asarray(warping.warp(*map(as_array, arrays)))
    # How far a position is rounded depends on how far from the corner it may lie.
    reach = np.abs(matrices).max(initial=1.0) * max(17, width)
    np.testing.assert_allclose(found, wanted, atol=1.2e-4 * reach, rtol=1e-5)


def as_array(array):
    return None if array is None else jnp.asarray(array)


@pytest.mark.parametrize("fill", [None, 20.0])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_the_kernel_is_scipys_affine_transform_of_uint8(fill, channels):
    images, matrices, lights = draw_case(3, 30, 9, 14, channels, "uint8")
    given_fill = None if fill is None else jnp.float32(fill)
    found = np.asarray(warping.warp(jnp.asarray(images), matrices, given_fill, lights))
    for image, (yy, yx, y0, xy, xx, x0), (contrast, shift), ours in zip(
        images, matrices, lights, found, strict=True
    ):
        warped = np.stack(
            [
                ndimage.affine_transform(
                    image[..., channel].astype(np.float64),
                    [[yy, yx], [xy, xx]],
                    offset=[y0, x0],
                    order=1,
                    mode="nearest" if fill is None else "grid-constant",
                    cval=fill or 0.0,
                )
                for channel in range(channels)
            ],
            axis=2,
        )
        theirs = (warped - warped.mean()) * contrast + warped.mean() + shift
        np.testing.assert_allclose(ours, theirs, atol=0.05)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38])
def test_no_matrix_reads_outside_an_image(value):
    images, matrices, _ = draw_case(0, 4, 6, 7, 3, "uint8")
    matrices[:] = value
    found = np.asarray(warping.warp(jnp.asarray(images), matrices, None, None))
    # NaN counts as the first row and column.
    assert np.all((found >= 0) & (found <= 255))


def test_the_gradient_is_that_of_the_plain_form():
    images, matrices, lights = draw_case(1, 5, 6, 7, 3, "float32")
    matrices[:, [0, 4]] = 0.9
    arrays = (jnp.asarray(images), jnp.asarray(matrices), jnp.float32(3), jnp.asarray(lights))

    def loss(function, *arrays):
        return jnp.sum(jnp.sin(function(*arrays) / 100))

    for number in (0, 1, 3):
        wanted, found = (
            jax.grad(lambda *a, f=f: loss(f, *a), argnums=number)(*arrays)
            for f in (warping.warp_plainly, warping.warp)
        )
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("fill", [None, 20.0])
@pytest.mark.parametrize("is_lit", [False, True])
def test_cast_warp_and_light_are_one_call_from_uint8(fill, is_lit):
    images, matrices, lights = draw_case(2, 6, 8, 8, 3, "uint8")

    def augment(images, matrices, lights):
        warped = warp(images.astype(jnp.float32), matrices, fill)
        return (light(warped, lights) if is_lit else warped) * 2

    rewritten = jax.make_jaxpr(rewrite(augment))(images, matrices, lights)
    text = str(rewritten)
    assert text.count("clearcnn_warp") == 1
    assert "clearcnn_light" not in text
    assert "convert_element_type" not in text
    np.testing.assert_allclose(
        jax.jit(rewrite(augment))(images, matrices, lights),
        augment(images, matrices, lights),
        atol=0.02,
    )


def test_a_picture_that_is_read_twice_is_still_computed():
    images, matrices, lights = draw_case(2, 6, 8, 8, 3, "uint8")

    def augment(images, matrices, lights):
        pixels = images.astype(jnp.float32)
        warped = warp(pixels, matrices)
        return light(warped, lights), warped, pixels

    found = jax.jit(rewrite(augment))(images, matrices, lights)
    for mine, plain in zip(found, augment(images, matrices, lights), strict=True):
        np.testing.assert_allclose(mine, plain, atol=0.02)


def test_a_training_is_the_same_with_and_without_the_kernel(monkeypatch):
    spec = AugmentationSpec(
        0.8, 0.2, 0.1, 0.1, horizontal_flip=True, contrast_fraction=0.3, brightness_shift=9.0
    )
    images, _, _ = draw_case(4, 90, 8, 9, 3, "uint8")
    results = []
    for is_on in (True, False):
        keras.utils.set_random_seed(0)
        base = keras.Sequential(
            [
                keras.Input((8, 9, 3)),
                keras.layers.Rescaling(1 / 255),
                keras.layers.Flatten(),
                keras.layers.Dense(3, activation="softmax", name=f"dense_{is_on}"),
            ]
        )
        augmented = augment_model(base, spec, seed=1)
        # SGD, since Adam divides gradients that are almost nothing by themselves.
        augmented.compile(keras.optimizers.SGD(0.05), "sparse_categorical_crossentropy")
        monkeypatch.setattr(direct, "are_on", lambda is_on=is_on: is_on)
        history = fit(
            augmented, images, np.arange(90) % 3, epochs=3, batch_size=32, seed=5, verbose=0
        )
        results.append((history.history["loss"], base.get_weights()))
    (losses, weights), (plain_losses, plain_weights) = results
    np.testing.assert_allclose(losses, plain_losses, rtol=1e-4)
    for mine, plain in zip(weights, plain_weights, strict=True):
        np.testing.assert_allclose(mine, plain, atol=1e-4)
