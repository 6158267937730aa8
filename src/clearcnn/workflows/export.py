"""`export`: the model of a run folder in a form that other programs run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from clearcnn import atomic_write
from clearcnn.bundle import Bundle, read_bundle
from clearcnn.errors import ClearCNNError, ExportError
from clearcnn.results.train import ExportResult
from clearcnn.workflows.runs.load_keras_model import restore_network
from clearcnn.workflows.runs.read_onnx import read_onnx_file
from clearcnn.workflows.runs.save_onnx import MODEL

ENDINGS = {"onnx": ".onnx", "keras": ".keras", "triton": "-triton", "openvino": "-openvino"}
"""What can be made, and how the name of the run folder goes on."""

_LITERT_ONLY_WITH_TENSORFLOW = ExportError(
    "clearcnn does not write LiteRT: Keras can only where it runs on TensorFlow.",
    remedy='Export --to keras, load that where KERAS_BACKEND=tensorflow, and call export("m.tflite"'
    ', format="litert").',
)

Runner = Callable[[Any], Any]


def export_run(run: Path | str, to: str, out: Path | str | None = None) -> ExportResult:
    """Write the model of a run folder in another form, and check that it says the same.

    The run folder's hashes are checked, its network is built anew from its layers, and its
    weights are read. What was written is executed on random images, and on an all-low and an
    all-high one; no probability may differ by more than 1e-5 from Keras's.

    Args:
      run: a run folder.
      to: "onnx", "keras" (which every Keras backend loads), "triton" (a model repository) or
        "openvino" (needs the extra openvino).
      out: the file or folder to make, which must not exist; None makes one here, named after
        the run folder.
    Returns:
      ExportResult.
    Raises:
      BundleError: it is no whole run folder.
      ExportError: the place is taken or cannot be written, or the model does not say the same
        there; nothing is left behind.
      MissingExtraError: OpenVINO is not installed.
    """
    if to == "litert":
        raise _LITERT_ONLY_WITH_TENSORFLOW
    if to not in ENDINGS:
        raise ExportError(
            f"There is no export to {to!r}.", remedy=f"Choose one of {', '.join(ENDINGS)}."
        )
    whole = read_bundle(run)
    place = Path(whole.folder.resolve().name + ENDINGS[to]) if out is None else Path(out)
    ending = ENDINGS[to]
    if ending.startswith(".") and place.suffix != ending:
        fitting = place / f"model{ending}" if place.is_dir() else place.with_suffix(ending)
        raise ExportError(
            f"{place} does not end in {ending}, as a file of this form must.",
            remedy=f"Give --out a name such as {fitting}.",
        )
    with _open_draft(place) as draft:
        from clearcnn import export

        network = restore_network(whole)
        probes = export.make_test_images(whole.manifest.input)
        expected = network.predict(probes, verbose=0)
        run_it = _WRITERS[to](whole, network, draft)
        largest = export.check_parity(place.name, run_it(probes), expected)
    files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
    return ExportResult(to, place, tuple(map(str, files)), largest, len(probes))


def _write_onnx(whole: Bundle, _: Any, path: Path) -> Runner:
    path.write_bytes(_read_onnx(whole))
    return lambda images: _run_onnx(path, images)


def _write_keras(_: Bundle, network: Any, path: Path) -> Runner:
    from clearcnn.backend import load_keras

    network.save(path)
    return lambda images: load_keras().saving.load_model(path).predict(images, verbose=0)


def _write_triton(whole: Bundle, _: Any, folder: Path) -> Runner:
    from clearcnn.export import write_triton_repository

    manifest = whole.manifest
    folder.mkdir()
    path = write_triton_repository(
        folder,
        manifest.model.name,
        _read_onnx(whole),
        manifest.class_names,
        manifest.input,
    )
    return lambda images: _run_onnx(path, images)


def _write_openvino(whole: Bundle, _: Any, folder: Path) -> Runner:
    from clearcnn.export import convert_to_openvino, run_openvino

    # What was checked, beside what will be kept; OpenVINO reads files.
    source = folder.with_name(f"{folder.name}.onnx")
    source.write_bytes(_read_onnx(whole))
    folder.mkdir()
    path = convert_to_openvino(source, folder)
    return lambda images: run_openvino(path, images)


_WRITERS: dict[str, Callable[[Bundle, Any, Path], Runner]] = {
    "keras": _write_keras,
    "onnx": _write_onnx,
    "openvino": _write_openvino,
    "triton": _write_triton,
}


def _read_onnx(whole: Bundle) -> bytes:
    if MODEL not in whole.manifest.files:
        raise ExportError(
            f"{whole.folder} holds no {MODEL}; the warnings in its report say why.",
            remedy="Export --to keras, which needs none.",
        )
    return read_onnx_file(whole, MODEL).content


def _run_onnx(path: Path, images: Any) -> Any:
    from clearcnn.export import run_onnx

    return run_onnx(path, images)["probabilities"]


@contextmanager
def _open_draft(place: Path) -> Iterator[Path]:
    """Give a name of the same ending to write to; it is put into its place if nothing fails."""
    made = [parent for parent in place.absolute().parents if not parent.exists()]
    finished = False
    folder: Path | None = None
    try:
        _refuse_taken(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write.open_draft(place.parent, place.name) as folder:
            yield folder / place.name
            try:
                atomic_write.publish(folder / place.name, place)
            except FileExistsError:
                _refuse_taken(place)
                raise
            finished = True
    except OSError as error:
        if isinstance(error, ClearCNNError):
            raise
        raise ExportError(
            f"{place} cannot be written: {error.strerror or error}.",
            remedy="Make room or give another place with --out. "
            + atomic_write.describe_leftovers(folder),
        ) from error
    finally:
        if not finished:
            for parent in made:
                with suppress(OSError):
                    parent.rmdir()


def _refuse_taken(place: Path) -> None:
    if place.exists() or place.is_symlink():
        raise ExportError(
            f"{place} exists; an export is never written over what is there.",
            remedy="Give a new name with --out.",
        )
