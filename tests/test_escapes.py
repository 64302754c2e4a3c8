"""Every way by which a tracked variable could leave NumPy's protocols: it stays tracked, or something is raised.

What must never happen is that a plain number or array comes out, of which nobody knows that it had a gradient.
"""

from __future__ import annotations

import array as arrays
import cmath
import copy
import ctypes
import datetime as dt
import decimal
import fractions
import importlib.util
import logging
import math
import operator
import pickle
import random
import statistics
import struct
from math import sqrt

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse
from scipy.ndimage import gaussian_filter
from scipy.special import logsumexp

import gategrad as gg
import gategrad.numpy
from gategrad import escapes
from gategrad.errors import EscapeError

v, a = gg.variable(2.0), gg.variable([1.0, 2.0, 3.0])
y = a * 2.0
buffer, rng = np.zeros(3), np.random.default_rng(0)
ROWS = [True, False, False]

WAYS = {
    # numbers
    "float": lambda: float(v),
    "int": lambda: int(v),
    "complex": lambda: complex(v),
    "as an index": lambda: [1, 2, 3][v],
    "range": lambda: range(v),
    "round": lambda: round(v),
    "round to a decimal": lambda: round(v, 1),
    "divmod": lambda: divmod(v, 2),
    "//": lambda: v // 2,
    "%": lambda: v % 2,
    "pow with a modulus": lambda: pow(v, 2, 3),
    # the standard library
    "math.sin": lambda: math.sin(v),
    "math.floor": lambda: math.floor(v),
    "math.trunc": lambda: math.trunc(v),
    "math.fsum": lambda: math.fsum([v, v]),
    "math.isclose": lambda: math.isclose(v, 2.0),
    "cmath.exp": lambda: cmath.exp(v),
    "statistics.mean": lambda: statistics.mean([v, v]),
    "statistics.fmean": lambda: statistics.fmean([v, v]),
    "Decimal": lambda: decimal.Decimal(v),
    "Fraction": lambda: fractions.Fraction(v),
    "timedelta": lambda: dt.timedelta(v),
    "random.gauss": lambda: random.gauss(v, 1.0),
    # buffers
    "memoryview": lambda: memoryview(a),
    "bytes": lambda: bytes(a),
    "bytearray": lambda: bytearray(a),
    "struct.pack": lambda: struct.pack("d", v),
    "array.array": lambda: arrays.array("d", [v]),
    "ctypes.c_double": lambda: ctypes.c_double(v),
    "np.frombuffer": lambda: np.frombuffer(a),
    ".data": lambda: a.data,
    ".ctypes": lambda: a.ctypes,
    ".flat": lambda: list(a.flat),
    ".view": lambda: a.view(),
    ".tolist": lambda: a.tolist(),
    # arrays made of variables
    "np.array([v])": lambda: np.array([v]),
    "np.array([a, a])": lambda: np.array([a, a]),
    "np.array([v], object)": lambda: np.array([v], object),
    "np.asarray": lambda: np.asarray(a),
    "np.float64": lambda: np.float64(v),
    "np.full": lambda: np.full(3, v),
    "np.full_like": lambda: np.full_like(buffer, v),
    "np.fromiter": lambda: np.fromiter([v, v], float),
    "np.linspace": lambda: np.linspace(0.0, v, 3),
    "np.arange": lambda: np.arange(v),
    "np.poly1d": lambda: np.poly1d([v, v]),
    "np.polyval": lambda: np.polyval([v, v], 2.0),
    "np.interp": lambda: np.interp(1.5, [1.0, 2.0], [v, v]),
    "np.ndenumerate": lambda: [x for _, x in np.ndenumerate(a)],
    "np.nditer": lambda: list(np.nditer(a)),
    # written into plain arrays
    "a[i] = v": lambda: operator.setitem(buffer, 0, v),
    "a[:] = v": lambda: operator.setitem(buffer, slice(None), a),
    "a.flat[i] = v": lambda: operator.setitem(buffer.flat, 0, v),
    "a += v": lambda: operator.iadd(buffer, a),
    "a.fill": lambda: buffer.fill(v),
    "out=": lambda: np.multiply(a, 2.0, out=buffer),
    "np.dot out=": lambda: np.dot(a, a, out=np.zeros(())),
    "np.einsum out=": lambda: np.einsum("i,i", a, a, out=np.zeros(())),
    "np.copyto": lambda: np.copyto(buffer, a),
    "np.put": lambda: np.put(buffer, [0], v),
    "np.place": lambda: np.place(buffer, ROWS, [v]),
    "np.putmask": lambda: np.putmask(buffer, ROWS, v),
    "np.add.at": lambda: np.add.at(buffer, [0], v),
    # functions made of Python's
    "np.frompyfunc": lambda: np.frompyfunc(lambda t: t * t, 1, 1)(a),
    "np.vectorize": lambda: np.vectorize(lambda t: t * t)(a),
    "np.vectorize over a closure": lambda: np.vectorize(lambda t: t * v, otypes=[float])(buffer),
    "np.apply_along_axis": lambda: np.apply_along_axis(np.sum, 0, a),
    "np.piecewise": lambda: np.piecewise(a, [a > 1], [lambda x: 2.0 * x, 2.0]),
    # random numbers, histograms, files, copies
    "np.random.normal": lambda: np.random.normal(a, 1.0),  # noqa: NPY002
    "rng.normal": lambda: rng.normal(v),
    "rng.poisson": lambda: rng.poisson(a),
    "np.bincount weights": lambda: np.bincount([0, 1, 1], weights=a),
    "np.histogram": lambda: np.histogram(a)[1],
    "np.save": lambda: np.save("/nowhere/x.npy", a),
    "np.savetxt": lambda: np.savetxt("/nowhere/x.txt", a),
    "pickle": lambda: pickle.dumps(y),
    "deepcopy": lambda: copy.deepcopy(y),
    # what simply works
    "max": lambda: max(v, v * 2.0),
    "sum": lambda: sum([v, v]),
    "sorted": lambda: sorted([v, v * 2.0]),
    "math.prod": lambda: math.prod([v, v]),
    "pow": lambda: pow(v, 2),
    "abs": lambda: abs(v),
    "np.stack": lambda: np.stack([v, v]),
    "an array of objects": lambda: _object(v) * 2.0,
}
WORKS = ["random.gauss", "max", "sum", "sorted", "math.prod", "pow", "abs", "np.stack", "an array of objects"]


