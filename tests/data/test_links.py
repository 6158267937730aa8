"""Links: what a source may lead to, the same for every reader."""

import csv
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from clearcnn.data.sources import load
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec
from clearcnn.workflows.predict.input_files import find_image_files

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")

PIXELS = np.random.default_rng(0).integers(0, 256, (8, 6, 5), np.uint8)
LABELS = ["a", "b"] * 4


def _classes(folder: Path, write_picture) -> None:
    for number, label in enumerate(LABELS):
        write_picture(folder / label / f"{number}.png", number)


def _parts(folder: Path, write_picture) -> None:
    for part in ("train", "test"):
        _classes(folder / part, write_picture)


def _rows() -> list[dict[str, str]]:
    return [{"file_name": f"{k}.png", "label": label} for k, label in enumerate(LABELS)]


def _pictures(folder: Path, write_picture) -> None:
    for number in range(len(LABELS)):
        write_picture(folder / f"{number}.png", number)


def _metadata_csv(folder: Path, write_picture) -> None:
    _pictures(folder, write_picture)
    with (folder / "metadata.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["file_name", "label"])
        writer.writeheader()
        writer.writerows(_rows())


def _metadata_jsonl(folder: Path, write_picture) -> None:
    _pictures(folder, write_picture)
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, _rows())))


def _metadata_of_parts(folder: Path, write_picture) -> None:
    for part in ("train", "test"):
        _metadata_csv(folder / part, write_picture)


def _idx(folder: Path, _) -> None:
    folder.mkdir()
    labels = np.array([0, 1] * 4, np.uint8)
    for kind, array in (("images-idx3", PIXELS), ("labels-idx1", labels)):
        head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        (folder / f"train-{kind}-ubyte").write_bytes(head + array.tobytes())


def _parquet(path: Path, write_picture) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path.parent.mkdir(parents=True)
    picture = path.with_name("one.png")
    write_picture(picture)
    cells = [{"bytes": picture.read_bytes(), "path": None}] * len(LABELS)
    picture.unlink()
    pq.write_table(pa.table({"image": cells, "label": LABELS}), path)


def _parquet_folder(folder: Path, write_picture) -> None:
    _parquet(folder / "train.parquet", write_picture)


def _parquet_data(folder: Path, write_picture) -> None:
    _parquet(folder / "data" / "train.parquet", write_picture)


MEMBERS = {
    "a picture": (_classes, "a/0.png"),
    "a picture of a part": (_parts, "train/b/1.png"),
    "metadata.csv": (_metadata_csv, "metadata.csv"),
    "metadata.jsonl": (_metadata_jsonl, "metadata.jsonl"),
    "a part's metadata.csv": (_metadata_of_parts, "test/metadata.csv"),
    "a picture in a table": (_metadata_csv, "0.png"),
    "a picture in a part's table": (_metadata_of_parts, "train/1.png"),
    "IDX images": (_idx, "train-images-idx3-ubyte"),
    "IDX labels": (_idx, "train-labels-idx1-ubyte"),
    "Parquet": (_parquet_folder, "train.parquet"),
    "Parquet in data/": (_parquet_data, "data/train.parquet"),
}
FOLDERS = {
    "a class": (_classes, "a"),
    "a part": (_parts, "train"),
    "a class of a part": (_parts, "test/a"),
    "a part with a table": (_metadata_of_parts, "train"),
    "data/ of Parquet files": (_parquet_data, "data"),
}


@pytest.fixture(params=MEMBERS)
def member(request, tmp_path, write_picture) -> tuple[Path, Path]:
    """A whole source, and a file in it."""
    fill, name = MEMBERS[request.param]
    fill(tmp_path / "source", write_picture)
    return tmp_path / "source", tmp_path / "source" / name


def _move_out(path: Path) -> Path:
    """Lay a file or folder where nobody named it; followed there, the source would be whole."""
    return path.rename(_outside(path) / "moved")


def _outside(path: Path) -> Path:
    outside = next(p for p in path.parents if p.name == "source").with_name("outside")
    outside.mkdir(exist_ok=True)
    return outside


