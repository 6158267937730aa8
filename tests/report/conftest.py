from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clearcnn.evaluation import calibrate, evaluate_predictions, trace_binary
from clearcnn.report import (
    MOST_MISTAKES,
    ExplanationImages,
    ReportImages,
    UntrainedMaps,
    choose_samples,
)
from clearcnn.results.explain import (
    ChannelProducts,
    ClassOutput,
    ConvolutionStep,
    ExplainedImage,
    ExplainResult,
    GradientMap,
    LayerActivation,
    Neighbour,
    Neighbours,
    OcclusionMap,
    PoolingStep,
    SanityCheck,
)
from clearcnn.results.train import (
    ClassCount,
    DataSummary,
    History,
    LayerSummary,
    ModelSummary,
    SkippedFile,
    TrainResult,
)
from clearcnn.specs import AugmentationSpec, LayerSpec, ModelSpec, SplitSpec, TrainSpec

COMMAND = "clearcnn train digits --recipe default --seed 777"
VERSIONS = {"clearcnn": "0.1.0", "python": "3.11.2", "keras": "3.15.1", "jax": "0.10.2"}


def make_result(images, labels, class_names, value_range, probabilities, test, **changes):
    """A result and its pictures: `test` are the rows that `probabilities` belong to."""
    rest = np.setdiff1d(np.arange(len(labels)), test)
    train, validation = rest[: len(rest) * 4 // 5], rest[len(rest) * 4 // 5 :]
    evaluation = evaluate_predictions(
        labels[test], probabilities, class_names, test, [f"image {row}" for row in test]
    )
    counts = [
        np.bincount(labels[part], minlength=len(class_names)) for part in (train, validation, test)
    ]
    channels = images.shape[-1]
    shape = images.shape if channels > 1 else images.shape[:3]
    fields = {
        "recipe": "default",
        "data": DataSummary(
            source="digits",
            shape=shape,
            dtype=str(images.dtype),
            value_range=value_range,
            observed_range=(float(images.min()), float(images.max())),
            classes=tuple(
                ClassCount(name, int(a + b + c), int(a), int(b), int(c))
                for name, a, b, c in zip(class_names, *counts, strict=True)
            ),
            train=len(train),
            validation=len(validation),
            test=len(test),
            num_groups=14,
            preparation=(),
            skipped=(),
            content_hash="3f1c" * 16,
        ),
        "split": SplitSpec("random"),
        "model_summary": make_model(images.shape[1:], len(class_names)),
        "model_spec": ModelSpec("default", (LayerSpec("Flatten"),)),
        "train": TrainSpec(
            epochs=60,
            batch_size=64,
            learning_rate=3e-3,
            optimizer="adamw",
            schedule="one_cycle",
            weight_decay=0.004,
            label_smoothing=0.05,
            patience=15,
            augmentation=AugmentationSpec(0.8, 0.25, 0.15, 0.1),
        ),
        "history": make_history(43),
        "test": evaluation,
        "seconds": {"data": 0.043, "model": 0.31, "compile": 1.84, "fit": 2.61, "test": 0.12},
        "warnings": (),
        "interrupted": False,
        "run_folder": Path("runs/digits-20260102T030405Z"),
        "calibration": calibrate(labels[test], probabilities, seed=0),
        "curves": trace_binary(labels[test], probabilities, class_names),
    }
    fields.update(changes)
    shown = [mistake.index for mistake in evaluation.mistakes[:MOST_MISTAKES]]
    samples = choose_samples(labels[train], len(class_names))
    pictures = ReportImages(
        samples=tuple(images[train][positions] for positions in samples), mistakes=images[shown]
    )
    return TrainResult(**fields), pictures


def make_history(epochs, seed=0):
    generator = np.random.default_rng(seed)
    time = np.arange(1, epochs + 1)
    loss = 1.7 * np.exp(-time / 5) + 0.08 + 0.01 * generator.random(epochs)
    val_loss = 1.5 * np.exp(-time / 6) + 0.1 + 0.03 * generator.random(epochs)
    metrics = {
        "accuracy": 1 - loss / 2.6,
        "loss": loss,
        "val_accuracy": 1 - val_loss / 3.2,
        "val_loss": val_loss,
    }
    return History(
        {name: tuple(map(float, values)) for name, values in metrics.items()},
        best_epoch=int(val_loss.argmin()),
    )


def make_model(shape, num_classes):
    height, width, _ = shape
    maps, half = (height, width, 24), (height // 2, width // 2, 24)
    convolution = "Conv2D 24 · 3×3 same"
    rows = (
        LayerSummary("Rescaling 1/16", "Rescaling", shape, 0, (1, 1), 0, None),
        LayerSummary(convolution, "Conv2D", maps, 240, (3, 3), 13_824, 99_840),
        LayerSummary(convolution, "Conv2D", maps, 5_208, (5, 5), 331_776, 2_360_832),
        LayerSummary("MaxPooling2D 2×2", "MaxPooling2D", half, 0, (6, 6), 0, None),
        LayerSummary("Flatten", "Flatten", (384,), 0, (8, 8), 0, None),
        LayerSummary("Dense 128", "Dense", (128,), 49_280, (8, 8), 49_152, None),
        LayerSummary(f"Dense {num_classes}", "Dense", (num_classes,), 1_290, (8, 8), 1_280, None),
    )
    return ModelSummary("default", shape, rows, 56_018, 396_032, 2_511_242)


@pytest.fixture(scope="session")
def digits():
    """Real digits, and what a logistic regression predicts for the tutorial's test part."""
    return make_digits()


def make_digits(**changes):
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split

    data = load_digits()
    rows = np.arange(len(data.target))
    train, test = train_test_split(rows, test_size=0.3, random_state=777)
    flat = data.data / 16
    model = LogisticRegression(C=0.3, max_iter=1000).fit(flat[train], data.target[train])
    return make_result(
        data.images[..., np.newaxis],
        data.target,
        [str(k) for k in range(10)],
        (0.0, 16.0),
        model.predict_proba(flat[test]),
        test,
        **changes,
    )


def make_blobs(class_names, seed=0, n_per_class=12, skill=3.0, **changes):
    """Coloured pictures of any number of classes, and predictions of chosen skill."""
    generator = np.random.default_rng(seed)
    num_classes = len(class_names)
    labels = np.repeat(np.arange(num_classes), n_per_class)
    generator.shuffle(labels)
    images = generator.integers(0, 256, (len(labels), 24, 32, 3), dtype=np.uint8)
    images[..., 0] = (labels * 37 % 256)[:, np.newaxis, np.newaxis]
    test = np.arange(0, len(labels), 3)
    scores = generator.normal(0, 1, (len(test), num_classes))
    scores[np.arange(len(test)), labels[test]] += skill
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return make_result(images, labels, class_names, (0.0, 255.0), probabilities, test, **changes)


HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "{{ 7 * 7 }}", "$\\frac{")


@pytest.fixture(scope="session")
def hostile():
    """Names that want to be code, in every place where a name may stand."""
    bad = HOSTILE[0]
    return make_blobs(
        HOSTILE,
        skill=0.5,
        recipe=bad,
        warnings=(bad, HOSTILE[2]),
        seconds={bad: 1.0},
    )


@pytest.fixture(scope="session")
def korean():
    """Korean class names."""
    return make_blobs(("고양이", "강아지", "토끼와 거북이"), skill=1.5)


@pytest.fixture(scope="session")
def two():
    """Two classes whose names are one long word."""
    return make_blobs(("regenbogenforelle_ausgewachsen", "bachforelle"), n_per_class=60, skill=1.0)


@pytest.fixture(scope="session")
def many():
    """Sixty classes, some with long names, and many images of each in the test."""
    names = [f"class {k}" + " of a rather long name" * (k % 7 == 0) for k in range(60)]
    result, pictures = make_blobs(names, n_per_class=9)
    crowd = tuple(
        replace(each, support=12_345, predicted=10_000, precision=0.9, recall=0.8, f1=0.85)
        for each in result.test.classes
    )
    return replace(result, test=replace(result.test, classes=crowd)), pictures


@pytest.fixture
def skipped_files():
    return tuple(SkippedFile(f"a/{n}.png", "truncated") for n in range(25))


def explained(
    class_names,
    shape=(9, 8, 1),
    side=3,
    name="image.png",
    label=None,
    warnings=(),
    repeats=1,
    **changes,
):
    """An explanation and its pictures, of random numbers but of consistent shapes."""
    random = np.random.default_rng(1)
    height, width, channels = shape
    kernel = random.normal(size=(side, side, channels))
    window = random.normal(size=(side, side, channels))
    sums = (kernel * window).sum(axis=(0, 1))

    def grid(values):
        return tuple(tuple(map(float, row)) for row in values)

    outputs = (
        random.normal(size=(height, width, 70)).astype(np.float32),
        np.maximum(random.normal(size=(height, width, 70)), 0).astype(np.float32),
        np.abs(random.normal(size=(height // 2, width // 2, 70))).astype(np.float32),
        random.normal(size=(height // 2 * (width // 2) * 70)).astype(np.float32),
        random.normal(size=len(class_names)).astype(np.float32),
    )
    rows = (
        LayerSummary("Conv2D 70 · 3×3 · same", "Conv2D", outputs[0].shape, 700, (3, 3), 9, 9),
        LayerSummary("Activation relu", "Activation", outputs[1].shape, 0, (3, 3), 0, None),
        LayerSummary("MaxPooling2D 2×2", "MaxPooling2D", outputs[2].shape, 0, (4, 4), 0, None),
        LayerSummary("Flatten", "Flatten", outputs[3].shape, 0, (9, 8), 0, None),
        LayerSummary("Dense · softmax", "Dense", outputs[4].shape, 99, (9, 8), 9, None),
    )
    # A deep network: its first three layers, again and again.
    outputs = (*outputs[:3] * repeats, *outputs[3:])
    rows = (*rows[:3] * repeats, *rows[3:])
    check = SanityCheck((0.1, -0.2, float("nan")), (1, 2, 3))
    one = float(outputs[0].max())
    near = [Neighbour(k, f"{name} {k}", class_names[0], None, k + 0.5) for k in range(6)]
    wrong = [replace(each, prediction=class_names[-1]) for each in near[:2]]
    fields = {
        "run_folder": Path("runs/one"),
        "image": ExplainedImage(name, 7 if label else None, label, "test" if label else None, ()),
        "answers": tuple(
            ClassOutput(each, 3.0 - k, 0.9 if k == 0 else 0.1 / max(len(class_names) - 1, 1))
            for k, each in enumerate(class_names)
        ),
        "layers": tuple(
            LayerActivation(
                position,
                row,
                float(values.min()),
                float(values.max()),
                float((values == 0).mean()),
                2,
            )
            for position, (row, values) in enumerate(zip(rows, outputs, strict=True), 1)
        ),
        "gradient": GradientMap(
            class_names[0], grid(random.normal(size=shape[:2])), 50, 1.2, 777, check
        ),
        "occlusion": OcclusionMap(
            class_names[0],
            grid(random.normal(size=shape[:2])),
            (2, 2),
            (1, 1),
            (0.0,) * channels,
            "the ground of the training images",
            0.4,
            SanityCheck((0.9, -0.8, 0.7), (1, 2, 3)),
        ),
        "convolution": ConvolutionStep(
            position=1,
            filter=2,
            row=0,
            column=width - 1,
            rows=tuple(range(-1, side - 1)),
            columns=tuple(range(width - side + 1, width + 1)),
            channels=tuple(
                ChannelProducts(
                    k,
                    grid(window[..., k]),
                    grid(kernel[..., k]),
                    grid(window[..., k] * kernel[..., k]),
                    float(sums[k]),
                )
                for k in range(channels)
            ),
            other_channels=0,
            other_sum=0.0,
            bias=0.5,
            total=float(sums.sum()) + 0.5,
            activation="linear",
            result=float(sums.sum()) + 0.5,
            keras=float(sums.sum()) + 0.5,
        ),
        "pooling": PoolingStep(
            3, "max", 2, 0, 1, (0, 1), (2, 3), ((0.25, float("nan")), (one, -1.5)), one, one
        ),
        "neighbours": Neighbours(128, 1005, 2, tuple(near), tuple(wrong)),
        "warnings": tuple(warnings),
        "seconds": {"layers": 0.1},
        "folder": Path("runs/one-explained"),
    }
    image = random.integers(0, 17, shape).astype(np.uint8)
    pictures = ExplanationImages(
        image=image,
        value_range=(0.0, 16.0),
        inputs=(image.astype(np.float32), *outputs[:-1]),
        outputs=outputs,
        filters=(
            random.normal(size=(70, 3, 3, channels)).astype(np.float32),
            *(None,) * (len(outputs) - 1),
        ),
        untrained=UntrainedMaps(
            tuple(random.normal(size=(3, *shape[:2]))), tuple(random.normal(size=(3, *shape[:2])))
        ),
        neighbours=dict.fromkeys(range(6), image),
    )
    return ExplainResult(**(fields | changes)), pictures


@pytest.fixture(scope="session")
def make_explained():
    return explained


CONTRAST = """() => {
  const parse = (color) => {
    const context = Object.assign(document.createElement("canvas"), {width: 1, height: 1})
      .getContext("2d");
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const color = parse(getComputedStyle(element).backgroundColor);
      if (color[3] === 255) return color;
    }
    return parse(getComputedStyle(document.body).backgroundColor);
  };
  const light = (color) => {
    const [r, g, b] = color.slice(0, 3).map((c) => {
      c /= 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const poor = [];
  for (const element of document.querySelectorAll("main *, header *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || element.closest("svg")) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.outerHTML.slice(0, 90)}`);
  }
  return poor;
}"""


@pytest.fixture(scope="session")
def poor_contrasts():
    """JavaScript that lists the elements whose words are hard to read."""
    return CONTRAST