def _object(x):
    box = np.empty(1, object)
    box[0] = x
    return box


def variables_in(x):
    if isinstance(x, gg.Variable):
        return True
    if isinstance(x, np.ndarray):
        return x.dtype == object and all(map(variables_in, x.ravel()))
    return isinstance(x, (list, tuple)) and len(x) > 0 and all(map(variables_in, x))


@pytest.mark.parametrize("way", WAYS)
def test_it_stays_tracked_or_raises(way):
    buffer[:] = 0.0
    try:
        found = WAYS[way]()
    except (TypeError, ValueError, AttributeError, struct.error):
        if way in WORKS:
            raise
    else:
        assert variables_in(found), f"{way} made {found!r}, which has lost its gradient"
    assert not buffer.any()


def test_a_way_out_would_be_noticed():
    assert (
        not variables_in(2.0) and not variables_in(np.ones(2)) and not variables_in([v, 2.0]) and not variables_in([])
    )
    assert not variables_in(a.value) and variables_in([v, a])


def test_decisions_and_texts_have_no_gradient_to_lose():
    assert (v < 3, v in [1.0, v], bool(v), f"{v:.2f}", {v: 1}[v]) == (True, True, True, "2.00", 1)
    assert np.array_equal(a, a) and np.allclose(a, a) and np.searchsorted([1.0, 3.0], v) == 1


def test_what_works_has_the_right_gradient():
    def f(x):
        return sum([max(x, 2.0 * x), math.prod([x, x]), pow(x, 2), random.gauss(x, 0.0), (_object(x) * 2.0)[0]])

    assert gg.grad(f)(3.0) == 2.0 + 6.0 + 6.0 + 1.0 + 2.0


def test_texts_may_be_made_with_percent():
    assert "%.2f %d %s" % (v, v, v) == "2.00 2 variable(2.0)"  # noqa: UP031
    logger = logging.getLogger("of a loss")
    record = logger.makeRecord("of a loss", logging.INFO, "f.py", 1, "loss %.3f", (y[0],), None)
    assert record.getMessage() == "loss 2.000"


