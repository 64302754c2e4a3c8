"""Every public name of HIPS autograd stands on the migration page, and what the page says in its place does the same."""

import importlib
import re
from pathlib import Path

import numpy as np
import pytest

import gategrad as gg
from gategrad.scipy import integrate, optimize, signal

PAGE = (Path(__file__).parents[1] / "docs" / "migration.md").read_text(encoding="utf-8")

PUBLIC = {
    "": [
        "checkpoint", "deriv", "elementwise_grad", "grad", "grad_and_aux", "grad_named", "hessian",
        "hessian_tensor_product", "hessian_vector_product", "holomorphic_grad", "jacobian", "make_ggnvp", "make_hvp",
        "make_jvp", "make_vjp", "multigrad_dict", "primitive", "tensor_jacobian_product", "value_and_grad",
        "vector_jacobian_product", "numpy",
    ],
    "extend.": [
        "Box", "JVPNode", "SparseObject", "VJPNode", "VSpace", "def_linear", "defjvp", "defjvp_argnum",
        "defjvp_argnums", "defvjp", "defvjp_argnum", "defvjp_argnums", "notrace_primitive", "primitive",
        "register_notrace", "vspace",
    ],
    "test_util.": ["check_equivalent", "check_grads", "check_jvp", "check_vjp"],
    "misc.": ["flatten", "optimizers", "fixed_points"],
    "builtins.": ["dict", "isinstance", "list", "tuple", "type"],
    "scipy.": ["integrate", "linalg", "signal", "special", "stats"],
}  # fmt: skip
"""The names that autograd 1.9 offers, by module."""

LEFT = "\n".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
"""The left column of the table."""


@pytest.mark.parametrize(("module", "name"), [(m, n) for m, names in PUBLIC.items() for n in names])
def test_every_name_is_on_the_page(module, name):
    full = f"{module}{name}"
    if module == "builtins.":
        assert re.search(rf"`builtins\..*`{name}`|`builtins\.{name}`", LEFT), full
    else:
        assert re.search(rf"`{re.escape(full)}\b", LEFT), full


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`gg\.(\w+)", PAGE))))
def test_every_counterpart_exists(name):
    assert callable(getattr(gg, name))


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(gategrad\.[\w.]+)`", PAGE))))
def test_every_namespace_exists(name):
    assert importlib.import_module(name)


def f(x):
    return np.sum(np.sin(x) * x[::-1])


X, V = np.array([0.3, -1.2, 2.0]), np.array([1.0, 0.5, -2.0])
STEP = 1e-6


def gradient(x):
    return np.cos(x) * x[::-1] + np.sin(x)[::-1]


def test_what_differentiates_a_number():
    np.testing.assert_allclose(gg.grad(f)(X), gradient(X))
    value, slope = gg.value_and_grad(f)(X)
    assert value == f(X)
    np.testing.assert_allclose(slope, gradient(X))
    slope, aux = gg.grad(lambda x: (f(x), "aside"), has_aux=True)(X)
    assert aux == "aside"
    np.testing.assert_allclose(slope, gradient(X))


def test_what_differentiates_twice():
    expected = (gradient(X + STEP * V) - gradient(X - STEP * V)) / (2 * STEP)
    np.testing.assert_allclose(gg.hvp(f, X, V), expected, rtol=1e-8)
    np.testing.assert_allclose(gg.hessian(f)(X) @ V, expected, rtol=1e-8)
    np.testing.assert_allclose(gg.linearize(gg.grad(f), X)[1](V), expected, rtol=1e-8)


def test_products_with_jacobians():
    def g(x):
        return np.outer(x, np.exp(x))

    jacobian = gg.jacobian(g)(X)
    assert jacobian.shape == (3, 3, 3)
    weights = np.arange(9.0).reshape(3, 3)
    np.testing.assert_allclose(gg.vjp(g, X)[1](weights)[0], np.tensordot(weights, jacobian))
    along = gg.jvp(g, (X,), (V,))[1]
    np.testing.assert_allclose(along, jacobian @ V)
    np.testing.assert_allclose(along, (g(X + STEP * V) - g(X - STEP * V)) / (2 * STEP), rtol=1e-7)
    gauss_newton = np.tensordot(jacobian, along, axes=((0, 1), (0, 1)))
    np.testing.assert_allclose(gg.vjp(g, X)[1](gg.jvp(g, (X,), (V,))[1])[0], gauss_newton)


