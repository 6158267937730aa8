"""The accuracy of one model on the digits, over random splits or with blocks left out.

The recipes do not see the test set: their validation images are a fifth of the training set.
The baselines train on all of it.
"""

import argparse
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import protocol

from clearcnn import data
from clearcnn.data import LabelledImages
from clearcnn.specs import DataSpec, SplitSpec


def main() -> None:
    """Score every split, and report correct and scored images of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=_MODELS, required=True)
    parser.add_argument("--protocol", choices=_PROTOCOLS, required=True)
    parser.add_argument("--most", type=int, help="number of splits, from the first")
    parser.add_argument("--epochs", type=int, help="replaces the recipe's")
    arguments = parser.parse_args()
    right, total = [], []
    for number, images in enumerate(_PROTOCOLS[arguments.protocol](data.load("digits"))):
        if number == arguments.most:
            break
        parts = data.split(images, SplitSpec("stratified", seed=number))
        predicted = _MODELS[arguments.model](images, parts, number, arguments.epochs)
        right.append(int(np.sum(predicted == images.labels[parts.test])))
        total.append(len(parts.test))
    protocol.report(right=right, total=total)


def split_at_random(images: LabelledImages) -> Iterator[LabelledImages]:
    """Twenty splits of the images: 30 % of each class are the test set, chosen by the seed."""
    for _ in range(20):
        yield images


def leave_blocks_out(images: LabelledImages) -> Iterator[LabelledImages]:
    """Each of the 14 blocks of writing as the test set, once."""
    assert images.groups is not None
    for block in dict.fromkeys(images.groups.tolist()):
        parts = np.where(images.groups == block, "test", "train")
        yield dataclasses.replace(images, split_names=parts)


def predict_by_recipe(name: str) -> Callable[..., Any]:
    """Return a function that trains a recipe on the training set and predicts the test set."""

    def predict(images: LabelledImages, parts: Any, seed: int, epochs: int | None) -> Any:
        from clearcnn.workflows.fitting.fit_plan import fit_plan, score_plan
        from clearcnn.workflows.fitting.listeners import TrainListener
        from clearcnn.workflows.fitting.phase_timer import PhaseTimer
        from clearcnn.workflows.fitting.plan import plan_training

        plan = plan_training(
            images,
            parts,
            recipe=name,
            seed=seed,
            data_spec=DataSpec("digits"),
            split_spec=SplitSpec("stratified", seed=seed),
            settings={"epochs": epochs} if epochs else None,
        )
        outcome = fit_plan(plan, TrainListener(), PhaseTimer())
        if outcome.divergence is not None:
            raise outcome.divergence
        probabilities, _ = score_plan(plan, outcome.network)
        return probabilities.argmax(axis=1)

    return predict


def predict_by(make: Callable[[], Any]) -> Callable[..., Any]:
    """Return a function that does the same with a scikit-learn classifier on the raw pixels."""

    def predict(images: LabelledImages, parts: Any, *_: Any) -> Any:
        flat = images.images.reshape(len(images), -1).astype(np.float64)
        rest = np.concatenate([parts.train, parts.validation])
        return make().fit(flat[rest], images.labels[rest]).predict(flat[parts.test])

    return predict


def _make_svc() -> Any:
    from sklearn.svm import SVC

    return SVC(C=10, gamma=1e-3)


def _make_nearest_neighbour() -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(n_neighbors=1)


_MODELS = {
    "default": predict_by_recipe("default"),
    "tutorial": predict_by_recipe("tutorial"),
    "svc": predict_by(_make_svc),
    "nearest-neighbour": predict_by(_make_nearest_neighbour),
}
_PROTOCOLS = {"splits": split_at_random, "blocks": leave_blocks_out}

if __name__ == "__main__":
    main()
