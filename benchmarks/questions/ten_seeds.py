"""How much faster are ten trainings in one call of `fit_many` than in ten calls of `fit`?

The tutorial with ten seeds; the time includes building the models. Both follow one training that
compiles the program. Accuracy and loss are means over the ten.
"""

from benchmarks import workloads
from benchmarks.contest import SEED, Contender
from benchmarks.question import Question
from benchmarks.tables import SECONDS, Aim

ONE_CALL, TEN_CALLS = "clearcnn.fit_many, one call", "clearcnn.fit, ten calls"


def contenders(quick: bool) -> list[Contender]:
    """One call, and ten."""
    workload = workloads.digits(quick)
    trainings = "2" if quick else "10"
    rest = ("--trainings", trainings, "--workload", workload.to_json(), "--seed", SEED)
    return [
        Contender(name, "clearcnn", ("ten_seeds.py", "--with", function, *rest))
        for name, function in ((ONE_CALL, "fit_many"), (TEN_CALLS, "fit"))
    ]


QUESTION = Question(
    contenders,
    SECONDS,
    minutes=2,
    aims=(Aim("ten calls of ours", (TEN_CALLS,), ratio=1.5, moonshot=3),),
)
