"""Which runs this user trained on this computer: by a signature that nobody else can make.

A run folder may come from anybody, and so may all that it says of itself. Only of the user's own
runs is it known that the source they name is one that this user named.
"""

import dataclasses
import hashlib
import hmac
import json
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

from clearcnn.results.json_codec import decode, to_json
from clearcnn.specs import DataSpec

_KEY_BYTES = 32
_PREFIX = re.compile(r"[A-Za-z_]{2,}:")


class Signed(Protocol):
    """A record of a run: its manifest, or the request of one that is not finished."""

    @property
    def data(self) -> DataSpec:
        """Which images were read, and from where."""

    @property
    def signature(self) -> str | None:
        """HMAC-SHA-256 in hex; None where there is none."""


_S = TypeVar("_S", bound=Signed)


def sign(record: _S) -> _S:
    """Give the record with a signature, by which `is_own` knows it again.

    The user's key is made when it is first needed. Where it cannot be kept, as in a home that
    may not be written to, the signature is None.
    """
    key = _read_key() or _make_key()
    signature = None if key is None else _authenticate(record, key)
    signed: _S = dataclasses.replace(record, signature=signature)  # type: ignore[type-var]
    return signed


def is_own(record: Signed) -> bool:
    """Tell whether this user signed exactly this record on this computer.

    A relative source must lead to where it led then: from another working folder, the record is
    not known again.
    """
    key = _read_key()
    if key is None or record.signature is None:
        return False
    return hmac.compare_digest(_authenticate(record, key), record.signature)


def _authenticate(record: Signed, key: bytes) -> str:
    """HMAC of everything in a record, and of the places that its paths lead to from here."""
    # Decoded once, so that 1 and 1.0 are the same before and after they were written to a file.
    values = to_json(decode(type(record), to_json(record), "record"))
    del values["signature"]
    content = json.dumps([values, _find_places(record.data)], sort_keys=True)
    return hmac.new(key, content.encode(), hashlib.sha256).hexdigest()


def _find_places(spec: DataSpec) -> list[str]:
    paths = [_PREFIX.sub("", spec.source, count=1), *([spec.use] if spec.use else [])]
    return [os.path.abspath(os.path.expanduser(path)) for path in paths]  # noqa: PTH100, PTH111


def key_path() -> Path:
    """Where the user's key is kept, in the place the operating system has for state."""
    import platformdirs

    return platformdirs.user_state_path("clearcnn", appauthor=False) / "key"


def _read_key() -> bytes | None:
    with suppress(OSError):
        key = key_path().read_bytes()
        # Half a key would be a key that others can guess.
        return key if len(key) == _KEY_BYTES else None
    return None


def _make_key() -> bytes | None:
    """Keep a new key, whole from the first moment; of two processes at once, one makes it."""
    path = key_path()
    aside = path.with_name(f".partial-key.{os.getpid()}.{secrets.token_hex(4)}")
    with suppress(OSError):
        # Without a home, its name stays what it is.
        if not path.is_absolute():
            return None
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(aside, path)
            except OSError:
                # Another process was quicker, what is there is no key, or links are not known here.
                if _read_key() is None:
                    aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    return _read_key()
