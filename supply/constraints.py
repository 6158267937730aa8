"""The release and the SHA-256 of every package, for all Pythons and systems we support.

    python -m supply.constraints constraints-dev

uv, beside whose Python this runs, looks for the newest releases that go together. Each file holds
what those before it do not.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST_PYTHON = "3.11"

_PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """A file of constraints.

    Attributes:
      title: what its packages are for.
      wanted: words for uv: of which extras and groups of pyproject.toml they are.
      before: the parts that are installed with it, whose packages it does not repeat.
      beside: the parts whose releases it takes where both name a package.
    """

    title: str
    wanted: tuple[str, ...]
    before: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


_RUN, _EXTRAS, _DEV = "constraints", "constraints-extras", "constraints-dev"

PARTS = {
    _RUN: Part(
        "What clearcnn runs with, and what builds it", ("pyproject.toml", "--group", "build")
    ),
    _EXTRAS: Part(
        "What the extras parquet and serve need besides",
        ("pyproject.toml", "--extra", "parquet", "--extra", "serve"),
        before=(_RUN,),
    ),
    _DEV: Part(
        "What its tests and checks need besides",
        ("pyproject.toml", "--extra", "dev"),
        before=(_RUN, _EXTRAS),
    ),
    "constraints-tools": Part(
        "What audits and releases it, in an environment of its own",
        ("--group", "tools"),
        beside=(_RUN, _EXTRAS, _DEV),
    ),
}


def read_pins(text: str) -> dict[str, str]:
    """The release of every package that a file of constraints names."""
    return {match[1]: match[2] for match in _PIN.finditer(text)}


def find_releases(part: Part) -> str:
    """Let uv find the releases of a part: requirements with hashes.

    Raises:
      subprocess.CalledProcessError: it found none that go together, and said why.
    """
    words = ["uv", "pip", "compile", *part.wanted, "--universal", "--generate-hashes", "--quiet"]
    # One release for all Pythons, so that what was tried on one is what runs on another.
    words += ["--python-version", OLDEST_PYTHON, "--fork-strategy", "fewest"]
    words += ["--no-annotate", "--no-header"]
    # The name of an index has no place in them: where to look is for whoever installs to say.
    words += ["--no-emit-index-url", "--no-emit-find-links"]
    for name in (*part.before, *part.beside):
        words += ["--constraint", f"{name}.txt"]
    for name in part.before:
        for package in read_pins((ROOT / f"{name}.txt").read_text(encoding="utf-8")):
            words += ["--no-emit-package", package]
    words[0] = str(Path(sys.executable).with_name("uv"))
    return subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def main(name: str) -> int:
    """Write a file of constraints anew.

    Args:
      name: of the part.
    """
    part = PARTS[name]
    try:
        releases = find_releases(part)
    except subprocess.CalledProcessError:
        return 1
    head = (
        f"# {part.title}: every release, and the SHA-256\n"
        "# of each of its files. Made by `make constraints`.\n"
    )
    (ROOT / f"{name}.txt").write_text(head + releases, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
