"""backward(): what it leaves in .grad, what it releases, and what it refuses."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import (
    DtypeError,
    GradientNotKeptError,
    NotScalarError,
    NotTrackedError,
    ReleasedError,
    ShapeError,
    StaleError,
)


def test_gradients_accumulate_until_they_are_reset():
    x = gg.variable([1.0, 2.0])
    for _ in range(2):
        np.sum(x * x).backward()
    np.testing.assert_array_equal(x.grad, [4.0, 8.0])
    x.grad = None
    np.sum(x * x).backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


def test_accumulation_makes_a_new_array():
    x = gg.variable([1.0, 2.0])
    np.sum(x).backward()
    first = x.grad
    np.sum(x).backward()
    np.testing.assert_array_equal(first, [1.0, 1.0])
    np.testing.assert_array_equal(x.grad, [2.0, 2.0])


def test_leaf_gradients_alias_neither_each_other_nor_dz():
    x, y, dz = gg.variable([1.0, 2.0]), gg.variable([3.0, 4.0]), np.ones(2)
    (x + y).backward(dz)
    x.grad[0] = 7.0
    np.testing.assert_array_equal(y.grad, [1.0, 1.0])
    np.testing.assert_array_equal(dz, [1.0, 1.0])
    x.grad = None
    x.backward(dz)
    x.grad[0] = 7.0
    np.testing.assert_array_equal(dz, [1.0, 1.0])


def test_backward_of_a_leaf():
    x = gg.variable(3.0)
    x.backward()
    x.backward(2)
    assert x.grad == 3.0


def test_a_second_backward_says_what_to_do():
    x = gg.variable(3.0)
    z = x * x
    z.backward()
    with pytest.raises(ReleasedError, match=r"second time to Multiply.*retain=True to the first backward\(\)"):
        z.backward()
    assert x.grad == 6.0


def test_a_released_branch_is_noticed_by_another_root():
    x = gg.variable(3.0)
    h = x * x
    (2.0 * h).backward()
    with pytest.raises(ReleasedError, match="Multiply"):
        (3.0 * h).backward()


def test_retain_lets_backward_come_again():
    x = gg.variable(3.0)
    z = x * x * x
    z.backward(retain=True)
    z.backward(retain=True)
    z.backward()
    assert x.grad == 3 * 27.0
    with pytest.raises(ReleasedError):
        z.backward()


def test_backward_forgets_what_the_gates_remembered():
    x, w = gg.variable(np.ones(3)), np.ones(3)
    z = x * w
    remembered = weakref.ref(z.gate.y)
    assert remembered() is w
    del w
    z.backward(np.ones(3), retain=True)
    assert z.gate.__dict__
    z.backward(np.ones(3))
    assert not z.gate.__dict__


def test_interior_gradients_on_request():
    x = gg.variable(3.0)
    h = x * x
    z = 2.0 * h
    z.backward(keep=True)
    assert (x.grad, h.grad, z.grad) == (6.0 * 2, 2.0, 1.0)


def test_interior_gradients_otherwise():
    x = gg.variable(3.0)
    h = x * x
    (2.0 * h).backward()
    with pytest.raises(GradientNotKeptError, match=r"call backward\(keep=True\)"):
        _ = h.grad
    assert isinstance(GradientNotKeptError(), AttributeError)
    with pytest.raises(NotTrackedError, match="interior"):
        h.grad = None


def test_a_kept_gradient_is_an_ordinary_array():
    x = gg.variable([-1.0, 4.0])
    h = x * 1.0
    np.sum(np.where(h.value > 0, h, 0.0)).backward(keep=True)
    assert type(h.grad) is np.ndarray
    np.testing.assert_array_equal(h.grad, [0.0, 1.0])


# --- dz -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2,), (2, 1), (0,)])
def test_an_array_needs_dz(shape):
    x = gg.variable(np.ones(shape))
    with pytest.raises(NotScalarError, match=r"needs the upstream gradient dz.*np\.sum\(f\)\.backward\(\)"):
        (x * 2.0).backward()


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_element_needs_no_dz(shape):
    x = gg.variable(np.full(shape, 3.0))
    (x * x).backward()
    assert np.shape(x.grad) == shape and np.all(x.grad == 6.0)


@pytest.mark.parametrize("dz", [1.0, np.ones(2), np.ones((3, 1)), [[1.0, 1.0, 1.0]]], ids=np.shape)
def test_the_wrong_shape_of_dz(dz):
    with pytest.raises(ShapeError, match=r"dz has shape .*, but the value that it is the gradient of has shape \(3,\)"):
        (gg.variable(np.ones(3)) * 2.0).backward(dz)


@pytest.mark.parametrize("dz", ["abc", [True] * 3, np.array([None] * 3), np.ones(3) * 1j], ids=lambda x: str(type(x)))
def test_the_wrong_dtype_of_dz(dz):
    with pytest.raises(DtypeError, match="dz is .*: it takes a number or an array of floats"):
        (gg.variable(np.ones(3)) * 2.0).backward(dz)


def test_a_ragged_dz_and_a_variable_as_dz():
    z = gg.variable(np.ones(3)) * 2.0
    with pytest.raises(ShapeError, match="rows of different lengths"):
        z.backward([[1.0], [1.0, 2.0]])
    with pytest.raises(DtypeError, match="gg.grad or gg.vjp"):
        z.backward(z)


def test_integers_and_doubles_become_the_dtype_of_the_value():
    x = gg.variable(np.ones(3, np.float32))
    (x * x).backward(np.arange(3))
    assert x.grad.dtype == np.float32
    np.testing.assert_array_equal(x.grad, [0.0, 2.0, 4.0])


def test_nan_and_infinity_flow():
    x, y = gg.variable(np.nan), gg.variable(np.inf)
    (x * y).backward()
    assert x.grad == np.inf and np.isnan(y.grad)


@pytest.mark.parametrize("make", ["detach", "no_grad", "constant"])
def test_backward_without_a_circuit(make):
    x = gg.variable(3.0)
    with gg.no_grad():
        untracked = x * x
    z = {"detach": x.detach(), "no_grad": untracked, "constant": x.detach() * 2.0}[make]
    with pytest.raises(NotTrackedError, match=r"remembers no circuit: it was computed under no_grad, was detached"):
        z.backward()


def test_backward_inside_grad():
    with pytest.raises(NotTrackedError, match=r"of a function that gg\.grad or the like is differentiating"):
        gg.grad(lambda x: (x * x).backward())(2.0)


# --- writes between forward and backward --------------------------------------------------------------------------


def writes(size):
    rng = np.random.default_rng(0)
    c = rng.normal(size=size)
    return {
        "one element": lambda a: a.__setitem__(size // 2 + 1, 9.0),
        "all": lambda a: a.fill(0.0),
        "shuffled": rng.shuffle,
        "two swapped": lambda a: a.__setitem__([1, size - 2], a[[size - 2, 1]]),
        "sign of one": lambda a: a.__setitem__(3, -a[3]),
        "added": lambda a: np.add(a, 1.0, out=a),
    }, c


@pytest.mark.parametrize("change", writes(8)[0])
@pytest.mark.parametrize("size", [8, 1000, 100_003])
@pytest.mark.parametrize("view", [lambda a: a, lambda a: a[::-1], lambda a: np.broadcast_to(a, (2, a.size))])
def test_a_write_into_a_constant_that_a_gate_remembers(size, change, view):
    changes, c = writes(size)
    z = np.sum(gg.variable(np.ones(size)) * view(c))
    changes[change](c)
    with pytest.raises(StaleError, match=r"input 1 of Multiply, an array of shape .*, was written into after"):
        z.backward()


@pytest.mark.parametrize("dtype", [np.float32, np.float16, bool, np.uint8, np.int64, np.complex128, np.longdouble])
def test_a_write_of_any_dtype(dtype):
    c = np.ones(2000, dtype)
    z = np.sum(gg.variable(np.ones(2000)) * c)
    c[7] = 0
    with pytest.raises(StaleError):
        z.backward(np.ones((), z.dtype))


def test_a_write_that_was_undone_is_none():
    c, x = np.arange(5.0), gg.variable(np.ones(5))
    z = np.sum(x * c)
    c += 1
    c -= 1
    z.backward()
    np.testing.assert_array_equal(x.grad, c)


def test_a_write_into_a_constant_that_nobody_remembers():
    c, x = np.arange(5.0), gg.variable(np.ones(5))
    z = np.sum(x * 3.0 + c)
    c[:] = np.nan
    z.backward()
    np.testing.assert_array_equal(x.grad, np.full(5, 3.0))


def test_a_write_into_the_array_a_variable_was_made_from():
    a = np.arange(3.0)
    x = gg.variable(a)
    z = np.sum(x * x)
    a[:] = np.nan
    z.backward()
    np.testing.assert_array_equal(x.grad, [0.0, 2.0, 4.0])


def test_values_cannot_be_written_into():
    x = gg.variable(np.arange(3.0))
    for v in (x, x * 2.0, x[1:]):
        with pytest.raises(ValueError, match="read-only"):
            v.value[0] = 1.0


# --- memory -------------------------------------------------------------------------------------------------------


def test_circuits_have_no_reference_cycles():
    class Marker(gg.Gate):
        def forward(self, x):
            return 2 * x

        def backward(self, dz):
            return 2 * dz

    gc.disable()
    try:
        x = gg.variable(1.0)
        z = Marker()(x) * x
        gate = weakref.ref(z.gate.inputs[0])
        z.backward()
        del z
        assert gate() is None
        z = Marker()(x) + 1.0
        gate = weakref.ref(z.gate.inputs[0])
        del z
        assert gate() is None
    finally:
        gc.enable()
