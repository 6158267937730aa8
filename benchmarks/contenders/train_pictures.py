"""`clearcnn.train` on the images of a workload: the default recipe, trained and tested once."""

import tempfile
import time
from pathlib import Path

import numpy as np
import protocol


def main() -> None:
    """Train, and report the score of the test set."""
    parser = protocol.make_parser(__doc__)
    parser.add_argument("--epochs", type=int, help="replaces the recipe's")
    arguments = parser.parse_args()
    workload = protocol.read_workload(arguments.workload)

    import clearcnn
    from clearcnn.data import LabelledImages

    train, test = (workload.parts[part] for part in ("train", "test"))
    pixels = np.concatenate([train[0], test[0]]) / np.float32(workload.scale)
    labels = np.concatenate([train[1], test[1]]).astype(np.int64)
    images = LabelledImages(
        images=pixels.astype(np.uint8),
        labels=labels,
        class_names=tuple(map(str, range(int(labels.max()) + 1))),
        source=workload.source,
        value_range=(0, 255),
        names=tuple(map(str, range(len(labels)))),
        split_names=np.repeat(["train", "test"], [len(train[1]), len(test[1])]),
    )
    with tempfile.TemporaryDirectory() as folder:
        result = clearcnn.train(
            images, epochs=arguments.epochs, seed=arguments.seed, out=Path(folder) / "run"
        )
    protocol.report(
        right=result.test.score.correct,
        total=result.test.score.total,
        epochs=result.history.num_epochs,
        parameters=result.model_summary.parameters,
        fit_seconds=result.seconds["fit"],
        processor_seconds=time.process_time(),
    )


if __name__ == "__main__":
    main()
