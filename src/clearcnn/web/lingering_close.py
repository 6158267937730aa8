"""A close that lets the client read its last response."""

import asyncio

_LINGER_SECONDS = 2.0


class LingeringTransport(asyncio.Transport):
    """A transport that closes in two steps, to avoid connection resets.

    Closing a socket that has unread data resets the connection, and the client loses a response
    that it has not read yet. So only the sending half is closed first. Incoming data are then
    discarded until the client closes, for at most two seconds.

    Args:
      transport: the asyncio transport to wrap.
    Source: RFC 9112, section 9.6.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._inner = transport
        self._timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Flush, send end of file, and close when the client does or the time is up."""
        if self.is_closing():
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_LINGER_SECONDS, self._inner.close)
        try:
            self._inner.write_eof()
        except OSError:  # The client has reset the connection, and nothing was read since.
            self._inner.abort()
            return
        self._inner.resume_reading()

    def forget(self) -> None:
        """Cancel the pending close, as the connection is lost."""
        if self._timer is not None:
            self._timer.cancel()

    def is_closing(self) -> bool:
        """Whether it is closed or closing."""
        return self._timer is not None or self._inner.is_closing()

    def abort(self) -> None:
        """Close at once, and discard unsent data."""
        self._inner.abort()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes."""
        self._inner.write(data)

    def pause_reading(self) -> None:
        """Pause reading, unless the transport is closing."""
        if not self.is_closing():
            self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Resume reading."""
        self._inner.resume_reading()

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Return information on the connection, such as its socket."""
        return self._inner.get_extra_info(name, default)
