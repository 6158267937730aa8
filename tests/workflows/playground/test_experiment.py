"""The batch size of the playground's trainings."""

import pytest

from clearcnn.workflows.playground.experiment import choose_batch_size


@pytest.mark.parametrize(
    ("count", "wanted", "chosen"),
    [(1005, 50, 50), (1005, 64, 67), (1024, 64, 64), (40, 64, 40), (64, 64, 64), (7, 1, 1)],
)
def test_batches_are_whole_and_take_nearly_all_images(count, wanted, chosen):
    assert choose_batch_size(count, wanted) == chosen
    for size in range(wanted - wanted // 8, wanted + wanted // 8 + 1):
        assert count // chosen * chosen >= count // size * size or size > count