def test_numpys_tests_compare_variables():
    np.testing.assert_allclose(a, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(y, 2.0 * a.value)
    np.testing.assert_almost_equal(v, 2.0)
    with pytest.raises(AssertionError, match="Mismatched elements: 1 / 3"):
        np.testing.assert_allclose(a, [1.0, 2.0, 4.0])


X = np.ones((2, 3))
PART = scipy.sparse.csr_array(X)
SAYS = {
    "a function of math": (lambda x: math.sin(x[0]), r"^math\.sin\(x\[0\]\) would.*\nUse np\.sin, or v\.value"),
    "one with another name": (lambda x: math.fsum(x), r"\nUse np\.sum"),
    "one imported by name": (lambda x: sqrt(x[0]), r"^sqrt\(x\[0\]\).*\nUse np\.sqrt"),
    "float": (lambda x: float(x[0]), r"^float\(x\[0\]\).* into a float .*\nLeave it out: a variable is a number already"),
    "a dtype": (lambda x: np.float32(x[0]), r"\nA variable has a dtype already: v\.astype\(np\.float32\)"),
    "np.array of a list": (lambda x: np.array([x[0], 1.0]), r"\nWrite np\.stack\(\[v, w\]\); gategrad\.numpy\.array takes"),
    "np.asarray": (lambda x: np.asarray(x, float), r"^np\.asarray\(x, float\) would.*\nLeave it out: v is an array already"),
    "np.vectorize": (lambda x: np.vectorize(abs)(x), r"\nUse gategrad\.numpy\.vectorize, which knows variables"),
    "a method of an array": (lambda x: X.dot(x), r"^X\.dot\(x\) would.*write np\.dot\(X, v\) or X @ v"),
    "an index": (lambda x: X[x], r"^X\[x\] would.*\nAn index or a count carries no gradient: int\(v\.value\)"),
    "an array filled": (lambda x: fill(x), r"^y\[i\] = … would.*\n    y\[i\] = x\[i\]\nA plain array holds numbers alone: make it"),
    "a slice of one": (lambda x: operator.setitem(X, 0, x), r"^operator.setitem\(X, 0, x\) would turn a tracked"),
    "SciPy": (lambda x: logsumexp(x), r"^logsumexp\(x\) would.*\nFunctions of SciPy's .* are in gategrad\.scipy\.special"),
    "SciPy without ours": (lambda x: gaussian_filter(x, 1.0), r"\nOf scipy\.ndimage there is nothing for variables"),
    "random numbers": (lambda x: rng.normal(x, 1.0), r"\nDraw what does not depend on variables and move it: mean"),
    "a polynomial": (lambda x: np.polynomial.Polynomial(x), r"\nThe functions of gategrad\.numpy\.polynomial take"),
    "a sparse matrix": (lambda x: PART @ x, r"^PART @ x would.*\nA sparse matrix multiplies plain arrays alone"),
    "+= into an array": (lambda x: operator.iadd(np.zeros(3), x), r"^np\.add with out= \(or y \+= v of a plain array y\)"),
}  # fmt: skip


def fill(x):
    y = np.zeros(3)
    for i in range(3):
        y[i] = x[i]
    return y


@pytest.mark.parametrize("way", SAYS)
def test_the_line_is_quoted_and_what_to_write_instead(way):
    """In a derivative, where NumPy's "setting an array element with a sequence" does not cover it either."""
    f, says = SAYS[way]
    with pytest.raises(EscapeError, match=f"(?s){says}"):
        gg.grad(f)(np.array([1.0, 2.0, 3.0]))


def test_what_is_named_exists():
    for name in escapes.MAKERS:
        assert getattr(gg.numpy, name) is not getattr(np, name)
    for part in escapes.SCIPYS:
        assert importlib.util.find_spec(f"gategrad.scipy.{part}")


def test_a_line_that_cannot_be_found_leaves_the_general_advice():
    with pytest.raises(EscapeError, match=r"^float\(v\) \(or a function of `math`.*\. Use NumPy's functions"):
        eval("float(v)", {"v": v})


def test_arrays_made_like_a_variable_take_variables():
    def f(x):
        y, z = np.zeros_like(x), np.empty_like(x, shape=(2, 3))
        for i in range(3):
            y[i] = x[i] ** 2
        z[0], z[1] = x, y
        return np.sum(np.full_like(x, 2.0) * y) + np.sum(z**2) + np.ones_like(x[0])

    x = np.array([1.0, 2.0, 3.0])
    gg.check_gradients(f, x)
    assert gg.compile(f)(x) == f(x)
    np.testing.assert_array_equal(gg.compile(gg.grad(f))(x), gg.grad(f)(x))
    assert type(np.zeros_like(gg.variable(1.0))) is np.ndarray and np.zeros_like(a, dtype=int).dtype.kind == "i"


MASKED = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x * MASKED),
        lambda x: np.sum(np.add(x, MASKED)),
        lambda x: np.sum(MASKED * x),
        lambda x: np.sum(np.maximum(x, MASKED)),
    ],
)
@pytest.mark.parametrize("transform", [gg.grad, gg.compile], ids=["grad", "compile"])
def test_a_mask_of_numpys_is_not_ignored(f, transform):
    """NumPy's answer leaves out what is masked; ours would count it."""
    with pytest.raises(
        TypeError, match="is a masked array|a masked array in a compiled|MASKED \\* x would|needs an array"
    ):
        transform(f)(np.ones(3))


def test_nor_is_that_of_an_argument():
    for f, says in ((gg.grad(np.sum), "argument 0 is a masked array"), (gg.compile(np.sum), "given a masked array")):
        with pytest.raises(gg.errors.DtypeError, match=f"{says}.*fill it, or use np.where"):
            f(MASKED)


@pytest.mark.parametrize("function", [scipy.linalg.cholesky, scipy.linalg.expm])
def test_scipys_functions_are_named_where_a_wrapper_of_scipys_asks_for_the_array(function):
    with pytest.raises(EscapeError, match=r"are in gategrad\.scipy\.linalg for variables"):
        gg.grad(lambda x: np.sum(function(x)))(np.eye(2))
