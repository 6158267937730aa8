"""Compile the kernels into one library, with whatever C++ compiler is there.

    python build.py FOLDER

Used by the build of the package (`hatch_build.py`) and by tests. Needs a compiler that knows
C++20 and GCC's vectors: GCC 10, Clang 11 or newer. Headers come with jaxlib.
"""

import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SOURCES = Path(__file__).parent
LIBRARY = "libclearcnn_kernels.so"

# What levels.cpp asks the processor for is what each level may use.
_LEVELS = {
    "x86_64_v2": ("-msse4.2",),
    "x86_64_v3": ("-mavx2", "-mfma"),
    "x86_64_v4": ("-mavx2", "-mfma", "-mavx512f", "-mavx512vl"),
}
_OF_A_LEVEL = (
    "multiply.cpp",
    "add_products.cpp",
    "channel_sums.cpp",
    "normalize_image.cpp",
    "pool_image.cpp",
    "warp_image.cpp",
    "depthwise_tile.cpp",
)
_OF_ALL = (
    "levels.cpp",
    "axis_plan.cpp",
    "parallel.cpp",
    "products.cpp",
    "convolution.cpp",
    "kernel_gradient.cpp",
    "pooled_convolution.cpp",
    "batch_sums.cpp",
    "normalize.cpp",
    "pooling.cpp",
    "warp.cpp",
    "depthwise.cpp",
)
_OF_XLA = (
    "ffi_convolution.cpp",
    "ffi_pooled_convolution.cpp",
    "ffi_batch_sums.cpp",
    "ffi_normalize.cpp",
    "ffi_pooling.cpp",
    "ffi_warp.cpp",
    "ffi_depthwise.cpp",
)
_FLAGS = ("-std=c++20", "-O3", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra")


class BuildError(Exception):
    """The kernels could not be built; says why."""


def build_library(folder: Path) -> Path:
    """Compile the library.

    Args:
      folder: gets it.
    Returns:
      Its path.
    Raises:
      BuildError: there is no compiler, it refuses, or jaxlib is not installed.
    """
    flags = ("-w", "-I", str(_find_headers()), f'-DCLEARCNN_STAMP="{_hash_sources()}"')
    link = ["-shared"]
    if sys.platform == "linux":
        # So that it runs beside whatever C++ library other packages bring.
        link += ["-static-libstdc++", "-static-libgcc", "-s"]
        link += [f"-Wl,--version-script={SOURCES / 'exports.map'}"]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as drafts:
        objects = compile_objects(Path(drafts), more_sources={_OF_XLA: flags})
        draft = Path(drafts, LIBRARY)
        _run([*find_compiler(), *link, *map(str, objects), "-o", str(draft)])
        # In one step: a process that has the one of before open keeps it.
        return draft.replace(folder / LIBRARY)


def compile_objects(
    folder: Path,
    flags: Sequence[str] = (),
    more_sources: dict[tuple[str, ...], Sequence[str]] | None = None,
) -> list[Path]:
    """Compile what needs no header of XLA, for each level of this kind of processor.

    Args:
      folder: gets the objects.
      flags: for the compiler, besides our own.
      more_sources: further files, and flags for them.
    """
    compiler = find_compiler()
    levels = _levels()
    wanted: list[tuple[str, str, tuple[str, ...]]]
    wanted = [(name, f"{name}.o", ()) for name in _OF_ALL]
    for level, instructions in levels.items():
        defined = (*instructions, f"-DCLEARCNN_LEVEL={level}")
        wanted += [(name, f"{name}.{level}.o", defined) for name in _OF_A_LEVEL]
    for names, own in (more_sources or {}).items():
        wanted += [(name, f"{Path(name).name}.o", tuple(own)) for name in names]

    def compile_one(job: tuple[str, str, tuple[str, ...]]) -> Path:
        name, target, own = job
        path = folder / target
        source = str(SOURCES / name)
        _run([*compiler, *_FLAGS, *flags, *own, "-I", str(SOURCES), "-c", source, "-o", str(path)])
        return path

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(compile_one, wanted))


def find_compiler() -> list[str]:
    """Give the words that call the C++ compiler: of CXX, or the first that is found.

    Raises:
      BuildError: there is none.
    """
    named = shlex.split(os.environ.get("CXX", ""))
    if named:
        return named
    for name in ("c++", "g++", "clang++"):
        if shutil.which(name):
            return [name]
    raise BuildError("no C++ compiler was found")


def _levels() -> dict[str, tuple[str, ...]]:
    machine = platform.machine().lower()
    if machine in ("x86_64", "amd64"):
        return _LEVELS
    if machine in ("aarch64", "arm64"):
        return {"neon": ()}
    raise BuildError(f"there are no kernels for {machine} processors")


def _hash_sources() -> str:
    # By its path: clearcnn is not installed yet.
    path = SOURCES.parents[2] / "kernel_stamp.py"
    spec = importlib.util.spec_from_file_location("kernel_stamp", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.hash_sources(SOURCES))


def _find_headers() -> Path:
    try:
        import jaxlib
    except ImportError as error:
        raise BuildError("jaxlib, whose headers are needed, is not installed") from error
    return Path(jaxlib.__file__).parent / "include"


def _run(words: list[str]) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BuildError(f"{words[0]} could not be run: {error.strerror}") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line]
        raise BuildError(f"{words[0]} refused: {next(iter(lines), done.stderr[-300:])}")


if __name__ == "__main__":
    try:
        print(build_library(Path(sys.argv[1])))  # noqa: T201
    except BuildError as failure:
        sys.exit(f"The kernels were not built: {failure}.")
