"""A short trial training that decides whether images are mirrored left to right.

A small network is trained on unchanged images. If it recognises the mirrored validation images as
well as the images themselves, left and right carry no meaning, and training on both doubles the
data. Where they do, as in digits or traffic signs, the mirrored images are no longer recognised.
"""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearcnn.models import PixelStatistics
from clearcnn.results.train import FlipTrial
from clearcnn.specs import LayerSpec, ModelSpec, TrainSpec
from clearcnn.workflows.fitting.plan import TrainPlan, measure_pixels
from clearcnn.workflows.fitting.trainer import Samples, Trainer, predict_probabilities

if TYPE_CHECKING:
    import keras

_FEWEST_VALIDATION_IMAGES = 100
_MOST_IMAGES = 4_000
_VIEWS = 24_000
_BATCH_SIZE = 125
_SIDE = 12

# Losing more than this share of the validation images is harm. Less is what chance gives a
# network that was trained so briefly.
_MOST_LOST = 0.02
# Of one class, the loss must be beyond chance: the probability of a sign test, shared among all
# classes, and more than a tenth of its images.
_CHANCE = 0.01
_MOST_LOST_OF_CLASS = 0.1


def try_flips(plan: TrainPlan) -> tuple[TrainPlan, FlipTrial | None]:
    """Decide whether the training images are mirrored at random.

    Args:
      plan: the trial sees its training and validation set only.
    Returns:
      The plan, with `horizontal_flip` if flips are harmless, and the trial; None if none was made,
      because the plan asks for none or has fewer than 100 validation images.
    """
    spec, validation = plan.train_spec, plan.splits.validation
    if spec.augmentation is None or spec.augmentation.horizontal_flip is not None:
        return plan, None
    if len(validation) < _FEWEST_VALIDATION_IMAGES:
        return _set_flip(plan, False), None
    random = np.random.default_rng(spec.seed)
    rows = random.permutation(plan.splits.train)[:_MOST_IMAGES]
    network = _train(plan, rows)
    images, labels = plan.images.images[validation], plan.images.labels[validation]
    right = predict_probabilities(network, images).argmax(axis=1) == labels
    mirrored = predict_probabilities(network, images[:, :, ::-1]).argmax(axis=1) == labels
    trial = judge_flips(right, mirrored, labels, plan.images.class_names)
    return _set_flip(plan, trial.is_harmless), trial


def _set_flip(plan: TrainPlan, flips: bool) -> TrainPlan:
    spec = plan.train_spec
    assert spec.augmentation is not None
    augmentation = dataclasses.replace(spec.augmentation, horizontal_flip=flips)
    return dataclasses.replace(
        plan, train_spec=dataclasses.replace(spec, augmentation=augmentation)
    )


def judge_flips(
    right: NDArray[np.bool_],
    mirrored: NDArray[np.bool_],
    labels: NDArray[np.integer],
    class_names: tuple[str, ...],
) -> FlipTrial:
    """Compare the predictions for images and mirrored images.

    Args:
      right: (n,), whether each image was recognised.
      mirrored: (n,), whether it was recognised when mirrored.
      labels: (n,) class indices.
      class_names: the classes.
    """
    from scipy.stats import binomtest

    harmed = []
    for index, name in enumerate(class_names):
        mine = labels == index
        lost, won = int((right & ~mirrored)[mine].sum()), int((~right & mirrored)[mine].sum())
        if lost - won <= _MOST_LOST_OF_CLASS * mine.sum():
            continue
        chance = binomtest(lost, lost + won, alternative="greater").pvalue
        if chance < _CHANCE / len(class_names):
            harmed.append(name)
    correct, correct_mirrored = int(right.sum()), int(mirrored.sum())
    is_harmless = not harmed and correct - correct_mirrored <= _MOST_LOST * len(labels)
    return FlipTrial(correct, correct_mirrored, len(labels), tuple(harmed), is_harmless)


def _train(plan: TrainPlan, rows: NDArray[np.intp]) -> "keras.Model":
    from clearcnn import training

    images = plan.images.images
    shape, num_classes = images.shape[1:], len(plan.images.class_names)
    spec = TrainSpec(
        epochs=max(2, round(_VIEWS / len(rows))),
        batch_size=min(_BATCH_SIZE, len(rows)),
        learning_rate=1e-2,
        optimizer="adamw",
        schedule="one_cycle",
        whitening=True,
        seed=plan.train_spec.seed,
    )
    model = _make_model(shape, num_classes, measure_pixels(images[rows]))
    trainer = Trainer(model, spec, shape, num_classes, len(rows))
    # On 2 cores, 2 to 2.4 seconds to compile instead of 2.9 to 3.7 for 64×64 pixels, and steps that
    # are no slower.
    with training.compile_sooner(1):
        trainer.fit(Samples.of(plan.images, rows))
    return trainer.network


def _make_model(
    shape: tuple[int, int, int], num_classes: int, pixels: PixelStatistics
) -> ModelSpec:
    """Three convolutions, the first of them strided, so that few positions are left."""
    deviation = pixels.standard_deviation or 1.0
    strides = tuple(max(1, side // _SIDE) for side in shape[:2])
    convolution = {"kernel_size": 3, "padding": "same", "use_bias": False}
    layers = [
        LayerSpec("Rescaling", {"scale": 1 / deviation, "offset": -pixels.mean / deviation}),
        LayerSpec(
            "Conv2D",
            {"filters": 24, "kernel_size": strides, "strides": strides, "activation": "relu"},
        ),
    ]
    for filters in (32, 64):
        layers += [
            LayerSpec("Conv2D", {"filters": filters, **convolution}),
            LayerSpec("BatchNormalization", {"momentum": 0.9}),
            LayerSpec("Activation", {"activation": "relu"}),
        ]
    layers += [
        LayerSpec("MaxPooling2D", {"pool_size": 2}),
        LayerSpec("Flatten"),
        LayerSpec("Dense", {"units": num_classes, "activation": "softmax"}),
    ]
    return ModelSpec("flip_trial", tuple(layers))
