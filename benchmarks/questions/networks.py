"""How many images a second does training process, with networks and sizes that people bring?

Six convolutions of 16 to 64 filters, network in network and the colour model, all with batch
normalization, and the network of the default recipe without its augmentation. Each process warms
up, and then times one `fit` of two epochs of 500 to 1,000 synthetic images, in batches of 250 for
the six convolutions and 125 for the others. The loop in PyTorch builds the same layers and takes
its fastest setting: of both memory layouts, and of one thread and all.

The share is that of a large float32 matrix product on this machine, the fastest of NumPy's, JAX's
and PyTorch's. Counted are the convolutions and the last layer: three times their forward
multiply-adds, less the first layer's gradient of the images, which is not needed. Of the share, the
aim is 50 % and the moonshot 70 %.
"""

import dataclasses
from pathlib import Path
from statistics import median

from benchmarks import workloads
from benchmarks.contest import Contender
from benchmarks.lineup import OURS, PYTORCH, keep_programs, ours, pytorch
from benchmarks.networks import NETWORKS
from benchmarks.products import find_fastest_product, matrix_products
from benchmarks.question import Question
from benchmarks.record import Record
from benchmarks.tables import SAMPLES_PER_SECOND, Aim, find_ratio, say_failures, tabulate


def contenders(quick: bool) -> list[Contender]:
    """Ours and the loop with every network, and the matrix products."""
    found = []
    for network in NETWORKS:
        workload = workloads.network(network, quick)
        one = ours(workload, name=label(OURS, network))
        # Later rounds compile nothing again; what is timed is warm in every round.
        found.append(dataclasses.replace(one, variables=keep_programs("jax")))
        found.append(pytorch(workload, "--try-threads", name=label(PYTORCH, network)))
    return [*found, *matrix_products(quick)]


def label(name: str, network: object) -> str:
    """Return the name of a contender with one network."""
    return f"{name}, {network}"


def answer(_: Question, record: Record, __: Path) -> str:
    """One row for each network."""
    rows = []
    fastest = find_fastest_product(record)
    for network in NETWORKS:
        names = [label(name, network) for name in (OURS, PYTORCH)]
        rates = [_find_rate(record, name) for name in names]
        row = [str(network), f"{network.operations / 1e6:,.0f}"]
        row += ["" if rate is None else f"{rate:,.0f}" for rate in rates]
        row.append(str(find_ratio(record, SAMPLES_PER_SECOND, *names)) if all(rates) else "")
        for rate in rates:
            share = rate and fastest and rate * network.operations / fastest[0]
            row.append(f"{share:.0%}" if share else "")
        chosen = dict.fromkeys(str(r["chose"]) for r in record.results(names[1]) if r.get("chose"))
        rows.append([*row, " or ".join(chosen)])
    head = ["", "MFLOP an image", OURS, PYTORCH, "ratio", f"share, {OURS}", f"share, {PYTORCH}"]
    limit = (
        f"The matrix product: {fastest[0] / 1e9:,.0f} GFLOP/s, of {fastest[1]}." if fastest else ""
    )
    table = tabulate([*head, "the loop's setting"], rows)
    return "\n\n".join(filter(None, (table, limit, _say_work(record), say_failures(record))))


def _find_rate(record: Record, name: str) -> float | None:
    rates = [result[SAMPLES_PER_SECOND.key] for result in record.results(name)]
    return median(rates) if rates else None


def _say_work(record: Record) -> str:
    """Say for which networks the contenders did not do the same work."""
    different = []
    for network in NETWORKS:
        results = [r for name in (OURS, PYTORCH) for r in record.results(label(name, network))]
        if len({(r["samples"], r["epochs"], r["parameters"]) for r in results}) > 1:
            different.append(str(network))
    return f"**The work was not equal**: {'; '.join(different)}." if different else ""


QUESTION = Question(
    contenders,
    SAMPLES_PER_SECOND,
    minutes=4,
    aims=tuple(
        Aim(
            f"a PyTorch loop, {network}",
            (label(PYTORCH, network),),
            ratio=1.3,
            moonshot=2,
            ours=label(OURS, network),
        )
        for network in NETWORKS
    ),
    rounds=2,
    added="every row",
    answer=answer,
)
