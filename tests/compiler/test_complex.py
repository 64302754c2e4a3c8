"""Compiled functions that meet complex numbers run as they are: the right answer, and a report that says so."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import ComplexTraceError

Z = np.array([1.0 + 2.0j, 3.0 - 1.0j])
X = np.array([0.1, 0.2])


def wave(x):
    return np.real(np.sum(np.exp(1j * x)))


@pytest.mark.parametrize(("f", "x"), [(lambda z: np.sum(np.abs(z) ** 2), Z), (wave, X), (lambda z: np.abs(z), 1 + 2j)])
def test_value_and_gradients_in_either_order(f, x):
    compiled = gg.compile(f)
    assert compiled(x) == f(x)
    expected = gg.grad(f)(x)
    np.testing.assert_array_equal(gg.grad(compiled)(x), expected)
    np.testing.assert_array_equal(gg.compile(gg.grad(f))(x), expected)
    np.testing.assert_array_equal(gg.grad(compiled)(x), expected)  # a second time, from what is remembered


def test_second_order():
    def slope(f):
        return lambda x: np.sum(gg.grad(f)(x) ** 2)

    np.testing.assert_allclose(gg.grad(slope(gg.compile(wave)))(X), 2 * np.sin(X) * np.cos(X), rtol=1e-14)


def test_a_pullback_has_the_convention_of_the_eager_one():
    f = lambda z: z * z * (1 + 1j)
    np.testing.assert_allclose(gg.vjp(gg.compile(f), Z)[1](Z)[0], gg.vjp(f, Z)[1](Z)[0], rtol=1e-15)


def test_the_report_says_so_and_there_is_no_program():
    compiled = gg.compile(wave)
    assert str(compiled.report(X)).startswith(
        "wave: not compiled, NumPy runs the function itself: constant gives complex"
    )
    with pytest.raises(ComplexTraceError, match="not compiled"):
        compiled.program(X)


def test_other_arguments_are_compiled_all_the_same():
    compiled = gg.compile(lambda x: np.sum(x * x))
    compiled(Z)
    assert compiled(X) == pytest.approx(0.05)
    assert "kernels" in str(compiled.report(X))


def test_containers_keywords_and_static_arguments():
    @gg.compile
    def f(p, *, scale):
        return {"a": p["z"] * scale, "n": 1.0}

    assert f({"z": 1j}, scale=2.0) == {"a": 2j, "n": 1.0}
