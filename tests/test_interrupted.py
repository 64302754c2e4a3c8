"""Whatever is raised in a rule, forward or back, leaves no state behind: the next circuit is right.

A gate with a fuse raises at the first, second, third … call of its rules, until a run comes through whole. KeyboardInterrupt
among them, which no `except Exception` sees. Run with GATEGRAD_PURE_PYTHON=1 as well, this holds for both forms of the engine.
"""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import ReleasedError
from gategrad.tape import UNTRACKED, paused
from gategrad.watch import _forward, _rule


class Burnt(Exception):
    pass


class Fuse:
    """Raises an error at one of the calls to come."""

    def __init__(self):
        self.left, self.error = None, None

    def burn(self):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise self.error


fuse = Fuse()


class Cube(gg.Gate):
    """z = x³, unless the fuse blows."""

    def forward(self, x):
        fuse.burn()
        self.x = x
        return x * x * x

    def backward(self, dz):
        fuse.burn()
        return Square()(self.x) * 3.0 * dz


class Square(gg.Gate):
    """z = x², unless the fuse blows."""

    def forward(self, x):
        fuse.burn()
        self.x = x
        return x * x

    def backward(self, dz):
        fuse.burn()
        return 2.0 * self.x * dz


def f(x):
    """x⁹ + x³, whose first gate is used twice."""
    h = Cube()(x)
    return Cube()(h) * 1.0 + h


def backward(x):
    x = gg.variable(x)
    f(x).backward()
    return x.grad


def under(block, derivative):
    def inside(x):
        with block():
            return derivative(x)

    return inside


def first(x):
    return 9 * x**8 + 3 * x**2


def second(x):
    return 72 * x**7 + 6 * x


WAYS = {
    "backward": (backward, first),
    "grad": (gg.grad(f), first),
    "vjp": (lambda x: gg.vjp(f, x)[1](1.0)[0], first),
    "jvp": (lambda x: gg.jvp(f, (x,), (1.0,))[1], first),
    "grad of grad": (gg.grad(gg.grad(f)), second),
    "hessian": (gg.hessian(f), second),
    "hvp": (lambda x: gg.hvp(f, x, 1.0), second),
    "checkpoint": (gg.grad(gg.checkpoint(f)), first),
    "grad within backward": (lambda x: through(gg.grad(f), x), second),
    "no_grad": (under(gg.no_grad, gg.grad(f)), first),
    "kinks": (under(gg.kinks, gg.grad(f)), first),
    "anomalies": (under(gg.detect_anomaly, gg.grad(f)), first),
    "watched twice": (under(gg.kinks, under(gg.detect_anomaly, gg.grad(gg.grad(f)))), second),
}


def through(g, x):
    x = gg.variable(x)
    g(x).backward()
    return x.grad


def assert_nothing_is_left():
    assert paused() == UNTRACKED
    assert _rule.get() is None and _forward.get() is False
    assert backward(2.0) == first(2.0)
    assert (gg.variable(1.0) * 2.0).gate is not None


@pytest.mark.parametrize("error", [Burnt, KeyboardInterrupt, MemoryError, ZeroDivisionError, RecursionError])
@pytest.mark.parametrize("way", WAYS)
def test_whenever_it_blows_the_next_run_is_right(way, error):
    derivative, expected = WAYS[way]
    call = 0
    while True:
        fuse.left, fuse.error = call, error("blown")
        try:
            answer = derivative(1.1)
        except error:
            fuse.left = None
            assert_nothing_is_left()
            assert derivative(1.1) == pytest.approx(expected(1.1), rel=1e-12)
            call += 1
        else:
            rescued = fuse.left is None  # NumPy's numbers do not raise what Python's do, so the rule is asked once more
            fuse.left = None
            assert answer == pytest.approx(expected(1.1), rel=1e-12)
            if not rescued:
                break
            call += 1
    assert call >= 4


@pytest.mark.parametrize("error", [Burnt, KeyboardInterrupt])
def test_what_was_there_before_can_still_be_used(error):
    """The forward that failed was about to be a user of h: nobody waits for its answer."""
    x = gg.variable(2.0)
    h = x * x
    for _ in range(3):
        fuse.left, fuse.error = 0, error()
        with pytest.raises(error):
            Cube()(h)
    side = h * 1.0
    (side * h + h).backward()
    assert x.grad == 4 * 2.0**3 + 2 * 2.0


@pytest.mark.parametrize("error", [Burnt, KeyboardInterrupt])
def test_no_gradient_arrives_in_part(error):
    x, y = gg.variable(2.0), gg.variable(3.0)
    z = y * 2.0 + Cube()(x)
    fuse.left, fuse.error = 0, error()
    with pytest.raises(error):
        z.backward()
    assert x.grad is None and y.grad is None
    with pytest.raises(ReleasedError, match="second time"):
        z.backward()
    assert x.grad is None and y.grad is None
    (y * 2.0 + Cube()(x)).backward()
    assert (x.grad, y.grad) == (12.0, 2.0)


@pytest.mark.parametrize("error", [Burnt, KeyboardInterrupt])
def test_a_circuit_that_is_retained_can_be_walked_again(error):
    x = gg.variable(2.0)
    z = Cube()(x) * 2.0 + x
    fuse.left, fuse.error = 0, error()
    with pytest.raises(error):
        z.backward(retain=True)
    z.backward(retain=True)
    assert x.grad == 25.0


@pytest.mark.parametrize("error", [Burnt, KeyboardInterrupt])
def test_an_interrupted_trace(error):
    pytest.importorskip("llvmlite")
    compiled = gg.compile(gg.grad(lambda x: np.sin(f(x))))
    for call in range(4):
        fuse.left, fuse.error = call, error()
        with pytest.raises(error):
            compiled(1.1)
        assert_nothing_is_left()
    assert compiled(1.1) == pytest.approx(np.cos(f(1.1)) * first(1.1), rel=1e-12)
