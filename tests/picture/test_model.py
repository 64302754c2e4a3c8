"""The replayed model: structure, values, gradients, names; and that the user's circuit is left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import NotTrackedError
from gategrad.picture.replay import local_gradients, shares


def wires(c: Any) -> dict[str, tuple[Any, Any]]:
    return {wire.label: (wire.value, wire.gradient) for wire in c.model.wires if wire.kind != "constant"}


def test_the_notebook_circuit_wire_by_wire(simple: Any) -> None:
    assert wires(simple) == {
        "x": (-2.0, -4.0), "y": (5.0, -4.0), "z": (-4.0, 3.0), "q": (3.0, -4.0), "f": (-12.0, 1.0),
    }  # fmt: skip
    assert [(node.symbol, node.pattern) for node in simple.model.nodes] == [("+", "distributor"), ("×", "switcher")]


def test_the_sigmoid_neuron_to_two_decimals(neuron: Any) -> None:
    rounded = {name: (round(value, 2), round(gradient, 2)) for name, (value, gradient) in wires(neuron).items()}
    assert rounded["f"] == (0.73, 1.0)
    assert [rounded[name][1] for name in ("w0", "x0", "w1", "x1", "w2")] == [-0.20, 0.39, -0.39, -0.59, 0.20]
    assert [rounded[f"v{index}"][1] for index in (7, 6, 5, 4)] == [-0.53, -0.53, -0.20, 0.20]


def test_before_and_after_backward_the_picture_is_the_same() -> None:
    x, y = gg.variable(3.0, name="x"), gg.variable(-4.0, name="y")
    z = x * y + x
    before = str(gg.circuit(z))
    z.backward()
    assert str(gg.circuit(z)) == before


def test_the_circuit_of_the_user_is_untouched() -> None:
    x, y = gg.variable(3.0), gg.variable(-4.0)
    z = x * y
    cache, needs = dict(z.gate.__dict__), z.gate.needs
    c = gg.circuit(z)
    c.svg(), c.html(), str(c), c.memory(), c.nudge("x"), c.explain()
    assert x.grad is None and y.grad is None
    assert z.gate.__dict__ == cache and z.gate.needs == needs
    assert not hasattr(z.gate, "grad")
    z.backward()
    assert (x.grad, y.grad) == (-4.0, 3.0)


def test_a_value_replaced_since_is_told() -> None:
    x = gg.variable(3.0)
    z = x * x
    x.value = 5.0
    c = gg.circuit(z)
    assert c.model.output.value == 25.0
    assert "replaced since" in str(c) and "replaced since" in c.svg()


def test_names_come_from_variables_then_from_the_callers_locals_then_are_made_up() -> None:
    x = gg.variable(1.0, name="given")
    inside = {"w": gg.variable(2.0)}
    q = x * inside["w"]
    z = (q + 3.0) * gg.variable(4.0)
    assert set(wires(gg.circuit(z))) == {"given", "inside.w", "q", "v1", "z", "x1"}


def test_names_of_a_functions_arguments_are_paths_and_its_locals_name_the_rest(net: Any) -> None:
    assert [wire.label for wire in net.model.leaves] == ["x", "params.w1", "params.b1", "params.w2"]
    assert "h" in wires(net)


def test_two_variables_of_one_name_are_told_apart() -> None:
    assert set(wires(gg.circuit(gg.variable(1.0, name="x") * gg.variable(2.0, name="x")))) == {"x", "x_2", "f"}


def test_an_array_of_the_callers_keeps_its_name() -> None:
    data = np.arange(3.0)
    c = gg.circuit(gg.variable(np.ones(3), name="w") * data)
    assert [wire.label for wire in c.model.constants] == ["data"]


def test_gradients_of_arrays_agree_with_backward(net: Any) -> None:
    rng = np.random.default_rng(0)
    w1, b1, w2, x = (rng.normal(size=shape) for shape in ((3, 8), 8, (8, 2), (5, 3)))

    def loss(w1: Any) -> Any:
        h = np.maximum(0, x @ w1 + b1)
        return np.mean((h @ w2 - 1.0) ** 2)

    np.testing.assert_allclose(wires(net)["params.w1"][1], gg.grad(loss)(w1))


def test_branches_add_up_to_the_gradient_where_they_meet(shared: Any) -> None:
    for wire in shared.model.wires:
        if wire.kind != "constant" and wire.uses:
            parts = [shares(user)[position] for user, position in wire.uses]
            assert sum(parts) == pytest.approx(wire.gradient)


def test_local_gradients_are_numbers_for_each_element_without_unbroadcasting() -> None:
    c = gg.circuit(lambda x, y: x * y, np.array([[1.0], [2.0]]), np.array([3.0, 4.0]))
    dx, dy = local_gradients(c.model.nodes[0])
    np.testing.assert_array_equal(dx, [[3.0, 4.0], [3.0, 4.0]])
    np.testing.assert_array_equal(dy, [[1.0, 1.0], [2.0, 2.0]])


def test_a_gate_with_several_outputs() -> None:
    class Both(gg.Gate):
        def forward(self, x: Any) -> Any:
            self.x = x
            return 2 * x, x * x

        def backward(self, dz: Any) -> Any:
            double, square = dz
            return 2 * double + 2 * self.x * square

    x = gg.variable(3.0)
    double, square = Both()(x)
    c = gg.circuit(double * square)
    assert wires(c)["x"][1] == 54.0
    assert wires(c)["double"] == (6.0, 9.0) and wires(c)["square"] == (9.0, 6.0)


def test_an_array_output_is_summed_and_says_so() -> None:
    c = gg.circuit(lambda x: x * 2.0, np.ones(4))
    np.testing.assert_array_equal(c.model.leaves[0].gradient, [2.0] * 4)
    assert "gradients are those of the sum" in c.text(width=100)


def test_inside_a_function_that_is_being_differentiated() -> None:
    seen = []

    def f(x: Any) -> Any:
        z = x * x
        seen.append(wires(gg.circuit(z)))
        return z

    assert gg.grad(f)(3.0) == 6.0
    assert seen == [{"x": (3.0, 6.0), "z": (9.0, 1.0)}]


def test_a_variable_alone() -> None:
    c = gg.circuit(gg.variable(3.0, name="x"))
    assert (c.model.nodes, wires(c)) == ([], {"x": (3.0, 1.0)})
    assert str(c) == "  x ── 3.00\n       1.00"
    assert "3.00" in c.svg() and "3.00" in c.html()


@pytest.mark.parametrize("wrong", [3.0, None, np.ones(2)])
def test_what_is_no_circuit(wrong: Any) -> None:
    with pytest.raises(TypeError, match="takes a variable, or a function and its arguments"):
        gg.circuit(wrong)


def test_values_without_a_circuit() -> None:
    with pytest.raises(NotTrackedError, match="remembers no circuit"):
        gg.circuit(gg.variable(1.0).detach())
    with pytest.raises(NotTrackedError, match=r"returned the float 3\.0, which no circuit computed"):
        gg.circuit(lambda x: 3.0, 1.0)
    with pytest.raises(TypeError, match="takes nothing else"):
        gg.circuit(gg.variable(1.0), 2.0)
