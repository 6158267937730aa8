"""An evaluation or a check below a notebook's cell: a bar for each phase, and the time left."""

import time
from dataclasses import dataclass, field

from clearcnn.language import join, say
from clearcnn.notebook.cell_output import CellOutput, say_duration
from clearcnn.report.notebook_views import view_progress
from clearcnn.workflows.fitting.listeners import EvaluateListener


@dataclass
class _Phase:
    name: str
    steps: int
    done: int = 0
    began_at: float = field(default_factory=time.monotonic)

    def describe(self) -> str:
        counted = say("{name}: {done} of {steps}", name=self.name, done=self.done, steps=self.steps)
        if not 0 < self.done < self.steps:
            return counted
        pace = (time.monotonic() - self.began_at) / self.done
        return say(
            "{counted} · about {time} left",
            counted=counted,
            time=say_duration(pace * (self.steps - self.done)),
        )


class EvaluationCell(EvaluateListener):
    """Shows an evaluation as it goes on."""

    def __init__(self) -> None:
        self._output = CellOutput()
        self._phases: list[_Phase] = []

    def on_phase(self, name: str, steps: int) -> None:
        """Add a bar."""
        self._phases.append(_Phase(name, steps))
        self._update()

    def on_step(self) -> None:
        """Move the last bar."""
        self._phases[-1].done += 1
        if self._output.is_due:
            self._update()

    def close(self) -> None:
        """Show where the evaluation ended."""
        if self._phases:
            self._update()

    def _update(self) -> None:
        words = [phase.describe() for phase in self._phases]
        shares = [phase.done / max(phase.steps, 1) for phase in self._phases]
        bars: list[dict[str, object]] = [
            {"words": text, "share": share} for text, share in zip(words, shares, strict=True)
        ]
        self._output.send(view_progress((), (), bars), join("\n", words))
