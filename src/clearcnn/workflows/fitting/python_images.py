"""Images in Python, given to a verb in place of a path."""

from pathlib import Path

from clearcnn.data import LabelledImages, PythonImages, load
from clearcnn.specs import DataSpec
from clearcnn.workflows.fitting.listeners import ReadingListener

Source = str | Path | DataSpec | LabelledImages


def load_python_images(source: Source | PythonImages, listener: ReadingListener) -> Source:
    """Load images in Python; return every other source as it is.

    Args:
      source: of a verb.
      listener: hears about the reading.
    """
    if isinstance(source, (str, Path, DataSpec, LabelledImages)):
        return source
    return load(source, progress=listener.on_reading)
