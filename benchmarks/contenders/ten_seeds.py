"""Several trainings of one workload with clearcnn: one call of `fit_many`, or one `fit` each."""

import time
from typing import Any

import protocol


def main() -> None:
    """Train with every seed, and report."""
    parser = protocol.make_parser(__doc__)
    parser.add_argument("--with", dest="fit", choices=("fit", "fit_many"), required=True)
    parser.add_argument("--trainings", type=int, required=True)
    arguments = parser.parse_args()
    workload = protocol.read_workload(arguments.workload)

    import clearcnn

    # isort: split
    import keras
    from keras_models import build

    x, y = workload.parts["train"][0], protocol.to_one_hot(workload.parts["train"][1])
    held_out, targets = workload.parts["validation"]
    settings = {
        "batch_size": workload.batch_size,
        "epochs": workload.epochs,
        "validation_data": (held_out, protocol.to_one_hot(targets)),
    }

    def make(_: int) -> Any:
        model = build(workload)
        model.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy", metrics=["accuracy"])
        return model

    def train_all(seeds: range) -> list[Any]:
        if arguments.fit == "fit_many":
            outcomes = clearcnn.fit_many(make, x, y, seeds=seeds, **settings)
            return [fitted.model for fitted in outcomes]
        models = []
        for seed in seeds:
            keras.utils.set_random_seed(seed)
            models.append(make(seed))
            clearcnn.fit(models[-1], x, y, seed=seed, verbose=0, **settings)
        return models

    first = arguments.seed * arguments.trainings
    started = time.perf_counter()
    train_all(range(first, first + 1))  # The program is compiled once for all seeds.
    warmed = time.perf_counter()
    models = train_all(range(first, first + arguments.trainings))
    for model in models:
        model.get_weights()
    seconds = time.perf_counter() - warmed

    images, labels = workload.parts["test"]
    scores = [
        model.evaluate(images, protocol.to_one_hot(labels), batch_size=500, verbose=0)
        for model in models
    ]
    protocol.report_fit(
        workload,
        seconds=seconds,
        start_seconds=started - protocol.BEGAN,
        warm_seconds=warmed - started,
        loss=sum(loss for loss, _ in scores) / len(scores),
        accuracy=sum(accuracy for _, accuracy in scores) / len(scores),
        parameters=models[0].count_params(),
    )


if __name__ == "__main__":
    main()
