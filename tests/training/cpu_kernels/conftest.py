"""The forms that XLA compiles are tested whether or not there are compiled kernels."""

import pytest

from clearcnn.training.cpu_kernels import direct


@pytest.fixture(autouse=True)
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch the compiled kernels off; the tests of kernels have a fixture of this name, too."""
    monkeypatch.setattr(direct, "are_on", lambda: False)
