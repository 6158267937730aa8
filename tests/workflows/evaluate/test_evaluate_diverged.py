"""Diverged trainings are reported, and do not affect the others."""

from typing import Any

import numpy as np
import pytest

import clearcnn
from clearcnn.data import LabelledImages
from clearcnn.errors import DivergenceError
from clearcnn.specs import ModelSpec

BARE: dict[str, Any] = {
    "folds": 3,
    "baselines": False,
    "learning_curve": False,
}


@pytest.fixture
def images(noise: Any) -> LabelledImages:
    return noise()


def test_diverged_trainings_are_scored_and_reported(
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


def test_if_every_training_diverges_at_once_it_raises(
    images: LabelledImages, flat: ModelSpec, tmp_path: Any
) -> None:
    with pytest.raises(DivergenceError, match="no epoch was finished"):
        clearcnn.evaluate(
            images, model=flat, learning_rate=1e38, epochs=3, out=tmp_path / "e", **BARE
        )
    assert list(tmp_path.iterdir()) == []
