"""`clearcnn.train` on the images of a workload: the default recipe, trained and tested once."""

import tempfile
import time
from pathlib import Path

import protocol
from labelled_workload import read_labelled


def main() -> None:
    """Train, and report the score of the test set."""
    parser = protocol.make_parser(__doc__)
    parser.add_argument("--epochs", type=int, help="replaces the recipe's")
    arguments = parser.parse_args()

    import clearcnn

    images = read_labelled(arguments.workload)
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
