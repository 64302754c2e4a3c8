"""Compiled functions where eigenvalues and singular values coincide: the program gives up there, and the function runs itself."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import NoGradientError, UndecidedError

L = np.linalg
WEIGHTS = np.cos(np.arange(1.0, 10.0) ** 2).reshape(3, 3)
TWINS, APART = np.diag([1.0, 1.0, 2.0]), np.diag([1.0, 1.3, 2.0])
ALONG = WEIGHTS + WEIGHTS.T


def exponential(x):
    w, v = L.eigh(x)
    return np.sum(WEIGHTS * ((v * np.exp(w)) @ v.T))


def cubed(x):
    u, s, vh = L.svd(x)
    return np.sum(WEIGHTS * ((u * s**3) @ vh))


DERIVATIVES = {
    "grad": gg.grad,
    "value_and_grad": gg.value_and_grad,
    "jvp": lambda f: lambda x: gg.jvp(f, (x,), (ALONG,)),
    "hvp": lambda f: lambda x: gg.hvp(f, x, ALONG),
}


@pytest.mark.parametrize(("f", "name"), [*((exponential, name) for name in DERIVATIVES), (cubed, "grad")])
def test_answers_are_those_of_the_function_there_and_of_the_program_elsewhere(f, name):
    derivative = DERIVATIVES[name](f)
    compiled = gg.compile(derivative)
    for x in (APART, TWINS, APART, TWINS):
        found, expected = compiled(x), derivative(x)
        for part, other in zip(*(z if isinstance(z, tuple) else (z,) for z in (found, expected)), strict=True):
            assert type(part) is type(other)
            np.testing.assert_allclose(part, other, rtol=1e-10, atol=1e-11)


def test_of_complex_matrices_the_host_is_asked():
    turn = L.qr(WEIGHTS + 1j * np.sin(WEIGHTS * 7.0))[0]
    x = (turn * [1.0, 1.0, 2.0]) @ turn.conj().T

    def loss(x):
        w, v = L.eigh(x)
        return np.sum(WEIGHTS * np.real((v * np.exp(w)) @ v.conj().T))

    np.testing.assert_allclose(gg.compile(gg.grad(loss))(x), gg.grad(loss)(x), rtol=1e-11, atol=1e-12)


def test_derivatives_of_compiled_functions():
    compiled, expected = gg.compile(exponential), gg.grad(exponential)(TWINS)
    np.testing.assert_allclose(gg.grad(compiled)(TWINS), expected, rtol=1e-11, atol=1e-12)
    v = gg.variable(TWINS)
    compiled(v).backward()
    np.testing.assert_allclose(v.grad, expected, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(
        gg.hvp(compiled, TWINS, ALONG), gg.hvp(exponential, TWINS, ALONG), rtol=1e-10, atol=1e-11
    )


def test_a_compiled_function_of_what_coincides():
    loss = lambda w, v: np.sum(WEIGHTS * ((v * np.exp(w)) @ v.T))
    found = gg.grad(lambda x: gg.compile(loss)(*L.eigh(x)))(TWINS)
    np.testing.assert_allclose(found, gg.grad(exponential)(TWINS), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    "f", [lambda x: np.sum(L.eigh(x)[1] ** 4), lambda x: L.eigh(x)[1][2, 0], lambda x: L.eigvalsh(x)[0]]
)
def test_other_losses_are_reported(f):
    with pytest.raises(NoGradientError, match="eigh has no gradient here"):
        gg.compile(gg.grad(f))(TWINS)


def test_what_may_have_been_written_over_is_not_computed_again():
    compiled = gg.compile(gg.grad(exponential), donate="x")
    np.testing.assert_allclose(compiled(APART.copy()), gg.grad(exponential)(APART), rtol=1e-11, atol=1e-12)
    with pytest.raises(NoGradientError, match="used together"):
        compiled(TWINS.copy())


def test_the_program_is_called_directly_all_the_same():
    compiled = gg.compile(gg.grad(exponential))
    compiled(APART)
    assert "host calls: none" in str(compiled.report(APART))
    (made,) = compiled._specialisations.values()
    assert made.is_direct and made.gives_up == (UndecidedError,)
