"""The notebook, number by number: two circuits with every wire, what gates do to a gradient, and what they keep."""

import math
import tracemalloc

import numpy as np
import pytest

import gategrad as gg


def product():
    """f = (x + y) · z at (−2, 5, −4), walked back."""
    x, y, z = gg.variable(-2.0), gg.variable(5.0), gg.variable(-4.0)
    q = x + y
    f = q * z
    f.backward(keep=True)
    return {"x": x, "y": y, "z": z, "q": q, "f": f}


@pytest.mark.parametrize(
    ("wire", "value", "gradient"),
    [("x", -2, -4), ("y", 5, -4), ("z", -4, 3), ("q", 3, -4), ("f", -12, 1)],
)
def test_product_of_a_sum(wire, value, gradient):
    v = product()[wire]
    assert (v.item(), v.grad) == (value, gradient)


INPUTS = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}


def neuron():
    """1 / (1 + exp(−(w0·x0 + w1·x1 + w2))), gate by gate, walked back."""
    wires = {name: gg.variable(value) for name, value in INPUTS.items()}
    wires["a"] = wires["w0"] * wires["x0"]
    wires["b"] = wires["w1"] * wires["x1"]
    wires["c"] = wires["a"] + wires["b"]
    wires["s"] = wires["c"] + wires["w2"]
    wires["n"] = -wires["s"]
    wires["e"] = np.exp(wires["n"])
    wires["d"] = 1 + wires["e"]
    wires["f"] = 1 / wires["d"]
    wires["f"].backward(keep=True)
    return wires


SIGMOID = 1 / (1 + math.exp(-1))
SLOPE = SIGMOID * (1 - SIGMOID)


@pytest.mark.parametrize(
    ("wire", "value", "gradient", "drawn"),
    [
        ("f", SIGMOID, 1, "0.73 1.00"),
        ("d", 1 + math.exp(-1), -(SIGMOID**2), "1.37 -0.53"),
        ("e", math.exp(-1), -(SIGMOID**2), "0.37 -0.53"),
        ("n", -1, -SLOPE, "-1.00 -0.20"),
        ("s", 1, SLOPE, "1.00 0.20"),
        ("c", 4, SLOPE, "4.00 0.20"),
        ("a", -2, SLOPE, "-2.00 0.20"),
        ("b", 6, SLOPE, "6.00 0.20"),
        ("w0", 2, -SLOPE, "2.00 -0.20"),
        ("x0", -1, 2 * SLOPE, "-1.00 0.39"),
        ("w1", -3, -2 * SLOPE, "-3.00 -0.39"),
        ("x1", -2, -3 * SLOPE, "-2.00 -0.59"),
        ("w2", -3, SLOPE, "-3.00 0.20"),
    ],
)
def test_sigmoid_neuron_gate_by_gate(wire, value, gradient, drawn):
    v = neuron()[wire]
    assert v.item() == pytest.approx(value, rel=1e-15)
    assert v.grad == pytest.approx(gradient, rel=1e-14)
    assert f"{v.item():.2f} {v.grad:.2f}" == drawn


def test_the_sigmoid_as_one_gate_agrees():
    gate_by_gate = neuron()
    w0, x0, w1, x1, w2 = leaves = [gg.variable(value) for value in INPUTS.values()]
    f = gg.sigmoid(w0 * x0 + w1 * x1 + w2)
    f.backward()
    assert f.item() == pytest.approx(gate_by_gate["f"].item(), rel=1e-15)
    assert [v.grad for v in leaves] == pytest.approx([gate_by_gate[name].grad for name in INPUTS], rel=1e-14)


@pytest.mark.parametrize(
    ("f", "pattern", "gradients"),
    [
        (lambda x, y: x + y, "distributor", (2.0, 2.0)),
        (lambda x, y: x * y, "switcher", (-8.0, 6.0)),
        (np.maximum, "router", (2.0, None)),
    ],
    ids=["add distributes", "multiply switches", "max routes"],
)
def test_patterns(f, pattern, gradients):
    x, y = gg.variable(3.0), gg.variable(-4.0)
    z = f(x, y)
    z.backward(2.0)
    assert z.gate.pattern == pattern
    assert (x.grad, y.grad or None) == gradients


def test_branches_add():
    x = gg.variable(3.0)
    (x * x + 5 * x).backward()
    assert x.grad == 2 * 3 + 5


class Multiply(gg.Gate):
    """The gate as it stands in the notebook."""

    def forward(self, x, y):
        self.x = x
        self.y = y
        return x * y

    def backward(self, dz):
        return [self.y * dz, self.x * dz]


def test_the_gate_of_the_notebook_at_every_order():
    def cube(x):
        return Multiply()(x, Multiply()(x, x))

    derivative = cube
    for expected in (75.0, 30.0, 6.0, 0.0):
        derivative = gg.grad(derivative)
        assert derivative(5.0) == expected


def test_the_gate_of_the_notebook_on_arrays_in_a_circuit():
    x, w = np.array([1.0, 2.0]), np.array([[3.0], [4.0]])
    dw = gg.grad(lambda w: np.sum(np.exp(Multiply()(x, w))))(w)
    np.testing.assert_allclose(dw, np.sum(x * np.exp(x * w), axis=1, keepdims=True), rtol=1e-15)


def bytes_held_by(f, x):
    """What is still allocated when `f` has returned, its result included."""
    tracemalloc.start()
    try:
        z = f(x)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert z.shape == x.shape
    return held


def ten_tanhs(x):
    for _ in range(10):
        x = np.tanh(x)
    return x


def test_a_forward_pass_caches_and_no_grad_does_not():
    x = gg.variable(np.ones(100_000))
    assert bytes_held_by(ten_tanhs, x) == pytest.approx(10 * 800_000, rel=0.01)
    with gg.no_grad():
        assert bytes_held_by(ten_tanhs, x) == pytest.approx(800_000, rel=0.01)


def test_backward_hands_the_memory_back():
    x = gg.variable(np.ones(100_000))
    x.grad = np.zeros(100_000)

    def forward_and_backward(x):
        z = ten_tanhs(x)
        z.backward(np.ones(100_000))
        return z

    assert bytes_held_by(forward_and_backward, x) == pytest.approx(2 * 800_000, rel=0.01)  # the result and x.grad
