"""The images of a workload as clearcnn's own, for its functions; needs clearcnn."""

import numpy as np
import protocol

from clearcnn.data import LabelledImages


def read_labelled(text: str) -> LabelledImages:
    """Read training and test images, with their parts named.

    Args:
      text: JSON, as Workload.to_json returns it; its scale is one over the largest value.
    """
    workload = protocol.read_workload(text)
    train, test = (workload.parts[part] for part in ("train", "test"))
    pixels = np.concatenate([train[0], test[0]]) / np.float32(workload.scale)
    labels = np.concatenate([train[1], test[1]]).astype(np.int64)
    return LabelledImages(
        images=np.round(pixels).astype(np.uint8),
        labels=labels,
        class_names=tuple(map(str, range(int(labels.max()) + 1))),
        source=workload.source,
        value_range=(0, round(1 / workload.scale)),
        names=tuple(map(str, range(len(labels)))),
        split_names=np.repeat(["train", "test"], [len(train[1]), len(test[1])]),
    )