def test_element_by_element():
    np.testing.assert_allclose(gg.elementwise_grad(np.sin)(X), np.cos(X))
    assert gg.jvp(np.sin, (0.5,), (1.0,))[1] == np.cos(0.5)


def test_a_holomorphic_function():
    z = 0.5 + 0.25j
    np.testing.assert_allclose(np.conjugate(gg.vjp(np.exp, z)[1](1.0)[0]), np.exp(z))


def test_a_checkpoint():
    np.testing.assert_allclose(
        gg.grad(lambda x: gg.checkpoint(f)(np.tanh(x)))(X), gradient(np.tanh(X)) / np.cosh(X) ** 2
    )


def test_a_gate_instead_of_a_primitive():
    class Logarithm(gg.Gate):
        def forward(self, x):
            self.x = x
            return np.log(x)

        def backward(self, dz):
            return dz / self.x

    np.testing.assert_allclose(
        gg.hessian(lambda x: np.sum(Logarithm()(x)))(np.array([0.5, 2.0])), np.diag([-4.0, -0.25])
    )
    assert gg.check_gradients(lambda x: Logarithm()(x), np.array([0.5, 2.0])).ok


def test_a_container_as_a_vector():
    vector, unflatten = gg.ravel({"a": 1.0, "b": [np.array([2.0, 3.0]), (4.0,)]})
    np.testing.assert_array_equal(vector, [1, 2, 3, 4])
    assert unflatten(vector * 2)["b"][1] == (8.0,)


def test_a_fixed_point():
    """The solution x of x = cos(a x), whose slope is −x sin(a x) / (1 + a sin(a x)): through the steps, and at the solution."""

    def by_steps(a):
        x = 0.5
        for _ in range(100):
            x = np.cos(a * x)
        return x

    x = by_steps(0.8)
    expected = -x * np.sin(0.8 * x) / (1 + 0.8 * np.sin(0.8 * x))
    assert gg.grad(by_steps)(0.8) == pytest.approx(expected)
    assert gg.grad(lambda a: optimize.fixed_point(lambda x: np.cos(a * x), 0.5))(0.8) == pytest.approx(expected)


def test_an_optimiser():
    found = optimize.minimize(lambda x: np.sum((x - X) ** 2 * V**2), np.zeros(3))
    np.testing.assert_allclose(found.x, X, atol=1e-5)


def test_a_differential_equation():
    """y′ = −r y, y(2) = e^{−2r}, as autograd's odeint would have it."""
    final = gg.grad(
        lambda rate: integrate.odeint(lambda y, t, r: -r * y, np.ones(1), np.array([0.0, 2.0]), (rate,))[-1, 0]
    )
    assert final(0.5) == pytest.approx(-2 * np.exp(-1.0), rel=1e-6)


def test_a_batch_of_convolutions():
    """autograd's `convolve(x, k, axes=([1], [1]), dot_axes=([0], [0]))`: channels are summed, rows convolved."""
    x, k = np.arange(12.0).reshape(2, 6), np.array([[1.0, -1.0], [2.0, 0.5]])
    found = signal.convolve(x, k, axes=([1], [1]), dot_axes=([0], [0]))
    np.testing.assert_allclose(found, np.sum(signal.fftconvolve(x, k, axes=1), axis=0), atol=1e-12)
    gradient = gg.grad(lambda k: np.sum(signal.convolve(x, k, axes=([1], [1]), dot_axes=([0], [0])) ** 2))(k)
    assert gradient[0, 0] == pytest.approx(2 * np.sum(found[:6] * x[0]))
