"""`gategrad.numpy` has every public name of NumPy, and those that work on variables where NumPy's own cannot."""

import types

import numpy as np
import pytest

import gategrad as gg
import gategrad.numpy as gnp
from gategrad.errors import NoRuleError

ABSENT = {
    "__version__": "that of NumPy is numpy.__version__",
    **dict.fromkeys(("core", "lib", "f2py", "ctypeslib", "test", "testing", "typing"), "a tool of NumPy's own"),
    **dict.fromkeys(("show_config", "show_runtime"), "a question about NumPy's own installation"),
    **dict.fromkeys(("char", "rec"), "arrays of texts and records have no gradients"),
    **dict.fromkeys(("matrix", "asmatrix", "bmat"), "matrices that are no arrays"),
    **dict.fromkeys(("row_stack", "typename", "in1d", "trapz", "chararray", "recarray", "record"), "deprecated"),
}

OURS = {
    "arange", "array", "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray", "c_",
    "fromiter", "frompyfunc", "full", "full_like", "r_", "vectorize", "linalg", "fft",
    "polynomial",
}  # fmt: skip


def is_numpys(found, numpys):
    """NumPy's own, as it is or taking lists of variables."""
    return found is numpys or getattr(found, "__wrapped__", None) is numpys


@pytest.mark.parametrize("name", sorted({*np.__all__} - ABSENT.keys()))
def test_every_name_of_numpy_is_there(name):
    assert hasattr(gnp, name), f"add to gategrad/numpy/__init__.py: from numpy import {name} as {name}"
    if name not in OURS:
        assert is_numpys(getattr(gnp, name), getattr(np, name))


def test_what_is_absent_is_absent_for_a_reason():
    assert not {name for name in ABSENT if hasattr(gnp, name)} - {"chararray", "recarray", "record"}
    own = {name for name, value in vars(gnp).items() if not name.startswith("_")} - {*np.__all__}
    assert own <= {
        "creation",
        "lists",
        "exceptions",
        "ma",
        "random",
        "strings",
        "dtypes",
        "emath",
        "fft",
        "linalg",
        "polynomial",
    }


@pytest.mark.parametrize("name", ["linalg", "fft"])
def test_submodules_have_every_name(name):
    ours, numpys = getattr(gnp, name), getattr(np, name)
    assert isinstance(ours, types.ModuleType)
    missing = {n for n in numpys.__all__ if not is_numpys(getattr(ours, n, None), getattr(numpys, n))} - {"test"}
    assert missing == set()


# --- creation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: gnp.array([x, y, 1.0]),
        lambda x, y: gnp.array([[x, 2], (y, x)]),
        lambda x, y: gnp.array([[x * y]], ndmin=3),
        lambda x, y: gnp.array([gnp.array([x, y]), np.ones(2)]),
        lambda x, y: gnp.asarray([x, y]) * gnp.asarray(x),
        lambda x, y: gnp.asanyarray([x, y]),
        lambda x, y: gnp.ascontiguousarray(x) * gnp.asfortranarray([x, y]),
        lambda x, y: gnp.asarray_chkfinite([x, y]),
        lambda x, y: gnp.fromiter((v * v for v in (x, y, 3.0)), float),
        lambda x, y: gnp.fromiter((v * v for v in (x, y, 3.0)), float, count=2),
        lambda x, y: gnp.full((2, 3), x) * y,
        lambda x, y: gnp.full_like(np.zeros(2), x * y),
        lambda x, y: gnp.full_like(np.zeros(2), x, shape=(3, 1)) / y,
        lambda x, y: gnp.arange(x, 6 * y, y),
        lambda x, y: gnp.r_[x, 0:3, [y, x], 1.0],
        lambda x, y: gnp.c_[gnp.array([x, y]), np.ones((2, 2)), [y, 1.0]],
        lambda x, y: gnp.vectorize(lambda a, b: a * b if a > b else a - b)(gnp.array([x, y]), 0.6),
        lambda x, y: gnp.vectorize(lambda a: (a, a * a))(gnp.array([x, y]))[1],
        lambda x, y: gnp.frompyfunc(lambda a, b: a**b, 2, 1)(x, gnp.array([[1.0, y]])),
        lambda x, y: gnp.fromfunction(lambda i, j: x * i + y * j, (2, 3)),
        lambda x, y: gnp.linspace(x, y, 4),
    ],
)
def test_creation_of_variables(f):
    x, y = 1.3, 0.4
    expected = f(np.float64(x), np.float64(y))
    found = f(gg.variable(x), gg.variable(y))
    assert isinstance(found, gg.Variable)
    np.testing.assert_allclose(found.value, np.asarray(expected, float))
    assert np.shape(found) == np.shape(expected)
    gg.check_gradients(lambda x, y: f(x, y) * 1.0, x, y)


def test_creation_without_variables_is_numpys():
    assert type(gnp.array([1, 2])) is np.ndarray and gnp.array([1, 2]).dtype == int
    assert gnp.arange(3).dtype == int and gnp.full(2, 1).dtype == int
    assert gnp.r_["0,2", 1:3].shape == (1, 2) and gnp.c_[1:3].shape == (2, 1)
    assert gnp.vectorize(lambda x: x + 1, otypes=[float])([1, 2]).dtype == float
    assert gnp.frompyfunc(lambda x: x + 1, 1, 1)(np.arange(2)).dtype == object
    assert isinstance(gnp.zeros(2), gnp.ndarray) and gnp.zeros(2, gnp.float32).dtype == gnp.float32


def test_a_list_of_float32_stays_float32():
    w = gg.variable(np.float32(2.0))
    assert gnp.array([w, w]).dtype == np.float32
    assert gnp.array([w, w], dtype=np.float64).dtype == np.float64


def test_what_is_wrong_is_said():
    v = gg.variable([1.0, 2.0])
    with pytest.raises(ValueError, match=r"np\.array was given parts of different shapes, \(\) and \(2,\)"):
        gnp.array([v, 1.0])
    with pytest.raises(ValueError, match="must not contain infs or NaNs"):
        gnp.asarray_chkfinite([v, [np.inf, 0.0]])
    with pytest.raises(NoRuleError, match=r"use np\.apply_along_axis"):
        gnp.vectorize(lambda x: x, signature="(n)->(n)")(v)
    with pytest.raises(TypeError, match=r"use np\.concatenate or np\.stack"):
        gnp.r_["1,2", v]


def test_a_program_written_for_it_compiles():
    pytest.importorskip("llvmlite")

    def f(x, y):
        return gnp.sum(gnp.array([[x, y], [y, 1.0]]) @ gnp.full(2, x))

    assert gg.compile(gg.grad(f, (0, 1)))(2.0, 3.0) == gg.grad(f, (0, 1))(2.0, 3.0)
