"""Whatever can open a file or make values of its bytes is listed, with what it opens.

A run folder may come from a stranger, so its files are opened in `bundle/` alone, and what else
reads must say what. A new reader makes this test fail until it is listed.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "clearcnn"

# By module, and the calls in it. Those of a run folder come first.
READERS: dict[str, tuple[str, set[str]]] = {
    "bundle/members.py": ("the door itself", {"os.open", "os.fdopen"}),
    "bundle/keras_file.py": (
        "weights in bytes from the door",
        {"h5py.File", "open_archive", "archive.read"},
    ),
    "export/onnx_reader.py": ("weights in bytes from the door", {"np.frombuffer"}),
    "prediction/predictor.py": ("bytes that were checked", {"onnxruntime.InferenceSession"}),
    "bounded_json.py": ("any JSON from outside, within a bound", {"json.loads"}),
    # Beside run folders.
    "regular_files.py": (
        "the request and checkpoints of an unfinished run",
        {"os.open", "os.fdopen"},
    ),
    "bundle/provenance.py": (
        "the user's own key",
        {"os.open", "os.fdopen", "key_path().read_bytes"},
    ),
    "checkpoints.py": (
        "checkpoints, whole and without pickle",
        {
            "zipfile.ZipFile",
            "open_archive",
            "archive.read",
            "archive.open",
            "np.frombuffer",
            "aside.open",
        },
    ),
    "bundle/manifest.py": ("files that are being sealed", {"path.open"}),
    "bundle/run_tables.py": ("tables that are being written", {"path.open"}),
    # What the process itself has just written.
    "export/parity.py": ("a file in the making", {"onnxruntime.InferenceSession"}),
    "export/openvino_ir.py": ("a file in the making", {"openvino.Core().read_model"}),
    "workflows/export.py": ("a file in the making", {"load_keras().saving.load_model"}),
    "web/playground.py": ("files that the playground's own process made", {"FileResponse"}),
    "workflows/playground/playground.py": ("messages of its own process", {"json.loads"}),
    "workflows/playground/worker.py": ("messages of its own parent", {"json.loads"}),
    "training/fingerprint.py": ("what it has just dumped", {"json.loads"}),
    "atomic_write.py": ("drafts, and folders to lock and flush", {"os.open", "file.open"}),
    "workflows/predict/csv_output.py": (
        "the table of answers that --resume names",
        {"self._path.read_bytes", "os.open", "path.open"},
    ),
    "web/tensors.py": ("the tensor of a request", {"np.frombuffer"}),
    # What a user names, and is no run folder.
    "archives.py": ("zip archives of whoever calls it", {"zipfile.ZipFile"}),
    "models/model_file.py": ("model.toml", {"path.read_bytes", "tomllib.loads"}),
    "workflows/fitting/plan.py": ("model.toml", {"models.read_model"}),
    "cli/serve.py": ("the file of the token", {"path.open"}),
    # What is installed with clearcnn, or lies in the user's own cache.
    "web/assets.py": ("the page", {"self.path.read_bytes"}),
    "report/templates.py": ("the page's style", {"(_PAGE / name).read_text"}),
    "training/disk_cache.py": ("traces in the cache", {"path.read_bytes"}),
    "cli/streams.py": ("nothing", {"os.open"}),
}
# Sources of images are this room's whole work; what it may open, its own tests say.
ROOMS = {"data"}

NAMES = {
    *("open", "fdopen", "read_bytes", "read_text", "ZipFile", "open_archive", "FileResponse"),
    *("load_model", "load_weights", "load_from_string", "load_model_from_string", "read_model"),
    *("ParseFromString", "FromString", "MergeFromString", "to_array", "InferenceSession"),
    *("frombuffer", "fromfile", "memmap", "loadtxt", "genfromtxt", "read_array", "File"),
}
# Names that others have, too, by who has them.
OWNED = {
    "load": {"json", "np", "numpy", "onnx", "pickle", "joblib", "marshal", "tomllib"},
    "loads": {"json", "pickle", "marshal", "tomllib"},
    "read": {"archive"},
}


def find_calls(tree: ast.AST) -> Iterator[str]:
    """The calls in a module that open a file, or make values of bytes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            owner, _, name = called.rpartition(".")
            if name in NAMES or owner in OWNED.get(name, ()):
                yield called
        # Neither may one be taken along under another name.
        elif isinstance(node, ast.ImportFrom):
            names = {each.name for each in node.names}
            foreign = (node.module or "").partition(".")[0] in set().union(*OWNED.values())
            yield from (f"{node.module}.{name}" for name in names & {*NAMES, *OWNED} if foreign)


def modules() -> list[str]:
    paths = (path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))
    return sorted(path.as_posix() for path in paths if path.parts[0] not in ROOMS)


@pytest.mark.parametrize("module", modules())
def test_only_what_is_listed_reads(module: str) -> None:
    found = set(find_calls(ast.parse((SOURCE / module).read_text("utf-8"))))
    _, allowed = READERS.get(module, ("", set()))
    assert found == allowed


def test_every_listed_module_is_there_and_says_what_it_reads() -> None:
    assert set(READERS) <= set(modules())
    assert all(reason for reason, _ in READERS.values())


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("onnx.load_model(path)", "onnx.load_model"),
        ("onnx.load(path)", "onnx.load"),
        ("keras.saving.load_model(path)", "keras.saving.load_model"),
        ("network.load_weights(path)", "network.load_weights"),
        ("np.load(path)", "np.load"),
        ("json.load(file)", "json.load"),
        ("json.loads(path.read_bytes())", "path.read_bytes"),
        ("numpy_helper.to_array(tensor)", "numpy_helper.to_array"),
        ("model.ParseFromString(content)", "model.ParseFromString"),
        ("from json import loads", "json.loads"),
        ("from onnx.numpy_helper import to_array", "onnx.numpy_helper.to_array"),
        ("FileResponse(run.folder / name)", "FileResponse"),
        ("open(run.folder / name)", "open"),
    ],
)
def test_a_new_reader_is_found(program: str, found: str) -> None:
    assert found in set(find_calls(ast.parse(program)))
