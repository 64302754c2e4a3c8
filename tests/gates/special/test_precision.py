"""Slopes where they are delicate: far out in the tails, by differences, near removable singularities. Against mpmath."""

import mpmath
import numpy as np
import pytest
from scipy import special

import gategrad as gg

mpmath.mp.dps = 60


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


def log_beta(a, b):
    return mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)


def student(df, t):
    return mpmath.betainc(df / 2, mpmath.mpf(1) / 2, 0, df / (df + t * t), regularized=True) / 2


CASES = [
    (special.gammainc, P, (2.5, 1.5), 0, 1e-10),
    (special.gammainc, P, (0.01, 0.5), 0, 1e-10),
    (special.gammainc, P, (3.0, 1e-3), 0, 1e-10),
    (special.gammaincc, Q, (3.0, 30.0), 0, 1e-10),
    (special.gammaincc, Q, (200.0, 190.0), 0, 1e-9),
    (special.gammainc, P, (12.0, 1e-3), 1, 1e-13),
    (special.gammainc, P, (12.0, 90.0), 1, 1e-13),
    (special.betainc, incomplete_beta, (2.0, 3.0, 0.3), 0, 1e-10),
    (special.betainc, incomplete_beta, (12.0, 40.0, 0.01), 2, 1e-13),
    (special.betaln, log_beta, (1e12, 2.5), 0, 1e-14),
    (special.betaln, log_beta, (2.5, 17.0), 1, 1e-13),
    (special.poch, mpmath.rf, (1e15, 2.0), 0, 1e-14),
    (special.binom, mpmath.binomial, (1e15, 3.0), 0, 1e-14),
    (special.agm, mpmath.agm, (1e-3, 3.0), 0, 1e-13),
    (special.agm, mpmath.agm, (2.0, 2.0 + 1e-9), 1, 1e-14),
    (special.ive, lambda v, x: mpmath.besseli(v, x) * mpmath.exp(-x), (2.5, 1e7), 1, 1e-11),
    (special.kve, lambda v, x: mpmath.besselk(v, x) * mpmath.exp(x), (2.5, 1e7), 1, 1e-11),
    (special.k1e, lambda x: mpmath.besselk(1, x) * mpmath.exp(x), (1e12,), 0, 1e-13),
    (special.struve, mpmath.struveh, (2.5, 300.0), 1, 1e-11),
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


@pytest.mark.parametrize("x", [1e-100, 1e-12, 1e-4, 0.999, 1.0, 2.5])
@pytest.mark.parametrize(
    ("function", "bessel", "sign"), [(special.it2i0k0, mpmath.besseli, 1), (special.it2j0y0, mpmath.besselj, -1)]
)
def test_the_integrand_keeps_its_digits_near_zero(function, bessel, sign, x):
    with mpmath.workdps(250):
        exact = float(sign * (bessel(0, mpmath.mpf(x)) - 1) / mpmath.mpf(x))
    np.testing.assert_allclose(gg.grad(lambda x: function(x)[0])(x), exact, rtol=2e-15)


@pytest.mark.parametrize("a", [1e11, 1e13, 1e20, 1e30])
@pytest.mark.parametrize("probability", [0.2, 0.7])
def test_the_quantile_of_a_huge_shape_is_that_of_a_normal_distribution(a, probability):
    q = special.ndtri(probability)
    slope = gg.grad(special.gammaincinv)(a, probability)
    np.testing.assert_allclose(slope, 1.0 + q / (2.0 * np.sqrt(a)), rtol=1e-10)
    scaled = gg.grad(special.gdtrib)(2.0, probability, 0.5 * a)  # the other way round
    np.testing.assert_allclose(scaled, 0.5 * a, rtol=1e-5)


@pytest.mark.parametrize(("a", "x"), [(1e6, 1.0005e6), (1e9, 1e9 - 2e4), (1e15, 1e15 + 3e7)])
def test_the_gamma_density_keeps_its_digits_at_large_shapes(a, x):
    m = mpmath.mpf
    exact = mpmath.exp((m(a) - 1) * mpmath.log(x) - m(x) - mpmath.loggamma(a))
    np.testing.assert_allclose(gg.grad(special.gammainc, 1)(a, x), float(exact), rtol=1e-13)


@pytest.mark.parametrize(
    ("a", "b", "x", "tolerance"),
    [(3e6, 1e6, 0.7501, 1e-11), (1e12, 3e12, 0.25 + 1e-7, 1e-9), (20.0, 1e5, 2.2e-4, 1e-12)],
)
def test_the_beta_density_keeps_its_digits_at_large_shapes(a, b, x, tolerance):
    m = mpmath.mpf
    exact = mpmath.exp((m(a) - 1) * mpmath.log(x) + (m(b) - 1) * mpmath.log1p(-m(x)) - log_beta(m(a), m(b)))
    np.testing.assert_allclose(gg.grad(special.betainc, 2)(a, b, x), float(exact), rtol=tolerance)


@pytest.mark.parametrize(("a", "b"), [(1e-200, 3.0), (1e30, 2.0), (0.7, 1e100), (1e-150, 1e150)])
def test_a_mean_grows_as_its_arguments_do(a, b):
    """agm is homogeneous: a ∂z/∂a + b ∂z/∂b = z (Euler)."""
    by_a, by_b = gg.grad(special.agm, (0, 1))(a, b)
    assert by_a > 0.0 and by_b > 0.0
    np.testing.assert_allclose(a * by_a + b * by_b, special.agm(a, b), rtol=1e-14)


@pytest.mark.parametrize("tiny", [1e-13, 1e-20])
def test_distributions_with_tiny_shapes(tiny):
    """Almost all of them lies at an end; what does not is as small as the shape, and so are its digits."""
    for a, b, x in ((tiny, 1.5, 0.3 * tiny), (1.5, tiny, 0.3), (tiny, 1.5, 0.3)):
        with mpmath.workdps(100):
            exact = [reference(incomplete_beta, (a, b, x), place) for place in (0, 1)]
        np.testing.assert_allclose(gg.grad(special.betainc, (0, 1))(a, b, x), exact, rtol=1e-10)
    for dfn, dfd in ((tiny, 3.0), (3.0, tiny)):
        snedecor = lambda m, n, x: incomplete_beta(m / 2, n / 2, m * x / (m * x + n))
        with mpmath.workdps(100):
            exact = [reference(snedecor, (dfn, dfd, 0.5), place) for place in range(3)]
        np.testing.assert_allclose(gg.grad(special.fdtr, (0, 1, 2))(dfn, dfd, 0.5), exact, rtol=1e-10)


@pytest.mark.parametrize("b", [1e13, 1e20, 1e30])
def test_quantiles_of_huge_shapes_are_those_of_gamma_distributions(b):
    """I⁻¹(2, b) is q / b with q a quantile of the gamma distribution of shape 2; and 1 less that, if they change places."""
    q = special.gammaincinv(2.0, 0.3)
    by_a, by_y = gg.grad(special.gammaincinv, (0, 1))(2.0, 0.3)
    expected = np.array([by_a / b, -q / b**2, by_y / b])
    found = np.array(gg.grad(special.betaincinv, (0, 1, 2))(2.0, b, 0.3))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    found = np.array(gg.grad(special.betainccinv, (0, 1, 2))(b, 2.0, 0.3))  # the rest of what lies above
    np.testing.assert_allclose(found, -expected[[1, 0, 2]], rtol=1e-9)
    snedecor = gg.grad(special.fdtri, (0, 1, 2))(b, 2.0, 0.3)  # 1 / (χ² / 2), of two degrees: −1 / log(p)
    np.testing.assert_allclose(snedecor[2], 1.0 / (0.3 * np.log(0.3) ** 2), rtol=1e-9)


@pytest.mark.parametrize("b", [1e15, 1e30])
def test_quantiles_of_two_huge_shapes_are_those_of_a_normal_distribution(b):
    found = gg.grad(special.betaincinv, (0, 1))(b, b, 0.3)
    np.testing.assert_allclose(found, [0.25 / b, -0.25 / b], rtol=1e-6)


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_the_ends_of_a_beta_distribution_stay_where_they_are(y):
    for inverse in (special.betaincinv, special.betainccinv):
        assert gg.grad(inverse, (0, 1))(2.0, 3.0, y) == (0.0, 0.0)
