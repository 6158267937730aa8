"""Any content whatever: an answer that makes sense, or one error for people; nothing else."""

import pytest
from fuzz.mutations import broken
from fuzz.target import find_names, find_target
from hypothesis import HealthCheck, given, settings

pytestmark = pytest.mark.fuzz

# Each takes a second or two; what is read with Keras takes longer.
FEWER = {"keras_files": 25, "onnx_models": 60, "run_folders": 60, "run_metrics": 100}


@pytest.mark.parametrize("name", find_names())
def test_whatever_a_reader_is_given_it_reads_or_refuses(name: str) -> None:
    target = find_target(name)
    seeds = target.seeds()
    # Without contents that are read, refusing everything would pass.
    assert any(target.attack(seed) for seed in seeds)

    @settings(
        max_examples=FEWER.get(name, 200),
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(broken(seeds))
    def attack(content: bytes) -> None:
        target.attack(content)

    attack()
