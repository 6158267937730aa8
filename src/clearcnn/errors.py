"""Every error that clearcnn raises on purpose.

ClearCNNError
├── DataError           a source cannot be read, or is inconsistent
├── SpecError           an option or a field of a spec is out of range
│   └── LayerError      one layer of a model is impossible; names its position and shape
├── TrainingError       an argument of `fit` is not supported
│   └── DivergenceError a training reached NaN or infinite values
├── CheckpointError     a checkpoint cannot be written, read, or resumed
├── BackendError        Keras runs on a backend other than JAX, or in a fork
├── BundleError         a run folder cannot be written or read
├── ExportError         a model cannot be exported, or the export gives other probabilities
├── PredictionError     a model cannot be executed, or not on these images
├── ServeError          the server cannot listen
├── StudioError         the studio's class folder cannot be opened or changed
├── CacheError          the cache folder cannot be cleared
└── MissingExtraError   an optional dependency is not installed
"""

from collections.abc import Mapping
from typing import Any

from clearcnn.language import join, say


class ClearCNNError(Exception):
    """The base class of every error that clearcnn raises on purpose.

    Args:
      problem: one or two sentences: what failed, with its values, and what was expected.
      remedy: one sentence: what to do next.
      code: identifies the problem for translation; "" if it is not translated.
      values: the values in the sentences, by name, as JSON values.
    """

    def __init__(
        self,
        problem: str,
        *,
        remedy: str,
        code: str = "",
        values: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy
        self.code = code
        self.values = dict(values or {})

    def __str__(self) -> str:
        return f"{self.problem} {self.remedy}"

    def __reduce__(self) -> tuple[object, ...]:
        more = {"code": self.code, "values": self.values}
        return (_rebuild, (type(self), self.problem, self.remedy, more))


class DataError(ClearCNNError, ValueError):
    """A source of images cannot be read, or is inconsistent."""


class SpecError(ClearCNNError, ValueError):
    """An option or a field of a spec is out of range."""


class LayerError(SpecError):
    """One layer of a model is impossible; the problem names its position and the shape there."""


class TrainingError(ClearCNNError, ValueError):
    """an argument of `fit` is not supported; raised before anything is trained."""


class DivergenceError(TrainingError, RuntimeError):
    """A training reached NaN or infinite values.

    The model has the weights of the epoch before, or of the best one if `EarlyStopping` restores
    them.

    Args:
      what: one sentence: what happened.
      remedy: as for every error.
      epoch: the first epoch, counted from 0, whose loss or weights are NaN or infinite.
      causes: probable causes with this training's figures, one sentence each, the most probable
        first.
    """

    def __init__(
        self, what: str, *, remedy: str, epoch: int = 0, causes: tuple[str, ...] = ()
    ) -> None:
        likely = say(" Likely causes: {causes}", causes=join(" ", causes)) if causes else ""
        super().__init__(what + likely, remedy=remedy)
        self.what = what
        self.epoch = epoch
        self.causes = causes

    def __reduce__(self) -> tuple[object, ...]:
        more = {"epoch": self.epoch, "causes": self.causes}
        return (_rebuild, (type(self), self.what, self.remedy, more))


class CheckpointError(ClearCNNError, OSError):
    """A checkpoint cannot be written or read, or belongs to another training."""


class BackendError(ClearCNNError, RuntimeError):
    """Keras runs on a backend other than JAX, or in a fork, where JAX cannot compute."""


class BundleError(ClearCNNError, OSError):
    """A run folder cannot be written or read."""


class ExportError(ClearCNNError, RuntimeError):
    """A model cannot be exported, or the export gives other probabilities."""


class PredictionError(ClearCNNError, RuntimeError):
    """A model cannot be executed, or not on these images."""


class ServeError(ClearCNNError, OSError):
    """The server cannot listen at its address."""


class StudioError(ClearCNNError, OSError):
    """The studio's class folder cannot be opened or changed, or a job cannot run."""


class CacheError(ClearCNNError, OSError):
    """The cache folder cannot be cleared."""


class MissingExtraError(ClearCNNError, ImportError):
    """An optional dependency is not installed; the remedy names the extra to install."""


def _rebuild(
    kind: type[ClearCNNError], problem: str, remedy: str, more: Mapping[str, Any]
) -> ClearCNNError:
    return kind(problem, remedy=remedy, **more)
