"""The file of a checkpoint: whole and as it was written, or refused in one sentence."""

import hashlib
import io
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearcnn.checkpoints import (
    FACTS,
    Checkpoint,
    CheckpointFolder,
    decode_checkpoint,
    encode_checkpoint,
    write_whole,
)
from clearcnn.errors import CheckpointError

ARRAYS = {
    "trainable/0": np.arange(12, dtype=np.float32).reshape(3, 4),
    "optimizer/0": np.asarray(7, np.int64),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "empty": np.zeros((0, 3), np.uint16),
}


def make(epoch=3):
    return Checkpoint({"epoch": epoch, "history": [0.5, float("nan")]}, ARRAYS)


def seal(content):
    return content[:-64] + hashlib.sha256(content[:-64]).hexdigest().encode()


def test_it_is_an_npz_that_numpy_and_sha256sum_can_check(tmp_path):
    content = encode_checkpoint(make())
    back = decode_checkpoint(content, "here")
    assert back.epoch == 3
    assert list(back.arrays) == list(ARRAYS)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(arrays[name], array)
            np.testing.assert_array_equal(back.arrays[name], array)
            assert back.arrays[name].dtype == array.dtype
    assert content[-64:].decode() == hashlib.sha256(content[:-64]).hexdigest()
    assert encode_checkpoint(make()) == content


@given(at=st.integers(min_value=0), bit=st.integers(0, 7))
@settings(max_examples=200, deadline=None)
def test_any_bit_that_turned_is_found(at, bit):
    content = bytearray(encode_checkpoint(make()))
    content[at % len(content)] ^= 1 << bit
    with pytest.raises(CheckpointError, match="checksum"):
        decode_checkpoint(bytes(content), "here")


@given(length=st.integers(min_value=0))
@settings(max_examples=100, deadline=None)
def test_any_end_that_is_missing_is_found(length):
    content = encode_checkpoint(make())
    with pytest.raises(CheckpointError):
        decode_checkpoint(content[: length % len(content)], "here")


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_with_a_right_checksum_whatever_is_inside_is_one_error_or_a_checkpoint(data):
    content = bytearray(encode_checkpoint(make()))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 65))] = data.draw(st.integers(0, 255))
    try:
        decode_checkpoint(seal(bytes(content)), "here")
    except CheckpointError as error:
        assert "\n" not in error.problem


def archive(members, kind=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as zipped:
        for name, value in members.items():
            zipped.writestr(name, value)
        zipped.comment = bytes(64)
    return seal(file.getvalue())


def npy(header):
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def elsewhere():
    """An archive whose list of members says that one begins beyond 2^63 bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr(FACTS, '{"epoch": 1}')
        zipped.infolist()[0].header_offset = 2**63 + 5
        zipped.comment = bytes(64)
    return seal(file.getvalue())


BAD = {
    "no archive": seal(bytes(1000)),
    "no facts": archive({"a.npy": b""}),
    "a bomb": archive({FACTS: '{"epoch": 1}', "a.npy": bytes(10**7)}, zipfile.ZIP_DEFLATED),
    "no epoch": archive({FACTS: "{}"}),
    "a list": archive({FACTS: "[1]"}),
    "deep": archive({FACTS: "[" * 100_000}),
    "an enormous array": archive(
        {
            FACTS: '{"epoch": 1}',
            "a.npy": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,)}"),
        }
    ),
    "an object": archive(
        {
            FACTS: '{"epoch": 1}',
            "a.npy": npy("{'descr': '|O', 'fortran_order': False, 'shape': ()}") + b"cos\nsystem",
        }
    ),
    "a member beyond 2^63": elsewhere(),
} | {
    f"a header of {kind}": archive({FACTS: '{"epoch": 1}', "a.npy": npy(header)})
    for kind, header in {
        "other keys": "{1: 2, 'x': 3}",
        "what is no key": "{[]: 1}",
        "a shape of truths": "{'descr': '<f8', 'fortran_order': False, 'shape': (True, 0)}",
        "half a text": "{'descr': '<f8', 'fortran_order': False, 'shape': (",
    }.items()
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_what_nobody_here_wrote_is_refused(content):
    with pytest.raises(CheckpointError, match="cannot be resumed") as error:
        decode_checkpoint(content, "here")
    assert "\n" not in error.value.problem


def test_the_newest_two_are_kept_and_the_one_before_helps_out(tmp_path):
    store = CheckpointFolder(tmp_path / "new" / "folder")
    assert store.load() is None
    with store.locked():
        for epoch in (1, 2, 10):
            store.save(make(epoch))
    newest, before = store.list_files()
    assert (newest.name, before.name) == ("epoch-000010.npz", "epoch-000002.npz")
    assert store.load().epoch == 10
    newest.write_bytes(newest.read_bytes()[:-1])
    with pytest.warns(
        RuntimeWarning,
        match=r"epoch-000010.*Training resumes from the one before it, after 2 epochs",
    ):
        assert store.load().epoch == 2
    before.write_bytes(b"")
    with pytest.raises(CheckpointError, match="epoch-000010"):
        store.load()


def test_what_is_newer_than_the_one_gone_on_from_goes_with_the_next(tmp_path):
    store = CheckpointFolder(tmp_path)
    with store.locked():
        for epoch in (90, 100):
            store.save(make(epoch))
        store.list_files()[0].write_bytes(b"damaged")
        with pytest.warns(RuntimeWarning, match="after 90 epochs"):
            assert store.load().epoch == 90
        store.save(make(91))
        assert [path.name for path in store.list_files()] == [
            "epoch-000091.npz",
            "epoch-000090.npz",
        ]
        assert store.load().epoch == 91


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch, call):
    store = CheckpointFolder(tmp_path)
    store.save(make(1))
    store.unlock()

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr({"fsync": "os.fsync", "replace": "pathlib.Path.replace"}[call], fail)
    with pytest.raises(CheckpointError, match="No space left"):
        store.save(make(2))
    monkeypatch.undo()
    assert [path.name for path in store.list_files()] == ["epoch-000001.npz"]
    assert not list(tmp_path.glob(".partial-*"))
    assert store.load().epoch == 1


def test_what_a_killed_process_left_is_removed(tmp_path):
    program = (
        "import os, sys, pathlib; from clearcnn.checkpoints import CheckpointFolder, Checkpoint\n"
        "store = CheckpointFolder(sys.argv[1]); store.save(Checkpoint({'epoch': 1}, {}))\n"
        "pathlib.Path(sys.argv[1], '.partial-epoch-000002.npz.1').write_bytes(b'half')\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert done.returncode == -9
    store = CheckpointFolder(tmp_path)
    with store.locked():
        assert store.load().epoch == 1
        assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-000001.npz", "lock"]


def test_a_file_is_written_whole_or_not(tmp_path):
    path = tmp_path / "a"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]
