"""Every module that opens a file or parses bytes is listed here, with what it reads.

A run folder may come from a stranger, so its files are opened in `bundle/members.py` only. A new
reader makes this test fail until it is listed.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "clearcnn"

# Module → (what it reads, the calls in it). Readers of run folders come first.
READERS: dict[str, tuple[str, set[str]]] = {
    "regular_files.py": (
        "the only opener of sources, run folders and checkpoints",
        {"os.open", "os.fdopen", "open_regular"},
    ),
    "bundle/members.py": ("the only reader of run folders", {"open_regular"}),
    "bundle/keras_file.py": (
        "weights in bytes from members.py",
        {"h5py.File", "open_archive", "archive.read"},
    ),
    "export/onnx_reader.py": ("weights in bytes from members.py", {"np.frombuffer"}),
    "prediction/predictor.py": ("bytes that were checked", {"onnxruntime.InferenceSession"}),
    "kernel_stamp.py": ("the C++ sources of the package", {"path.read_bytes"}),
    "language/recall.py": ("the catalogue of the package", {"catalogue.read_bytes"}),
    "workflows/studio/neighbours.py": ("pictures of the user's own class folder", {"read_bytes"}),
    "bounded_json.py": ("any JSON from outside, within a bound", {"json.loads"}),
    # Not in a run folder.
    "bundle/unfinished_run.py": (
        "the request and checkpoints of an unfinished run",
        {"open_regular", "read_regular"},
    ),
    "bundle/provenance.py": (
        "the user's own key",
        {"os.open", "os.fdopen", "read_regular"},
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
            "read_regular",
        },
    ),
    "bundle/manifest.py": ("files that are being hashed", {"path.open"}),
    "bundle/run_tables.py": ("tables that are being written", {"path.open"}),
    # Files that the process itself has just written.
    "export/parity.py": ("a file that is being written", {"onnxruntime.InferenceSession"}),
    "export/openvino_ir.py": ("a file that is being written", {"openvino.Core().read_model"}),
    "workflows/export.py": ("a file that is being written", {"load_keras().saving.load_model"}),
    "web/playground.py": ("files that the playground's process made", {"FileResponse"}),
    "workflows/playground/playground.py": ("messages of its worker", {"json.loads"}),
    "workflows/playground/worker.py": ("messages of its parent process", {"json.loads"}),
    "training/fingerprint.py": ("JSON that it has just dumped", {"json.loads"}),
    "atomic_write.py": ("drafts, and folders to lock and flush", {"os.open", "file.open"}),
    "workflows/predict/csv_output.py": (
        "the table of predictions that --resume names",
        {"self._path.read_bytes", "os.open", "path.open"},
    ),
    "web/tensors.py": ("the tensor of a request", {"np.frombuffer"}),
    "web/page.py": ("the image of a request", {"np.frombuffer"}),
    # Files that a user names, other than run folders.
    "archives.py": ("zip archives that its callers have opened", {"zipfile.ZipFile"}),
    "models/model_file.py": ("model.toml", {"path.read_bytes", "tomllib.loads"}),
    "workflows/fitting/plan.py": ("model.toml", {"models.read_model"}),
    "cli/serve.py": ("the file of the token", {"path.open"}),
    "workflows/studio/class_folder.py": ("its own folder, to lock it", {"os.open"}),
    "workflows/studio/journal.py": ("the undo journal", {"read_regular", "path.open"}),
    "workflows/studio/jobs.py": ("messages of its worker", {"json.loads"}),
    "workflows/studio/job_worker.py": ("messages of its parent process", {"json.loads"}),
    # Files installed with clearcnn, or in the user's cache.
    "web/assets.py": ("the page", {"self.path.read_bytes"}),
    "report/templates.py": ("the page's style", {"(_PAGE / name).read_text"}),
    # Files of a result that this process has just made.
    "notebook/pages.py": ("the page of a result", {"page.read_text", "webbrowser.open"}),
    "notebook/views.py": ("pictures of a result", {"path.read_bytes"}),
    "results/train.py": (
        "nothing: it calls the loader of run folders",
        {"load_room('keras_model').load_model"},
    ),
    "training/disk_cache.py": ("traces in the cache", {"path.read_bytes"}),
    "cli/streams.py": ("nothing: it opens the null device for writing", {"os.open"}),
}
# Reading sources of images is the whole purpose of data/; its own tests cover what it opens.
ROOMS = {"data"}

NAMES = {
    *(
        "open",
        "fdopen",
        "open_regular",
        "read_regular",
        "read_bytes",
        "read_text",
        "ZipFile",
        "open_archive",
        "FileResponse",
    ),
    *("load_model", "load_weights", "load_from_string", "load_model_from_string", "read_model"),
    *("ParseFromString", "FromString", "MergeFromString", "to_array", "InferenceSession"),
    *("frombuffer", "fromfile", "memmap", "loadtxt", "genfromtxt", "read_array", "File"),
}
# Names that other objects have too, with the owners that count.
OWNED = {
    "load": {"json", "np", "numpy", "onnx", "pickle", "joblib", "marshal", "tomllib"},
    "loads": {"json", "pickle", "marshal", "tomllib"},
    "read": {"archive"},
}


def find_calls(tree: ast.AST) -> Iterator[str]:
    """Find the calls in a module that open a file or parse bytes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            owner, _, name = called.rpartition(".")
            if name in NAMES or owner in OWNED.get(name, ()):
                yield called
        # An import under another name counts too.
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


def test_every_listed_module_exists_and_has_a_reason() -> None:
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
