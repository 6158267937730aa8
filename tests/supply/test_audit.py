"""What is said of what pip-audit found, or could not find."""

from typing import Any

import pytest

SAFE = {"name": "safe", "version": "1", "vulns": []}
BAD = {
    "name": "bad",
    "version": "2",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}, {"id": "PYSEC-2", "fix_versions": []}],
}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "words", "is_vulnerable"),
    [
        ([], ("Nothing was audited",), False),
        ([UNKNOWN], ("Nothing was audited",), False),
        ([SAFE], ("1 packages were looked up; none",), False),
        ([SAFE, UNKNOWN], ("none is known", "1 could not be looked up"), False),
        ([SAFE, BAD], ("bad 2: PYSEC-1, mended in 3.", "PYSEC-2, mended in no release"), True),
    ],
)
def test_it_says_what_it_knows_and_what_not(
    load: Any, packages: list[dict[str, Any]], words: tuple[str, ...], is_vulnerable: bool
) -> None:
    said, found = load("audit").sum_up(packages)
    assert all(word in said for word in words)
    assert found is is_vulnerable


def test_a_service_that_cannot_be_reached_stops_nothing(
    load: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = load("audit")
    asked = []

    def ask(service: str) -> list[dict[str, Any]]:
        asked.append(service)
        return []

    monkeypatch.setattr(audit, "ask", ask)
    assert audit.main() == 0
    assert asked == ["pypi", "osv"]
    assert "Nothing was audited" in capsys.readouterr().out
    monkeypatch.setattr(audit, "ask", lambda _: [BAD])
    assert audit.main() == 1
