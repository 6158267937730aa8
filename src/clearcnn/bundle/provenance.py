"""Signatures that identify the runs that this user trained on this computer.

A run folder may come from a stranger, who chose everything in its manifest. The data source that it
names is read only if this user's signature proves that this user named it.
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

from clearcnn.regular_files import read_regular
from clearcnn.results.json_codec import decode, to_json
from clearcnn.specs import DataSpec

_KEY_BYTES = 32
# Fields of DataSpec that older runs do not have.
_LATER_FIELDS = frozenset(["image_column", "label_column", "groups_from_name", "min_images"])

_PREFIX = re.compile(r"[A-Za-z_]{2,}:")


class Signed(Protocol):
    """A signed record of a run: its manifest, or the request of an unfinished one."""

    @property
    def data(self) -> DataSpec:
        """The data source and how it was read."""

    @property
    def signature(self) -> str | None:
        """HMAC-SHA-256 in hexadecimal, or None."""


_S = TypeVar("_S", bound=Signed)


def sign(record: _S) -> _S:
    """Return the record with a signature, which `is_own` verifies.

    The user's key is created when it is first needed. If it cannot be stored, as in a read-only
    home, the signature is None.
    """
    key = _read_key() or _make_key()
    signature = None if key is None else _authenticate(record, key)
    signed: _S = dataclasses.replace(record, signature=signature)  # type: ignore[type-var]
    return signed


def is_own(record: Signed) -> bool:
    """Verify that this user signed exactly this record on this computer.

    The signature covers absolute paths, so a record with a relative source is recognized only from
    the same working folder.
    """
    key = _read_key()
    if key is None or record.signature is None:
        return False
    return hmac.compare_digest(_authenticate(record, key), record.signature)


def _authenticate(record: Signed, key: bytes) -> str:
    """Compute the HMAC of all fields of a record and of the absolute paths of its sources."""
    # Decoding makes 1 and 1.0 the same before and after a record was written to a file.
    values = to_json(decode(type(record), to_json(record), "record"))
    del values["signature"]
    # A run that was signed before these fields existed is still this user's.
    values["data"] = {
        name: value
        for name, value in values["data"].items()
        if value is not None or name not in _LATER_FIELDS
    }
    content = json.dumps([values, _find_places(record.data)], sort_keys=True)
    return hmac.new(key, content.encode(), hashlib.sha256).hexdigest()


def _find_places(spec: DataSpec) -> list[str]:
    paths = [_PREFIX.sub("", spec.source, count=1), *([spec.use] if spec.use else [])]
    return [os.path.abspath(os.path.expanduser(path)) for path in paths]  # noqa: PTH100, PTH111


def key_path() -> Path:
    """Return the path of the user's key, in the operating system's place for application state."""
    import platformdirs

    return platformdirs.user_state_path("clearcnn", appauthor=False) / "key"


def _read_key() -> bytes | None:
    with suppress(OSError):
        key = read_regular(Path(os.path.realpath(key_path())), _KEY_BYTES)
        # A truncated key could be guessed.
        return key if len(key) == _KEY_BYTES else None
    return None


def _make_key() -> bytes | None:
    """Create a new key atomically; of two concurrent processes, one wins."""
    path = key_path()
    aside = path.with_name(f".partial-key.{os.getpid()}.{secrets.token_hex(4)}")
    with suppress(OSError):
        # Without a home directory, "~" is not expanded.
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
                # Another process was first, the file is not a key, or hard links are unsupported.
                if _read_key() is None:
                    aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    return _read_key()
