"""How long does the tutorial take, from the command to its end?

`clearcnn train --recipe tutorial` against the same training as a script, each as a whole process
and not for the first time: caches on disk are filled, JAX's compiled programs for Keras/JAX too.
Only clearcnn also writes a model, tables, figures and a report.
"""

import json

from benchmarks.contest import Contender, Result
from benchmarks.lineup import KERAS_JAX, tutorial_scripts
from benchmarks.question import Question
from benchmarks.tables import WALL_SECONDS, Aim

NAME = "clearcnn train"


def contenders(quick: bool) -> list[Contender]:
    """The command, and the scripts."""
    epochs = ("--epochs", "3" if quick else "100")
    return [command(NAME, *epochs), *tutorial_scripts(*epochs)]


def command(name: str, *options: str, keeps_cache: bool = True) -> Contender:
    """The command as users type it."""
    words = ("-m", "clearcnn", "train", "--recipe", "tutorial", "--json", *options)
    return Contender(name, "clearcnn", words, keeps_cache=keeps_cache, read=read_result)


def read_result(stdout: str) -> Result:
    """Extract the compared figures from the command's JSON."""
    result = json.loads(stdout)
    return {
        "samples": result["data"]["train"],
        "epochs": len(result["history"]["metrics"]["loss"]),
        "parameters": result["model_summary"]["parameters"],
        "loss": result["test"]["loss"],
        "accuracy": result["test"]["score"]["accuracy"],
    }


QUESTION = Question(
    contenders,
    WALL_SECONDS,
    minutes=5,
    aims=(Aim("the same script in Keras/JAX", (KERAS_JAX,), ratio=3, moonshot=5),),
    warm_ups=1,
)
