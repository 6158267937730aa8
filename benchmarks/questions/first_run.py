"""What does the first run cost, when nothing has been compiled before?

A sceptic's question: a compiled program must be compiled. Each run of the tutorial starts with
empty caches, except in the last row, the second run of `clearcnn train`. (Python's own bytecode
exists: it was written when the packages were installed or first imported.)
"""

from benchmarks.contest import Contender
from benchmarks.lineup import tutorial_scripts
from benchmarks.question import Question
from benchmarks.questions.digits_process import command
from benchmarks.tables import WALL_SECONDS

FIRST, AGAIN = "clearcnn train, first run", "clearcnn train, again"


def contenders(quick: bool) -> list[Contender]:
    """The command and the scripts without caches, and the command with them."""
    epochs = ("--epochs", "3" if quick else "100")
    return [
        command(FIRST, *epochs, keeps_cache=False),
        *tutorial_scripts(*epochs, keeps_cache=False),
        command(AGAIN, *epochs),
    ]


QUESTION = Question(contenders, WALL_SECONDS, minutes=6, warm_ups=1)
