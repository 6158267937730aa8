"""One window by hand: the numbers are those of the arrays, and their sum is what Keras gives."""

import numpy as np
import pytest

from clearcnn.explanation import Network, convolve_once, follow, pool_once


@pytest.mark.parametrize("name", ["plain", "strided", "dilated", "depthwise", "deep"])
def test_the_convolution_adds_up_to_the_largest_value_that_keras_gives(make_model, image, name):
    model = make_model(name)
    passage = follow(Network(model), image)
    step = convolve_once(model.layers, passage)
    layer = model.layers[step.position - 1]
    output = np.asarray(layer(passage.inputs[step.position - 1][np.newaxis]))[0]
    assert output[step.row, step.column, step.filter] == output.max()
    assert step.keras == output.max()
    assert step.result == pytest.approx(float(output.max()), rel=1e-5, abs=1e-5)

    received = passage.inputs[step.position - 1].astype(float)
    sums = []
    for channel in step.channels:
        window, kernel = np.array(channel.window), np.array(channel.kernel)
        for i, row in enumerate(step.rows):
            for j, column in enumerate(step.columns):
                inside = 0 <= row < received.shape[0] and 0 <= column < received.shape[1]
                wanted = received[row, column, channel.channel] if inside else 0.0
                assert window[i, j] == wanted
        np.testing.assert_array_equal(np.array(channel.products), window * kernel)
        assert channel.sum == pytest.approx((window * kernel).sum())
        sums.append(channel.sum)
    assert step.total == pytest.approx(sum(sums) + step.other_sum + step.bias)


def test_of_many_channels_the_four_strongest_are_shown_and_the_rest_is_added(make_model, image):
    model = make_model("deep")
    passage = follow(Network(model), image)
    step = convolve_once(model.layers, passage)
    assert (step.position, len(step.channels), step.other_channels) == (2, 4, 2)
    top, left = step.rows[0], step.columns[0]
    window = passage.inputs[1][top : top + 2, left : left + 2].astype(float)
    kernel = np.asarray(model.layers[1].kernel, dtype=float)[..., step.filter]
    sums = (window * kernel).sum(axis=(0, 1))
    strongest = sorted(sorted(range(6), key=lambda k: -abs(sums[k]))[:4])
    assert [each.channel for each in step.channels] == strongest
    np.testing.assert_allclose([each.sum for each in step.channels], sums[strongest])
    assert step.other_sum == pytest.approx(sums.sum() - sums[strongest].sum())


@pytest.mark.parametrize("name", ["plain", "strided", "dilated"])
def test_the_pooling_gives_the_largest_value_that_keras_gives(make_model, image, name):
    model = make_model(name)
    passage = follow(Network(model), image)
    step = pool_once(model.layers, passage)
    index = step.position - 1
    output = np.asarray(model.layers[index](passage.inputs[index][np.newaxis]))[0]
    assert output[step.row, step.column, step.map] == output.max() == step.keras
    assert step.result == pytest.approx(step.keras, rel=1e-6)
    received = passage.inputs[index][..., step.map].astype(float)
    for i, row in enumerate(step.rows):
        for j, column in enumerate(step.columns):
            inside = 0 <= row < received.shape[0] and 0 <= column < received.shape[1]
            assert np.array_equal(
                step.window[i][j], received[row, column] if inside else np.nan, equal_nan=True
            )


def test_a_model_without_windows_has_no_such_arithmetic(make_model, image):
    model = make_model("flat")
    passage = follow(Network(model), image)
    assert convolve_once(model.layers, passage) is None
    assert pool_once(model.layers, passage) is None
