"""What gates say: sentences in numbers, rules in NumPy, nudges, and the ledger of memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import ShapeError
from gategrad.picture.numbers import brief, number, prose, summary
from gategrad.picture.rule import rule_lines


def test_the_notebook_circuit_in_words(simple: Any) -> None:
    assert simple.steps() == [
        "+ adds: q = x + y = −2 + 5 = 3",
        "× multiplies: f = q · z = 3 · −4 = −12",
        "× switches: df/dq = z · df/df = −4 · 1 = −4; df/dz = q · df/df = 3 · 1 = 3",
        "+ distributes: df/dx = df/dq = −4; df/dy = df/dq = −4",
    ]


def test_where_branches_meet() -> None:
    c = gg.circuit(lambda x: x * x, 3.0)
    assert c.steps()[-1] == (
        "× switches: x receives x · df/df = 3 · 1 = 3; x receives x · df/df = 3 · 1 = 3; branches add: df/dx = 3 + 3 = 6"
    )


def test_one_input_and_a_constant(neuron: Any) -> None:
    words = neuron.steps()
    assert "− negates: v5 = −v4 = −1" in words
    assert "exp computes: v6 = exp(v5) = exp(−1) = 0.3679" in words
    assert "exp scales: df/dv5 = dv6/dv5 · df/dv6 = 0.3679 · −0.5344 = −0.1966" in words


def test_elements_are_written_as_they_are_read() -> None:
    c = gg.circuit(lambda x: x[0] * x[1:, None][0, 0], np.array([2.0, 3.0]))
    assert c.steps()[:2] == [
        "[ ] computes: v1 = x[0] = (2,)[0] = 2",
        "[ ] computes: v2 = x[1:, None] = (2,)[1:, None] → (1, 1) 3.00",
    ]


def test_what_a_function_takes_from_around_it_has_its_name() -> None:
    data = np.ones((5, 2))
    c = gg.circuit(lambda w: np.sum(data @ w), np.ones(2))
    assert c.steps()[0].startswith("@ multiplies matrices: v1 = data @ w = (5, 2) @ (2,)")


def test_sums_over_what_was_broadcast_are_told() -> None:
    c = gg.circuit(lambda x, y: np.sum(x + y), np.ones((2, 5)), 1.0)
    assert c.steps()[-1].endswith("df/dy = df/dv1 = 10, summed over what was broadcast")


@pytest.mark.parametrize(
    ("x", "drawn", "written"),
    [(-12.0, "-12.00", "−12"), (0.7310585, "0.73", "0.7311"), (1.2e-5, "1.2e-05", "1.2e−05"), (-0.0, "0.00", "0")],
)
def test_numbers(x: float, drawn: str, written: str) -> None:
    assert (number(x), prose(x), brief(x)) == (drawn, written, written)


def test_arrays_in_a_line() -> None:
    assert summary(np.array([1.0, -2.0])) == "[1.00 -2.00]"
    assert summary(np.full((2, 3), 1.5)) == "(2, 3) 1.50"
    assert summary(np.array([[1.0, np.nan], [2.0, np.inf]])) == "(2, 2) 1.00 … 2.00, 2 not finite"
    assert summary(np.zeros((0, 3))) == "(0, 3) empty"


# --- rules ------------------------------------------------------------------------------------------------------


def lines_of(c: Any, index: int = -1) -> list[str]:
    return rule_lines(c.model.nodes[index])


def test_the_rule_in_numpy_with_shapes() -> None:
    c = gg.circuit(lambda x, y: x * y, np.ones((2, 3)), np.ones((2, 3)))
    assert lines_of(c) == ["dx = y * dz   # (2, 3)", "dy = x * dz   # (2, 3)"]


def test_the_rule_tells_what_is_summed_and_leaves_out_constants() -> None:
    c = gg.circuit(lambda x, y: x + y, np.ones((2, 3)), np.ones(3))
    assert lines_of(c) == ["dx = dz   # (2, 3)", "dy = dz   # (2, 3), summed to (3,)"]
    assert lines_of(gg.circuit(lambda x: 2.0 * x, 1.0)) == ["dy = x * dz"]


def test_the_rule_of_a_gate_with_assignments_helpers_and_special_cases() -> None:
    class Odd(gg.Gate):
        def forward(self, x: Any, y: Any) -> Any:
            self.x = x
            return x * x + y

        def backward(self, dz: Any) -> Any:
            need_x, _ = self.needs
            twice = 2 * self.x
            unused = dz + 1  # noqa: F841
            if self.x == 0:
                return None, dz
            return self.slope(twice, dz) if need_x else None, dz

        def slope(self, a: Any, b: Any) -> Any:
            return a * b

    c = gg.circuit(Odd()(gg.variable(3.0), gg.variable(1.0)))
    assert lines_of(c) == ["twice = 2 * x", "dx = twice * dz", "dy = dz", "# special cases aside"]


def test_a_gate_without_source_says_so() -> None:
    scope: dict[str, Any] = {"gg": gg}
    code = """
