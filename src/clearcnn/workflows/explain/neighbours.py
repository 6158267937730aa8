"""The images nearest to the explained one, by the model's features."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearcnn.results.explain import Neighbour, Neighbours
from clearcnn.types import Pixels
from clearcnn.workflows.explain.input_image import InputImage
from clearcnn.workflows.runs.run_data import RunData

if TYPE_CHECKING:
    from clearcnn.explanation import Network

_MOST_NEIGHBOURS = 6


def find_neighbours(
    network: "Network", input_image: InputImage, run_data: RunData | str
) -> Neighbours | None:
    """Find the nearest training images and the nearest mistakes, leaving out the image itself.

    Args:
      network: the model.
      input_image: the explained image.
      run_data: the images of the run, or why they are not available.
    Returns:
      Neighbours; None without the images of the run.
    """
    from clearcnn import explanation

    if isinstance(run_data, str):
        return None
    images, splits = run_data.images, run_data.splits
    own = network.features(input_image.pixels[np.newaxis])[0]
    predictions = network.logits(images.images[splits.test]).argmax(axis=1)
    wrong = predictions != images.labels[splits.test]
    predicted = dict(zip(splits.test.tolist(), predictions.tolist(), strict=True))

    def find_nearest(rows: NDArray[np.intp], *, show_prediction: bool) -> tuple[Neighbour, ...]:
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
                prediction=images.class_names[predicted[row]] if show_prediction else None,
                distance=float(distance),
            )
            for row, distance in zip(rows[found].tolist(), distances, strict=True)
        )

    return Neighbours(
        num_features=len(own),
        num_train=len(splits.train),
        num_mistakes=int(wrong.sum()),
        train=find_nearest(splits.train, show_prediction=False),
        mistakes=find_nearest(splits.test[wrong], show_prediction=True),
    )


def collect_neighbour_images(
    neighbours: Neighbours | None, run_data: RunData | str
) -> Mapping[int, Pixels]:
    """Return the pixels of every neighbour by its row."""
    if neighbours is None or isinstance(run_data, str):
        return {}
    shown = (*neighbours.train, *neighbours.mistakes)
    return {each.row: run_data.images.images[each.row] for each in shown}
