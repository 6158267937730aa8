"""Requests that h11 accepts and this server rejects, without a socket."""

import h11
import pytest

from clearcnn.web.http_parser import MOST_HEAD_BYTES, Parser

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def read(text: bytes) -> bytes:
    """The body of the first request; a rejected one raises."""
    parser, body = Parser(), b""
    parser.receive_data(text)
    while not isinstance(event := parser.next_event(), h11.EndOfMessage):
        assert event is not h11.NEED_DATA
        body += event.data if isinstance(event, h11.Data) else b""
    return body


def chunks(size: int, count: int) -> bytes:
    return CHUNKED + (f"{size:x}\r\n".encode() + bytes(size) + b"\r\n") * count + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        (HEAD + b"Content-Length: 3\r\n\r\nabc", 3),
        (chunks(1, 1000), 1000),
        (chunks(256, 3000), 768_000),
        (HEAD + b"X: " + b"y" * (MOST_HEAD_BYTES - 100) + b"\r\n\r\n", 0),
        # What follows a short head does not count as part of it.
        (HEAD + b"Content-Length: 50000\r\n\r\n" + bytes(50_000), 50_000),
    ],
)
def test_decent_requests_are_read(text: bytes, length: int) -> None:
    assert len(read(text)) == length


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        (HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "Content-Length"),
        (chunks(1, 1001), 400, "chunks"),
        (chunks(255, 1001), 400, "chunks"),
        (HEAD + b"X: " + b"y" * MOST_HEAD_BYTES + b"\r\n\r\n", 431, "head"),
        (HEAD + b"X: y\r\n" * 10_000 + b"\r\n", 431, "head"),
        (b"GET /" + b"a" * 2**20, 431, "head"),
        (HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, ""),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501, ""),
        (HEAD + b"Host: evil.example\r\n\r\n", 400, ""),
        (b"POST / HTTP/1.1\r\n\r\n", 400, ""),
        (CHUNKED + b"-1\r\n", 400, ""),
        (CHUNKED + b"f" * 40 + b"\r\n", 400, ""),
        (HEAD + b"X: a\x00b\r\n\r\n", 400, ""),
        (b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""),
        (HEAD + b"Transfer-Encoding : chunked\r\n\r\n", 400, ""),
    ],
)
def test_what_costs_or_confuses_is_refused(text: bytes, status: int, words: str) -> None:
    parser = Parser()
    parser.receive_data(text)
    with pytest.raises(h11.RemoteProtocolError):
        while parser.next_event() is not h11.NEED_DATA:
            pass
    assert parser.complaint[0] == status
    assert words in parser.complaint[1]
    assert len(parser.complaint[1]) <= 200
