"""A release: wheel, source, a bill of materials, and the SHA-256 of each, in dist/.

    python -m supply.release .venvs/tools/bin/cyclonedx-py

It is built of a commit, in the environment that it is tried with, and has the commit's time: two
builds of one commit are the same to the bit.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
ORIGIN = ROOT / "src" / "clearcnn" / "web" / "static" / "vendor" / "ORIGIN.txt"


def build(commit_time: str) -> list[Path]:
    """Build the source and the wheel.

    Args:
      commit_time: seconds since 1970, which every file in them gets.
    Returns:
      Both files.
    """
    shutil.rmtree(DIST, ignore_errors=True)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", str(DIST)],
        cwd=ROOT,
        env={**os.environ, "SOURCE_DATE_EPOCH": commit_time},
        capture_output=True,
        check=True,
    )
    return sorted(DIST.iterdir())


def describe(cyclonedx: Path, version: str, commit_time: str) -> dict[str, Any]:
    """The bill of materials, CycloneDX 1.6, of this environment and of what we carry with us.

    Args:
      cyclonedx: the program that writes it.
      version: of clearcnn.
      commit_time: seconds since 1970, which it gets.
    """
    words = [str(cyclonedx), "environment", sys.executable, "--pyproject", "pyproject.toml"]
    words += ["--output-reproducible", "--output-format", "JSON", "--spec-version", "1.6"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": commit_time}
    done = subprocess.run(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    bill: dict[str, Any] = json.loads(done.stdout)
    bill["metadata"]["component"]["version"] = version
    vendored = describe_vendored(ORIGIN.read_text(encoding="utf-8"))
    bill["components"].append(vendored)
    for entry in bill["dependencies"]:
        if entry["ref"] == bill["metadata"]["component"]["bom-ref"]:
            entry["dependsOn"].append(vendored["bom-ref"])
    bill["dependencies"].append({"ref": vendored["bom-ref"]})
    return bill


def describe_vendored(origin: str) -> dict[str, Any]:
    """The component whose files lie unchanged among our own.

    Args:
      origin: the text beside them, with its version and their hashes.
    """
    version = re.search(r"ONNX Runtime Web ([\d.]+\d),", origin)
    hashes = re.findall(r"^([0-9a-f]{64})  (\S+)$", origin, re.MULTILINE)
    assert version and hashes, "ORIGIN.txt is not as it was."
    reference = f"onnxruntime-web@{version[1]}"
    return {
        "type": "library",
        "bom-ref": reference,
        "name": "onnxruntime-web",
        "version": version[1],
        "purl": f"pkg:npm/{reference}",
        "licenses": [{"license": {"id": "MIT"}}],
        "components": [
            {"type": "file", "name": name, "hashes": [{"alg": "SHA-256", "content": digest}]}
            for digest, name in hashes
        ],
    }


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def main(cyclonedx: str) -> int:
    """Build a release, and print what it is.

    Args:
      cyclonedx: the program of that name, cyclonedx-py.
    """
    if _git("status", "--porcelain"):
        print("Nothing was built: there are changes that are not committed.", file=sys.stderr)
        return 1
    commit_time = _git("log", "-1", "--format=%ct")
    files = build(commit_time)
    version = files[0].name.split("-")[1]
    bill = DIST / f"clearcnn-{version}.cdx.json"
    text = json.dumps(
        describe(Path(cyclonedx).absolute(), version, commit_time), indent=1, sort_keys=True
    )
    bill.write_text(text + "\n", encoding="utf-8")
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in (*files, bill)
    ]
    (DIST / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")
    print("\n".join(sums))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
