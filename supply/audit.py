"""Is any package that we pin known to be vulnerable?

    python -m supply.audit

pip-audit, beside whose Python this runs, asks the Python Package Index, and if that cannot be
reached, OSV. The exit status is 1 if something was found, and 0 otherwise: also if nobody could be
asked, which is said.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FILES = tuple(sorted(ROOT.glob("constraints*.txt")))
SERVICES = ("pypi", "osv")


def ask(service: str) -> list[dict[str, Any]]:
    """What a service says of each package; nothing if it cannot be reached.

    Args:
      service: "pypi" or "osv".
    """
    words = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"]
    words += ["--vulnerability-service", service, "--format", "json", "--progress-spinner", "off"]
    for file in FILES:
        words += ["--requirement", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    try:
        return list(json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError):
        return []


def sum_up(packages: list[dict[str, Any]]) -> tuple[str, bool]:
    """Say what was found, and whether that is something.

    Args:
      packages: of pip-audit: each has "name" and either "version" and "vulns", or "skip_reason".
    """
    asked = [package for package in packages if "skip_reason" not in package]
    if not asked:
        return "Nothing was audited: no service for advisories can be reached from here.", False
    lines = [
        f"{package['name']} {package['version']}: {found['id']}, mended in "
        f"{', '.join(found['fix_versions']) or 'no release'}."
        for package in asked
        for found in package["vulns"]
    ]
    unknown = len(packages) - len(asked)
    left = f" {unknown} could not be looked up." if unknown else ""
    if lines:
        return "\n".join([*lines, f"{len(asked)} packages were looked up.{left}"]), True
    return f"{len(asked)} packages were looked up; none is known to be vulnerable.{left}", False


def main() -> int:
    """Ask, and print."""
    packages: list[dict[str, Any]] = []
    for service in SERVICES:
        packages = ask(service)
        if any("skip_reason" not in package for package in packages):
            break
    said, is_vulnerable = sum_up(packages)
    print(said)
    return int(is_vulnerable)


if __name__ == "__main__":
    sys.exit(main())
