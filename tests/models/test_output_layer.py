import pytest

from clearcnn.errors import LayerError
from clearcnn.models.output_layer import check_output
from clearcnn.models.shape_inference import summarize_model
from clearcnn.specs import LayerSpec, ModelSpec


def dense(units, activation="softmax"):
    return LayerSpec("Dense", {"units": units, "activation": activation})


@pytest.mark.parametrize(
    ("layers", "problem", "remedy"),
    [
        (
            [LayerSpec("Flatten"), dense(9)],
            "Layer 2 (Dense on 64 values) leaves the model with 9 values at its end, but there "
            "are 10 classes; one probability for each was expected.",
            "Set its units to 10.",
        ),
        (
            [
                LayerSpec("Flatten"),
                dense(1, "linear"),
                LayerSpec("BatchNormalization"),
                LayerSpec("Activation", {"activation": "softmax"}),
            ],
            "Layer 2 (Dense on 64 values) leaves the model with 1 value at its end, but there "
            "are 10 classes; one probability for each was expected.",
            "Set its units to 10.",
        ),
        (
            [dense(10)],
            "Layer 1 (Dense on 8×8×1) leaves the model with 8×8×10 at its end, but there are 10 "
            "classes; one probability for each was expected.",
            'End the model with Flatten, then Dense with units=10 and activation="softmax".',
        ),
        (
            [LayerSpec("Rescaling", {"scale": 2})],
            "Layer 1 (Rescaling on 8×8×1) leaves the model with 8×8×1 at its end, but there are "
            "10 classes; one probability for each was expected.",
            'End the model with Flatten, then Dense with units=10 and activation="softmax".',
        ),
        (
            [LayerSpec("Flatten")],
            "Layer 1 (Flatten on 8×8×1) leaves the model with 64 values at its end, but there are "
            "10 classes; one probability for each was expected.",
            'End the model with Dense with units=10 and activation="softmax".',
        ),
        (
            [LayerSpec("Flatten"), dense(10, None)],
            "Layer 2 (Dense on 64 values) ends the model with no activation; softmax was "
            "expected, which makes the 10 values probabilities.",
            'Give it activation="softmax".',
        ),
        (
            [LayerSpec("Flatten"), dense(10, "sigmoid")],
            'Layer 2 (Dense on 64 values) ends the model with activation="sigmoid"; softmax was '
            "expected, which makes the 10 values probabilities.",
            'Give it activation="softmax".',
        ),
        (
            [LayerSpec("Flatten"), dense(10), LayerSpec("Dropout", {"rate": 0.5})],
            "Layer 3 (Dropout on 10 values) ends the model with no activation; softmax was "
            "expected, which makes the 10 values probabilities.",
            'Put Activation with activation="softmax" last.',
        ),
    ],
)
def test_output_that_is_no_probability_per_class_is_refused(layers, problem, remedy):
    with pytest.raises(LayerError) as caught:
        check_output(ModelSpec("model", tuple(layers)), (8, 8, 1), 10)
    assert (caught.value.problem, caught.value.remedy) == (problem, remedy)


def test_output_of_probabilities_is_accepted(lesson):
    assert check_output(lesson, (8, 8, 1), 10) == summarize_model(lesson, (8, 8, 1))
