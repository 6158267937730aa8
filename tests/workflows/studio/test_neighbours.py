"""The pictures nearest before the last layer, against Keras's own features."""

import keras
import numpy as np
import pytest

import clearcnn
from clearcnn.errors import StudioError
from clearcnn.workflows.studio.attempts import Attempts
from clearcnn.workflows.studio.neighbours import NeighbourFinder


def test_they_are_the_nearest_by_keras_too(folder, png, tmp_path):
    for channel, name in enumerate("ab"):
        folder.add_class(name)
        for k in range(8):
            folder.add(name, png(k, channel), f"{k}.png")
    result = clearcnn.train(folder.root, epochs=2, out=tmp_path / "runs" / "one")
    (attempt,) = Attempts(folder.root, tmp_path / "runs").list_all()
    finder = NeighbourFinder(folder)
    picture = next(iter(attempt.right))
    found = finder.find(attempt, picture)

    images = clearcnn.load(folder.root)
    network = keras.saving.load_model(result.run_folder / "model.keras")
    last = [layer for layer in network.layers if layer.weights][-1]
    features = keras.Model(network.inputs, last.input).predict(images.images, verbose=0)
    features = features.reshape(len(features), -1)
    names = list(images.names)
    gaps = np.linalg.norm(features - features[names.index(picture)], axis=1)
    rows = [k for k, name in enumerate(names) if name not in attempt.right]
    expected = sorted(rows, key=lambda k: gaps[k])[:12]
    neighbours = found["neighbours"]
    assert found["num_compared"] == len(rows)
    np.testing.assert_allclose(
        [each["distance"] for each in neighbours], gaps[expected], rtol=1e-3, atol=1e-4
    )
    by_name = {each["picture"]: each["distance"] for each in neighbours}
    for name, distance in by_name.items():
        assert distance == pytest.approx(gaps[names.index(name)], rel=1e-3, abs=1e-4)

    nearest = neighbours[0]["picture"]
    other = "b" if nearest.startswith("a") else "a"
    (moved,) = folder.move([nearest], other)
    again = finder.find(attempt, picture)["neighbours"][0]
    assert (again["picture"], again["class_name"]) == (moved, other)
    folder.remove([picture])
    with pytest.raises(StudioError, match="no picture"):
        finder.find(attempt, picture)
