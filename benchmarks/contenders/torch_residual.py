"""A small residual network in a hand-written PyTorch loop, trained for a number of seconds.

As such loops are usually written: SGD with Nesterov momentum, a one-cycle rate, random crops after
padding, label smoothing, and flips if asked for. Pixels are standardized by one mean and deviation,
or each image by its own. It trains on every image outside the test set.
"""

import copy
import time
from typing import Any

import numpy as np
import protocol
import torch
from torch import nn

_MEAN, _DEVIATION = 0.5, 0.25
_LEAST_DEVIATION = 0.02


def main() -> None:
    """Train until the seconds are spent, and report the score of the test set."""
    parser = protocol.make_parser(__doc__)
    parser.add_argument("--seconds", type=float, required=True, help="of training")
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="the peak of the schedule")
    parser.add_argument("--flip", action="store_true", help="mirror half of the images")
    parser.add_argument("--standardize", action="store_true", help="each image by itself")
    parser.add_argument("--padding", type=int, default=4, help="pixels, before images are cropped")
    parser.add_argument(
        "--stem-stride", type=int, default=1, help="of the first convolution: 2 for large images"
    )
    arguments = parser.parse_args()
    workload = protocol.read_workload(arguments.workload)
    torch.manual_seed(arguments.seed)
    x, y = _place(workload.parts["train"], each=arguments.standardize)
    model = make_network(x.shape[1], int(y.max()) + 1, arguments.stem_stride)
    # A step on a copy, since clearcnn's compilation does not count either.
    first = slice(arguments.batch_size)
    nn.functional.cross_entropy(copy.deepcopy(model)(x[first]), y[first]).backward()
    begun = time.perf_counter()
    epochs = fit(
        model,
        x,
        y,
        arguments.batch_size,
        arguments.seconds,
        flips=arguments.flip,
        padding=arguments.padding,
        rate=arguments.rate,
    )
    fit_seconds = time.perf_counter() - begun
    predicted = _predict(model, _place(workload.parts["test"], each=arguments.standardize)[0])
    right = predicted == workload.parts["test"][1]
    protocol.report(
        right=int(right.sum()),
        total=len(right),
        epochs=epochs,
        fit_seconds=fit_seconds,
        parameters=sum(p.numel() for p in model.parameters()),
    )


class Residual(nn.Module):
    """Two convolutions and a shortcut (He 2016, arXiv:1512.03385)."""

    def __init__(self, before: int, filters: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _convolve(before, filters, stride), nn.ReLU(), _convolve(filters, filters, 1)
        )
        is_same = before == filters and stride == 1
        self.shortcut = nn.Identity() if is_same else _convolve(before, filters, stride, size=1)

    def forward(self, x: Any) -> Any:
        """The activation of the sum of both."""
        return torch.relu(self.body(x) + self.shortcut(x))


def make_network(channels: int, num_classes: int, stem_stride: int = 1) -> Any:
    """Eight layers of 16 to 64 filters, the smallest of He's networks for CIFAR-10."""
    return nn.Sequential(
        _convolve(channels, 16, stem_stride),
        nn.ReLU(),
        Residual(16, 16, 1),
        Residual(16, 32, 2),
        Residual(32, 64, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, num_classes),
    ).to(memory_format=torch.channels_last)


def _convolve(before: int, filters: int, stride: int, size: int = 3) -> Any:
    layer = nn.Conv2d(before, filters, size, stride, padding=size // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(filters))


def fit(
    model: Any,
    x: Any,
    y: Any,
    batch_size: int,
    seconds: float,
    *,
    flips: bool,
    padding: int,
    rate: float,
) -> float:
    """Train for that long; return the epochs."""
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    started, steps, order = time.perf_counter(), 0, torch.arange(0)
    model.train()
    while (done := (time.perf_counter() - started) / seconds) < 1:
        if len(order) < batch_size:
            order = torch.randperm(len(x))
        rows, order = order[:batch_size], order[batch_size:]
        for group in optimizer.param_groups:
            group["lr"] = rate * min(done / 0.25, (1 - done) / 0.75)
        optimizer.zero_grad(set_to_none=True)
        criterion(model(augment(x[rows], padding, flips=flips)), y[rows]).backward()
        optimizer.step()
        steps += 1
    return steps * batch_size / len(x)


def augment(x: Any, padding: int, *, flips: bool) -> Any:
    """Crop each image at random after padding; mirror half of them."""
    count, _, height, width = x.shape
    padded = nn.functional.pad(x, [padding] * 4)
    shifts = torch.randint(0, 2 * padding + 1, (2, count))
    rows = shifts[0, :, None] + torch.arange(height)
    columns = shifts[1, :, None] + torch.arange(width)
    if flips:
        mirrored = torch.rand(count) < 0.5
        columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    sample = torch.arange(count)[:, None, None]
    cropped = padded.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]]
    return cropped.permute(0, 3, 1, 2)


@torch.no_grad()  # type: ignore[untyped-decorator]
def _predict(model: Any, x: Any) -> Any:
    model.eval()
    return np.concatenate([model(images).argmax(1).numpy() for images in x.split(500)])


def _place(part: Any, *, each: bool) -> Any:
    x, y = part
    mean, deviation = np.float32(_MEAN), np.float32(_DEVIATION)
    if each:
        mean = x.mean((1, 2, 3), keepdims=True)
        deviation = x.std((1, 2, 3), keepdims=True) + np.float32(_LEAST_DEVIATION)
    images = torch.from_numpy((x - mean) / deviation)
    return images.permute(0, 3, 1, 2), torch.from_numpy(y).long()


if __name__ == "__main__":
    main()
