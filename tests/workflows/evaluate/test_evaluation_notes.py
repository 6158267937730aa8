"""The line about the images that comes before an evaluation's trainings."""

import numpy as np
import pytest

import clearcnn
from clearcnn.language import load_language
from clearcnn.workflows.evaluate.evaluation_notes import describe_images


@pytest.mark.parametrize(
    ("counts", "copies", "english", "korean"),
    [
        ((5, 5), 0, "5 each; no exact duplicates", "각 5장"),
        ((5, 7), 1, "5 to 7 each; 1 exact duplicate", "각 5~7장"),
        ((1200, 1200), 2, "1,200 each; 2 exact duplicates", "각 1,200장"),
    ],
)
def test_classes_of_one_size_and_a_single_duplicate_are_told(counts, copies, english, korean):
    labels = np.repeat(np.arange(len(counts)), counts)
    pixels = np.random.default_rng(0).integers(0, 256, (len(labels), 4, 4), np.uint8)
    pixels[1 : 1 + copies] = pixels[0]
    sentence = describe_images(clearcnn.load((pixels, labels)))
    assert sentence == f"{len(labels):,} images of {len(counts)} classes, {english}"
    assert korean in load_language("ko").translate(sentence)
