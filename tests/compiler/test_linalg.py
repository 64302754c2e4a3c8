"""numpy.linalg in compiled functions: host calls that the report names, or the function as it is; never another answer."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import NoGradientError

L = np.linalg
X = np.array([[2.0, 0.3, 0.1], [0.1, 1.0, -0.2], [0.0, 0.4, 3.0]])
FUNCTIONS = {
    "inv": lambda x: np.sum(L.inv(x) ** 2),
    "solve": lambda x: np.sum(L.solve(x, x[0])),
    "det": L.det,
    "slogdet": lambda x: L.slogdet(x)[1],
    "cholesky": lambda x: np.sum(L.cholesky(x @ x.T)),
    "qr": lambda x: np.sum(L.qr(x)[1]),
    "eigh": lambda x: np.sum(L.eigh(x @ x.T)[1] ** 3),
    "eigvalsh": lambda x: np.sum(L.eigvalsh(x @ x.T) ** 3),
    "svd": lambda x: np.sum(L.svd(x)[0] ** 3 + L.svd(x)[2]),
    "svdvals": lambda x: np.sum(L.svdvals(x) ** 3),
    "pinv": lambda x: np.sum(L.pinv(x[:, :2])),
    "norm": lambda x: L.norm(x, "nuc") + L.norm(x, 2),
    "cond": L.cond,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_host_calls(name):
    f = FUNCTIONS[name]
    both = gg.compile(gg.value_and_grad(f))
    value, gradient = both(X)
    expected, slope = gg.value_and_grad(f)(X)
    assert value == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(gradient, slope, rtol=1e-11, atol=1e-12)
    assert both.report(X).callbacks


def test_products_need_no_host():
    f = gg.compile(lambda x: np.sum(L.matrix_power(x, 5) + L.multi_dot([x, x, x])))
    assert f(X) == pytest.approx(np.sum(L.matrix_power(X, 5) + X @ X @ X)) and not f.report(X).callbacks


def test_eigenvalues_may_be_complex_so_the_function_runs_as_it_is():
    f = lambda x: np.sum(np.abs(L.eigvals(x)) ** 3)
    compiled = gg.compile(gg.grad(f))
    for x in (X, np.array([[0.0, -2.0], [1.0, 0.5]])):
        np.testing.assert_array_equal(compiled(x), gg.grad(f)(x))
    assert "gives complex numbers for some matrices" in str(compiled.report(X))


def test_degenerate_points_are_reported_from_compiled_code_too():
    with pytest.raises(NoGradientError, match="values coincide"):
        gg.compile(gg.grad(lambda x: L.eigvalsh(x)[0]))(np.eye(2))
