"""Slopes where they are delicate: far out in the tails, by differences, near removable singularities. Against mpmath."""

import mpmath
import numpy as np
import pytest
from scipy import special

import gategrad as gg

mpmath.mp.dps = 40


def reference(f, args, place):
    """∂ f / ∂ args[place] by mpmath, to 30 digits."""
    numbers = [mpmath.mpf(a) for a in args]
    order = tuple(int(n == place) for n in range(len(args)))
    return float(mpmath.diff(f, tuple(numbers), order) if len(args) > 1 else mpmath.diff(f, numbers[0]))


def P(a, x):
    return mpmath.gammainc(a, 0, x, regularized=True)


def Q(a, x):
    return mpmath.gammainc(a, x, mpmath.inf, regularized=True)


def incomplete_beta(a, b, x):
    return mpmath.betainc(a, b, 0, x, regularized=True)


def student(df, t):
    return mpmath.betainc(df / 2, mpmath.mpf(1) / 2, 0, df / (df + t * t), regularized=True) / 2


CASES = [
    (special.gammainc, P, (2.5, 1.5), 0, 1e-10),
    (special.gammainc, P, (0.01, 0.5), 0, 1e-10),
    (special.gammainc, P, (3.0, 1e-3), 0, 1e-10),
    (special.gammaincc, Q, (3.0, 30.0), 0, 1e-10),
    (special.gammaincc, Q, (200.0, 190.0), 0, 1e-9),
    (special.betainc, incomplete_beta, (2.0, 3.0, 0.3), 0, 1e-10),
    (special.betainc, incomplete_beta, (2.0, 3.0, 0.3), 1, 1e-10),
    (special.betainc, incomplete_beta, (0.1, 0.2, 0.7), 0, 1e-9),
    (special.betainc, incomplete_beta, (30.0, 20.0, 0.2), 0, 1e-9),
    (special.stdtr, student, (3.0, -1.2), 0, 1e-10),
    (special.stdtr, student, (0.5, -40.0), 0, 1e-9),
    (special.hyp1f1, mpmath.hyp1f1, (1.5, 2.5, 0.7), 0, 1e-10),
    (special.hyp1f1, mpmath.hyp1f1, (1.5, 2.5, 0.7), 1, 1e-10),
    (special.hyp2f1, mpmath.hyp2f1, (1.5, 0.5, 2.5, 0.3), 2, 1e-10),
    (special.erfcx, lambda x: mpmath.exp(x * x) * mpmath.erfc(x), (7.9,), 0, 1e-12),
    (special.erfcx, lambda x: mpmath.exp(x * x) * mpmath.erfc(x), (8.1,), 0, 1e-12),
    (special.erfcx, lambda x: mpmath.exp(x * x) * mpmath.erfc(x), (25.0,), 0, 1e-13),
    (special.log_ndtr, lambda x: mpmath.log(mpmath.ncdf(x)), (-30.0,), 0, 1e-13),
    (special.log_ndtr, lambda x: mpmath.log(mpmath.ncdf(x)), (8.0,), 0, 1e-12),
    (special.ellipk, mpmath.ellipk, (1e-6,), 0, 1e-14),
    (special.ellipk, mpmath.ellipk, (0.11,), 0, 1e-13),
    (special.ellipe, mpmath.ellipe, (-0.09,), 0, 1e-14),
    (special.ellipkinc, mpmath.ellipf, (1.2, 1e-7), 1, 1e-13),
    (special.ellipkinc, mpmath.ellipf, (4.0, 0.3), 1, 1e-13),
    (special.ellipeinc, mpmath.ellipe, (-5.0, 0.3), 1, 1e-13),
    (special.exprel, lambda x: (mpmath.exp(x) - 1) / x, (1e-3,), 0, 1e-14),
    (special.exprel, lambda x: (mpmath.exp(x) - 1) / x, (-0.99,), 0, 1e-14),
    (special.boxcox, lambda x, k: (x**k - 1) / k, (2.0, 1e-8), 1, 1e-13),
    (special.spence, lambda x: mpmath.polylog(2, 1 - x), (1.001,), 0, 1e-14),
    (special.rgamma, mpmath.rgamma, (-3.0,), 0, 1e-14),
    (special.rgamma, mpmath.rgamma, (-40.5,), 0, 1e-11),
    (special.expit, lambda x: 1 / (1 + mpmath.exp(-x)), (50.0,), 0, 1e-14),
    (special.log_expit, lambda x: -mpmath.log1p(mpmath.exp(-x)), (800.0,), 0, 1e-14),
    (special.zeta, mpmath.zeta, (2.5,), 0, 1e-10),
    (special.zeta, mpmath.zeta, (30.0,), 0, 1e-10),
    (special.ndtri_exp, lambda y: mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.exp(y) - 1), (-20.0,), 0, 1e-11),
]


@pytest.mark.parametrize(
    ("function", "exact", "args", "place", "tolerance"), CASES, ids=[f"{c[0].__name__}{c[2]}-{c[3]}" for c in CASES]
)
def test_slope_is_that_of_mpmath(function, exact, args, place, tolerance):
    def f(*xs):
        return function(*xs)

    slope = gg.grad(f, argnums=place)(*args)
    np.testing.assert_allclose(slope, reference(exact, args, place), rtol=tolerance, atol=0)


def test_the_slope_of_dawsn_keeps_its_digits_far_out():
    x = np.array([7.99, 8.01, 1e3, 1e8])
    exact = [
        float(1 - 2 * t * mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(-t * t) * mpmath.erfi(t))
        for t in map(mpmath.mpf, x[:2])
    ]
    exact += [float(-1 / (2 * t * t) * (1 + 3 / (2 * t * t))) for t in map(mpmath.mpf, x[2:])]
    np.testing.assert_allclose(gg.grad(lambda x: np.sum(special.dawsn(x)))(x), exact, rtol=1e-11)


def test_second_order_far_left_of_log_ndtr():
    """−1 + 1/x² − …, where the parts of a naive formula cancel."""
    second = gg.grad(gg.grad(special.log_ndtr))(-1e4)
    np.testing.assert_allclose(second, -1.0 + 1e-8, rtol=1e-12)


def test_third_order():
    third = gg.grad(gg.grad(gg.grad(special.gammaln)))(2.5)
    np.testing.assert_allclose(third, float(mpmath.polygamma(2, 2.5)), rtol=1e-14)
    third = gg.grad(gg.grad(gg.grad(lambda x: special.jv(0.5, x))))(2.0)
    np.testing.assert_allclose(third, float(mpmath.diff(lambda x: mpmath.besselj(0.5, x), 2.0, 3)), rtol=1e-12)
