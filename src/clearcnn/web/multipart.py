"""Files in a multipart form, read from a complete body by python-multipart.

The time is proportional to the size of the body, even if every byte might begin a boundary.
Parsing stops at the first file above the limit.
"""

import logging
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from clearcnn.language import say
from clearcnn.web.http_errors import Refusal

NamedFile = tuple[str, bytes]

# RFC 7578 forbids this parameter, but some clients send it.
_EXTENDED_NAME = re.compile(rb";\s*filename\*\s*=\s*UTF-8'[^']*'([^\s;]+)", re.IGNORECASE)

# It would log each malformed form; the access log has a line for it anyway.
logging.getLogger("python_multipart.multipart").disabled = True


def read_files(body: bytes, content_type: str, most: int) -> list[NamedFile]:
    """Read the files of a multipart/form-data body.

    Args:
      body: the request's body.
      content_type: the request's header, with the boundary.
      most: the most files.
    Returns:
      Name and content of each file, in order. A file without a name gets that of its field.
    Raises:
      Refusal: 400, the form is invalid, has too many files, or has a field that is not a file.

    Source: RFC 7578; RFC 2046, section 5.1.
    """
    try:
        return [_name(part) for part in _parse(body, content_type, most)]
    except (ValueError, FormParserError) as error:
        raise Refusal(
            400,
            say("The form cannot be read: {error}.", error=str(error).rstrip(".")),
            remedy=say(
                "Send from 1 to {most} files, and nothing else, as multipart/form-data.", most=most
            ),
        ) from None


@dataclass
class _Part:
    """One part of a form, as far as it has been parsed."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    header_name: bytes = b""
    header_value: bytes = b""
    content: list[bytes] = field(default_factory=list)


class _Collector:
    """Collects parts from the parser's callbacks."""

    def __init__(self, most: int) -> None:
        self.parts: list[_Part] = []
        self.is_complete = False
        self._most = most

    def on_part_begin(self) -> None:
        if len(self.parts) == self._most:
            raise ValueError(f"it has more than {self._most:,} parts")
        self.parts.append(_Part())

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].header_name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].header_value += data[start:end]

    def on_header_end(self) -> None:
        part = self.parts[-1]
        part.headers[part.header_name.lower()] = part.header_value
        part.header_name = part.header_value = b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].content.append(data[start:end])

    def on_end(self) -> None:
        self.is_complete = True


def _parse(body: bytes, content_type: str, most: int) -> list[_Part]:
    _, options = parse_options_header(content_type)
    if not options.get(b"boundary"):
        raise ValueError("its Content-Type has no boundary")
    collector = _Collector(most)
    parser = MultipartParser(
        options[b"boundary"],
        {
            "on_part_begin": collector.on_part_begin,
            "on_header_field": collector.on_header_field,
            "on_header_value": collector.on_header_value,
            "on_header_end": collector.on_header_end,
            "on_part_data": collector.on_part_data,
            "on_end": collector.on_end,
        },
    )
    parser.write(body)
    if not collector.is_complete:
        raise ValueError("its last boundary is missing")
    return collector.parts


def _name(part: _Part) -> NamedFile:
    disposition = part.headers.get(b"content-disposition", b"")
    kind, options = parse_options_header(disposition)
    if kind != b"form-data" or b"name" not in options:
        raise ValueError("a part does not say which field it is")
    field_name = options[b"name"].decode("utf-8", "replace")
    if extended := _EXTENDED_NAME.search(disposition):
        name = unquote_to_bytes(extended[1]).decode("utf-8", "replace")
    elif b"filename" in options:
        name = options[b"filename"].decode("utf-8", "replace")
    else:
        raise ValueError(
            f"its field {field_name[:40]!r} is not a file; options belong in the query string"
        )
    return name or field_name, b"".join(part.content)