def _to_absolute(path: Path) -> None:
    path.symlink_to(_move_out(path))


def _to_relative(path: Path) -> None:
    path.symlink_to(os.path.relpath(_move_out(path), path.parent))


def _by_a_chain_within(path: Path) -> None:
    outside = _move_out(path)
    store = next(p for p in path.parents if p.name == "source") / ".store"
    store.mkdir()
    (store / "second").symlink_to(outside)
    (store / "first").symlink_to("second")
    path.symlink_to(store / "first")


def _by_a_folder_within(path: Path) -> None:
    outside = _move_out(path)
    store = next(p for p in path.parents if p.name == "source") / ".store"
    store.symlink_to(outside.parent)
    path.symlink_to(store / "moved")


def _to_text(path: Path) -> None:
    path.unlink()
    secret = _outside(path) / "secret.txt"
    secret.write_text("TOP-SECRET\nTOP-SECRET,1,2\n")
    path.symlink_to(secret)


def _to_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(_outside(path) / "pipe")
    path.symlink_to(_outside(path) / "pipe")


def _to_a_device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _to_an_open_file(path: Path) -> None:
    path.unlink()
    path.symlink_to("/proc/self/environ")


def _to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to(_outside(path) / "missing")


WAYS_OUT = [
    _to_absolute,
    _to_relative,
    _by_a_chain_within,
    _by_a_folder_within,
    _to_text,
    _to_a_pipe,
    _to_a_device,
    _to_an_open_file,
    _to_nothing,
]


@pytest.mark.parametrize("lead_out", WAYS_OUT)
def test_a_file_that_leads_out_is_refused_before_it_is_read(member, lead_out):
    source, path = member
    lead_out(path)
    with pytest.raises(DataError) as raised:
        load(source)
    assert (
        raised.value.problem == f"{path} cannot be opened: it is a link that leads out of {source}."
    )
    assert raised.value.remedy == "Copy the file in place of the link."


def test_a_file_that_leads_to_another_within_is_read(member):
    source, path = member
    before = load(source)
    store = source / ".store"
    store.mkdir()
    path.rename(store / "real")
    (store / "again").symlink_to("real")
    path.symlink_to(os.path.relpath(store / "again", path.parent))
    after = load(source)
    assert after.content_hash == before.content_hash
    assert after.names == before.names


def test_the_source_itself_may_be_a_link(member):
    source, path = member
    before = load(source)
    path.rename(source / "real")
    path.symlink_to(source / "real")
    (link := source.with_name("link")).symlink_to(source)
    (chain := source.with_name("chain")).symlink_to(link)
    assert load(chain).content_hash == before.content_hash


def test_a_link_within_to_a_pipe_is_refused_and_not_waited_for(member):
    source, path = member
    path.unlink()
    os.mkfifo(source / ".pipe")
    path.symlink_to(source / ".pipe")
    with pytest.raises(DataError, match="is not a regular file"):
        load(source)


@pytest.mark.parametrize("within", [True, False], ids=["within", "out"])
@pytest.mark.parametrize("kind", FOLDERS)
def test_a_link_to_a_folder_is_refused_wherever_it_leads(kind, within, tmp_path, write_picture):
    fill, name = FOLDERS[kind]
    source, path = tmp_path / "source", tmp_path / "source" / name
    fill(source, write_picture)
    store = source / ".store" if within else tmp_path / "outside"
    store.mkdir()
    path.symlink_to(path.rename(store / "moved"))
    with pytest.raises(DataError) as raised:
        load(source)
    assert raised.value.problem == f"{path} is a link to a folder; such links are not followed."


def test_a_link_beside_the_parts_is_not_looked_into(tmp_path, write_picture):
    source = tmp_path / "source"
    _parts(source, write_picture)
    write_picture(tmp_path / "outside" / "secret-name.png")
    (source / "other").symlink_to(tmp_path / "outside")
    with pytest.raises(DataError, match="other is a link to a folder"):
        load(source)


