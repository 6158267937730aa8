"""The images nearest to the explained one, by the model's features."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearcnn import bundle
from clearcnn.errors import BundleError
from clearcnn.language import say
from clearcnn.results.explain import Neighbour, Neighbours
from clearcnn.types import Pixels
from clearcnn.workflows.explain.input_image import InputImage
from clearcnn.workflows.runs.run_data import RunData

if TYPE_CHECKING:
    from clearcnn.explanation import Network

_MOST_NEIGHBOURS = 6


def find_neighbours(
    network: "Network",
    own: NDArray[np.float32],
    input_image: InputImage,
    run: bundle.Bundle,
    run_data: RunData | str,
) -> Neighbours | None:
    """Find the nearest training images and the nearest mistakes, leaving out the image itself.

    Args:
      network: the model.
      own: (num_features,), the features of the explained image.
      input_image: the explained image.
      run: the run folder, which knows the mistakes of its test set.
      run_data: the images of the run, or why they are not available.
    Returns:
      Neighbours; None without the images of the run.
    Raises:
      BundleError: the run's mistakes are not of its test set.
    """
    from clearcnn import explanation

    if isinstance(run_data, str):
        return None
    images, splits = run_data.images, run_data.splits
    mistakes = _read_mistakes(run, splits.test)

    def find_nearest(rows: NDArray[np.intp]) -> tuple[Neighbour, ...]:
        rows = rows[rows != (-1 if input_image.record.row is None else input_image.record.row)]
        if not len(rows):
            return ()
        features = network.features(images.images[rows])
        found, distances = explanation.nearest(own, features, _MOST_NEIGHBOURS)
        return tuple(
            Neighbour(
                row=int(row),
                name=images.names[row],
                label=images.class_names[images.labels[row]],
                prediction=mistakes.get(row),
                distance=float(distance),
            )
            for row, distance in zip(rows[found].tolist(), distances, strict=True)
        )

    return Neighbours(
        num_features=len(own),
        num_train=len(splits.train),
        num_mistakes=len(mistakes),
        train=find_nearest(splits.train),
        mistakes=find_nearest(np.array(list(mistakes), dtype=np.intp)),
    )


def _read_mistakes(run: bundle.Bundle, test: NDArray[np.intp]) -> dict[int, str]:
    """Return the prediction for each misclassified test image by its row, in the test set's order.

    The run has predicted its test set already; to do so again takes longer than all else here.
    """
    predictions = {each.index: each.prediction for each in bundle.read_mistakes(run)}
    ordered = {row: predictions[row] for row in test.tolist() if row in predictions}
    if len(ordered) < len(predictions):
        row = next(row for row in predictions if row not in ordered)
        raise BundleError(
            say(
                "{folder} is damaged: its mistakes name image {row}, which is not in its test set.",
                folder=run.folder,
                row=row,
            ),
            remedy=say("Restore it from a backup, or train again."),
        )
    return ordered


def collect_neighbour_images(
    neighbours: Neighbours | None, run_data: RunData | str
) -> Mapping[int, Pixels]:
    """Return the pixels of every neighbour by its row."""
    if neighbours is None or isinstance(run_data, str):
        return {}
    shown = (*neighbours.train, *neighbours.mistakes)
    return {each.row: run_data.images.images[each.row] for each in shown}
