"""Files in a multipart form, found in a body that is whole.

Parsers that are fed a stream look at every byte that might begin a boundary: 8 MiB of such bytes
took one of them nine seconds. Here `bytes.split` does the search.
"""

import re
from urllib.parse import unquote

from clearcnn.web.http_errors import Refusal

_MOST_HEAD_BYTES = 4096
_VALUE = r'("(?:[^"\\]|\\.)*"|[^\s;"]+)'
_BOUNDARY = re.compile(rf";\s*boundary={_VALUE}", re.IGNORECASE)
_DISPOSITION = re.compile(r"^content-disposition:\s*form-data\s*(;.*)$", re.IGNORECASE | re.M)
_PARAMETER = re.compile(rf";\s*(name|filename\*?)\s*=\s*{_VALUE}\s*", re.IGNORECASE)
_ESCAPED = re.compile(r'\\(["\\])')

NamedFile = tuple[str, bytes]


def read_files(body: bytes, content_type: str, most: int) -> list[NamedFile]:
    """Read the files of a multipart/form-data body.

    Args:
      body: of the request.
      content_type: the request's header, with the boundary.
      most: files to take.
    Returns:
      For each file its name and its content, in order; a file without a name is called as its
      field is.
    Raises:
      Refusal: 400, it is no such form, or there is a field that is no file.

    Source: RFC 7578; RFC 2046, section 5.1.
    """
    try:
        return [_read_part(part) for part in _split(body, content_type, most)]
    except ValueError as error:
        raise Refusal(
            400,
            f"The form cannot be read: {error}.",
            remedy=f"Send from 1 to {most} files, and nothing else, as multipart/form-data.",
        ) from None


def _split(body: bytes, content_type: str, most: int) -> list[bytes]:
    boundary = _BOUNDARY.search(content_type)
    if boundary is None or not boundary[1].isascii():
        raise ValueError("its Content-Type has no boundary")
    between = b"\r\n--" + _unquote(boundary[1]).encode()
    whole = b"\r\n" + body
    if (count := whole.count(between)) > most + 1:
        raise ValueError(f"it has {count - 1:,} parts")
    _, *parts = whole.split(between)
    if not parts or parts[-1].partition(b"\r\n")[0].rstrip(b" \t") != b"--":
        raise ValueError("its last boundary is not there")
    return parts[:-1]


def _read_part(part: bytes) -> NamedFile:
    head, found, content = part.partition(b"\r\n\r\n")
    if not (head + found).lstrip(b" \t").startswith(b"\r\n"):
        raise ValueError("something else follows its boundary")
    if not found or len(head) > _MOST_HEAD_BYTES:
        raise ValueError("a part has no head, or one that is too long")
    disposition = _DISPOSITION.search(head.decode("utf-8", "replace"))
    given = {
        match[1].lower(): match[2]
        for match in _PARAMETER.finditer(disposition[1] if disposition else "")
    }
    if "name" not in given:
        raise ValueError("a part does not say which field it is")
    field = _unquote(given["name"])
    if "filename*" in given:
        name = unquote(given["filename*"].rpartition("'")[2])
    elif "filename" in given:
        name = _unquote(given["filename"])
    else:
        raise ValueError(f"its field {field[:40]!r} is no file; options belong into the address")
    return name or field, content


def _unquote(value: str) -> str:
    # Browsers leave a backslash alone, as in C:\\scan.png; curl writes one before a quote.
    return _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