@pytest.mark.parametrize("within", [True, False], ids=["within", "out"])
def test_a_table_may_name_pictures_by_a_linked_folder_within(within, tmp_path, write_picture):
    source = tmp_path / "source"
    _metadata_csv(source, write_picture)
    store = source / ".store" if within else tmp_path / "outside"
    store.mkdir()
    (source / "0.png").rename(store / "0.png")
    (source / "by").symlink_to(store)
    table = source / "metadata.csv"
    table.write_text(table.read_text().replace("0.png", "by/0.png"))
    if within:
        assert len(load(table)) == len(LABELS)
    else:
        with pytest.raises(DataError, match=r"line 2: by/0\.png leads out of the folder"):
            load(table)


def _write_npz(path: Path, _) -> Path:
    np.savez(path.with_suffix(".npz"), x=PIXELS, y=np.array(LABELS))
    return path.with_suffix(".npz")


def _write_pixels(path: Path, _) -> Path:
    path = path.with_suffix(".csv")
    head = "label," + ",".join(f"p_{y}_{x}" for y in range(6) for x in range(5))
    rows = [
        f"{label},{','.join(map(str, pixels.reshape(-1)))}"
        for label, pixels in zip(LABELS, PIXELS, strict=True)
    ]
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def _write_parquet(path: Path, write_picture) -> Path:
    path = path.parent / "sub" / "named.parquet"
    _parquet(path, write_picture)
    return path


def _write_table(path: Path, write_picture) -> Path:
    _pictures(path.parent / "link", write_picture)
    _metadata_csv(path.parent / "real", write_picture)
    return path.parent / "real" / "metadata.csv"


def _write_images(path: Path, _) -> Path:
    _idx(path.parent / "real", None)
    _idx(path.parent / "link", None)
    (path.parent / "link" / "train-images-idx3-ubyte").unlink()
    return path.parent / "real" / "train-images-idx3-ubyte"


@pytest.mark.parametrize(
    "write", [_write_npz, _write_pixels, _write_parquet, _write_table, _write_images]
)
def test_a_file_that_the_user_names_may_be_a_link(write, tmp_path, write_picture):
    real = write(tmp_path / "named", write_picture)
    (tmp_path / "link").mkdir(exist_ok=True)
    link = tmp_path / "link" / real.name
    link.symlink_to(real)
    assert load(link).content_hash == load(real).content_hash


def test_what_lies_beside_a_file_that_was_named_may_not_lead_out(tmp_path):
    _idx(tmp_path / "source", None)
    labels = tmp_path / "source" / "train-labels-idx1-ubyte"
    _to_absolute(labels)
    with pytest.raises(DataError, match="labels-idx1-ubyte cannot be opened: it is a link"):
        load(tmp_path / "source" / "train-images-idx3-ubyte")


def test_a_use_list_that_the_user_names_may_be_a_link(tmp_path, write_picture):
    _classes(tmp_path / "source", write_picture)
    rows = [f"{name},x,yes," for name in load(tmp_path / "source").names]
    (tmp_path / "real.csv").write_text("\n".join(["name,label,use,reason", *rows]) + "\n")
    (tmp_path / "use.csv").symlink_to("real.csv")
    spec = DataSpec(str(tmp_path / "source"), use=str(tmp_path / "use.csv"))
    assert len(load(spec)) == len(LABELS)


@pytest.mark.parametrize("lead_out", WAYS_OUT)
def test_pictures_to_be_answered_for_follow_the_same_rule(lead_out, tmp_path, write_picture):
    folder = tmp_path / "source"
    _pictures(folder, write_picture)
    lead_out(folder / "0.png")
    first, second, *_ = find_image_files([folder]).files
    with pytest.raises(DataError, match=r"0\.png cannot be opened: it is a link that leads out of"):
        first.read()
    assert second.read()
    (tmp_path / "link.png").symlink_to(folder / "1.png")
    (named,) = find_image_files([tmp_path / "link.png"]).files
    assert named.read() == second.read()
