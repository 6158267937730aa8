"""The settings of a server."""

from typing import Any

import pytest

from clearcnn.errors import SpecError
from clearcnn.web.settings import ServeSettings

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize(
    "changes",
    [
        {"port": -1},
        {"port": 65536},
        {"max_body_bytes": 0},
        {"max_json_bytes": 0},
        {"max_pixels": 0},
        {"max_images": 0},
        {"threads": 0},
        {"queue": -1},
        {"body_seconds": 0},
        {"body_seconds": float("nan")},
        {"drain_seconds": -1},
        {"drain_seconds": float("nan")},
        {"token": ""},
        {"token": TOKEN[:-1]},
        {"token": TOKEN + " x"},
        {"token": TOKEN + "é"},
        {"token": TOKEN + "\n"},
    ],
)
def test_what_is_out_of_range_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        ServeSettings(**changes)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "pictures.example", ""])
def test_other_computers_need_a_token(host: str) -> None:
    with pytest.raises(SpecError, match="gives other computers access"):
        ServeSettings(host=host)
    assert not ServeSettings(host=host, token=TOKEN).is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_this_computer_needs_none(host: str) -> None:
    assert ServeSettings(host=host).is_loopback


def test_a_token_is_not_shown() -> None:
    assert TOKEN not in repr(ServeSettings(token=TOKEN))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"token": TOKEN}, True),
        ({"allowed_hosts": ("pictures.example",)}, False),
        ({"host": "0.0.0.0", "token": TOKEN}, False),
        ({"host": "0.0.0.0", "token": TOKEN, "playground": True}, True),
        ({"playground": False}, False),
    ],
)
def test_only_this_computer_trains_unless_it_is_said(
    changes: dict[str, Any], expected: bool
) -> None:
    assert ServeSettings(**changes).has_playground is expected
