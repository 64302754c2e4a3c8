"""gategrad.scipy.special: every name of SciPy's is there; those that are ours agree with SciPy, and have gradients."""

import ast
import inspect

import numpy as np
import pytest
import scipy.special

import gategrad as gg
from gategrad.errors import NoRuleError
from gategrad.scipy import special

NEWER = {
    # newer than the oldest SciPy that gategrad works with: use scipy.special itself
    "assoc_legendre_p", "assoc_legendre_p_all", "legendre_p", "legendre_p_all", "log_wright_bessel", "softplus",
    "sph_harm_y", "sph_harm_y_all", "sph_legendre_p", "sph_legendre_p_all", "stirling2",
}  # fmt: skip


def test_every_public_name_is_there():
    assert {name for name in scipy.special.__all__ if not hasattr(special, name)} == NEWER & set(scipy.special.__all__)


def test_it_re_exports_and_does_nothing_else():
    tree = ast.parse(inspect.getsource(special))
    assert all(isinstance(node, (ast.ImportFrom, ast.Expr)) for node in tree.body)


def test_ufuncs_are_scipys_own():
    for name in scipy.special.__all__:
        value = getattr(scipy.special, name)
        if isinstance(value, np.ufunc) and name not in NEWER:
            assert getattr(special, name) is value


def numeric(f, x, h=1e-5):
    gradient = np.zeros(np.shape(x))
    for index in np.ndindex(np.shape(x)):
        up, down = np.array(x), np.array(x)
        up[index] += h
        down[index] -= h
        gradient[index] = np.sum(f(up) - f(down)) / (2 * h)
    return gradient


X = np.array([[0.3, 1.2, 2.5], [0.9, 1.7, 0.6]])

CASES = [
    (special.logsumexp, scipy.special.logsumexp, (X,), {}),
    (special.logsumexp, scipy.special.logsumexp, (X,), {"axis": 1, "keepdims": True}),
    (special.logsumexp, scipy.special.logsumexp, (X,), {"axis": (0, 1), "b": X[0]}),
    (special.logsumexp, scipy.special.logsumexp, (X,), {"axis": 0, "b": np.array([[2.0], [-0.1]])}),
    (special.softmax, scipy.special.softmax, (X,), {"axis": 1}),
    (special.softmax, scipy.special.softmax, (X,), {}),
    (special.log_softmax, scipy.special.log_softmax, (X,), {"axis": 0}),
    (special.factorial, scipy.special.factorial, (X,), {}),
    (special.comb, scipy.special.comb, (X + 3.0, 2.0), {}),
    (special.comb, scipy.special.comb, (X + 3.0, 2.0), {"repetition": True}),
    (special.perm, scipy.special.perm, (X + 3.0, 2.0), {}),
    (special.multigammaln, scipy.special.multigammaln, (X + 1.0, 3), {}),
    (special.spherical_jn, scipy.special.spherical_jn, (2, X), {}),
    (special.spherical_yn, scipy.special.spherical_yn, (np.array([0, 1, 2]), X), {}),
    (special.spherical_in, scipy.special.spherical_in, (0, X), {"derivative": True}),
    (special.spherical_kn, scipy.special.spherical_kn, (1, X), {}),
    (special.zeta, scipy.special.zeta, (2.5, X), {}),
    (special.zeta, scipy.special.zeta, (X + 1.1,), {}),
    (special.polygamma, scipy.special.polygamma, (2, X), {}),
    (special.polygamma, scipy.special.polygamma, (np.array([0, 1, 2]), X), {}),
    (special.sinc, scipy.special.sinc, (X,), {}),
    (special.ivp, scipy.special.ivp, (1, X), {}),
]


@pytest.mark.parametrize(
    ("ours", "theirs", "args", "options"), CASES, ids=[f"{c[1].__name__}-{n}" for n, c in enumerate(CASES)]
)
def test_value_and_gradient(ours, theirs, args, options):
    place = next(n for n, x in enumerate(args) if x is not None and np.shape(x) == (2, 3))

    def of(f):
        return lambda x: np.sum(f(*args[:place], x, *args[place + 1 :], **options) * 1.0)

    np.testing.assert_allclose(ours(*args, **options), theirs(*args, **options), rtol=1e-12)
    if ours is special.sinc:  # NumPy's, which says itself what it does
        return
    np.testing.assert_allclose(gg.grad(of(ours))(args[place]), numeric(of(theirs), args[place]), rtol=1e-6, atol=1e-8)


def test_logsumexp_with_signs():
    a, b = np.array([1.0, 2.0]), np.array([1.0, -2.0])
    assert np.isnan(special.logsumexp(a, b=b))
    size, sign = special.logsumexp(gg.variable(a), b=b, return_sign=True)
    expected, expected_sign = scipy.special.logsumexp(a, b=b, return_sign=True)
    assert size.value == pytest.approx(expected) and sign == expected_sign == -1.0


def test_a_weight_of_zero_outweighs_any_exponential():
    gradient = gg.grad(lambda a: special.logsumexp(a, b=np.array([0.0, 1.0])))(np.array([np.inf, 2.0]))
    np.testing.assert_array_equal(gradient, [0.0, 1.0])


def test_exact_counts_have_no_gradient():
    assert special.factorial(20, exact=True) == 2432902008176640000
    with pytest.raises(NoRuleError, match="factorial of a variable counts in floats"):
        special.factorial(gg.variable(3.0), exact=True)


def test_outside_of_their_domain_they_are_constant():
    assert gg.grad(special.factorial)(-1.5) == 0.0
    assert gg.grad(special.comb)(2.0, 5.0) == 0.0
    with pytest.raises(ValueError, match=r"> 0\.5 \* \(d-1\)"):
        special.multigammaln(gg.variable(0.5), 3)
