from pathlib import Path

import pytest

from clearcnn.bundle import describe_run
from clearcnn.contract import InputContract, ResizeRule
from clearcnn.results.scores import ClassScore, Evaluation, Interval, Mistake, Score
from clearcnn.results.train import (
    ClassCount,
    DataSummary,
    History,
    LayerSummary,
    ModelSummary,
    SkippedFile,
    TrainResult,
)
from clearcnn.specs import (
    AugmentationSpec,
    DataSpec,
    LayerSpec,
    ModelSpec,
    SplitSpec,
    TrainSpec,
)

CLASSES = ("고양이", "dog, <b>")
MODEL = ModelSpec(
    "small",
    (
        LayerSpec("Conv2D", {"filters": 4, "kernel_size": [3, 3], "activation": "relu"}),
        LayerSpec("Flatten"),
        LayerSpec("Dense", {"units": 2, "activation": "softmax"}),
    ),
)
TRAIN = TrainSpec(epochs=2, patience=5, augmentation=AugmentationSpec(shift_pixels=0.5))
SKIPPED = (SkippedFile("나쁜.png", "truncated"),)


@pytest.fixture
def manifest():
    return describe_run(
        source="a folder of 8 pictures",
        content_hash="ab" * 32,
        class_names=CLASSES,
        contract=InputContract(
            shape=(8, 8, 1),
            dtype="uint8",
            value_range=(0.0, 255.0),
            color_mode="grayscale",
            polarity="light_on_dark",
            resize=ResizeRule("bilinear", "black"),
        ),
        data=DataSpec("pictures", size=(8, 8), class_names=CLASSES),
        split=SplitSpec("group", seed=3),
        model=MODEL,
        train=TRAIN,
        skipped=SKIPPED,
        warnings=("Few images.",),
    )


@pytest.fixture
def result():
    score = Score(1, 2, Interval(0.1, 0.9, 0.95, "wilson"))
    return TrainResult(
        recipe="default",
        data=DataSummary(
            source="a folder of 8 pictures",
            shape=(8, 8, 8),
            dtype="uint8",
            value_range=(0.0, 255.0),
            observed_range=(0.0, 250.0),
            classes=tuple(ClassCount(name, 4, 2, 1, 1) for name in CLASSES),
            train=4,
            validation=2,
            test=2,
            num_groups=None,
            preparation=("Resized.",),
            skipped=SKIPPED,
            content_hash="ab" * 32,
        ),
        split=SplitSpec(),
        model_summary=ModelSummary(
            "small",
            (8, 8, 1),
            (LayerSummary("Conv2D 4 · 3×3", "Conv2D", (6, 6, 4), 40, (3, 3), 1296, 9360),),
            40,
            1296,
            9360,
        ),
        model_spec=MODEL,
        train=TRAIN,
        history=History({"loss": (0.5, 0.25), "val_loss": (float("nan"), 0.3)}, best_epoch=1),
        test=Evaluation(
            score,
            0.7,
            (
                ClassScore(CLASSES[0], None, 0.0, 0.0, 1, 0),
                ClassScore(CLASSES[1], 0.5, 1, 2 / 3, 1, 2),
            ),
            ((0, 1), (0, 1)),
            (Mistake(3, "c.png", *CLASSES, 0.8),),
        ),
        seconds={"data": 0.1, "fit": 1.5},
        warnings=("Few images.",),
        interrupted=False,
        run_folder=Path("somewhere"),
    )


@pytest.fixture
def whole_folder(tmp_path, manifest):
    """A finished run folder, with stand-ins for what other rooms write."""
    from clearcnn.bundle import open_run_folder, write_manifest

    with open_run_folder("pictures", out=tmp_path / "run") as run:
        (run.partial / "figures").mkdir()
        for name in (
            "model.keras",
            "model.toml",
            "history.csv",
            "metrics.json",
            "predictions.csv",
            "report.html",
            "figures/data.png",
        ):
            (run.partial / name).write_text(f"content of {name}", encoding="utf-8")
        write_manifest(run.partial, manifest)
    return run.path
