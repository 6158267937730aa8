"""What of HTTP/1.1 is taken: h11's parser, without what costs or confuses more than it is worth."""

import re
from typing import Any

import h11

MOST_HEAD_BYTES = 16_384
"""Of a request line and its headers, as many as Node.js takes."""

_CRUMBS = 1000
_LEAST_MEAN_BYTES = 256
_LONGEST_REASON = 200
_END_OF_HEAD = re.compile(rb"\n\r?\n")


class Parser(h11.Connection):
    """h11's parser, which refuses besides:

    - a head longer than `MOST_HEAD_BYTES`, before it is taken apart: its thousands of headers
      would hold all other requests up;
    - a body in crumbs: a chunk of one byte takes as long as one of a kilobyte;
    - both Content-Length and Transfer-Encoding: a proxy before this server might believe the
      other one, and take the end of one request for another's beginning.

    Source: RFC 9112, sections 3 and 6.1.

    Attributes:
      complaint: the status and the reason with which to refuse what was refused last.
    """

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MOST_HEAD_BYTES)
        self._chunks = self._chunk_bytes = 0
        self.complaint = (400, "it is not HTTP")

    def next_event(self) -> Any:
        """Give the next event, as h11 does.

        Raises:
          RemoteProtocolError: what came is no HTTP, or is refused; its `error_status_hint` is
            the status to answer with.
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
        if self._chunks > _CRUMBS and self._chunk_bytes < _LEAST_MEAN_BYTES * self._chunks:
            raise h11.RemoteProtocolError(
                f"its {self._chunks:,} chunks have less than {_LEAST_MEAN_BYTES} bytes on average"
            )
