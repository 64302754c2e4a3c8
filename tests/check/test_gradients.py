"""check_gradients: it agrees with what is right, and names what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.check.gradients import GradientMismatchError


class Wrong(gg.Gate):
    """The square, with a slip in the second element of the gradient."""

    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dz):
        slip = np.ones(np.shape(self.x))
        slip.flat[1] = 1.5
        return 2 * self.x * slip * dz


def test_what_is_right_passes():
    report = gg.check_gradients(lambda x, y: x * np.exp(y), 2.0, np.array([0.5, 1.0]), order=1)
    assert report.ok and len(report.comparisons) == 3
    assert str(report).startswith("<lambda>: all 3 gradients agree with central differences (worst: ")


def test_what_is_wrong_is_named():
    def loss(scale, weights):
        return scale * Wrong()(weights["w"])

    with pytest.raises(GradientMismatchError) as caught:
        gg.check_gradients(loss, 1.0, {"w": np.array([[1.0, 2.0], [3.0, 4.0]])}, order=1)
    (wrong,) = caught.value.report.mismatches
    assert (wrong.input, wrong.index, wrong.order) == ("weights", (0, 1), 1)
    assert wrong.backward == pytest.approx(1.5 * wrong.differences, rel=1e-6)
    text = str(caught.value)
    assert text.startswith(
        "loss: 1 of 5 gradients differ from central differences\n  gradient at weights[0, 1]: backward says "
    )
    assert isinstance(caught.value, AssertionError)


def test_a_wrong_second_order_is_found():
    class Flat(gg.Gate):
        def forward(self, x):
            self.x = gg.variable(x).detach().value if isinstance(x, float) else x.detach()
            return x * x

        def backward(self, dz):
            return 2 * self.x * dz

    assert gg.check_gradients(lambda x: Flat()(x), 3.0, order=1)
    with pytest.raises(GradientMismatchError, match="second-order gradient at x: backward says"):
        gg.check_gradients(lambda x: Flat()(x), 3.0, order=2)


def test_a_kink_is_reported_not_refused():
    report = gg.check_gradients(lambda x: np.maximum(x, 0.0), np.array([0.0, 1.0]), order=1)
    assert report.ok and [c.index for c in report.comparisons if c.verdict == "kink"] in ([], [(0,)])


def test_the_wrong_side_of_a_kink_is_refused():
    class Outside(gg.Gate):
        def forward(self, x):
            return abs(x)

        def backward(self, dz):
            return 2.0 * dz

    with pytest.raises(GradientMismatchError):
        gg.check_gradients(Outside(), 0.0, order=1)


def test_many_elements_are_drawn():
    report = gg.check_gradients(lambda x: np.sum(x * x), np.ones(1000), elements=10, order=1)
    assert len(report.comparisons) == 10


def test_many_mismatches_are_counted():
    class Zero(gg.Gate):
        def forward(self, x):
            return 3 * x

        def backward(self, dz):
            return None

    with pytest.raises(GradientMismatchError, match=r"20 of 20[\s\S]*… and 12 more"):
        gg.check_gradients(Zero(), np.ones(20), order=1)
