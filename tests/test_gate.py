"""Gates as users write them: the notebook's form, options, several outputs, and every way to break the contract."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import DtypeError, GateError, StaleError


class Multiply(gg.Gate):
    def forward(self, x, y):
        self.x = x
        self.y = y
        return x * y

    def backward(self, dz):
        return [self.y * dz, self.x * dz]


class Cube(gg.Gate):
    def forward(self, x):
        self.x = x
        return x * x * x

    def backward(self, dz):
        return 3 * self.x * self.x * dz


class Scale(gg.Gate):
    def __init__(self, factor):
        self.factor = factor

    def forward(self, x):
        return self.factor * x

    def backward(self, dz):
        return self.factor * dz


class SumAndProduct(gg.Gate):
    def forward(self, x, y):
        self.x, self.y = x, y
        return x + y, x * y

    def backward(self, dz):
        d_sum, d_product = dz
        dx = dy = 0.0
        if d_sum is not None:
            dx, dy = dx + d_sum, dy + d_sum
        if d_product is not None:
            dx, dy = dx + self.y * d_product, dy + self.x * d_product
        return dx, dy


def rule(*answer, cls=gg.Gate):
    """A gate that adds its inputs, and whose backward answers as told."""

    class Broken(cls):
        def forward(self, *xs):
            return sum(xs[1:], xs[0])

        def backward(self, dz):
            return answer

    return Broken


# --- the notebook's gate ------------------------------------------------------------------------------------------


def test_the_notebooks_circuit():
    x, y, z = gg.variable(-2.0), gg.variable(5.0), gg.variable(-4.0)
    f = Multiply()(x + y, z)
    f.backward()
    assert (f.value, x.grad, y.grad, z.grad) == (-12.0, -4.0, -4.0, 3.0)
    assert all(type(v.grad) is float for v in (x, y, z))


def test_the_notebooks_gate_broadcasts():
    x, y = gg.variable(np.arange(3.0)), gg.variable([[1.0], [10.0]])
    np.sum(Multiply()(x, y)).backward()
    np.testing.assert_array_equal(x.grad, [11.0, 11.0, 11.0])
    np.testing.assert_array_equal(y.grad, [[3.0], [3.0]])


def test_a_number_and_an_array():
    gradient = gg.grad(lambda x, y: np.sum(Multiply()(x, y)), argnums=(0, 1))(2.0, np.arange(3.0))
    assert gradient[0] == 3.0 and type(gradient[0]) is float
    np.testing.assert_array_equal(gradient[1], [2.0, 2.0, 2.0])


def test_both_inputs_are_the_same_variable():
    x = gg.variable(3.0)
    Multiply()(x, x).backward()
    assert x.grad == 6.0


def test_any_order_of_derivative():
    def f(x):
        return Multiply()(Multiply()(x, x), Multiply()(x, x))

    derivative = f
    for expected in (4 * 8.0, 12 * 4.0, 24 * 2.0, 24.0, 0.0):
        derivative = gg.grad(derivative)
        assert derivative(2.0) == expected


def test_third_order_of_arrays():
    x = np.array([1.0, -2.0, 0.5])

    def derivative(f):
        return lambda x: np.sum(gg.grad(f)(x))

    f = derivative(derivative(lambda x: np.sum(Multiply()(x, Multiply()(x, Multiply()(x, x))))))
    np.testing.assert_allclose(gg.grad(f)(x), 24 * x)


def test_check_gradients_passes_a_users_gate():
    assert gg.check_gradients(lambda x, y: Multiply()(x, y), np.array([1.0, 2.0]), 0.5)


# --- one instance, several applications ---------------------------------------------------------------------------


def test_one_instance_applied_twice_is_two_applications():
    multiply, x, y = Multiply(), gg.variable(2.0), gg.variable(3.0)
    a, b = multiply(x, y), multiply(y, y)
    assert a.gate is not b.gate
    (a + b).backward()
    assert (x.grad, y.grad) == (3.0, 2.0 + 6.0)


def test_a_recorded_instance_applied_to_plain_values_keeps_its_gradient():
    multiply, x = Multiply(), gg.variable(2.0)
    z = multiply(x, 5.0)
    assert multiply(7.0, 7.0) == 49.0
    z.backward()
    assert x.grad == 5.0


def test_one_instance_within_nested_derivatives():
    cube = Cube()
    assert gg.grad(gg.grad(lambda x: cube(x) + cube(2.0 * x)))(1.0) == 6.0 + 48.0


@pytest.mark.parametrize("first", [lambda gate: gate(1.0), lambda gate: gate(gg.variable(1.0)), lambda gate: None])
def test_options_survive_every_application(first):
    gate, x = Scale(3.0), gg.variable(2.0)
    first(gate)
    with gg.no_grad():
        assert gate(x).item() == 6.0
    z = gate(x)
    z.backward()
    assert (z.value, x.grad) == (6.0, 3.0)
    assert repr(z.gate) == "Scale(factor=3.0)"


def test_an_option_set_after_construction_counts():
    class Slope(gg.Gate):
        factor = 1.0

        def forward(self, x):
            return self.factor * x

        def backward(self, dz):
            return self.factor * dz

    gate, x = Slope(), gg.variable(1.0)
    gate.factor = 3.0
    (gate(x) + gate(x)).backward()
    assert x.grad == 6.0


def test_a_dataclass_may_be_a_gate():
    @dataclasses.dataclass
    class Power(gg.Gate):
        exponent: float = 1.0

        def forward(self, x):
            self.x = x
            return x**self.exponent

        def backward(self, dz):
            return self.exponent * self.x ** (self.exponent - 1) * dz

    gate, x = Power(3.0), gg.variable(2.0)
    (gate(x) + gate(x)).backward()
    assert x.grad == 24.0


# --- None, several outputs ----------------------------------------------------------------------------------------


def test_none_means_that_nothing_flows():
    class First(gg.Gate):
        def forward(self, x, y):
            return x + 0 * y

        def backward(self, dz):
            return dz, None

    x, y = gg.variable(1.0), gg.variable(2.0)
    First()(x, y).backward()
    assert (x.grad, y.grad) == (1.0, 0.0)
    assert gg.grad(First(), argnums=(0, 1))(1.0, 2.0) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda s, p: s, (1.0, 1.0)),
        (lambda s, p: p, (3.0, 2.0)),
        (lambda s, p: s * p, (2 * 2 * 3 + 9.0, 2 * 2 * 3 + 4.0)),
        (lambda s, p: p + p + s, (7.0, 5.0)),
    ],
    ids=["one", "other", "both", "thrice"],
)
def test_several_outputs(f, expected):
    x, y = gg.variable(2.0), gg.variable(3.0)
    outputs = SumAndProduct()(x, y)
    assert isinstance(outputs, tuple)
    f(*outputs).backward()
    assert (x.grad, y.grad) == expected


def test_several_outputs_at_second_order():
    def f(x):
        total, product = SumAndProduct()(x, x * x)
        return total * product

    assert gg.grad(gg.grad(f))(2.0) == 12 * 4.0 + 20 * 8.0  # (x + x²) x³
    assert gg.check_gradients(f, 1.5)


# --- a broken forward ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "None"),
        ("abc", "the str 'abc'"),
        (True, "the bool True"),
        ([1.0, 2.0], r"the list \[1.0, 2.0\]"),
        (np.arange(3), r"an int64 array of shape \(3,\)"),
        (np.array([None]), r"an object array of shape \(1,\)"),
        ((1.0, (2.0, 3.0)), "the tuple"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_forward_returns_rubbish(answer, said):
    class Rubbish(gg.Gate):
        def forward(self, x):
            return answer

    with pytest.raises(GateError, match=f"Rubbish.forward returned {said}.*: return a float, a floating-point array"):
        Rubbish()(gg.variable(1.0))


def test_a_gate_without_forward_or_backward():
    class Nothing(gg.Gate):
        pass

    class OneWay(gg.Gate):
        def forward(self, x):
            return x + 1

    with pytest.raises(GateError, match="Nothing has no forward"):
        Nothing()(gg.variable(1.0))
    with pytest.raises(GateError, match="OneWay has no backward"):
        OneWay()(gg.variable(1.0)).backward()


def test_a_hidden_input_is_refused():
    w = gg.variable(3.0)

    class Hidden(gg.Gate):
        def forward(self, x):
            return x * w

        def backward(self, dz):
            return dz * 3.0

    with pytest.raises(GateError, match=r"Hidden.forward computed with a variable that is not among its inputs"):
        Hidden()(gg.variable(2.0))
    assert Hidden()(2.0).value == 6.0  # on plain values nothing is hidden: w's own gate is recorded


def test_a_forward_that_writes_into_a_variable():
    class Writes(gg.Gate):
        def forward(self, x):
            x += 1
            return x

    with pytest.raises(GateError, match=r"Writes.forward wrote into one of its inputs"):
        Writes()(gg.variable([1.0, 2.0]))
    x = np.ones(2)
    with pytest.raises(GateError, match=r"Writes.forward wrote into one of its inputs"):
        gg.grad(lambda x: np.sum(Writes()(x)))(x)
    np.testing.assert_array_equal(x, 1.0)


def test_a_forward_that_writes_into_a_constant():
    class Writes(gg.Gate):
        def forward(self, x, y):
            y += 1
            self.y = y
            return x * y

        def backward(self, dz):
            return self.y * dz, None

    z = Writes()(gg.variable([1.0, 2.0]), np.ones(2))
    with pytest.raises(StaleError, match="input 1 of Writes"):
        z.backward(np.ones(2))


def test_a_gate_that_hands_on_the_callers_array_does_not_lock_it():
    class Second(gg.Gate):
        def forward(self, x, y):
            return y

        def backward(self, dz):
            return 0 * dz, dz

    y = np.ones(3)
    for view in (y, y[:2], y[::-1]):
        z = Second()(gg.variable(1.0), view)
        y[:] = 7.0
        np.testing.assert_array_equal(z.value, 1.0)
        y[:] = 1.0


@pytest.mark.parametrize("name", ["order", "level", "spec", "grad", "inputs", "options", "needs"])
def test_a_constructor_may_not_take_the_engines_names(name):
    class Norm(gg.Gate):
        def __init__(self):
            setattr(self, name, 2)

        def forward(self, x):
            return x

    with pytest.raises(GateError):
        Norm()(gg.variable(1.0))


@pytest.mark.parametrize("name", gg.Gate.__slots__)
def test_a_class_may_not_take_the_engines_names(name):
    with pytest.raises(GateError, match=f"Keeps has an attribute {name}, a name that the engine needs for itself"):
        type("Keeps", (gg.Gate,), {name: 2.0})


@pytest.mark.parametrize("name", gg.Gate.__slots__)
@pytest.mark.parametrize("cls", [gg.Gate, gg.Elementwise])
def test_forward_may_not_take_the_engines_names(name, cls):
    """Whatever it sets: what `backward` would find there instead is a wrong gradient."""

    class Keeps(cls):
        def forward(self, x):
            setattr(self, name, (x,))
            return 2.0 * x

        def backward(self, dz):
            return 2.0 * dz

    for x in (gg.variable(1.0), gg.variable([1.0, 2.0])):
        with pytest.raises(
            GateError, match=rf"Keeps.forward sets self.{name}, a name that the engine needs for itself"
        ):
            Keeps()(x)


def test_the_gates_own_errors_pass_as_they_are():
    class Inverse(gg.Gate):
        def forward(self, x):
            return np.linalg.inv(x)

    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        Inverse()(gg.variable(np.zeros((2, 2))))


# --- a broken backward --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [(), (1.0,), (1.0, 2.0, 3.0)], ids=len)
def test_the_wrong_count_of_gradients(answer):
    z = rule(*answer)()(gg.variable(1.0), gg.variable(2.0))
    says = rf"Broken\.backward \(.*test_gate\.py:\d+\) returned {len(answer)} gradients? for 2 inputs"
    with pytest.raises(GateError, match=says):
        z.backward()


@pytest.mark.parametrize("dx", [0, 1.0, np.ones(2), np.ones((3, 1)), np.ones((3, 3))], ids=np.shape)
def test_the_wrong_shape_of_a_gradient(dx):
    z = rule(dx)()(gg.variable(np.ones(3)))
    says = (
        r"Broken\.backward \(.*test_gate\.py:\d+\) returned a gradient of shape .* for input 0, which has shape \(3,\)"
    )
    with pytest.raises(GateError, match=says):
        z.backward(np.ones(3))


@pytest.mark.parametrize("dx", [np.arange(3), np.array([True] * 3), np.array([None] * 3)], ids=lambda x: str(x.dtype))
def test_the_wrong_dtype_of_a_gradient(dx):
    z = rule(dx)()(gg.variable(np.ones(3)))
    with pytest.raises(
        GateError, match=rf"Broken\.backward .* returned an? {dx.dtype} array of shape \(3,\) for input 0"
    ):
        z.backward(np.ones(3))


@pytest.mark.parametrize("dx", ["abc", {}, object()], ids=lambda x: type(x).__name__)
def test_a_gradient_that_is_no_number(dx):
    with pytest.raises(DtypeError, match=r"Broken\.backward .* returned the"):
        rule(dx)()(gg.variable(1.0)).backward()


def test_an_integer_is_a_gradient_of_a_number():
    for leaf, kind in ((gg.variable(1.0), float), (gg.variable(np.float32(1)), np.float32)):
        rule(3)()(leaf).backward()
        assert leaf.grad == 3.0 and type(leaf.grad) is kind


def test_a_backward_that_writes_into_dz():
    class Doubles(gg.Gate):
        def forward(self, x):
            return 2 * x

        def backward(self, dz):
            dz *= 2
            return dz

    x, y = gg.variable([1.0, 2.0]), gg.variable([1.0, 2.0])
    with pytest.raises(GateError, match=r"Doubles\.backward \(.*\) wrote into dz"):
        np.sum(Doubles()(x) + y).backward()


def test_a_mask_reaches_a_users_gate_as_an_array():
    class Own(gg.Elementwise):
        def forward(self, x):
            return 2 * x

        def backward(self, dz):
            assert dz.any() and not dz.all()
            return 2 * np.asarray(dz)

    x = gg.variable([1.0, -1.0])
    y = Own()(x)
    np.sum(np.where(y.value > 0, y, 0.0)).backward()
    np.testing.assert_array_equal(x.grad, [2.0, 0.0])
