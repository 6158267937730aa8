"""The networks that people bring: built in Keras, counted, and told on the page."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks.contest import Run
from benchmarks.networks import NETWORKS, Network
from benchmarks.page import make_page
from benchmarks.products import MATRIX_PRODUCT
from benchmarks.record import Record

from benchmarks import questions, workloads

MACHINE = {
    "processor": "Abacus 9",
    "instructions": "AVX2",
    "cores": 2,
    "memory_bytes": 8 * 2**30,
    "system": "Linux x86_64",
    "python": "3.11.7",
}
CONTENDERS = Path(questions.__file__).parents[1] / "contenders"


def test_the_six_convolutions_are_counted_as_by_hand() -> None:
    (network,) = [n for n in NETWORKS if str(n) == "six convolutions, ReLU, 32×32×3"]
    first = 32 * 32 * 9 * 3 * 16
    others = 32 * 32 * 9 * 16 * 16
    others += 16 * 16 * 9 * (16 * 32 + 32 * 32)
    others += 8 * 8 * 9 * (32 * 64 + 64 * 64)
    others += 4 * 4 * 64 * 10
    # One multiply-add is two operations; the first layer has no gradient of the images.
    assert network.operations == 2 * (2 * first + 3 * others)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_keras_builds_the_layers(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workloads, "FOLDER", tmp_path)
    workload = workloads.network(network, quick=True)
    program = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); import protocol, keras_models;"
        "model = keras_models.build(protocol.read_workload(sys.argv[2]));"
        "macs = [layer.output.shape[1] * layer.output.shape[2] * layer.kernel.value.size"
        " if len(layer.output.shape) == 4 else layer.kernel.value.size"
        " for layer in model.layers if hasattr(layer, 'kernel')];"
        "print(json.dumps([model.input_shape[1:], model.output_shape[1:], macs]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(CONTENDERS), workload.to_json()],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shape, outputs, multiply_adds = json.loads(done.stdout.splitlines()[-1])
    assert tuple(shape) == network.shape
    assert outputs == [10]
    assert network.operations == 2 * (3 * sum(multiply_adds) - multiply_adds[0])


def make_record(ours: float, peers: float, parameters: int = 7) -> Record:
    module: Any = questions.load("networks")
    runs = [Run(f"{MATRIX_PRODUCT}jax", 0, {"operations_per_second": 2e11})]
    for network in NETWORKS:
        for name, rate, size in ((module.OURS, ours, 7), (module.PYTORCH, peers, parameters)):
            result = {"samples_per_second": rate, "samples": 9, "epochs": 2, "parameters": size}
            runs.append(Run(module.label(name, network), 0, result))
    return Record("networks", "cpu", "2026-01-01", MACHINE, 0.0, tuple(runs))


def test_every_network_has_its_rate_ratio_and_share() -> None:
    module: Any = questions.load("networks")
    text = module.answer(module.QUESTION, make_record(2000.0, 1000.0), Path("unused"))
    for network in NETWORKS:
        (row,) = [line for line in text.splitlines() if line.startswith(f"| {network} |")]
        share = 2000 * network.operations / 2e11
        assert f"| 2,000 | 1,000 | 2.00× (2.00–2.00) | {share:.0%} | {share / 2:.0%} |" in row
    assert "200 GFLOP/s" in text
    assert "not equal" not in text


def test_another_model_is_reported() -> None:
    module: Any = questions.load("networks")
    text = module.answer(module.QUESTION, make_record(2.0, 1.0, parameters=8), Path("unused"))
    assert "**The work was not equal**: six convolutions, ReLU, 32×32×3;" in text


def test_the_page_judges_every_network_and_says_what_is_new() -> None:
    page = make_page([make_record(1400.0, 1000.0)], MACHINE, Path("unused"))
    for network in NETWORKS:
        against = f"| a PyTorch loop, {network} | 1.40× (1.40–1.40) | 1.3× | 2× | yes |"
        assert f"(new) {against}" in page
    assert "**New on this page: every row.**" in page
