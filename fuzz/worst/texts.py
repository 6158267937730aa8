"""Tables, lists, models and manifests without an end, or nested without one."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clearcnn.bundle import read_bundle, read_request
from clearcnn.checkpoints import CheckpointFolder
from clearcnn.data.sources import load
from clearcnn.models import read_model
from clearcnn.workflows.predict.csv_output import PredictionTable
from fuzz.target import put, scratch
from fuzz.worst.case import Case


def csv(start: str, again: str = "", times: int = 0, end: str = "") -> Case:
    """A CSV file of pixels."""
    return Case(lambda: f"csv:{_put('pixels.csv', start, again, times, end)}", load)


def lines(start: str, again: str = "", times: int = 0, end: str = "") -> Case:
    """A table as JSON lines."""
    return Case(lambda: f"metadata:{_put('m.jsonl', start, again, times, end)}", load)


def packed_rows() -> str:
    """A gzipped table of pixels, 64 MB of zeros in 64 kB."""
    return f"csv:{put('pixels.csv.gz', gzip.compress(b'label,' + b'0,' * 2**25, 9))}"


def split_list() -> Path:
    """A folder of two images, and a list that names one of them a million times."""
    folder = scratch() / "listed"
    for name in ("images/a/1.png", "images/b/1.png"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no image")
    (folder / "train.txt").write_text("a/1\n" * 1_000_000)
    (folder / "test.txt").write_text("b/1\n")
    return folder


def model(start: str, again: str = "", times: int = 0, end: str = "") -> Case:
    """A model file."""
    return Case(lambda: _put("m.toml", start, again, times, end), read_large)


def _put(name: str, start: str, again: str, times: int, end: str) -> Path:
    # Made only when it is read, so that the others are measured without it.
    return put(name, (start + again * times + end).encode())


def read_large(path: Path) -> Any:
    """Read a model for the largest images."""
    return read_model(path, (512, 512, 3))


def layer(name: str, **arguments: object) -> str:
    """A layer as TOML."""
    return f'[[layers]]\nlayer = "{name}"\n' + "".join(f"{k} = {v}\n" for k, v in arguments.items())


def manifest(start: str, again: str = "", times: int = 0, end: str = "") -> Case:
    """A manifest."""
    return Case(lambda: _put("run/bundle.json", start, again, times, end).parent, read_bundle)


def request(start: str, again: str = "", times: int = 0, end: str = "") -> Case:
    """What an unfinished run was asked to do."""
    name = "n.unfinished/request.json"
    return Case(lambda: _put(name, start, again, times, end).parent, read_request)


def checkpoint(make: Callable[[Path], None]) -> Case:
    """An unfinished run whose only checkpoint somebody made."""

    def prepare() -> Path:
        path = scratch() / "c.unfinished" / "epoch-000009.npz"
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        make(path)
        return path.parent

    return Case(prepare, lambda folder: CheckpointFolder(folder, most_bytes=2**30).load())


def _make_sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)


def go_on(path: Path) -> None:
    """Resume a table of predictions."""
    PredictionTable(path, top=1, model="ab" * 32, abstain_below=0.0, resume=True)


_CONV = layer("Conv2D", filters=64, kernel_size=512, padding='"same"')
_POOL = layer("MaxPooling2D", pool_size=512, strides=1, padding='"same"')
_ROW = layer("Conv2D", filters=1, kernel_size="[512, 1]")
_NAME = '{"file_name": "%s", "label": "a"}\n'
_HEADER = "name,prediction,confidence,abstained,is_unlike,class_1,probability_1,preparation"

CASES = {
    "CSV, a line of 64 MB": csv("label,", "0", 2**26),
    "CSV, two million columns": csv("label", ",1", 2_000_000, "\n"),
    "CSV, 600,000 columns, none the label": csv("lable", ",abcde", 600_000, "\n"),
    "CSV, an open quotation of 64 MB": csv('label,a\n1,"', "\n", 2**26),
    "CSV, a pixel at 10^5000": csv("label,p_", "9", 5000, "_0\n1,2\n"),
    "JSON lines, one of 64 MB": lines("{", " ", 2**26, "}"),
    "JSON lines, nested 4 million times": lines("", "[", 4_000_000),
    "JSON lines, a million empty lists": lines("[", "[],", 1_000_000, "[]]"),
    "JSON lines, a path of a million folders": lines(_NAME % ("a/" * 1_000_000)),
    "JSON lines, a name that is no Unicode": lines(_NAME % "\\ud800/1.png"),
    "CSV, a gzip bomb of 64 MB": Case(packed_rows, load),
    "list of a split, a million times the same image": Case(split_list, load),
    "TOML, nested 50,000 times": model("layers = [\n", "[\n", 50_000),
    "TOML, a key of 60,000 parts": model("", "a.", 60_000, "a = 1"),
    "TOML, keys of 490 parts": model("", "a." * 490 + "\\n", 130),
    "TOML, 10,000 layers": model("", "[[layers]]\n", 10_000),
    "TOML, 10,000 good layers": model("", layer("Flatten"), 3_000),
    "TOML, a number of 900 digits": model(layer("Dense", units="9" * 900)),
    "TOML, two megabytes": model("", "#", 2**21),
    "TOML, a device": Case(lambda: Path("/dev/zero"), read_large),
    "model, 51,539,673,088 parameters": model(layer("Flatten") + layer("Dense", units=65_536)),
    "model, kernels of 512×512": model("", _CONV, 9),
    "model, 262,144 pixels along a side": model("", layer("ZeroPadding2D", padding=512), 255),
    "model, 255 poolings of 512×512": model("", _POOL, 255),
    "model, 120 poolings of a row": Case(
        lambda: _put("m.toml", _ROW, _POOL, 120, ""), read_large, is_refused=False
    ),
    "manifest, 8 MB of empty lists": manifest("[", "[],", 2_700_000, "[]]"),
    "manifest, nested a million times": manifest("", '{"a":', 1_600_000),
    "manifest, 9 MB": manifest("", " ", 9 * 2**20),
    "request, 4 MB of empty objects": request("[", "{},", 1_390_000, "{}]"),
    "request, 12 MB": request("[", "{},", 4_000_000, "{}]"),
    "request, nested 4 million times": request("", "[", 4_000_000),
    "checkpoint, an endless device": checkpoint(lambda path: path.symlink_to("/dev/zero")),
    "checkpoint, a pipe": checkpoint(os.mkfifo),
    "checkpoint, a terabyte of zeros": checkpoint(_make_sparse),
    "predictions, a megabyte of open lines": Case(
        lambda: _put("a.csv", f'{_HEADER},error,model\n"', "\n", 2**20 - 200, ""),
        go_on,
        is_refused=False,
    ),
}
