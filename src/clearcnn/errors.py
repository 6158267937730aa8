"""Every error clearcnn raises on purpose.

ClearCNNError
├── DataError           a source cannot be read, or contradicts itself
├── SpecError           an option or a field of a spec is out of its range
│   └── LayerError      one layer of a model is impossible, named with its position and shape
├── TrainingError       `fit` was asked for something it cannot honour
│   └── DivergenceError a training ended in numbers that are not finite
├── CheckpointError     a checkpoint cannot be written, read, or gone on from
├── BackendError        Keras runs on another backend than JAX, or in a fork
├── BundleError         a run folder cannot be written or read
├── ExportError         a model cannot be written in another form, or says other things in it
├── PredictionError     a model cannot be executed, or not on these images
├── ServeError          the server cannot listen
├── CacheError          the cache folder cannot be cleared
└── MissingExtraError   an optional dependency is not installed
"""

from collections.abc import Mapping
from typing import Any


class ClearCNNError(Exception):
    """The root: catch it to catch everything clearcnn raises on purpose.

    Args:
      problem: one or two sentences: what failed, with its values, and what was expected.
      remedy: one sentence: what to do next.
      code: names the problem for whoever tells it in another language; "" where nobody does.
      values: what stands in the sentences, by name, as JSON values.
    """

    def __init__(
        self, problem: str, *, remedy: str, code: str = "", values: Mapping[str, Any] | None = None
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
    """A source of images cannot be read, or contradicts itself."""


class SpecError(ClearCNNError, ValueError):
    """An option or a field of a spec is out of its range."""


class LayerError(SpecError):
    """One layer of a model is impossible; the problem names its position and the shape there."""


class TrainingError(ClearCNNError, ValueError):
    """`fit` was asked for something it cannot honour; raised before anything is trained."""


class DivergenceError(TrainingError, RuntimeError):
    """A training ended in numbers that are not finite.

    The model has the weights of the epoch before, or of the best one where `EarlyStopping` puts
    them back.

    Args:
      what: what happened, in a sentence.
      remedy: as for every error.
      epoch: the epoch, counted from 0, whose loss or weights are not finite.
      causes: the likely ones with this training's figures, one sentence each, the likeliest first.
    """

    def __init__(
        self, what: str, *, remedy: str, epoch: int = 0, causes: tuple[str, ...] = ()
    ) -> None:
        likely = f" Likely causes: {' '.join(causes)}" if causes else ""
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
    """Keras runs on another backend than JAX, or in a fork, where JAX cannot compute."""


class BundleError(ClearCNNError, OSError):
    """A run folder cannot be written, or what is there is not a whole run folder."""


class ExportError(ClearCNNError, RuntimeError):
    """A model cannot be written in another form, or gives other probabilities in it."""


class PredictionError(ClearCNNError, RuntimeError):
    """A model cannot be executed, or not on these images."""


class ServeError(ClearCNNError, OSError):
    """The server cannot listen at its address."""


class CacheError(ClearCNNError, OSError):
    """The cache folder cannot be cleared."""


class MissingExtraError(ClearCNNError, ImportError):
    """An optional dependency is not installed; the remedy names the extra to install."""


def _rebuild(
    kind: type[ClearCNNError], problem: str, remedy: str, more: Mapping[str, Any]
) -> ClearCNNError:
    return kind(problem, remedy=remedy, **more)
