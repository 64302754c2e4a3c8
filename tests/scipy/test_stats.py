"""Distributions: values are SciPy's, gradients those of central differences, in x and in every parameter."""

import ast
import inspect

import numpy as np
import pytest
import scipy.stats

import gategrad as gg
from gategrad.errors import NoRuleError
from gategrad.scipy import stats

X = np.array([-1.3, 0.4, 0.8, 2.1])
POSITIVE = np.array([0.2, 0.7, 1.6, 3.1])
LOCATION = {"loc": 0.1, "scale": 1.3}

CONTINUOUS = {
    # name: (x, shapes)
    "norm": (X, ()),
    "lognorm": (POSITIVE, (0.7,)),
    "halfnorm": (POSITIVE, ()),
    "truncnorm": (np.array([-0.6, 0.4, 1.1]), (-0.9, 1.2)),
    "skewnorm": (X, (1.5,)),
    "expon": (POSITIVE, ()),
    "laplace": (X, ()),
    "logistic": (X, ()),
    "gumbel_r": (X, ()),
    "gumbel_l": (X, ()),
    "weibull_min": (POSITIVE, (1.7,)),
    "pareto": (POSITIVE + 1.5, (2.2,)),
    "uniform": (np.array([0.2, 0.7, 1.1]), ()),
    "gamma": (POSITIVE, (1.7,)),
    "invgamma": (POSITIVE, (2.3,)),
    "chi2": (POSITIVE, (3.5,)),
    "beta": (np.array([0.2, 0.5, 1.1]), (1.4, 2.3)),
    "f": (POSITIVE, (3.5, 5.1)),
    "t": (X, (3.3,)),
    "cauchy": (X, ()),
    "halfcauchy": (POSITIVE, ()),
    "vonmises": (X, (1.4,)),
}
METHODS = ["logpdf", "pdf", "cdf", "sf", "logcdf", "logsf"]
COUNTS = {
    # name: (k, shapes, how many of them have no gradient)
    "poisson": (np.array([0.0, 1.0, 4.0]), (1.7,), 0),
    "binom": (np.array([0.0, 2.0, 5.0]), (5, 0.3), 1),
    "nbinom": (np.array([0.0, 1.0, 4.0]), (2.5, 0.4), 0),
    "bernoulli": (np.array([0.0, 1.0]), (0.3,), 0),
    "geom": (np.array([1.0, 2.0, 5.0]), (0.3,), 0),
}


def numeric(f, xs, h=1e-6):
    """Central differences of the sum of f, with respect to each argument."""
    gradients = []
    for place, x in enumerate(xs):
        gradient = np.zeros(np.shape(x))
        for index in np.ndindex(np.shape(x)):
            sides = []
            for step in (h, -h):
                moved = np.array(x, float)
                moved[index] += step
                moved = moved if np.shape(x) else float(moved)
                sides.append(np.sum(f(*xs[:place], moved, *xs[place + 1 :])))
            gradient[index] = (sides[0] - sides[1]) / (2 * h)
        gradients.append(gradient)
    return gradients


def gradients(f, xs):
    return gg.grad(lambda *xs: np.sum(f(*xs)), argnums=tuple(range(len(xs))))(*xs)


def check(f, exact, xs, tolerance=2e-6):
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(f(*xs), exact(*xs), rtol=1e-10, atol=1e-14)
    for ours, theirs in zip(gradients(f, xs), numeric(exact, xs), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name, method):
    x, shapes = CONTINUOUS[name]
    ours, theirs = getattr(stats, name), getattr(scipy.stats, name)
    xs = (x, *shapes, LOCATION["loc"], LOCATION["scale"])
    if name == "vonmises" and "pdf" not in method:
        with pytest.raises(NoRuleError, match="vonmises"):
            getattr(ours, method)(*xs)
        return
    check(getattr(ours, method), getattr(theirs, method), xs)


@pytest.mark.parametrize("method", ["ppf", "isf"])
@pytest.mark.parametrize("name", [n for n in CONTINUOUS if n not in ("truncnorm", "skewnorm", "vonmises")])
def test_quantiles(name, method):
    _, shapes = CONTINUOUS[name]
    xs = (np.array([0.15, 0.42, 0.8]), *shapes, 0.1, 1.3)
    check(getattr(getattr(stats, name), method), getattr(getattr(scipy.stats, name), method), xs, tolerance=1e-5)


