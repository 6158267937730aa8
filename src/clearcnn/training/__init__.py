"""One compiled program for a whole fit, over an ordinary Keras model on JAX.

Importing this package loads Keras, raises an error if its backend is not JAX, and lets JAX keep
compiled programs in the user's cache folder.
"""

from clearcnn.backend import load_keras

load_keras()

from clearcnn.training.disk_cache import keep_programs  # noqa: E402

keep_programs()

from clearcnn.training.augmentation import augment_model  # noqa: E402
from clearcnn.training.callbacks import LogReader, NoEpoch, Watch  # noqa: E402
from clearcnn.training.compiled_fit import fit  # noqa: E402
from clearcnn.training.compiled_predict import compile_predict, predict  # noqa: E402
from clearcnn.training.cpu_kernels import rewrite_on_cpu  # noqa: E402
from clearcnn.training.many_fits import Fitted, fit_many  # noqa: E402
from clearcnn.training.optimizer import compile_model, early_stopping  # noqa: E402
from clearcnn.training.pace import Pace, measure_pace  # noqa: E402
from clearcnn.training.whitening import whiten_first_convolution  # noqa: E402
from clearcnn.training.xla_options import compile_sooner  # noqa: E402

__all__ = [
    "Fitted",
    "LogReader",
    "NoEpoch",
    "Pace",
    "Watch",
    "augment_model",
    "compile_model",
    "compile_predict",
    "compile_sooner",
    "early_stopping",
    "fit",
    "fit_many",
    "measure_pace",
    "predict",
    "rewrite_on_cpu",
    "whiten_first_convolution",
]
