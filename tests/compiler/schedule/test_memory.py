"""Buffers share space, and never while both are in use."""

import numpy as np
import pytest

from gategrad.compiler.schedule.memory import ALIGNMENT, Buffer, plan


@pytest.mark.parametrize("seed", range(5))
def test_no_two_share_bytes_while_both_are_in_use(seed):
    rng = np.random.default_rng(seed)
    buffers = [Buffer(int(rng.integers(0, 3000)), *map(int, sorted(rng.integers(0, 30, 2)))) for _ in range(60)]
    total = plan(buffers, 64)
    for n, a in enumerate(buffers):
        assert a.offset % ALIGNMENT == 0
        assert 64 <= a.offset <= a.offset + a.nbytes <= total
        for b in buffers[:n]:
            if a.first <= b.last and b.first <= a.last:
                assert a.offset + a.nbytes <= b.offset or b.offset + b.nbytes <= a.offset


def test_buffers_of_different_times_lie_in_one_place():
    buffers = [Buffer(1000, n, n + 1) for n in range(0, 40, 2)]
    assert plan(buffers) == 1024
    assert {b.offset for b in buffers} == {0}


def test_a_gap_that_is_large_enough_is_filled():
    below, above, between = Buffer(640, 0, 5), Buffer(640, 0, 1), Buffer(64, 2, 5)
    assert plan([below, above, between]) == 1280
    assert [below.offset, above.offset, between.offset] == [0, 640, 640]


def test_nothing_takes_what_lies_before():
    assert plan([], 64) == 64