@pytest.mark.parametrize("name", ["norm", "t", "gamma", "beta", "lognorm", "logistic", "weibull_min"])
def test_second_order(name):
    x, shapes = CONTINUOUS[name]
    xs = (x, *shapes, 0.1, 1.3)

    def gradient(place):
        return lambda *xs: gg.grad(lambda *xs: np.sum(getattr(stats, name).logpdf(*xs)), argnums=place)(*xs)

    for place in range(len(xs)):
        for ours, theirs in zip(gradients(gradient(place), xs), numeric(gradient(place), xs), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("method", ["logpmf", "pmf", "cdf", "sf"])
@pytest.mark.parametrize("name", COUNTS)
def test_counts(name, method):
    k, shapes, fixed = COUNTS[name]
    ours, theirs = getattr(getattr(stats, name), method), getattr(getattr(scipy.stats, name), method)
    check(lambda *s: ours(k, *shapes[:fixed], *s), lambda *s: theirs(k, *shapes[:fixed], *s), shapes[fixed:])


@pytest.mark.parametrize("name", [n for n in CONTINUOUS if n != "vonmises"])
def test_outside_of_the_support_nothing_flows(name):
    _, shapes = CONTINUOUS[name]
    ours, theirs = getattr(stats, name), getattr(scipy.stats, name)
    start, stop = theirs.support(*shapes)
    outside = np.array([end for end in (start - 1.0, stop + 1.0) if np.isfinite(end)])
    if not outside.size:
        return
    for method in METHODS:
        xs = (outside, *shapes, 0.0, 1.0)
        np.testing.assert_array_equal(getattr(ours, method)(*xs), getattr(theirs, method)(*xs))
        assert all(np.all(g == 0.0) for g in gradients(getattr(ours, method), xs))


def test_counts_outside_of_the_support():
    k = np.array([-1.0, 1.5, 7.0])
    np.testing.assert_array_equal(stats.binom.logpmf(k, 5, 0.3), np.full(3, -np.inf))
    np.testing.assert_allclose(stats.binom.cdf(k, 5, 0.3), scipy.stats.binom.cdf(k, 5, 0.3))
    assert gg.grad(lambda p: np.sum(stats.binom.cdf(np.array([-1.0, 7.0]), 5, p)))(0.3) == 0.0


@pytest.mark.parametrize("call", [
    lambda s: s.norm.logpdf(0.3, 0.0, -1.0),
    lambda s: s.gamma.logpdf(0.3, -1.0),
    lambda s: s.beta.cdf(np.array([0.3, 0.4]), np.array([1.0, -1.0]), 2.0),
    lambda s: s.poisson.logpmf(1, -2.0),
])  # fmt: skip
def test_parameters_that_are_not_allowed_give_nan(call):
    np.testing.assert_allclose(call(stats), call(scipy.stats))


def test_parameters_by_name_and_by_place():
    expected = scipy.stats.gamma.logpdf(1.2, 2.0, 0.1, 3.0)
    assert stats.gamma.logpdf(1.2, 2.0, scale=3.0, loc=0.1) == pytest.approx(expected)
    assert stats.gamma.logpdf(1.2, a=2.0, loc=0.1, scale=3.0) == pytest.approx(expected)
    with pytest.raises(TypeError, match="gamma needs a"):
        stats.gamma.logpdf(1.2)
    with pytest.raises(TypeError, match="norm takes loc, scale, each once; got 'sigma'"):
        stats.norm.logpdf(1.2, sigma=2.0)
    with pytest.raises(TypeError, match="norm takes loc, scale, but got 3 parameters"):
        stats.norm.logpdf(1.2, 0.0, 1.0, 2.0)


def test_far_tails():
    assert gg.grad(stats.norm.logcdf)(-1e5) == pytest.approx(1e5)
    assert gg.grad(stats.norm.logsf)(1e5) == pytest.approx(-1e5)
    assert gg.grad(stats.logistic.logpdf)(-800.0) == 1.0
    a = gg.grad(lambda a: stats.truncnorm.logpdf(20.5, a, 30.0))(20.0)
    assert a == pytest.approx(20.0 + 1 / 20.0, rel=1e-3)


def test_dirichlet():
    alpha = np.array([0.7, 1.5, 2.2])
    x = np.array([0.2, 0.3, 0.5])
    check(lambda a: stats.dirichlet.logpdf(x, a), lambda a: scipy.stats.dirichlet.logpdf(x, a), (alpha,))
    inner = np.array([[0.2, 0.1], [0.3, 0.6]])
    check(stats.dirichlet.logpdf, scipy.stats.dirichlet.logpdf, (inner, alpha))


def test_multinomial():
    counts = np.array([[1, 2, 2], [5, 0, 0], [1, 1, 1]])
    p = np.array([0.2, 0.3, 0.5])
    np.testing.assert_allclose(stats.multinomial.logpmf(counts, 5, p), scipy.stats.multinomial.logpmf(counts, 5, p))
    gradient = gg.grad(lambda p: np.sum(stats.multinomial.logpmf(counts[:2], 5, p)))(p)
    np.testing.assert_allclose(gradient, [6 / 0.2, 2 / 0.3, 2 / 0.5])


def test_the_namespace_re_exports_and_does_nothing_else():
    tree = ast.parse(inspect.getsource(stats))
    assert all(isinstance(node, (ast.ImportFrom, ast.Expr)) for node in tree.body)
    for name in [*CONTINUOUS, *COUNTS]:
        assert repr(getattr(stats, name)) == f"gategrad.scipy.stats.{name}"


COVARIANCE = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, -0.2], [0.1, -0.2, 1.5]])


