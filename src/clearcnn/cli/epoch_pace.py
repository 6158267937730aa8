"""How far the running epoch is: an estimate, since the compiled program reports whole epochs."""

import time

from clearcnn.language import say

_SECONDS_WORTH_SAYING = 2.0
_MOST = 0.95
"""The bar waits here for an epoch that takes longer than the one before."""


class EpochPace:
    """The time that epochs take; the share of the running one follows from the last one.

    Attributes:
      epoch: the running epoch, counted from 1.
      last_seconds: time of the last epoch; None before one is finished.
    """

    def __init__(self) -> None:
        self.epoch = 1
        self.last_seconds: float | None = None
        self._began_at: float | None = None

    def begin(self) -> None:
        """The first epoch begins."""
        self._began_at = time.monotonic()

    def end_epoch(self, epoch: int) -> None:
        """An epoch, counted from 0, has ended; the next one begins."""
        now = time.monotonic()
        if self._began_at is not None:
            self.last_seconds = now - self._began_at
        self.epoch, self._began_at = epoch + 2, now

    @property
    def share(self) -> float | None:
        """The estimated share of the running epoch, in [0, 0.95]; None where nothing is known."""
        if self._began_at is None or self.last_seconds is None:
            return None
        spent = time.monotonic() - self._began_at
        return min(_MOST, spent / self.last_seconds) if self.last_seconds > 0 else _MOST

    def describe(self) -> str:
        """Return what the running epoch does, or "" if it is too short to say."""
        if self._began_at is None:
            return ""
        spent = time.monotonic() - self._began_at
        if self.last_seconds is None:
            running = say("epoch {epoch} running", epoch=self.epoch)
            if spent <= _SECONDS_WORTH_SAYING:
                return running
            return say("{running}, {spent:.0f} s", running=running, spent=spent)
        if self.last_seconds < _SECONDS_WORTH_SAYING or self.share is None:
            return ""
        return say(
            "epoch {epoch}: about {share:.0f} % (estimated from the last one)",
            epoch=self.epoch,
            share=100 * self.share,
        )
