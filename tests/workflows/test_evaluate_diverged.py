"""A training whose numbers stop being finite is told of, and spoils no other's."""

from typing import Any

import numpy as np
import pytest

import clearcnn
from clearcnn.data import LabelledImages
from clearcnn.errors import DivergenceError
from clearcnn.specs import ModelSpec

BARE: dict[str, Any] = {
    "folds": 3,
    "budget": 0.0,
    "baselines": False,
    "learning_curve": False,
}


@pytest.fixture
def images(noise: Any) -> LabelledImages:
    return noise()


def test_trainings_that_diverge_are_scored_and_told_of(
    images: LabelledImages, flat: ModelSpec, tmp_path: Any
) -> None:
    result = clearcnn.evaluate(
        images, model=flat, learning_rate=1e4, epochs=200, out=tmp_path / "e", **BARE
    )
    (note,) = [each for each in result.notes if "diverged" in each]
    assert note.startswith("3 of 3 trainings of flat diverged (NaN or infinity)")
    assert "The learning rate of AdamW was" in note
    assert result.headline.score.total == 60
    assert np.isfinite(result.evaluation.loss)
    assert "diverged" in (tmp_path / "e" / "report.html").read_text(encoding="utf-8")


def test_where_no_training_has_a_good_epoch_it_is_an_error(
    images: LabelledImages, flat: ModelSpec, tmp_path: Any
) -> None:
    with pytest.raises(DivergenceError, match="no epoch before it was good"):
        clearcnn.evaluate(
            images, model=flat, learning_rate=1e38, epochs=3, out=tmp_path / "e", **BARE
        )
    assert list(tmp_path.iterdir()) == []
