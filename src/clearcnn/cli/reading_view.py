"""What the verbs show while they read many images: a count, from the first moment."""

import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from clearcnn.cli.console import Console
from clearcnn.language import say

_MANY = 2_000
_SECONDS_SILENT = 10.0


class ReadingView:
    """A bar in a terminal, gone when all is read; a line now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.progress: Progress | None = None
        self.said_at = 0.0

    def show(self, read: int, total: int) -> None:
        """Show that `read` of `total` images have been read."""
        if self.console.is_live:
            self._move_bar(read, total)
        elif total >= _MANY and read == 0:
            self.said_at = time.monotonic()
            self.console.print(say("  reading {total:,} images …", total=total))
        elif total >= _MANY and time.monotonic() - self.said_at > _SECONDS_SILENT:
            self.said_at = time.monotonic()
            self.console.print(say("  {read:,} of {total:,} images read", read=read, total=total))

    def close(self) -> None:
        """Remove the bar, if there is one."""
        if self.progress is not None:
            self.progress.stop()
            self.progress = None

    def _move_bar(self, read: int, total: int) -> None:
        if self.progress is None:
            self.progress = Progress(
                TextColumn(self.console.language.translate(say("  reading images"))),
                BarColumn(30, complete_style="cyan", finished_style="cyan"),
                MofNCompleteColumn(),
                TimeRemainingColumn(compact=True),
                console=self.console,
                transient=True,
            )
            self.progress.add_task("", total=total)
            self.progress.start()
        self.progress.update(self.progress.task_ids[0], completed=read, total=total)
        if read == total:
            self.close()
