"""What the export tests share: networks with trained-looking weights, and a contract."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from clearcnn import export, models
from clearcnn.contract import InputContract, ResizeRule
from clearcnn.specs import LayerSpec, ModelSpec

SHAPE = (9, 8, 3)
CLASSES = ("고양이", "dog", "2")


def make_contract(dtype: str = "uint8", **changes: Any) -> InputContract:
    high = {"uint8": 255.0, "uint16": 65535.0}.get(dtype, 1.0)
    contract = InputContract(
        shape=SHAPE,
        dtype=dtype,
        value_range=(0.0, high),
        color_mode="rgb",
        polarity="unknown",
        resize=ResizeRule("bilinear", "white"),
    )
    return dataclasses.replace(contract, **changes)


def make_network(*layers: LayerSpec, shape: tuple[int, int, int] = SHAPE, seed: int = 0) -> Any:
    """Build a network, and give it weights that no layer leaves as they were at first."""
    network = models.build_model(ModelSpec("tried", layers), shape, len(CLASSES), seed)
    random = np.random.default_rng(seed)
    for variable in network.weights:
        values = random.normal(0, 0.3, variable.shape)
        if variable.name in ("moving_variance", "gamma"):
            values = 0.5 + np.abs(values)
        variable.assign(values.astype(np.float32))
    return network


def describe_network(
    *layers: LayerSpec, shape: tuple[int, int, int] = SHAPE, name: str = "tried"
) -> export.Network:
    """The same network as a manifest tells of it: without Keras, and without weights."""
    plans = models.plan_layers(ModelSpec(name, layers), shape, len(CLASSES))
    described = []
    for plan in plans:
        holes = {each: export.make_placeholder(sides) for each, sides in plan.weights.items()}
        described.append(
            export.Layer(
                plan.kind, plan.name, plan.arguments, plan.input_shape, plan.output_shape, holes
            )
        )
    return export.Network(name, tuple(described))


@pytest.fixture(scope="session")
def description_of() -> Callable[..., export.Network]:
    return describe_network


@pytest.fixture(scope="session")
def network_of() -> Callable[..., Any]:
    return make_network


@pytest.fixture(scope="session")
def contract_of() -> Callable[..., InputContract]:
    return make_contract
