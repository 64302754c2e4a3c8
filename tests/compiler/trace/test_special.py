"""SciPy's special functions in compiled functions: natively where they are made of operations, else on the host."""

import numpy as np
import pytest
from scipy import special

import gategrad as gg
from gategrad.scipy import stats

pytest.importorskip("llvmlite")

X = np.array([0.15, 0.4, 0.55, 0.9])
WIDE = np.array([-800.0, -30.0, -1.2, -1e-9, 0.0, 0.3, 6.1, 800.0])

NATIVE = {
    "erf": (special.erf, (WIDE,)),
    "erfc": (special.erfc, (WIDE,)),
    "ndtr": (special.ndtr, (WIDE,)),
    "expit": (special.expit, (WIDE,)),
    "log_expit": (special.log_expit, (WIDE,)),
    "logit": (special.logit, (X,)),
    "xlogy": (special.xlogy, (np.array([0.0, 0.0, 2.0, -1.0]), np.array([0.0, 2.0, 0.5, 3.0]))),
    "xlog1py": (special.xlog1py, (np.array([0.0, 0.0, 2.0, -1.0]), np.array([-1.0, 2.0, 0.5, 3.0]))),
    "entr": (special.entr, (np.array([-1.0, 0.0, 0.3, 2.0, np.nan]),)),
    "rel_entr": (special.rel_entr, (np.array([0.3, 0.0, -1.0, np.nan]), np.array([0.6, 0.5, 1.0, 1.0]))),
    "kl_div": (special.kl_div, (np.array([0.3, 0.0, -1.0, np.nan]), np.array([0.6, 0.5, 1.0, 1.0]))),
    "expm1": (special.expm1, (X,)),
    "log1p": (special.log1p, (X,)),
    "exp2": (special.exp2, (X,)),
    "exp10": (special.exp10, (X,)),
    "cosm1": (special.cosm1, (X,)),
    "cbrt": (special.cbrt, (X,)),
    "exprel": (special.exprel, (np.array([0.0, 1e-9, -2.0, 3.0]),)),
    "huber": (special.huber, (np.array([1.0, 1.0, -1.0]), np.array([0.3, -2.5, 1.0]))),
}
HOST = {
    "gammaln": (special.gammaln, (X,)),
    "digamma": (special.digamma, (X,)),
    "log_ndtr": (special.log_ndtr, (WIDE,)),
    "jv": (lambda x: special.jv(1.5, x), (X,)),
    "airy": (lambda x: special.airy(x)[2], (X,)),
    "gammainc": (special.gammainc, (X + 1.0, X)),
    "betainc": (special.betainc, (X + 1.0, X + 0.5, X)),
    "zeta": (special.zeta, (X + 1.5, X)),
    "ellipj": (lambda x: special.ellipj(x, 0.3)[0], (X,)),
}


def gradient(f, count):
    return gg.grad(lambda *xs: np.sum(f(*xs)), argnums=tuple(range(count)))


@pytest.mark.parametrize("name", NATIVE)
def test_native(name):
    f, xs = NATIVE[name]
    compiled = gg.compile(lambda *xs: f(*xs))
    np.testing.assert_allclose(compiled(*xs), f(*xs), rtol=1e-12, atol=1e-300)
    assert "callback" not in str(compiled.program(*xs))


@pytest.mark.parametrize("name", ["erf", "erfc", "ndtr", "expit", "log_expit", "logit", "expm1", "exp10", "cosm1"])
def test_the_gradient_is_native_too(name):
    f, xs = NATIVE[name]
    g = gg.compile(gradient(f, len(xs)))
    with np.errstate(over="ignore"):
        expected = gradient(f, len(xs))(*xs)
    np.testing.assert_allclose(g(*xs), expected, rtol=1e-12, atol=1e-300)
    assert "callback" not in str(g.program(*xs))


@pytest.mark.parametrize("name", HOST)
def test_on_the_host(name):
    f, xs = HOST[name]
    np.testing.assert_allclose(gg.compile(lambda *xs: f(*xs))(*xs), f(*xs), rtol=1e-13)
    expected = gradient(f, len(xs))(*xs)
    np.testing.assert_allclose(gg.compile(gradient(f, len(xs)))(*xs), expected, rtol=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_erf_keeps_the_dtype(dtype):
    x = X.astype(dtype)
    z = gg.compile(special.erf)(x)
    assert z.dtype == dtype
    np.testing.assert_allclose(z, special.erf(x), rtol=1e-6)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, m, s: np.sum(stats.norm.logpdf(x, m, s)),
        lambda x, m, s: np.sum(stats.t.logpdf(x, 3.0, m, s)),
        lambda x, m, s: np.sum(stats.gamma.logpdf(x, m, scale=s)),
        lambda x, m, s: np.sum(stats.expon.logpdf(x, 0.2, s)),
        lambda x, m, s: np.sum(stats.logistic.cdf(x, m, s)),
    ],
)
def test_distributions(f):
    arguments = (X, 0.7, 1.3)
    expected = gg.grad(f, argnums=(0, 1, 2))(*arguments)
    for found, wanted in zip(gg.compile(gg.grad(f, argnums=(0, 1, 2)))(*arguments), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-11)
