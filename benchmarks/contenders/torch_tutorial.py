"""The tutorial as a script in PyTorch, with the loop of `torch_loop.py`; nothing is saved."""

import argparse
from types import SimpleNamespace

import numpy as np
import protocol
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch_loop import evaluate, fit
from torch_models import build, count_parameters

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=100)
epochs = parser.parse_args().epochs

torch.manual_seed(777)
digits = load_digits()
x = torch.from_numpy(digits.images.astype(np.float32)[:, None])
y = torch.from_numpy(digits.target)
rest, test = train_test_split(np.arange(len(x)), test_size=0.3, random_state=777)
at = int(len(rest) * 0.8)
train, validation = rest[:at], rest[at:]

model = build(SimpleNamespace(model="digits", num_classes=10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)
fit(model, optimizer, (x[train], y[train]), (x[validation], y[validation]), 50, epochs)
loss, accuracy = evaluate(model, (x[test], y[test]))
protocol.report(
    samples=at,
    epochs=epochs,
    parameters=count_parameters(model),
    loss=loss,
    accuracy=accuracy,
)
