"""The licences that are stated are those of what is installed, and all are compatible."""

import re
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest


def test_the_page_states_what_is_installed(root: Path, load: Any) -> None:
    page = (root / "docs" / "licences.md").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^\| ([\w.-]+) \| (.+) \|$", page, re.MULTILINE))
    for _, licences in load("licences").read_groups():
        for licence in licences:
            assert stated[licence.package] == licence.expression


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", True),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only", False),
        ("MPL-2.0", False),
        ("LGPL-2.1-or-later WITH something", False),
        ("Proprietary", False),
    ],
)
def test_what_is_compatible(load: Any, expression: str, expected: bool) -> None:
    licences = load("licences")
    assert licences.Licence("x", expression).is_among(licences.COMPATIBLE) is expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"License-Expression": "MIT", "License": "other"}, "MIT"),
        ({"Classifier": "License :: OSI Approved :: BSD License"}, "BSD-3-Clause"),
        ({"License": "Apache License 2.0"}, "Apache-2.0"),
        ({}, None),
        ({"License": "You may\nnot use it"}, "You may"),
        ({"License": "x" * 101}, None),
    ],
)
def test_metadata_old_and_new_is_read(
    load: Any, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], expected: str | None
) -> None:
    metadata = Message()
    metadata["Name"] = "some"
    for name, value in headers.items():
        metadata[name] = value
    licences = load("licences")
    monkeypatch.setattr(licences, "distribution", lambda _: SimpleNamespace(metadata=metadata))
    if expected is None:
        with pytest.raises(ValueError, match="some states no licence"):
            licences.read_licence("some")
    else:
        assert licences.read_licence("some").expression == expected
