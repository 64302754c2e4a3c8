"""A container as one vector, and back; both ways are differentiable."""

import dataclasses

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import DtypeError, ShapeError


@dataclasses.dataclass
class Line:
    slope: float
    offsets: np.ndarray


def test_there_and_back():
    x = {"b": [1.0, np.arange(6.0).reshape(2, 3)], "a": Line(7.0, np.zeros((0, 2)))}
    vector, unravel = gg.ravel(x)
    np.testing.assert_array_equal(vector, [7, 1, 0, 1, 2, 3, 4, 5])
    back = unravel(2 * vector)
    assert back["a"].slope == 14.0
    assert type(back["a"].slope) is float
    assert back["a"].offsets.shape == (0, 2)
    np.testing.assert_array_equal(back["b"][1], 2 * x["b"][1])


def test_a_value_alone_and_an_empty_container():
    vector, unravel = gg.ravel(3)
    np.testing.assert_array_equal(vector, [3.0])
    assert unravel(np.array([4.0])) == 4.0
    vector, unravel = gg.ravel({})
    assert vector.shape == (0,)
    assert unravel(vector) == {}


def test_dtypes_come_back():
    x = (np.ones(2, np.float32), np.ones(2), np.float32(5))
    vector, unravel = gg.ravel(x)
    assert vector.dtype == np.float64
    assert [part.dtype for part in unravel(vector)] == [part.dtype for part in x]
    assert gg.ravel(x[0])[0].dtype == np.float32


def test_gradients_go_through_both():
    x = {"w": np.array([1.0, 2.0]), "b": 3.0}
    _, unravel = gg.ravel(x)

    def of_vector(v):
        p = unravel(v)
        return np.sum(p["w"] ** 2) * p["b"]

    def of_container(p):
        return np.sum(gg.ravel(p)[0] ** 3)

    np.testing.assert_allclose(gg.grad(of_vector)(np.array([3.0, 1.0, 2.0])), [5.0, 6.0, 12.0])
    gradient = gg.grad(of_container)(x)
    assert gradient["b"] == 27.0
    np.testing.assert_allclose(gradient["w"], [3.0, 12.0])
    np.testing.assert_allclose(gg.hessian(of_vector)(np.array([3.0, 1.0, 2.0])), [[0, 2, 4], [2, 6, 0], [4, 0, 6]])


def test_compiled():
    _, unravel = gg.ravel({"w": np.zeros((2, 2)), "b": 0.0})
    f = gg.value_and_grad(lambda v: np.sum(unravel(v)["w"] @ np.ones(2)) * unravel(v)["b"])
    v = np.arange(1.0, 6.0)
    for eager, compiled in zip(f(v), gg.compile(f)(v), strict=True):
        np.testing.assert_allclose(compiled, eager)


def test_what_does_not_fit():
    vector, unravel = gg.ravel((1.0, 2.0))
    with pytest.raises(ShapeError, match=r"the vector has shape \(3,\), but the container holds 2 numbers"):
        unravel(np.zeros(3))
    with pytest.raises(DtypeError, match=r"value 1 of the container is an int64 array of shape \(2,\)"):
        gg.ravel((1.0, np.arange(2)))
    assert vector.shape == (2,)
