"""What every layer gives, against Keras's own sub-models; filters, against Keras's own weights."""

import numpy as np

from clearcnn.backend import load_keras
from clearcnn.explanation import Network, follow, read_filters


def test_every_layer_gives_what_a_keras_model_ending_there_gives(model, image):
    keras = load_keras()
    outputs = [layer.output for layer in model.layers]
    wanted = keras.Model(model.inputs[0], outputs).predict(image[np.newaxis], verbose=0)
    passage = follow(Network(model), image)
    assert len(passage.outputs) == len(model.layers)
    for found, expected in zip(passage.outputs, wanted, strict=True):
        np.testing.assert_allclose(found, expected[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(passage.inputs[0], image)
    for received, given in zip(passage.inputs[1:], passage.outputs, strict=False):
        np.testing.assert_array_equal(received, given)


def test_a_filter_is_that_of_keras(make_model):
    kernel = np.asarray(make_model("strided").layers[1].kernel)
    filters = read_filters(make_model("strided").layers[1])
    assert filters.shape == (7, 3, 2, 3)
    for number in range(7):
        np.testing.assert_array_equal(filters[number], kernel[:, :, :, number])


def test_the_filters_of_a_depthwise_convolution_stand_in_the_order_of_its_maps(make_model, image):
    layer = make_model("depthwise").layers[0]
    filters = read_filters(layer)
    assert filters.shape == (6, 3, 3, 1)
    output = np.asarray(layer(image[np.newaxis].astype("float32")))[0]
    for number in range(6):
        window = image[:3, :3, number // 2].astype(float)
        expected = (window * filters[number, ..., 0]).sum()
        np.testing.assert_allclose(output[0, 0, number], expected, rtol=1e-5)


def test_other_layers_have_no_filters(make_model):
    layers = make_model("plain").layers[1:]
    assert [read_filters(layer) for layer in layers] == [None] * len(layers)
