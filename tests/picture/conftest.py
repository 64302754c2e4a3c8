"""Circuits that several tests draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gategrad as gg


def product_of_sum(x: Any, y: Any, z: Any) -> Any:
    q = x + y
    return q * z


def sigmoid_neuron(w0: Any, x0: Any, w1: Any, x1: Any, w2: Any) -> Any:
    return 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))


def two_layers(x: Any, params: Any) -> Any:
    h = np.maximum(0, x @ params["w1"] + params["b1"])
    return np.mean((h @ params["w2"] - 1.0) ** 2)


def much_shared(x: Any, y: Any) -> Any:
    a = x * y
    b = a + x
    c = np.sin(a) * b
    d = c / y + a * b
    return (d * c - x) * np.exp(-y) * d


@pytest.fixture
def simple() -> Any:
    return gg.circuit(product_of_sum, -2, 5, -4)


@pytest.fixture
def neuron() -> Any:
    return gg.circuit(sigmoid_neuron, 2.0, -1.0, -3.0, -2.0, -3.0)


@pytest.fixture
def net() -> Any:
    rng = np.random.default_rng(0)
    params = {"w1": rng.normal(size=(3, 8)), "b1": rng.normal(size=8), "w2": rng.normal(size=(8, 2))}
    return gg.circuit(two_layers, rng.normal(size=(5, 3)), params)


@pytest.fixture
def shared() -> Any:
    return gg.circuit(much_shared, 0.7, 1.3)


@pytest.fixture
def chain() -> Callable[[int], Any]:
    def build(gates: int) -> Any:
        z = gg.variable(0.5, name="x")
        for index in range(gates):
            z = z + 1.0 if index % 2 else z * 0.5
        return z

    return build