@pytest.mark.parametrize(
    ("x", "mean", "cov"),
    [
        (np.array([0.1, 0.4, -1.0]), np.array([0.2, 0.1, -0.3]), COVARIANCE),
        (np.arange(12.0).reshape(2, 2, 3) / 7, np.array([0.2, 0.1, -0.3]), COVARIANCE),
        (np.array([0.1, 0.4]), np.zeros(2), np.array([1.0, 2.0])),
        (np.array([0.1, 0.4]), None, 1.7),
        (1.2, 0.3, 2.0),
        (np.array([1.2, 0.5]), 0.3, 2.0),
    ],
)
def test_multivariate_normal(x, mean, cov):
    ours, theirs = stats.multivariate_normal, scipy.stats.multivariate_normal
    if mean is None:
        mean = np.zeros(2)
    np.testing.assert_allclose(ours.logpdf(x, mean, cov), theirs.logpdf(x, mean, cov), rtol=1e-12)
    np.testing.assert_allclose(ours.pdf(x, mean, cov), theirs.pdf(x, mean, cov), rtol=1e-12)


@pytest.mark.parametrize("method", ["logpdf", "pdf"])
def test_gradients_of_the_multivariate_normal(method):
    x, mean = np.arange(6.0).reshape(2, 3) / 7, np.array([0.2, 0.1, -0.3])

    def of_factor(f):
        return lambda x, mean, factor: f(x, mean, COVARIANCE + factor @ factor.T)

    xs = (x, mean, np.eye(3) + 0.1)
    ours, theirs = getattr(stats.multivariate_normal, method), getattr(scipy.stats.multivariate_normal, method)
    check(of_factor(ours), of_factor(theirs), xs)
    spreads = (x[:, :2], mean[:2], np.array([1.0, 2.0]))  # the diagonal alone
    check(ours, theirs, spreads)
    check(ours, theirs, (1.2, 0.3, 2.0))


def test_wishart():
    x = np.array([[2.0, 0.3], [0.3, 1.5]])
    scale = COVARIANCE[:2, :2]
    np.testing.assert_allclose(stats.wishart.logpdf(x, 4.5, scale), scipy.stats.wishart.logpdf(x, 4.5, scale))

    def of_factors(f):
        return lambda left, df, right: f(x + left @ left.T, df, scale + right @ right.T)

    xs = (np.eye(2) + 0.1, 4.5, np.eye(2) - 0.2)
    for method in ("logpdf", "pdf"):
        check(of_factors(getattr(stats.wishart, method)), of_factors(getattr(scipy.stats.wishart, method)), xs)
