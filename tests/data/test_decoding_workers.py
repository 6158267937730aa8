"""Worker processes that decode small files, against reading in the process itself."""

import io
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearcnn.data import decoding_workers, load
from clearcnn.data.decode_image import decode
from clearcnn.data.decoding_workers import FEWEST_FILES, count_workers
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.safe_files import SourceFile
from clearcnn.errors import DataError

NUM_FILES = 300


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of files of many kinds, in which the first ones are small."""
    random = np.random.default_rng(3)
    for k in range(NUM_FILES):
        pixels = random.integers(0, 256, (9, 9, 4), np.uint8)
        image = Image.fromarray(pixels).resize((24, 20))
        path = tmp_path / "photos" / "ab"[k % 2] / f"{k // 2:04}"
        path.parent.mkdir(parents=True, exist_ok=True)
        contents = {
            0: (".jpg", save(image.convert("RGB"), "JPEG")),
            1: (".png", save(image.convert("L"), "PNG")),
            2: (".png", save(image, "PNG")),  # transparent
            3: (".jpg", save(image.convert("RGB").resize((200, 190)), "JPEG")),
            4: (".jpg", save(image.convert("RGB"), "JPEG", progressive=True)),
        }
        suffix, content = contents[k % 20 % 5 if k > 40 else 0]
        path.with_suffix(suffix).write_bytes(content)
    return tmp_path / "photos"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Let two workers decode even a few files; the processes that were started."""
    processes = []

    class Recorded(subprocess.Popen):
        def __init__(self, *arguments, **options) -> None:
            processes.append(self)
            super().__init__(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    monkeypatch.setattr(decoding_workers, "FEWEST_FILES", 10)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    return processes


def alone(folder: Path, **options: object) -> LabelledImages:
    """Read a folder without workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding_workers, "FEWEST_FILES", 10**9)
        return load(folder, **options)


def assert_equal(found: LabelledImages, expected: LabelledImages) -> None:
    np.testing.assert_array_equal(found.images, expected.images)
    assert found.names == expected.names
    assert found.preparation == expected.preparation
    assert found.skipped == expected.skipped


@pytest.mark.parametrize("options", [{}, {"color_mode": "grayscale"}, {"size": 16}])
def test_workers_give_the_same_images_in_the_same_order(folder, started, options) -> None:
    found = load(folder, **options)
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)
    assert_equal(found, alone(folder, **options))


def test_a_broken_file_gives_the_same_error(folder, started) -> None:
    files = sorted(folder.rglob("*.jpg"))
    for path in (files[60], files[90]):
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DataError) as expected:
        alone(folder)
    with pytest.raises(DataError) as found:
        load(folder)
    assert str(found.value) == str(expected.value)
    assert files[60].name in str(found.value)
    assert all(process.returncode is not None for process in started)
    skipping = load(folder, skip_unreadable=True)
    assert len(skipping.skipped) == 2
    assert_equal(skipping, alone(folder, skip_unreadable=True))


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit(1)",
        "print('text'); input()",
        "print('[[20, 24, 3]]', end=''); input()",
        "import sys; sys.stdin.readline(); print('[' + 'null, ' * 127 + 'null]')",
    ],
    ids=["ends at once", "writes text", "writes half an answer", "dies after an answer"],
)
def test_a_worker_that_fails_is_replaced_by_the_process_itself(
    folder, started, monkeypatch, program
) -> None:
    monkeypatch.setattr(decoding_workers, "_COMMAND", ("-c", program))
    assert_equal(load(folder), alone(folder))
    assert len(started) == 2


def test_a_system_without_processes_reads_all_the_same(folder, started, monkeypatch) -> None:
    monkeypatch.setattr(sys, "executable", str(folder / "python-that-is-missing"))
    assert_equal(load(folder), alone(folder))


def test_an_interrupt_ends_the_workers(folder, started) -> None:
    def interrupt(done: int, _total: int) -> None:
        if done >= 64:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(folder, progress=interrupt)
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal of POSIX")
def test_a_worker_leaves_ctrl_c_to_its_parent_and_ends_with_it(folder) -> None:
    path = sorted(folder.rglob("*.jpg"))[0]
    (worker,) = decoding_workers._start()
    for _ in range(2):
        (image,) = decoding_workers._ask(worker, [SourceFile(path, folder)])
        np.testing.assert_array_equal(image.pixels, decode(path.read_bytes(), "x").pixels)
        worker.send_signal(signal.SIGINT)
    worker.stdout.close()
    worker.stdin.close()
    assert worker.wait(timeout=60) == 0


def test_a_worker_refuses_a_link_out_of_the_folder(folder, tmp_path) -> None:
    path = sorted(folder.rglob("*.jpg"))[0]
    outside = path.rename(tmp_path / "outside.jpg")
    path.symlink_to(outside)
    (worker,) = decoding_workers._start()
    with worker:
        assert decoding_workers._ask(worker, [SourceFile(path, folder)]) == [None]


def test_few_files_one_processor_or_another_program_need_no_workers(monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert count_workers(FEWEST_FILES) == 3
    assert count_workers(FEWEST_FILES - 1) == 0
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1}, raising=False)
    assert count_workers(FEWEST_FILES) == 0
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 20)
    assert count_workers(FEWEST_FILES) == 8
    monkeypatch.setattr(sys, "executable", "/opt/editor/bin/editor")
    assert count_workers(FEWEST_FILES) == 0


@pytest.mark.process
def test_a_script_without_a_main_guard_runs_once(folder, tmp_path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(f"""
            import os
            os.sched_getaffinity = lambda _: {{0, 1}}
            from clearcnn.data import decoding_workers, load
            decoding_workers.FEWEST_FILES = 10
            print("read", len(load({str(folder)!r}).images))
        """)
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == f"read {NUM_FILES}\n"
    assert done.stderr == ""
