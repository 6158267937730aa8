"""The licence of every package that clearcnn needs, from what is installed: docs/licences.md.

    python -m supply.licences

A package whose licence is not listed below makes it, and the tests, fail.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"

COMPATIBLE = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "HPND", "ISC", "MIT"),
        *("MIT-CMU", "PSF-2.0", "Unlicense", "Zlib"),
    }
)
"""Licences of packages that may be used, changed and distributed with a work under Apache-2.0."""

FOR_WORK = COMPATIBLE | {"MPL-2.0"}
"""Licences of packages that only build, test and check, and are not in what we distribute."""

# Names in metadata older than PEP 639.
_SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}

# Packages without a licence in their metadata: from the LICENSE file of their source.
_BY_HAND = {"axe-playwright-python": "MIT", "namex": "Apache-2.0"}

_GROUPS = (
    ("What clearcnn runs with", "clearcnn", (), COMPATIBLE),
    (
        "What the extras `parquet` and `serve` add",
        "clearcnn",
        ("parquet", "serve"),
        COMPATIBLE,
    ),
    ("What only tests and checks need", "clearcnn", ("dev",), FOR_WORK),
)

_TOP = """\
# Licences

clearcnn is under the [Apache License 2.0](../LICENSE). Every package it needs may be used, changed
and distributed with it. `make docs` generates this page from the installed packages; a test
compares the two, and fails for a package whose licence is not listed as compatible. Some wheels
contain compiled libraries: those of NumPy and SciPy have OpenBLAS (BSD-3-Clause) and GCC's Fortran
library, whose exception allows that.
"""

_BOTTOM = """
None of these is contained in clearcnn's own files, with one exception:
`src/clearcnn/web/static/vendor/` is ONNX Runtime Web (MIT), with its licence and hashes in
`ORIGIN.txt` beside it. The compiled CPU kernels are our own; built with GCC, they contain parts of
its C++ library (GPL-3.0 with the GCC Runtime Library Exception, which allows that), and headers of
XLA from jaxlib (Apache-2.0).

HEIC images are not decoded, not even with an extra, since no decoder for Python suits. `pi-heif`
(a decoder alone, LGPL-3.0) was discontinued in June 2026; its last release, 1.4.0, contains libheif
1.23.0, in which a crafted image writes outside its memory (CVE-2026-84383, fixed in 1.23.2). The
wheels of `pillow-heif` contain the encoder x265 (GPL-2.0). The error about a HEIC image says how to
convert it.
"""


@dataclass(frozen=True)
class Licence:
    """The licence of a package.

    Attributes:
      package: its name, in lower case with hyphens.
      expression: an SPDX expression.
    """

    package: str
    expression: str

    def is_among(self, accepted: frozenset[str]) -> bool:
        """Whether one may choose licences that are all accepted."""
        return all(
            any(choice.strip(" ()") in accepted for choice in re.split(r"\bOR\b", part))
            for part in re.split(r"\bAND\b", self.expression)
        )


def find_packages(name: str, extras: tuple[str, ...] = ()) -> set[str]:
    """All packages that a package needs, directly or not, and that are installed here.

    Args:
      name: of a package that is installed.
      extras: of it.
    Returns:
      Their names, in lower case with hyphens, without its own.
    """
    found: set[str] = set()
    waiting = [(name, frozenset(extras))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        asked = waiting.pop()
        if asked in seen:
            continue
        seen.add(asked)
        for requirement in _requirements(*asked):
            needed = canonicalize_name(requirement.name)
            found.add(needed)
            waiting.append((needed, frozenset(requirement.extras)))
    return found - {canonicalize_name(name)}


def _requirements(name: str, extras: frozenset[str]) -> Iterator[Requirement]:
    for text in distribution(name).requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        wanted = marker is None or any(marker.evaluate({"extra": each}) for each in extras | {""})
        if wanted:
            yield requirement


def read_licence(name: str) -> Licence:
    """The licence that a package's metadata states.

    Raises:
      ValueError: it states none that is known here.
    """
    metadata = distribution(name).metadata
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in metadata.get_all("Classifier") or ()
        if text.startswith("License ::")
    ]
    stated = metadata.get("License-Expression") or next(iter(classifiers), metadata.get("License"))
    spoken = stated.splitlines()[0].strip() if stated else ""
    expression = _SPDX.get(spoken, spoken) or _BY_HAND.get(name, "")
    if not expression or len(expression) > 100:
        raise ValueError(f"{name} states no licence: {spoken[:80]!r}")
    return Licence(name, expression)


def read_groups() -> list[tuple[str, list[Licence]]]:
    """What is needed for what, each package where it is needed first, by name.

    Raises:
      ValueError: a licence is unknown, or not accepted there.
    """
    groups, done = [], set()
    for title, root, extras, accepted in _GROUPS:
        licences = []
        for name in sorted(find_packages(root, extras) - done):
            licence = read_licence(name)
            if not licence.is_among(accepted):
                raise ValueError(f"{name} is under {licence.expression}, which is not accepted")
            licences.append(licence)
            done.add(name)
        groups.append((title, licences))
    return groups


def write_page(groups: list[tuple[str, list[Licence]]]) -> str:
    """The page, in Markdown."""
    lines = [_TOP]
    for title, licences in groups:
        lines += [f"## {title}", "", "| package | licence |", "| --- | --- |"]
        lines += [f"| {each.package} | {each.expression} |" for each in licences]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n" + _BOTTOM


def main() -> int:
    """Write the page."""
    try:
        groups = read_groups()
    except (ValueError, PackageNotFoundError) as error:
        print(f"{PAGE.name} was not written: {error}.", file=sys.stderr)
        return 1
    PAGE.write_text(write_page(groups), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
