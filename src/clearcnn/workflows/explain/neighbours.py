"""Images that a model takes to be like the one explained."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from clearcnn.results.explain import Neighbour, Neighbours
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
      input_image: the image.
      run_data: the images of the run, or why there are none.
    Returns:
      Neighbours; None without the images of the run.
    """
    from clearcnn import explanation

    if isinstance(run_data, str):
        return None
    images, parts = run_data.images, run_data.splits
    own = network.features(input_image.pixels[np.newaxis])[0]
    guesses = network.logits(images.images[parts.test]).argmax(axis=1)
    wrong = guesses != images.labels[parts.test]
    predicted = dict(zip(parts.test.tolist(), guesses.tolist(), strict=True))

    def near(rows: Any, *, asked: bool) -> tuple[Neighbour, ...]:
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
                prediction=images.class_names[predicted[row]] if asked else None,
                distance=float(distance),
            )
            for row, distance in zip(rows[found].tolist(), distances, strict=True)
        )

    return Neighbours(
        num_features=len(own),
        num_train=len(parts.train),
        num_mistakes=int(wrong.sum()),
        train=near(parts.train, asked=False),
        mistakes=near(parts.test[wrong], asked=True),
    )


def collect_neighbour_images(
    neighbours: Neighbours | None, run_data: RunData | str
) -> Mapping[int, Any]:
    """Give the image of every neighbour by its row; none without neighbours."""
    if neighbours is None or isinstance(run_data, str):
        return {}
    shown = (*neighbours.train, *neighbours.mistakes)
    return {each.row: run_data.images.images[each.row] for each in shown}
