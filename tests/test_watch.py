"""Watching: gates are noted with the line of the user's, at every order, and nothing is left behind."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import AnomalyError
from gategrad.tape import UNTRACKED, paused
from gategrad.watch import Watch


class Seen(Watch):
    def __init__(self):
        self.notes, self.answers = [], []

    def noted(self, note):
        self.notes.append(note)

    def answered(self, note, dz, dxs):
        self.answers.append((type(note.gate).__name__, dz, dxs))

    @property
    def names(self):
        return [type(note.gate).__name__ for note in self.notes]


def line():
    return inspect.currentframe().f_back.f_lineno


def test_each_gate_is_noted_with_its_line_and_values():
    lines = []

    def f(x):
        lines.append(line() + 1)
        y = np.sum(x * x)
        lines.append(line() + 1)
        return np.sqrt(y)

    with Seen() as seen:
        gradient = gg.grad(f)(np.array([3.0, 4.0]))
    np.testing.assert_allclose(gradient, [0.6, 0.8])
    assert seen.names == ["Multiply", "Sum", "Sqrt"]
    assert [note.place.line for note in seen.notes] == [lines[0], lines[0], lines[1]]
    assert {note.place.file for note in seen.notes} == {__file__} and seen.notes[0].place.function == "f"
    assert seen.notes[1].z == 25.0 and seen.notes[2].values == (25.0,)
    assert [name for name, _, _ in seen.answers] == ["Sqrt", "Sum", "Multiply"]
    assert seen.answers[0][1:] == (1.0, (0.1,))


def test_the_same_numbers_with_and_without():
    def f(x, w):
        return np.sum(np.tanh(x @ w) ** 2) / 3

    x, w = np.arange(6.0).reshape(2, 3) / 5, np.ones((3, 2)) / 3
    hessian_row = gg.grad(lambda x: np.sum(gg.grad(f)(x, w)))
    plain = gg.value_and_grad(f, (0, 1))(x, w), hessian_row(x)
    with Seen(), Seen() as seen:
        watched = gg.value_and_grad(f, (0, 1))(x, w), hessian_row(x)
    np.testing.assert_equal(watched, plain)
    assert len(seen.notes) > 10


def test_gates_of_a_rule_belong_to_the_line_of_its_gate():
    with Seen() as seen:
        gg.grad(gg.grad(lambda x: x**3))(2.0)
    rules = [note for note in seen.notes if note.of is not None]
    assert rules and {type(note.of.gate).__name__ for note in rules} == {"Power"}
    assert len({note.place for note in seen.notes}) == 1
    assert [note.inner for note in seen.notes[:2]] == [True, False]  # the lower tape first, inside the upper one


def test_backward_may_come_after_the_block():
    x = gg.variable(3.0)
    with Seen() as seen:
        z = x * x
    z.backward()
    assert x.grad == 6.0 and seen.answers == [("Multiply", 1.0, (3.0, 3.0))]


def test_gates_with_several_outputs_and_users_own():
    class Both(gg.Gate):
        def forward(self, x):
            return 2.0 * x, 3.0 * x

        def backward(self, dz):
            first, second = dz
            return 2.0 * first + 3.0 * second

    with Seen() as seen:
        assert gg.grad(lambda x: np.multiply(*Both()(x)))(2.0) == 24.0
    assert seen.names == ["Both", "Multiply"] and seen.notes[0].z == (4.0, 6.0)


def test_no_grad_inside_and_outside():
    x = gg.variable(2.0)
    with Seen() as seen:
        with gg.no_grad():
            assert (x * x).gate is None
        assert (x * x).gate is not None
    with gg.no_grad(), seen:
        assert (x * x).gate is None
        assert gg.grad(lambda x: x * x)(3.0) == 6.0
    assert seen.names == ["Multiply"] * 2


def test_nothing_is_left_behind():
    with pytest.raises(ZeroDivisionError), Seen():
        gg.grad(lambda x: x * (1 // 0))(1.0)
    assert paused() == UNTRACKED
    with Seen() as seen:
        pass
    gg.grad(lambda x: x * x)(1.0)
    assert seen.notes == []


def test_compiling_under_watch():
    with Seen() as seen:
        f = gg.compile(gg.grad(lambda x: np.sum(x * np.sin(x))))
        np.testing.assert_allclose(f(np.zeros(2)), [0.0, 0.0])
        compiled = gg.compile(lambda x: np.sum(x * x))
        np.testing.assert_allclose(gg.grad(compiled)(np.ones(2)), [2.0, 2.0])
    assert seen.names == ["CompiledCall"]


def test_derivatives_inside_no_grad_are_seen():
    before = paused()
    with Seen() as seen:
        w = gg.variable(3.0)
        with gg.no_grad():
            assert (w * w).gate is None  # not recorded, and nobody's affair
            assert seen.names == []
            assert gg.grad(lambda x: x * x)(2.0) == 4.0
            assert seen.names == ["Multiply"]
            with Seen() as inner, gg.no_grad():
                gg.grad(np.sin)(0.0)
                assert (w * w).gate is None
            assert inner.names == ["Sin"] and (w * w).gate is None
        assert (w * w).gate is not None
    assert seen.names == ["Multiply", "Sin", "Multiply"] and paused() == before
    with pytest.raises(AnomalyError), gg.detect_anomaly(), gg.no_grad():
        gg.grad(np.sqrt)(0.0)
    assert paused() == before
