"""The walk backwards: deep and wide circuits, order, and each gate visited once."""

from __future__ import annotations

import gc
import sys
import tracemalloc

import numpy as np
import pytest

import gategrad as gg

DEPTH = 300_000  # hundreds of times what recursion in Python could reach, and more than the stack of C holds


def test_a_deep_chain_runs_backward_and_dies_without_recursion():
    limit = sys.getrecursionlimit()
    x = gg.variable(1.0)
    z = x
    for _ in range(DEPTH):
        z = z + 1.0
    z.backward()
    assert z.value == DEPTH + 1 and x.grad == 1.0
    del z
    z = x
    for _ in range(DEPTH):
        z = z * 1.0
    del z  # a circuit that nobody walked
    assert sys.getrecursionlimit() == limit


class Counter(gg.Gate):
    visits = 0

    def forward(self, *xs):
        return xs[0] + xs[-1]

    def backward(self, dz):
        Counter.visits += 1
        return (dz, *[None] * (len(self.needs) - 2), dz) if len(self.needs) > 1 else 2 * dz


@pytest.mark.parametrize("depth", [1, 10, 1000])
def test_each_gate_is_visited_once(depth):
    """Both inputs of each gate are the one before: 2 ** depth paths, but only depth gates."""
    Counter.visits = 0
    x = gg.variable(1.0)
    z = x
    for _ in range(depth):
        z = Counter()(z, z) * 0.5
    z.backward()
    assert Counter.visits == depth and x.grad == 1.0


def test_a_wide_circuit():
    xs = [gg.variable(float(n)) for n in range(2000)]
    total = 0.0
    for x in xs:
        total = total + x * x
    total.backward()
    assert [x.grad for x in xs] == [2.0 * n for n in range(2000)]


def test_a_gate_waits_for_all_that_uses_its_output():
    x = gg.variable(2.0)
    h = x * x
    long = h
    for _ in range(5):
        long = long * 1.0
    (h + long).backward(keep=True)
    assert h.grad == 2.0 and x.grad == 8.0


def test_only_what_leads_to_the_root_is_visited():
    Counter.visits = 0
    x = gg.variable(2.0)
    Counter()(x, x)
    (x * x).backward()
    assert Counter.visits == 0 and x.grad == 4.0


def pass_on_numbers():
    x, y = gg.variable(2.0), gg.variable(3.0)
    (x * y + x).backward()


def pass_on_arrays():
    x, w = gg.variable(np.ones(10)), gg.variable(2.0)
    np.sum(np.exp(x * w) + x).backward()


def pass_of_both_orders():
    gg.grad(gg.grad(lambda x: x * x * x))(2.0)


def pass_forward():
    gg.jvp(lambda x: x * x + x, (2.0,), (1.0,))


def pass_that_is_interrupted():
    x = gg.variable(2.0)
    with pytest.raises(KeyboardInterrupt):
        (Interrupted()(x * x) * 2.0).backward()


def pass_of_nothing_remembered():
    with gg.no_grad():
        _ = gg.variable(2.0) * 3.0


class Interrupted(gg.Gate):
    def forward(self, x):
        return x * 1.0

    def backward(self, dz):
        raise KeyboardInterrupt


PASSES = [
    pass_on_arrays,
    pass_of_both_orders,
    pass_forward,
    pass_that_is_interrupted,
    pass_of_nothing_remembered,
]


@pytest.mark.parametrize("step", PASSES, ids=lambda step: step.__name__)
def test_memory_does_not_grow_over_passes(step):
    """No object is smaller than 16 bytes: less than that a pass is none. Python's own caches of names may fill up."""
    assert growth(step, 1_500) < 16 * 1_500


@pytest.mark.parametrize("passes", [30_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_million_passes_leave_nothing_behind(passes):
    assert growth(pass_on_numbers, passes) < 4096


def growth(step, passes):
    """By how many bytes that many passes make the memory grow."""
    for _ in range(50):
        step()
    tracemalloc.start()
    try:
        for _ in range(50):
            step()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(passes):
            step()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dead", [1, 2, 3])
def test_users_that_the_walk_never_comes_to(dead):
    """Each of y, u and w is used by gates that the output does not depend on; each still answers once."""
    calls = []

    class Counting(gg.Gate):
        def forward(self, x):
            return x * 1.0

        def backward(self, dz):
            calls.append(dz)
            return dz

    x = gg.variable(3.0)
    y = Counting()(x)
    u = Counting()(y * y)
    w = Counting()(u + y)
    for _ in range(dead):
        y * u * w
    z = w * u + y
    z.backward()
    assert x.grad == pytest.approx(4 * 27.0 + 3 * 9.0 + 1)  # (y² + y) · y² + y
    assert len(calls) == 3
