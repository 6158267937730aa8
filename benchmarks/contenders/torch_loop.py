"""A hand-written training loop in PyTorch: fused Adam, no data loader, no synchronization.

It computes what `fit` does: loss and accuracy of each epoch, on training and validation data. Of
the two memory layouts of images it uses the one that is faster on the first batches; if asked, then
the faster number of threads too.
"""

import argparse
import os
import time
from types import SimpleNamespace
from typing import Any

import protocol
import torch
from torch import nn
from torch_models import build, count_parameters

_LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}

Tensors = Any


def main() -> None:
    """Train once, and report."""
    parser = protocol.make_parser(__doc__)
    parser.add_argument("--threads", type=int, help="default: PyTorch's own choice")
    parser.add_argument(
        "--try-threads", action="store_true", help="try one thread, and one for each core"
    )
    arguments = parser.parse_args()
    workload = protocol.read_workload(arguments.workload)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    started = time.perf_counter()

    layout_name, threads = "channels first", torch.get_num_threads()
    if not arguments.cold:
        trials = {name: _try(workload, device, layout) for name, layout in _LAYOUTS.items()}
        layout_name = min(trials, key=lambda name: trials[name])
        if arguments.try_threads:
            threads = _choose_threads(workload, device, _LAYOUTS[layout_name])
    layout = _LAYOUTS[layout_name]
    warmed = time.perf_counter()

    train, validation = (_place(workload.parts[p], device, layout) for p in ("train", "validation"))
    model, optimizer = _make(workload, device, layout)
    history = fit(model, optimizer, train, validation, workload.batch_size, workload.epochs)
    seconds = time.perf_counter() - warmed
    peak_memory_bytes = protocol.peak_memory_bytes()
    loss, accuracy = evaluate(model, _place(workload.parts["test"], device, layout))
    protocol.report_fit(
        workload,
        seconds=seconds,
        start_seconds=started - protocol.BEGAN,
        warm_seconds=warmed - started,
        peak_memory_bytes=peak_memory_bytes,
        loss=loss,
        accuracy=accuracy,
        val_accuracy=[row["val_accuracy"] for row in history] if validation else None,
        parameters=count_parameters(model),
        chose=None if arguments.cold else f"{layout_name}{_say(threads, arguments)}",
        accelerator=torch.cuda.get_device_name() if device == "cuda" else None,
    )


def _try(workload: SimpleNamespace, device: str, layout: Any) -> float:
    """Seconds for the first batches; the first try of two does not count."""
    few = _place(protocol.take_first(workload), device, layout)
    validation = _place(workload.parts["validation"], device, layout)
    seconds = 0.0
    for _ in range(2):
        model, optimizer = _make(workload, device, layout)
        begun = time.perf_counter()
        fit(model, optimizer, few, validation, workload.batch_size, 1)
        seconds = time.perf_counter() - begun
    return seconds


def _choose_threads(workload: SimpleNamespace, device: str, layout: Any) -> int:
    """Set and return the faster number of threads."""
    trials = []
    for threads in {1, torch.get_num_threads(), os.cpu_count() or 1}:
        torch.set_num_threads(threads)
        trials.append((_try(workload, device, layout), threads))
    fastest = min(trials)[1]
    torch.set_num_threads(fastest)
    return fastest


def _say(threads: int, arguments: argparse.Namespace) -> str:
    if not arguments.try_threads:
        return ""
    return f", {threads} {'thread' if threads == 1 else 'threads'}"


def fit(
    model: Any,
    optimizer: Any,
    train: Tensors,
    validation: Tensors,
    batch_size: int,
    epochs: int,
) -> list[dict[str, float]]:
    """Train; return loss, accuracy and, with validation data, val_loss and val_accuracy."""
    x, y = train
    criterion = nn.CrossEntropyLoss()
    history = []
    for _ in range(epochs):
        model.train()
        order = torch.randperm(len(x), device=x.device)
        total, right = torch.zeros((), device=x.device), torch.zeros((), device=x.device)
        for rows in order.split(batch_size):
            targets = y[rows]
            optimizer.zero_grad(set_to_none=True)
            logits = model(x[rows])
            loss = criterion(logits, targets)
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                total += loss * len(rows)
                right += (logits.argmax(1) == targets).sum()
        row = {"loss": total.item() / len(x), "accuracy": right.item() / len(x)}
        if validation:
            row["val_loss"], row["val_accuracy"] = evaluate(model, validation)
        history.append(row)
    return history


@torch.no_grad()  # type: ignore[untyped-decorator]
def evaluate(model: Any, part: Tensors, batch_size: int = 500) -> tuple[float, float]:
    """Mean cross-entropy in nats, and accuracy."""
    model.eval()
    x, y = part
    logits = torch.cat([model(images) for images in x.split(batch_size)])
    loss = nn.functional.cross_entropy(logits, y).item()
    return loss, (logits.argmax(1) == y).float().mean().item()


def _make(workload: SimpleNamespace, device: str, layout: Any) -> tuple[Any, Any]:
    model = build(workload).to(device=device, memory_format=layout)
    # Keras's epsilon; PyTorch's own is 1e-8.
    return model, torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)


def _place(part: Any, device: str, layout: Any) -> Tensors:
    if part is None:
        return None
    x, y = part
    images = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=layout)
    return images.to(device), torch.from_numpy(y).to(device)


if __name__ == "__main__":
    main()
