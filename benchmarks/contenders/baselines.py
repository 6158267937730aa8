"""The baselines of `evaluate` on a workload: each trained on all images outside the test set.

They see images as in `evaluate`: large ones are reduced. It trains them on at most 10,000 images;
here they get all.
"""

import sys
import time

import numpy as np
import protocol
from labelled_workload import read_labelled

from clearcnn import data, evaluation
from clearcnn.specs import DataSpec, SplitSpec
from clearcnn.workflows.fitting.plan import plan_training


def main() -> None:
    """Train each baseline, and report its score of the test set."""
    parser = protocol.make_parser(__doc__)
    parser.add_argument("--only", nargs="+", choices=evaluation.BASELINES, help="default: all")
    arguments = parser.parse_args()
    images = read_labelled(arguments.workload)
    splits = data.split(images)
    plan = plan_training(
        images,
        splits,
        recipe="default",
        seed=arguments.seed,
        data_spec=DataSpec(images.source),
        split_spec=SplitSpec(),
    )
    flat = evaluation.shrink_for_baselines(images.images).reshape(len(images), -1)
    train = np.concatenate([splits.train, splits.validation])
    baselines = evaluation.make_baselines(
        flat.shape[1],
        len(images.class_names),
        plan.model_summary.parameters,
        images.value_range,
        arguments.seed,
    )
    right, seconds = {}, {}
    for name in arguments.only or evaluation.BASELINES:
        begun = time.process_time()
        predicted = (
            baselines[name].fit(flat[train], images.labels[train]).predict(flat[splits.test])
        )
        right[str(name)] = int(np.sum(predicted == images.labels[splits.test]))
        seconds[str(name)] = time.process_time() - begun
        print(name, right[str(name)], f"{seconds[str(name)]:.1f} s", file=sys.stderr, flush=True)
    protocol.report(
        right=right,
        total=len(splits.test),
        num_train=len(train),
        source=images.source,
        processor_seconds=seconds,
    )


if __name__ == "__main__":
    main()
