"""`export`: write the model of a run folder in the format of another program."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearcnn import atomic_write
from clearcnn.bundle import Bundle, read_bundle
from clearcnn.errors import ClearCNNError, ExportError
from clearcnn.language import say
from clearcnn.results.export import ExportResult
from clearcnn.types import Pixels
from clearcnn.workflows.runs.load_keras_model import load_keras_model
from clearcnn.workflows.runs.read_onnx import read_onnx_file
from clearcnn.workflows.runs.save_onnx import MODEL

if TYPE_CHECKING:
    import keras

ENDINGS = {"onnx": ".onnx", "keras": ".keras", "triton": "-triton", "openvino": "-openvino"}
"""The formats, and what is appended to the run folder's name."""

_LITERT_ONLY_WITH_TENSORFLOW = ExportError(
    say("clearcnn cannot export to LiteRT: Keras needs the TensorFlow backend for it."),
    remedy=say(
        "Export --to keras, load the file with KERAS_BACKEND=tensorflow, and call "
        'export("m.tflite", format="litert").'
    ),
)

Runner = Callable[[Pixels], NDArray[np.float32]]
"""Runs an exported model: images to probabilities."""


def export_run(run: Path | str, to: str, out: Path | str | None = None) -> ExportResult:
    """Export the model of a run folder, and check it against Keras.

    The run folder's hashes are checked, its network is built from the layers in the manifest, and
    its weights are loaded. The exported model is run on random images, an all-low and an all-high
    one; no probability may differ from Keras's by more than 1e-5.

    Args:
      run: a run folder.
      to: "onnx", "keras" (for any Keras backend), "triton" (a model repository) or "openvino"
        (needs the extra openvino).
      out: the file or folder to make, which must not exist; None makes one in the working folder,
        named after the run folder.
    Returns:
      ExportResult.
    Raises:
      BundleError: it is not a complete run folder.
      ExportError: `out` exists or cannot be written, or the exported model differs from Keras;
        nothing is left behind.
      MissingExtraError: OpenVINO is not installed.
    """
    if to == "litert":
        raise _LITERT_ONLY_WITH_TENSORFLOW
    if to not in ENDINGS:
        raise ExportError(
            say("{name!r} is not an export format.", name=to),
            remedy=say("Choose one of {endings}.", endings=", ".join(ENDINGS)),
        )
    opened = read_bundle(run)
    place = Path(opened.folder.resolve().name + ENDINGS[to]) if out is None else Path(out)
    ending = ENDINGS[to]
    if ending.startswith(".") and place.suffix != ending:
        suggestion = place / f"model{ending}" if place.is_dir() else place.with_suffix(ending)
        raise ExportError(
            say(
                "{place} does not end in {ending}, as a file of this format must.",
                place=place,
                ending=ending,
            ),
            remedy=say("Give --out a name such as {suggestion}.", suggestion=suggestion),
        )
    with _open_draft(place) as draft:
        from clearcnn import export

        network = load_keras_model(opened)
        probes = export.make_test_images(opened.manifest.input)
        expected = network.predict(probes, verbose=0)
        predict = _WRITERS[to](opened, network, draft)
        largest = export.check_parity(place.name, predict(probes), expected)
    files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
    return ExportResult(to, place, tuple(map(str, files)), largest, len(probes))


def _write_onnx(run: Bundle, _: "keras.Model", path: Path) -> Runner:
    path.write_bytes(_read_onnx(run))
    return lambda images: _run_onnx(path, images)


def _write_keras(_: Bundle, network: "keras.Model", path: Path) -> Runner:
    from clearcnn.backend import load_keras

    network.save(path)
    return lambda images: load_keras().saving.load_model(path).predict(images, verbose=0)


def _write_triton(run: Bundle, _: "keras.Model", folder: Path) -> Runner:
    from clearcnn.export import write_triton_repository

    manifest = run.manifest
    folder.mkdir()
    path = write_triton_repository(
        folder,
        manifest.model.name,
        _read_onnx(run),
        manifest.class_names,
        manifest.input,
    )
    return lambda images: _run_onnx(path, images)


def _write_openvino(run: Bundle, _: "keras.Model", folder: Path) -> Runner:
    from clearcnn.export import convert_to_openvino, run_openvino

    # OpenVINO converts a file; this one is beside the export, and is removed with the draft.
    source = folder.with_name(f"{folder.name}.onnx")
    source.write_bytes(_read_onnx(run))
    folder.mkdir()
    path = convert_to_openvino(source, folder)
    return lambda images: run_openvino(path, images)


_WRITERS: dict[str, Callable[[Bundle, "keras.Model", Path], Runner]] = {
    "keras": _write_keras,
    "onnx": _write_onnx,
    "openvino": _write_openvino,
    "triton": _write_triton,
}


def _read_onnx(run: Bundle) -> bytes:
    if MODEL not in run.manifest.files:
        raise ExportError(
            say(
                "{folder} has no {model}; the warnings in its report say why.",
                folder=run.folder,
                model=MODEL,
            ),
            remedy=say("Export --to keras, which does not need it."),
        )
    return read_onnx_file(run, MODEL).content


def _run_onnx(path: Path, images: Pixels) -> NDArray[np.float32]:
    from clearcnn.export import run_onnx

    return run_onnx(path, images)["probabilities"]


@contextmanager
def _open_draft(place: Path) -> Iterator[Path]:
    """Yield a temporary path with the same suffix; move it to `place` if nothing fails."""
    missing = [parent for parent in place.absolute().parents if not parent.exists()]
    is_finished = False
    folder: Path | None = None
    try:
        _require_absent(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write.open_draft(place.parent, place.name) as folder:
            yield folder / place.name
            try:
                atomic_write.publish(folder / place.name, place)
            except FileExistsError:
                _require_absent(place)
                raise
            is_finished = True
    except OSError as error:
        if isinstance(error, ClearCNNError):
            raise
        raise ExportError(
            say(
                "{place} cannot be written: {reason}.",
                place=place,
                reason=error.strerror or error,
            ),
            remedy=say("Free disk space or give another path with --out. ")
            + atomic_write.describe_leftovers(folder),
        ) from error
    finally:
        if not is_finished:
            for parent in missing:
                with suppress(OSError):
                    parent.rmdir()


def _require_absent(place: Path) -> None:
    if place.exists() or place.is_symlink():
        raise ExportError(
            say("{place} exists, and an export never overwrites anything.", place=place),
            remedy=say("Give a new name with --out."),
        )
