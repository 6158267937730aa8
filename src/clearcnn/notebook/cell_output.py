"""One output of a notebook's cell, which is replaced as work goes on."""

import time

from clearcnn.language import choose_language, say

_SECONDS_BETWEEN = 0.25


class CellOutput:
    """An output below the running cell; at most four updates a second are sent."""

    def __init__(self) -> None:
        self._handle: object | None = None
        self._sent_at = float("-inf")

    @property
    def is_due(self) -> bool:
        """Whether enough time has passed for another update."""
        return time.monotonic() - self._sent_at >= _SECONDS_BETWEEN

    def send(self, html: str, text: str) -> None:
        """Replace what the output shows.

        Args:
          html: for notebooks.
          text: for programs that show no HTML.
        """
        from IPython.display import DisplayHandle

        self._sent_at = time.monotonic()
        content = {"text/html": html, "text/plain": choose_language().translate(text)}
        if self._handle is None:
            self._handle = DisplayHandle()
            self._handle.display(content, raw=True)
        else:
            assert isinstance(self._handle, DisplayHandle)
            self._handle.update(content, raw=True)


def say_duration(seconds: float) -> str:
    """Format a duration that is still an estimate: "8 s", "2 min", "1 h 5 min"."""
    whole = round(seconds)
    if whole < 100:
        return say("{seconds} s", seconds=whole)
    minutes = round(whole / 60)
    return (
        say("{minutes} min", minutes=minutes)
        if minutes < 100
        else say("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)
    )
