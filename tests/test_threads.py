"""Several threads at once: circuits of their own, leaves in common."""

from __future__ import annotations

import dataclasses
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import gategrad as gg

THREADS, ROUNDS = 8, 50


@pytest.fixture(autouse=True)
def _switch_often():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def in_threads(f):
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(f, range(THREADS)))


def test_circuits_of_their_own():
    def f(n):
        for _ in range(ROUNDS):
            x = gg.variable(float(n))
            (x * x * x).backward()
            assert x.grad == 3.0 * n * n
            assert gg.grad(gg.grad(lambda y: y * y * y))(float(n)) == 6.0 * n
        return True

    assert all(in_threads(f))


def test_no_update_of_a_shared_leaf_is_lost():
    number, array = gg.variable(2.0), gg.variable(np.ones(4))

    def f(n):
        for _ in range(ROUNDS):
            np.sum(array * number * float(n)).backward()

    in_threads(f)
    assert number.grad == ROUNDS * sum(range(THREADS)) * 4.0
    np.testing.assert_array_equal(array.grad, np.full(4, 2.0 * ROUNDS * sum(range(THREADS))))


def test_no_grad_is_each_threads_own():
    x = gg.variable(2.0)
    block = gg.no_grad()

    def f(n):
        for _ in range(ROUNDS):
            if n % 2:
                with block:
                    assert (x * x).gate is None
            assert (x * x).gate is not None
        return True

    assert all(in_threads(f))


def test_a_retained_circuit_walked_by_all():
    x = gg.variable(3.0)
    z = x * x
    in_threads(lambda n: z.backward(retain=True))
    assert x.grad == THREADS * 6.0


def test_a_dataclass_met_by_all_at_once():
    @dataclasses.dataclass
    class P:
        a: float

    assert in_threads(lambda n: gg.grad(lambda p: p.a * p.a)(P(float(n))).a) == [2.0 * n for n in range(THREADS)]


def test_a_thousand_circuits_in_each_thread():
    """Leaves in common, tapes of their own; and what one thread opens, the others do not see."""
    shared = gg.variable(3.0)
    contexts = [gg.no_grad, gg.kinks, gg.detect_anomaly]

    def work(n):
        for r in range(1000):
            x = gg.variable(float(r % 7) - 3.0)
            z = np.maximum(x * shared, 0.0)
            assert type(z.gate).__name__ == "Maximum"
            assert gg.grad(lambda y: y * y * shared.value)(float(r)) == 6.0 * r
            if r % 100 == n:
                z.backward()
                assert x.grad == (3.0 if x.value > 0 else 1.5 if x.value == 0 else 0.0)
        return True

    def work_aside(n):
        for _ in range(200 if n < len(contexts) else 0):
            with contexts[n]() as report:
                z = np.maximum(gg.variable(0.0), 0.0)
            assert (z.gate is None) == (contexts[n] is gg.no_grad)
            assert contexts[n] is not gg.kinks or report.total == 1  # its own, and nobody else's
        return work(n)

    assert all(in_threads(work_aside))
    assert (shared * shared).gate is not None
