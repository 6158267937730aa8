"""Every module of the product that writes, and what keeps its writing whole.

A new one makes this test fail, until it is listed below with what protects it.
"""

import ast
from collections import Counter
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "clearcnn"

WRITERS = {
    # Into a draft, which is put into its place in one step, or removed.
    "bundle/manifest.py",
    "bundle/run_tables.py",
    "data/use_list.py",
    "export/openvino_ir.py",
    "export/triton.py",
    "report/evaluation_report.py",
    "report/explanation_report.py",
    "report/figures.py",
    "report/training_report.py",
    "workflows/check/check.py",
    "workflows/export.py",
    "workflows/train/save_run.py",
    "workflows/runs/save_onnx.py",
    # The drafts themselves, and the folders above them, removed if nothing comes of it.
    "bundle/run_folder.py",
    "atomic_write.py",
    # In the folder of the playground, a draft that is never put anywhere.
    "workflows/playground/playground.py",
    "workflows/playground/experiment.py",
    "workflows/playground/worker.py",
    # A checkpoint: flushed, renamed, the one before kept until then; under a lock.
    "checkpoints.py",
    "training/checkpointing.py",
    "bundle/unfinished_run.py",
    # Linked into its place when it is whole; where that fails, runs are not signed.
    "bundle/provenance.py",
    # Under JAX's own lock; what is cut off is dropped.
    "cache.py",
    # Flushed and renamed; known by its digest, and made anew where that is wrong.
    "training/disk_cache.py",
    # The compiled kernels, when clearcnn is installed: written as a draft, renamed.
    "training/cpu_kernels/native/build.py",
    # Row by row, cut back to the last whole one, under a lock.
    "workflows/predict/csv_output.py",
    # Pictures: a draft that is linked into its place, or a rename that is in the journal.
    "workflows/studio/class_folder.py",
    # A line for each change, cut back if the disk is full.
    "workflows/studio/journal.py",
    # Checkpoints of a training that was cancelled are removed.
    "workflows/studio/jobs.py",
    "workflows/studio/job_worker.py",
    # Temporary folders, removed when what is in them has been read.
    "data/unpack.py",
    # To nowhere.
    "cli/streams.py",
    # Into memory.
    "web/studio.py",
    "web/thumbnails.py",
    "workflows/studio/import_source.py",
    "report/image_sheets.py",
    "workflows/predict/given_images.py",
}

METHODS = {"write_text", "write_bytes", "mkdir", "rename", "savefig", "save", "save_model"}
METHODS |= {"unlink", "rmdir", "rmtree", "link", "truncate", "fsync", "TemporaryDirectory"}
METHODS |= {"mkdtemp", "mkstemp", "NamedTemporaryFile", "copyfile", "copytree", "move", "FileIO"}
METHODS |= {"symlink_to", "hardlink_to", "to_csv", "savez", "dump_all", "write_table"}


def writes(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name == "replace":
        # Of a path, and not of a text or a record.
        return len(call.args) == 1 and not call.keywords
    if name == "open":
        text = ast.unparse(call)
        modes = [each.value for each in call.args if isinstance(each, ast.Constant)]
        return any(flag in text for flag in ("O_RDWR", "O_CREAT", "O_WRONLY")) or any(
            isinstance(mode, str) and set(mode) <= set("rwxab+t") and set(mode) & set("wxa+")
            for mode in modes
        )
    return name in METHODS


def count() -> Counter[str]:
    found: Counter[str] = Counter()
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and writes(node):
                found[path.relative_to(SOURCE).as_posix()] += 1
    return found


def test_every_module_that_writes_is_known() -> None:
    found = count()
    assert set(found) == WRITERS
    # So that a search that finds nothing is no proof.
    assert found["report/explanation_report.py"] == 5
