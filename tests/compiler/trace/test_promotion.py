"""Which dtype comes of two: as in NumPy, where Python's numbers do not widen what they meet and NumPy's own do."""

import itertools
import operator

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.runtime import engine
from gategrad.errors import NotTraceableError

pytest.importorskip("llvmlite")

DTYPES = (np.float64, np.float32, np.complex128, np.complex64, np.int64, np.bool_)
ARRAYS = [np.array([1, 0, 1]).astype(dtype) for dtype in DTYPES]
SCALARS = [dtype(1) for dtype in DTYPES]
POINTS = [np.array(1, dtype) for dtype in DTYPES]
PYTHON = [0.5, 0.5j]
GIVEN = [*PYTHON, *SCALARS, *POINTS, *ARRAYS]


@pytest.fixture(autouse=True)
def _unoptimised(monkeypatch):
    """LLVM translates what it is given and no more."""
    monkeypatch.setattr(engine, "_level", lambda text, level: 0)


def dtypes(zs):
    return [np.asarray(z).dtype for z in zs]


@pytest.mark.parametrize("operation", [operator.mul, np.add, np.power])
def test_arguments(operation):
    pairs = [
        (a, b)
        for a, b in itertools.product(range(len(GIVEN)), repeat=2)
        if operation is not np.power or all(np.result_type(GIVEN[n]).kind == "f" for n in (a, b))
    ]

    def f(*xs):
        return tuple([operation(xs[a], xs[b]) for a, b in pairs])

    with np.errstate(all="ignore"):
        expected = f(*GIVEN)
    found = gg.compile(f)(*GIVEN)
    for (a, b), z, w in zip(pairs, found, expected, strict=True):
        assert np.asarray(z).dtype == np.asarray(w).dtype, (GIVEN[a], GIVEN[b])
        np.testing.assert_allclose(z, w, rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_a_function_takes_from_outside(dtype):
    constants = [*GIVEN, 2, True]

    def f(x):
        return tuple([g(x, c) for c in constants for g in (operator.add, lambda a, b: b * a, np.arctan2) if fits(g, c)])

    def fits(g, c):
        return g is not np.arctan2 or np.result_type(x, c).kind in "fi"

    x = np.array([1, 0, 1]).astype(dtype)
    assert dtypes(gg.compile(f)(x)) == dtypes(f(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
def test_under_a_derivative_as_the_engine(dtype):
    """Values and gradients: what flows through gates are Python's numbers, constants are what they are."""
    x = np.array([1, 2, 3]).astype(dtype)

    def f(x, s, n):
        others = [*PYTHON, *SCALARS, *POINTS, s, n, s * 2, n * 2, np.sin(n), np.sum(np.abs(x).astype(np.float64)), +s]
        return tuple([z for y in others for z in (x * y, y + x)])

    def both(x, s, n):
        zs, pullback = gg.vjp(f, x, s, n)
        return zs, pullback(tuple([z * 0 + 1 for z in zs]))

    for s, n in ((0.5, 0.25), (np.float64(0.5), np.float64(0.25)), (np.float32(0.5), 0.25)):
        zs, dxs = gg.compile(both)(x, s, n)
        expected_zs, expected_dxs = both(x, s, n)
        assert dtypes(zs) == dtypes(expected_zs)
        assert dtypes(dxs) == dtypes(expected_dxs)


def test_numbers_that_are_computed():
    """Python's operators make Python's numbers of them, NumPy's functions NumPy's."""
    x = np.ones(2, np.float32)

    def f(x, a, b):
        numbers = [
            a,
            b,
            a * b,
            a - 1,
            2 / a,
            -a,
            abs(b),
            a**2,
            np.sin(a),
            np.add(a, b),
            np.sum(x.astype(float)),
            a.real,
        ]
        return tuple([x * n for n in [*numbers, a + np.float64(1), (a < b) * 2.0, divmod(a, 0.3)[1], np.square(b)]])

    for a, b in itertools.product((0.5, np.float64(0.5)), repeat=2):
        assert dtypes(gg.compile(f)(x, a, b)) == dtypes(f(x, a, b))


def test_one_function_for_either_kind_of_number():
    x = np.ones(2, np.float32)
    f = gg.compile(lambda x, s: x * s)
    for _ in range(3):
        assert f(x, 0.5).dtype == np.float32
        assert f(x, np.float64(0.5)).dtype == np.float64
        assert f(x, np.array(0.5)).dtype == np.float64
        assert f(x, 2).dtype == np.float32
    assert "2 specialisations" in repr(f)


def test_one_program_where_it_makes_no_difference():
    x = np.ones(2)
    f = gg.compile(lambda x, s: x * s)
    for s in (0.5, np.float64(0.5), np.array(0.5), 2):
        np.testing.assert_array_equal(f(x, s), x * s)
    assert "1 specialisation" in repr(f)
    g = gg.compile(lambda x, s: x * s)
    assert g(x, 1j).dtype == g(x, np.complex128(1j)).dtype == np.complex128
    assert "1 specialisation" in repr(g)


def test_powers_with_numpys_exponents():
    x = np.ones(2, np.float32)
    f = lambda x: (x ** np.float64(2), x ** np.float64(1), x ** np.float64(-1), x**2, x**2.0, x ** np.float32(2))
    assert dtypes(gg.compile(f)(x)) == dtypes(f(x))


def test_options_do_not_widen():
    x = np.array([1, np.nan], np.float32)
    s = np.float64(0.5)

    def f(x):
        return (
            np.sum(x, initial=s), np.prod(x, initial=s), np.max(x, initial=s), np.min(x, initial=s),
            np.nan_to_num(x, nan=s), np.pad(x, 1, constant_values=s), np.mean(x, where=np.array([True, False])),
            np.fmod(x, 0.5), np.fmod(x, s),
        )  # fmt: skip

    assert dtypes(gg.compile(f)(x)) == dtypes(f(x)) == dtypes(gg.vjp(f, x)[0])


def test_a_host_function_sees_the_numbers_as_they_are():
    x = np.ones(2, np.float32)
    f = lambda x, s: np.spacing(x * 1) * s + np.float32(0)
    g = lambda x, s: np.nextafter(x, s)
    for s in (0.5, np.float64(0.5)):
        assert gg.compile(f)(x, s).dtype == f(x, s).dtype
        assert gg.compile(g)(x, s).dtype == g(x, s).dtype


def test_dtypes_that_programs_do_not_know():
    half = np.ones(2, np.float16)
    for f in (lambda x: np.sin(x > 0), lambda x: x.astype(np.float16), lambda x: (x > 0) * half):
        with pytest.raises(gg.errors.NotTraceableError, match=r"float16"):
            gg.compile(f)(np.ones(2))
    np.testing.assert_array_equal(gg.compile(lambda x: x * half)(np.ones(2)), [1.0, 1.0])


UNARY = [np.square, np.reciprocal, np.fabs, np.deg2rad, np.degrees, np.exp2, np.expm1, np.log1p, np.cbrt, np.modf]
BINARY = [np.fmod, np.heaviside, np.logaddexp, np.logaddexp2, np.hypot, np.copysign, np.arctan2]


def test_ufuncs_of_integers():
    """Compositions computed in the dtype of what they got: uint64 wrapped around, fmod was a float, 1 / -4 rounded down."""
    given = [np.array([-4, 3, 5], np.int16), np.array([3, 1, 5], np.uint64), np.array([-4, 3, 5], np.float32)]
    calls = [(ufunc, n) for ufunc in UNARY for n in (0, 1)]
    calls += [(ufunc, n, m) for ufunc in BINARY for n, m in itertools.product(range(3), repeat=2)]

    def f(*xs):
        return [ufunc(*[xs[n] for n in places]) for ufunc, *places in calls]

    with np.errstate(all="ignore"):
        expected = f(*given)
    for call, found, z in zip(calls, gg.compile(f)(*given), expected, strict=True):
        for a, b in zip(*(w if isinstance(w, tuple) else (w,) for w in (found, z)), strict=True):
            assert a.dtype == b.dtype, call
            np.testing.assert_allclose(a, b, rtol=1e-6 if b.dtype == np.float32 else 1e-14, err_msg=str(call))


def test_what_numpy_computes_in_half_precision_is_refused():
    for ufunc in (np.exp, np.deg2rad, np.logaddexp):
        with pytest.raises(NotTraceableError, match="not float16"):
            gg.compile(lambda x: ufunc(*[x] * ufunc.nin))(np.array([True, False]))  # noqa: B023
