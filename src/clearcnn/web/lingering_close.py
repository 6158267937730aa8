"""A close that lets the client read its last answer."""

import asyncio
from typing import Any

_LINGER_SECONDS = 2.0


class LingeringTransport(asyncio.Transport):
    """A transport that closes in two steps, so that no client sees a reset.

    A socket that is closed while bytes of the client lie unread resets the connection, and with
    it an answer that the client has not read yet. Here only the sending half is closed first.
    Then what still comes is read and thrown away, until the client closes, for two seconds at
    most.

    Args:
      transport: of asyncio.
    Source: RFC 9112, section 9.6.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._inner = transport
        self._timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Send what is written, then the end; close when the client has, or soon."""
        if self.is_closing():
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_LINGER_SECONDS, self._inner.close)
        self._inner.write_eof()
        self._inner.resume_reading()

    def forget(self) -> None:
        """The connection is lost: nothing is left to close."""
        if self._timer is not None:
            self._timer.cancel()

    def is_closing(self) -> bool:
        """Whether it is closed, or was told to close."""
        return self._timer is not None or self._inner.is_closing()

    def abort(self) -> None:
        """Close at once, and lose what is not sent."""
        self._inner.abort()

    def write(self, data: Any) -> None:
        """Send bytes."""
        self._inner.write(data)

    def pause_reading(self) -> None:
        """Read no more for now; while it closes, reading goes on."""
        if not self.is_closing():
            self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._inner.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What asyncio tells about a connection, such as its socket."""
        return self._inner.get_extra_info(name, default)
