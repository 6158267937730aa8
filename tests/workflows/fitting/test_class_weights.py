"""Images weigh as their classes' sizes say."""

import numpy as np
import pytest

from clearcnn.data import LabelledImages, Split
from clearcnn.specs import DataSpec, LayerSpec, ModelSpec, SplitSpec, TrainSpec
from clearcnn.workflows.fitting.plan import plan_training
from clearcnn.workflows.fitting.trainer import Samples, Trainer

MODEL = ModelSpec(
    "linear", (LayerSpec("Flatten"), LayerSpec("Dense", {"units": 2, "activation": "softmax"}))
)
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(100, 3, 3, 1)).astype(np.float32)
LABELS = np.repeat([0, 1], [80, 20])


def train(power: float, weights: np.ndarray | None = None) -> list[np.ndarray]:
    spec = TrainSpec(epochs=3, batch_size=20, learning_rate=0.1, class_weight_power=power, seed=1)
    trainer = Trainer(MODEL, spec, (3, 3, 1), 2, 100)
    trainer.fit(Samples(IMAGES, LABELS, weights))
    return [np.array(each) for each in trainer.network.get_weights()]


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_the_power_gives_the_same_training_as_the_weights_by_hand(power: float) -> None:
    by_hand = np.where(LABELS == 0, 80.0, 20.0) ** -power
    by_hand = (by_hand / by_hand.mean()).astype(np.float32)
    for mine, other in zip(train(power), train(0.0, by_hand), strict=True):
        np.testing.assert_array_equal(mine, other)
    for mine, other in zip(train(power), train(0.0), strict=True):
        assert not np.allclose(mine, other)


def test_weights_of_images_and_classes_are_multiplied() -> None:
    weights = RANDOM.random(100).astype(np.float32)
    of_class = np.where(LABELS == 0, 80.0, 20.0) ** -1.0
    of_class = (of_class / of_class.mean()).astype(np.float32)
    for mine, other in zip(train(1.0, weights), train(0.0, weights * of_class), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5)


@pytest.mark.parametrize(("small", "power"), [(5, 0.5), (60, 0.0)])
def test_a_plan_that_weighs_classes_keeps_the_last_weights(small: int, power: float) -> None:
    count = 100 + small
    pixels = RANDOM.integers(0, 255, (count, 8, 8, 1)).astype(np.uint8)
    rows = tuple(f"row {row}" for row in range(count))
    labels = np.repeat([0, 1], [100, small])
    images = LabelledImages(pixels, labels, ("common", "rare"), "noise", (0, 255), rows)
    plan = plan_training(
        images,
        Split(np.arange(count), np.arange(0), np.arange(0)),
        recipe="default",
        seed=0,
        data_spec=DataSpec("noise"),
        split_spec=SplitSpec(),
    )
    assert plan.train_spec.class_weight_power == power
    # Early stopping looks at a validation loss in which the small class hardly counts.
    assert (plan.train_spec.patience is None) == bool(power)
