"""The compiled kernels under sanitizers, every level that this processor has, without JAX.

`native/exercise.cpp` holds them to results that are written down plainly, in double.
"""

import subprocess
from pathlib import Path

import pytest

from clearcnn.training.cpu_kernels.native import build

EXERCISES = sorted(Path(__file__).parent.joinpath("native").glob("*.cpp"))


def compile_exercise(folder: Path, flags: list[str]) -> Path:
    """Compile kernels and exercise; skip where there is no compiler that knows the flags."""
    empty = folder / "empty.cpp"
    empty.write_text("int main() { return 0; }\n")
    try:
        compiler = build.find_compiler()
    except build.BuildError as error:
        pytest.skip(str(error))
    made = folder / "empty"
    done = subprocess.run(
        [*compiler, *flags, str(empty), "-o", str(made)], capture_output=True, text=True
    )
    if done.returncode or subprocess.run([made], capture_output=True).returncode:
        pytest.skip(f"{compiler[0]} does not know {flags[0]} here: {done.stderr[:200]}")
    objects = build.compile_objects(folder, flags)
    program = folder / "exercise"
    words = [*compiler, "-std=c++20", "-O1", *flags, f"-I{build.SOURCES}", *map(str, EXERCISES)]
    done = subprocess.run(
        [*words, *map(str, objects), "-pthread", "-o", str(program)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.release
@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_no_number_beside_an_array_and_no_race(sanitizers: str, tmp_path: Path) -> None:
    flags = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all", "-O1", "-g"]
    program = compile_exercise(tmp_path, flags)
    done = subprocess.run([program, "7", "400"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split()


def test_without_a_compiler_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(build.BuildError, match=r"no C\+\+ compiler was found"):
        build.build_library(tmp_path)
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(build.BuildError, match="no-such-compiler could not be run"):
        build.build_library(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_the_compiler_refuses_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refuses = tmp_path / "refuses"
    refuses.write_text("#!/bin/sh\necho 'some.h:1: error: it is too old' >&2\nexit 1\n")
    refuses.chmod(0o755)
    monkeypatch.setenv("CXX", str(refuses))
    with pytest.raises(build.BuildError, match=r"refused: some\.h:1: error: it is too old"):
        build.build_library(tmp_path / "made")
