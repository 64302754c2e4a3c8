"""The drawing in the terminal, to the letter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gategrad as gg

SIMPLE = """\
  x ── -2.00 ──┐
       -4.00   ├─( + )── 3.00 ──┐
  y ──  5.00 ──┘        -4.00   ├─( × )── -12.00  f
       -4.00                    │           1.00
  z ── -4.00 ───────────────────┘
        3.00"""

NAMED = """\
  x ── -2.00 ──┐
       -4.00   ├─( + )── q ── 3.00 ──┐
  y ──  5.00 ──┘             -4.00   ├─( × )── -12.00  f
       -4.00                         │           1.00
  z ── -4.00 ────────────────────────┘
        3.00"""

NEURON = """\
  w0 ──  2.00 ──┐
        -0.20   ├─( × )── -2.00 ──┐
  x0 ── -1.00 ──┘          0.20   │
         0.39                     ├─( + )── 4.00 ──┐
  w1 ── -3.00 ──┐                 │         0.20   │
        -0.39   ├─( × )── 6.00 ───┘                ├─( + )── 1.00  v4
  x1 ── -2.00 ──┘         0.20                     │         0.20
        -0.59                                      │
  w2 ── -3.00 ─────────────────────────────────────┘
         0.20

  v4 ┄┄ 1.00 ──( − )── -1.00 ──( exp )── 0.37 ──( 1 + )── 1.37  v7
        0.20           -0.20            -0.53            -0.53

  v7 ┄┄ 1.37 ──( 1 ÷ )── 0.73  f
       -0.53             1.00"""

SQUARE = """\
  x ── 3.00 ┄┄ 2 branches
       6.00 = 3.00 + 3.00

  x ┄┄ 3.00 ──┐
       3.00   ├─( × )── 9.00  f
  x ┄┄ 3.00 ──┘         1.00
       3.00"""

TABLE = """\
  a circuit of 2 gates and 3 variables: 1 +, 1 ×

  #  name  operation   value  gradient  pattern
  ─────────────────────────────────────────────────
     x     variable    -2.00     -4.00
     y     variable     5.00     -4.00
     z     variable    -4.00      3.00
  1  q     x + y        3.00     -4.00  distributor
  2  f     q · z      -12.00      1.00  switcher"""


def test_the_notebook_circuit() -> None:
    c = gg.circuit(lambda x, y, z: (x + y) * z, -2, 5, -4)
    assert c.text(color=False, width=80) == SIMPLE


def test_names_in_between_stand_on_the_wire(simple: Any) -> None:
    assert simple.text(color=False, width=80) == NAMED


def test_a_drawing_too_wide_is_continued_under_a_name(neuron: Any) -> None:
    assert neuron.text(color=False, width=80) == NEURON
    assert max(map(len, neuron.text(color=False, width=80).splitlines())) <= 80
    assert "v4" not in neuron.text(color=False, width=150)


def test_a_value_used_twice_is_introduced_once_with_the_sum_of_its_branches() -> None:
    assert gg.circuit(lambda x: x * x, 3.0).text(color=False) == SQUARE


def test_in_a_terminal_too_narrow_the_circuit_is_a_table(simple: Any) -> None:
    assert simple.text(color=False, width=30) == TABLE


def test_arrays_are_shape_and_range(net: Any) -> None:
    drawing = net.text(color=False, width=100)
    for wire in net.model.wires:
        if wire.is_array:
            assert f"({wire.shape[0]}," in drawing
    assert "(5, 8) 0.00 … " in drawing


def test_every_number_of_every_wire_is_drawn(shared: Any) -> None:
    drawing = shared.text(color=False, width=100)
    for wire in shared.model.wires:
        assert f"{wire.value:.2f}" in drawing and f"{wire.gradient:.2f}" in drawing


def test_colour_only_when_asked_on_a_terminal_without_no_color(simple: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = simple.text(color=True, width=80)
    assert "\x1b[94m-2.00\x1b[0m" in coloured and "\x1b[91m-4.00\x1b[0m" in coloured
    assert "\x1b" not in str(simple)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" in str(simple)
    assert "\x1b" not in repr(simple)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in str(simple)


def test_colour_changes_nothing_but_colour(shared: Any) -> None:
    import re

    assert re.sub(r"\x1b\[\d*m", "", shared.text(color=True, width=90)) == shared.text(color=False, width=90)


def test_repeated_segments_fold(chain: Callable[[int], Any]) -> None:
    assert "( [× → +] ×50 )" in gg.circuit(chain(100)).text(color=False, width=80)
    assert "×" not in gg.circuit(np.exp(np.exp(gg.variable(0.1)))).text(color=False).replace("( exp )", "")


def test_a_long_chain_keeps_its_ends() -> None:
    functions = [np.sin, np.tanh, np.arctan, np.cos]
    order = np.random.default_rng(1).permutation(np.repeat(np.arange(4), 8))
    z = gg.variable(0.5, name="x")
    for index in order:
        z = functions[index](z)
    drawing = gg.circuit(z).text(color=False, width=300)
    assert "more gates …" in drawing
    assert drawing.count("── ") < 32


def test_a_hundred_thousand_gates_are_a_summary(chain: Callable[[int], Any]) -> None:
    c = gg.circuit(chain(100_000))
    text = c.text(color=False, width=100)
    assert text.startswith("  a circuit of 100,000 gates and 1 variable: 50,000 ×, 50,000 +")
    assert "… 99,990 more …" in text
    assert len(text.splitlines()) < 40
    assert "… 99,990 more …" in c.svg() and "… 99,990 more …" in c.html()


def test_a_name_can_neither_break_a_line_nor_steer_the_terminal() -> None:
    x = gg.variable(1.0, name="a\nb\x1b[31m" + "c" * 50)
    drawing = gg.circuit(x * 2.0).text(color=False)
    assert "\x1b" not in drawing and len(drawing.splitlines()) == 2 and "…" in drawing


def test_wide_characters_keep_the_columns_straight() -> None:
    drawing = gg.circuit(gg.variable(1.0, name="重み") * gg.variable(2.0, name="x")).text(color=False)
    first, _, third, _ = drawing.splitlines()
    assert first.startswith("  重み ── 1.00 ──┐") and third.startswith("     x ── 2.00 ──┘")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e-300, 1e300, 1 + 2j])
def test_extraordinary_numbers(value: Any) -> None:
    c = gg.circuit(gg.variable(value) * gg.variable(2.0))
    assert c.text(color=False) and c.svg() and c.html() and c.explain()
