"""Ctrl-C at every instruction at which Python looks for it, in all that changes state: it finds all changed, or nothing.

A tracing function raises KeyboardInterrupt at the first, second, third … of those places, until a run comes through. Python
looks for signals at the start of a function, after a call and when a loop goes back. Of these the start of `leave` is left
out, the one place that cannot be guarded: nothing of the function has run yet.
"""

from __future__ import annotations

import dis
import sys

import numpy as np
import pytest

import gategrad as gg
from gategrad import assignment, backward, native, pause, tape, values, watch
from gategrad.tape import UNTRACKED, leave, paused
from gategrad.watch import _forward, _rule, floor

FILES = {module.__file__ for module in (assignment, backward, pause, tape, values, watch)}
LOOKS_AFTER = {"CALL", "CALL_FUNCTION_EX", "CALL_KW", "JUMP_BACKWARD", "RESUME"}


class Interruptions:
    """Raises KeyboardInterrupt at one of the places to come where Python would notice one."""

    def __init__(self, at):
        self.left = at
        self.before = {}

    def __call__(self, frame, event, argument):
        code = frame.f_code
        if code.co_filename not in FILES:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            last = self.before.get(frame)
            self.before[frame] = dis.opname[code.co_code[frame.f_lasti]]
            if last in LOOKS_AFTER and not (last == "RESUME" and code is leave.__code__):
                self.left -= 1
                if self.left == -1:
                    raise KeyboardInterrupt
        return self

    def during(self, function):
        """Whether the function came through without an interruption."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            function()
        except KeyboardInterrupt:
            return False
        finally:
            sys.settrace(before)
            self.before.clear()
        return True


def everywhere(make):
    """Interrupt the function that `make` returns at every place; it is asked each time what must hold then."""
    at = 0
    while True:
        function, holds = make()
        done = Interruptions(at).during(function)
        holds(done)
        if done:
            break
        at += 1
    return at


def nothing_is_left(_done=True):
    assert paused() == UNTRACKED == floor()
    assert _rule.get() is None and _forward.get() is False


BLOCKS = {
    "no_grad": gg.no_grad,
    "kinks": gg.kinks,
    "anomalies": gg.detect_anomaly,
}


@pytest.mark.parametrize("inner", BLOCKS)
@pytest.mark.parametrize("outer", BLOCKS)
def test_blocks(outer, inner):
    def blocks():
        with BLOCKS[outer](), BLOCKS[inner]():
            pass

    assert everywhere(lambda: (blocks, nothing_is_left)) >= 4


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_within_another_closes_itself_alone(block):
    def make():
        seen = []

        def blocks():
            with gg.no_grad():
                outside = paused()
                try:
                    with BLOCKS[block]():
                        pass
                finally:
                    seen.append(paused() is outside)

        def holds(done):
            assert seen in ([True], []) and (seen or not done)
            nothing_is_left()

        return blocks, holds

    everywhere(make)


def test_gates_that_are_watched():
    def watched():
        with gg.kinks():
            gg.grad(np.sin)(1.0)

    everywhere(lambda: (watched, nothing_is_left))


def test_gradients_arrive_all_or_none():
    def make():
        leaves = [
            gg.variable(2.0),
            gg.variable(np.ones(3)),
            gg.variable(np.float32(1.0)),
            gg.variable(3.0),
            gg.variable(1j),
        ]
        leaves[3].grad = 10.0
        total = np.sum(np.real(sum(leaves) * 2.0))

        def holds(done):
            arrived = [x.grad is not None for x in leaves[:3]] + [leaves[3].grad != 10.0, leaves[4].grad is not None]
            assert all(arrived) or not any(arrived)
            assert all(arrived) or not done

        return total.backward, holds

    assert everywhere(make) >= (3 if native.in_use else 10)


def test_interior_gradients_are_kept_all_or_none():
    def make():
        x = gg.variable(2.0)
        y = x * 3.0
        z = y * y

        def holds(done):
            kept = [hasattr(v.gate, "grad") for v in (y, z)]
            assert all(kept) or not (any(kept) or done)

        return lambda: z.backward(keep=True), holds

    assert everywhere(make) >= 4


@pytest.mark.parametrize("write", ["y[1] =", "y +=", "through a row"])
def test_assignments_and_their_views(write):
    def make():
        x = gg.variable(np.ones((2, 2)))
        y = x * 2.0
        row, turned, flat = y[1], y.T, np.ravel(y)

        def assign():
            target = row if write == "through a row" else y
            if write == "y +=":
                target += 5.0
            else:
                target[1] = 7.0

        def holds(done):
            np.testing.assert_array_equal(row.value, y.value[1])
            np.testing.assert_array_equal(turned.value, y.value.T)
            np.testing.assert_array_equal(flat.value, y.value.ravel())
            assert np.any(y.value != 2.0) or not done
            (dy,) = gg.vjp(lambda v: v * 1.0, y)[1](np.ones((2, 2)))
            assert np.all(gg.stop_gradient(dy) == 1.0)
            np.sum(y + turned).backward()
            assert x.grad is not None

        return assign, holds

    assert everywhere(make) >= 10


def test_an_interruption_would_be_noticed():
    state = []

    def two_steps():
        tape.next_level()
        state.append(1)
        pause.next_level()

    def careless():
        with Careless():
            pass

    class Careless(pause.NoGrad):
        def __exit__(self, *exception):
            pass

    assert Interruptions(10**6).during(two_steps)
    assert Interruptions(10**6).during(careless)
    with pytest.raises(AssertionError):
        nothing_is_left()
    leave()
    nothing_is_left()
