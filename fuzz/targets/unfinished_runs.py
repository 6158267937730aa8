"""`NAME.unfinished`, which `train --resume` goes on with: its request and a checkpoint."""

import numpy as np

from clearcnn.bundle import make_request, read_request, write_request
from clearcnn.checkpoints import Checkpoint, CheckpointFolder, encode_checkpoint
from clearcnn.specs import DataSpec, LayerSpec, ModelSpec, SplitSpec, TrainSpec
from fuzz.target import Target, put, scratch

_CHECKPOINT = Checkpoint({"epoch": 3, "history": {"loss": [1.0, 0.5]}}, {"a": np.zeros(3)})


def seeds() -> list[bytes]:
    """A request, and a checkpoint behind a byte that no JSON begins with."""
    folder = scratch() / "seed.unfinished"
    folder.mkdir(exist_ok=True)
    request = make_request(
        recipe="default",
        data=DataSpec("pictures", class_names=("cat", "dog")),
        split=SplitSpec("group", seed=3),
        model=ModelSpec("small", (LayerSpec("Flatten"), LayerSpec("Dense", {"units": 2}))),
        train=TrainSpec(epochs=20, patience=5),
        content_hash="ab" * 32,
        command="clearcnn train pictures",
    )
    write_request(folder, request)
    content = (folder / "request.json").read_bytes()
    return [content, b"\0" + encode_checkpoint(_CHECKPOINT)]


def read(content: bytes) -> None:
    """Read the one or the other."""
    if content.startswith(b"\0"):
        path = put("run.unfinished/epoch-000003.npz", content[1:])
        found = CheckpointFolder(path.parent, lambda _: None).load()
        assert found is not None
        assert isinstance(found.epoch, int)
    else:
        path = put("run.unfinished/request.json", content)
        assert read_request(path.parent).train.epochs >= 1


TARGET = Target(seeds, read)
