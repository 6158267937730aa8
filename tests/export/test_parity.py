"""The gate before any file is kept: ONNX Runtime's probabilities beside Keras's."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearcnn.errors import ExportError
from clearcnn.export import build_onnx, check_parity, make_test_images, parity, run_onnx
from clearcnn.specs import LayerSpec

CLASSES = ("a", "b", "c")
LAYERS = (
    LayerSpec("Rescaling", {"scale": 1 / 255}),
    LayerSpec("Flatten"),
    LayerSpec("Dense", {"units": 3, "activation": "softmax"}),
)


def test_the_largest_difference_is_measured() -> None:
    expected = np.array([[0.25, 0.75], [0.5, 0.5]], np.float32)
    found = expected + np.array([[2e-6, 0], [0, -4e-6]])
    assert check_parity("It", found, expected) == pytest.approx(4e-6)
    assert check_parity("It", expected, expected) == 0


@pytest.mark.parametrize("fault", [1.2e-5, -1.2e-5, np.nan])
def test_the_gate_shuts_beyond_1e_5_and_at_no_number(fault: float) -> None:
    expected = np.full((3, 2), 0.5)
    found = expected.copy()
    found[2, 1] += fault
    with pytest.raises(ExportError, match=r"It gives other probabilities .* 3 images"):
        check_parity("It", found, expected)


def test_other_weights_do_not_pass(network_of: Any, contract_of: Any) -> None:
    network = network_of(*LAYERS)
    model = build_onnx(network, CLASSES, contract_of()).SerializeToString()
    images = make_test_images(contract_of())
    before = network.predict(images, verbose=0)
    check_parity("It", run_onnx(model, images)["probabilities"], before)
    network.layers[-1].kernel.assign_add(np.full((216, 3), [1e-3, 0, 0], np.float32))
    with pytest.raises(ExportError, match="other probabilities"):
        check_parity(
            "It", run_onnx(model, images)["probabilities"], network.predict(images, verbose=0)
        )


def test_a_file_and_its_bytes_run_alike_in_batches_of_any_size(
    network_of: Any, contract_of: Any, tmp_path: Path
) -> None:
    model = build_onnx(network_of(*LAYERS), CLASSES, contract_of()).SerializeToString()
    (tmp_path / "모델.onnx").write_bytes(model)
    images = make_test_images(contract_of())
    whole = run_onnx(model, images)["probabilities"]
    for batch_size in (1, 7, 100):
        found = run_onnx(tmp_path / "모델.onnx", images, batch_size)["probabilities"]
        np.testing.assert_allclose(found, whole, rtol=0, atol=1e-6)


@pytest.fixture
def one_core() -> Iterator[None]:
    """Let this process use one of its cores, as `taskset` or a container does."""
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system has no affinity")
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(usable)})
    yield
    os.sched_setaffinity(0, usable)


def test_there_are_no_more_threads_than_batches_and_usable_cores(
    network_of: Any, contract_of: Any, monkeypatch: pytest.MonkeyPatch, one_core: None
) -> None:
    started: list[int] = []

    class Counted(ThreadPoolExecutor):
        def __init__(self, workers: int) -> None:
            started.append(workers)
            super().__init__(workers)

    monkeypatch.setattr(parity, "ThreadPoolExecutor", Counted)
    model = build_onnx(network_of(*LAYERS), CLASSES, contract_of()).SerializeToString()
    images = make_test_images(contract_of())
    run_onnx(model, images, batch_size=8)
    monkeypatch.setattr(parity.joblib, "cpu_count", lambda: 64)
    run_onnx(model, images, batch_size=8)
    run_onnx(model, images, batch_size=len(images))
    assert started == [1, 4, 1]


def test_what_is_no_model_is_an_error_of_ours(tmp_path: Path, contract_of: Any) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ExportError, match="cannot be executed"):
        run_onnx(tmp_path / "model.onnx", make_test_images(contract_of()))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_probes_fill_the_range_that_the_contract_allows(dtype: str, contract_of: Any) -> None:
    low, high = 3.0, 16.0
    probes = make_test_images(contract_of(dtype, value_range=(low, high)))
    assert probes.shape == (32, 9, 8, 3)
    assert probes.dtype == dtype
    assert (probes.min(), probes.max()) == (low, high)
    assert (probes[-2] == low).all()
    assert (probes[-1] == high).all()
    assert len(np.unique(probes[15:30])) >= 14
    np.testing.assert_array_equal(
        probes, make_test_images(contract_of(dtype, value_range=(low, high)))
    )
