"""check_gradients: it agrees with what is right, and names what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.check.report import GradientMismatchError


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


def test_forward_mode_beside_reverse():
    f = lambda x, y: {"a": np.sin(x["w"]) @ y, "b": [np.sum(y) * x["s"]]}
    report = gg.check_gradients(f, {"w": np.ones((2, 3)), "s": 2.0}, np.arange(3.0), order=3, elements=2)
    assert [(m.order, m.verdict) for m in report.modes] == [(1, "agrees"), (2, "agrees"), (3, "agrees")]
    assert all(m.forward == pytest.approx(m.backward, rel=1e-12) and m.forward != 0 for m in report.modes)
    assert str(report).endswith(", and forward mode with reverse")


def test_a_wrong_forward_mode_is_found():
    class Slip(gg.Gate):
        def forward(self, x):
            self.x = x
            return x * x

        def backward(self, dz):
            return 2 * self.x * dz

        def jvp(self, dx):
            return 3 * self.x * dx

    def loss(x):
        return np.sum(np.sin(Slip()(np.exp(x))))

    with pytest.raises(GradientMismatchError) as caught:
        gg.check_gradients(loss, np.array([0.5, 1.0]), order=1)
    report = caught.value.report
    assert not report.mismatches and [m.order for m in report.disagreements] == [1]
    assert report.at_fault.gate == "Slip" and report.at_fault.comparison.forward == pytest.approx(
        1.5 * report.at_fault.comparison.backward
    )
    lines = str(caught.value).split("\n")
    assert lines[0] == "loss: forward mode and reverse mode differ"
    assert lines[1].startswith("  derivative of the function along a direction: backward says ")
    assert lines[2].startswith("the first gate that is wrong by itself is Slip at test_gradients.py:")
    assert lines[3] == "    return np.sum(np.sin(Slip()(np.exp(x))))"


def test_forward_mode_that_is_not_available():
    class Numbers(gg.Gate):
        def forward(self, x):
            self.x = x
            return x * x

        def backward(self, dz):
            return 2 * self.x * float(dz)  # no forward mode follows from a rule that is not linear in variables

    report = gg.check_gradients(lambda x: Numbers()(x), 3.0, order=1)
    assert report.ok and report.modes[0].verdict == "unknown"
    first, second = str(report).split("\n")
    assert "(worst: " in first and "forward" not in first
    assert second.startswith("  forward mode of the function is not available: EscapeError: float(dz) would turn")


def test_the_gate_at_fault_is_named_inside_a_large_function():
    def layer(x, w):
        return np.tanh(x @ w)

    def network(x, ws):
        for w in ws[:2]:
            x = layer(x, w)
        x = Wrong()(x) + x  # the third of its four steps
        return np.sum(layer(x, ws[2]) ** 2)

    rng = np.random.default_rng(0)
    ws = [rng.uniform(-1, 1, (4, 4)) for _ in range(3)]
    with pytest.raises(GradientMismatchError) as caught:
        gg.check_gradients(network, rng.uniform(-1, 1, (3, 4)), ws)
    fault = caught.value.report.at_fault
    assert (fault.gate, fault.place.function, fault.comparison.input) == ("Wrong", "network", "x")
    assert fault.comparison.index == (0, 1) and fault.comparison.order == 1
    assert fault.comparison.backward == pytest.approx(1.5 * fault.comparison.differences, rel=1e-6)
    text = str(caught.value)
    assert "\n    x = Wrong()(x) + x  # the third of its four steps\n  gradient at x[0, 1]: backward says " in text


def test_no_gate_is_at_fault_where_a_value_leaves_the_circuit():
    with pytest.raises(GradientMismatchError, match=r"\nevery gate agrees with its own forward: a value may have left"):
        gg.check_gradients(lambda x: x * gg.stop_gradient(x), 3.0)


def test_a_kink_is_skipped_and_reported_with_its_gate():
    def loss(x):
        return np.sum(np.abs(x) * 2.0) + np.sum(x**2)

    report = gg.check_gradients(loss, np.array([0.0, 1.0]))
    assert report.ok and [(c.order, c.index) for c in report.kinks] == [(2, (0,))]  # at order 1, 0 is the middle
    (kink,) = report.kinks[0].kinks
    assert (kink.gate, kink.place.function, kink.convention) == ("Absolute", "loss", "0, the middle of [−1, 1]")
    lines = str(report).split("\n")
    assert lines[0].startswith("loss: all 3 gradients agree with central differences (worst: ")
    assert lines[0].endswith(", and forward mode with reverse; 1 on a kink was skipped")
    assert lines[1].startswith("  second-order gradient at x[0]: backward says 2")
    assert lines[2].startswith("    on a kink of Absolute at test_gradients.py:")
    first = str(gg.check_gradients(loss, np.array([0.0, 1.0]), order=1)).split("\n")
    assert first[1].startswith("  here Absolute at test_gradients.py:")
    assert first[1].endswith("in loss: 1 of 2 elements on a kink (gradient there: 0, the middle of [−1, 1])")


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (np.sqrt, 0.0),  # no finite slope, and no value on one side
        (np.sign, 0.0),  # a jump
        (np.max, np.array([2.0, 2.0, 1.0])),
        (lambda x: np.linalg.norm(x), np.zeros(2)),
    ],
    ids=["sqrt", "sign", "max", "norm"],
)
def test_kinks_of_all_sorts(f, x):
    with np.errstate(all="ignore"):
        report = gg.check_gradients(lambda x: f(x) * 2.0, x, order=1)
    assert report.ok and len(report.met) == 1 and report.met[0].gate in str(report)


def test_a_kink_within_a_step_is_one_too():
    report = gg.check_gradients(lambda x: np.maximum(x, 0.0), 1e-9, order=1)
    assert [c.verdict for c in report.comparisons] == ["kink"]


def test_complex_inputs_and_containers_name_the_gate():
    class Turned(gg.Elementwise):
        takes_complex = True

        def forward(self, x):
            self.x = x
            return x * x

        def backward(self, dz):
            return 2 * np.conjugate(self.x) * dz

    z = np.array([1.0 + 2.0j, 0.5 - 1.0j])
    with pytest.raises(GradientMismatchError) as caught:
        gg.check_gradients(lambda p: np.abs(Turned()(p["z"]) * p["s"]), {"z": z, "s": 2.0}, order=1)
    assert caught.value.report.at_fault.gate == "Turned"
    assert gg.check_gradients(lambda p: {"a": p["z"] * p["s"], "b": (np.abs(p["z"]),)}, {"z": z, "s": 2.0})


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


def test_a_function_that_writes_into_its_argument():
    def f(x):
        x *= 3.0
        x[0] = x[1] ** 2
        return np.sum(x**2)

    x = np.array([1.0, 2.0])
    assert gg.check_gradients(f, x)
    np.testing.assert_array_equal(x, [1.0, 2.0])
