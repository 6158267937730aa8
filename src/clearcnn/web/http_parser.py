"""h11's HTTP/1.1 parser with stricter limits."""

import re
from typing import Any

import h11

from clearcnn.language import say

MOST_HEAD_BYTES = 16_384
"""The most bytes of a request line and its headers, as in Node.js."""

_MOST_TINY_CHUNKS = 1000
_LEAST_MEAN_BYTES = 256
_LONGEST_REASON = 200
_END_OF_HEAD = re.compile(rb"\n\r?\n")


class Parser(h11.Connection):
    """h11's parser, which also rejects:

    - a head longer than `MOST_HEAD_BYTES`, before it is parsed: thousands of headers would block
      all other requests;
    - a body in tiny chunks: a chunk of one byte takes as long as one of a kilobyte;
    - a request with both Content-Length and Transfer-Encoding: a proxy might use the other one
      and see a different end of the request (request smuggling).

    Source: RFC 9112, sections 3 and 6.1.

    Attributes:
      complaint: the status and the reason of the last error.
    """

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MOST_HEAD_BYTES)
        self._chunks = self._chunk_bytes = 0
        self.complaint = (400, say("it is not HTTP"))

    def next_event(self) -> Any:
        """Return the next event, as h11 does.

        Raises:
          RemoteProtocolError: the data are invalid or rejected; `error_status_hint` is the
            status of the response.
        """
        try:
            if self.their_state is h11.IDLE:
                self._check_head()
            event = super().next_event()
            if isinstance(event, h11.Request):
                self._check_lengths(event)
            elif isinstance(event, h11.Data) and event.chunk_start:
                self._check_chunk(len(event.data))
        except h11.RemoteProtocolError as error:
            self.complaint = error.error_status_hint, str(error)[:_LONGEST_REASON]
            raise
        return event

    def _check_head(self) -> None:
        pending, _ = self.trailing_data
        if len(pending) > MOST_HEAD_BYTES and not _END_OF_HEAD.search(pending, 0, MOST_HEAD_BYTES):
            raise h11.RemoteProtocolError(
                f"its head has more than {MOST_HEAD_BYTES:,} bytes", error_status_hint=431
            )

    def _check_lengths(self, request: h11.Request) -> None:
        self._chunks = self._chunk_bytes = 0
        names = {name for name, _ in request.headers}
        if {b"content-length", b"transfer-encoding"} <= names:
            raise h11.RemoteProtocolError("it has Content-Length and Transfer-Encoding")

    def _check_chunk(self, count: int) -> None:
        self._chunks += 1
        self._chunk_bytes += count
        if (
            self._chunks > _MOST_TINY_CHUNKS
            and self._chunk_bytes < _LEAST_MEAN_BYTES * self._chunks
        ):
            raise h11.RemoteProtocolError(
                f"its {self._chunks:,} chunks have less than {_LEAST_MEAN_BYTES} bytes on average"
            )