class Typed(gg.Gate):
    pattern = "scaler"
    def forward(self, x): return 2 * x
    def backward(self, dz): return 2 * dz
"""
    exec(code, scope)
    c = gg.circuit(scope["Typed"]()(gg.variable(3.0)))
    assert lines_of(c) == ["# the source of its backward is not at hand"]
    assert "Typed, a scaler" in c.explain() and c.svg() and c.html()


def test_the_gate_of_the_notebook() -> None:
    class Multiply(gg.Gate):
        def forward(self, x: Any, y: Any) -> Any:
            self.x = x
            self.y = y
            return x * y

        def backward(self, dz: Any) -> Any:
            return [self.y * dz, self.x * dz]

    q, z = gg.variable(3.0), gg.variable(-4.0)
    f = Multiply()(q, z)
    c = gg.circuit(f)
    expected = ["f = Multiply(q, z)", "Multiply", "df/dq = −4", "df/dz = 3", "dx = y * dz", "dy = x * dz"]
    assert [line.strip() for line in c.explain().splitlines()] == expected


# --- nudges -----------------------------------------------------------------------------------------------------


def test_a_nudge_keeps_what_the_gradient_promised(simple: Any) -> None:
    nudge = simple.nudge("z", h=0.01)
    assert str(nudge) == "z has force 3: f should rise by 3h = 0.03; it rises by 0.03"
    assert (nudge.force, nudge.before, nudge.predicted) == (3.0, -12.0, pytest.approx(0.03))
    assert nudge.actual == pytest.approx(0.03)
    assert str(simple.nudge("q", h=0.5)) == "q has force −4: f should fall by 4h = 2; it falls by 2"
    assert simple.model.find("z").value == -4.0


def test_a_large_nudge_shows_that_the_promise_is_only_linear() -> None:
    nudge = gg.circuit(lambda x: x * x, 3.0).nudge("x", h=1.0)
    assert str(nudge) == "x has force 6: f should rise by 6h = 6; it rises by 7"


def test_nothing_to_nudge() -> None:
    nudge = gg.circuit(lambda x, y: x + 0.0 * y, 3.0, 1.0).nudge("y")
    assert str(nudge) == "y has force 0: f should not move; it stays where it is"


def test_nudges_of_arrays() -> None:
    c = gg.circuit(lambda x: np.sum(x * x), np.array([[1.0, 2.0], [3.0, 4.0]]))
    one = c.nudge("x", h=0.001, index=(1, 0))
    assert (one.name, one.force) == ("x[1, 0]", 6.0)
    assert one.actual == pytest.approx(0.006001)
    every = c.nudge("x", h=0.001)
    assert every.force == 20.0 and str(every).startswith("every element of x together has force 20")
    with pytest.raises(IndexError, match=r"x has shape \(2, 2\): index 7"):
        c.nudge("x", index=7)


def test_names_that_cannot_be_nudged(simple: Any) -> None:
    with pytest.raises(LookupError, match="no value named 'w'; it has x, y, z, f"):
        simple.nudge("w")
    with pytest.raises(ShapeError, match="z is a single number"):
        simple.nudge("z", index=0)


# --- memory -----------------------------------------------------------------------------------------------------


def test_the_ledger_counts_what_rules_need_and_no_more() -> None:
    c = gg.circuit(lambda x, w: np.sum(x * w + w), np.ones((100, 10)), np.ones((100, 10)))
    memory = c.memory()
    assert [(entry.operation, entry.bytes) for entry in memory.entries[:2]] == [("v1 = ×", 16_000), ("v2 = +", 0)]
    assert memory.no_grad == 0
    assert str(memory).splitlines()[-1] == f"  kept for backward: {memory.total:,} bytes; under no_grad: nothing"


def test_what_two_gates_remember_is_counted_once() -> None:
    c = gg.circuit(lambda x: np.sum(x * x * x), np.ones(1000))
    first, second = c.memory().entries[:2]
    assert (first.bytes, first.shared) == (8000, 8000)
    assert (second.bytes, second.shared) == (8000, 8000)


def test_options_are_not_memory() -> None:
    class Scale(gg.Gate):
        def __init__(self, table: Any) -> None:
            self.table = table

        def forward(self, x: Any) -> Any:
            return x * 2.0

        def backward(self, dz: Any) -> Any:
            return dz * 2.0

    assert gg.circuit(Scale(np.ones(1000))(gg.variable(1.0))).memory().total == 0
