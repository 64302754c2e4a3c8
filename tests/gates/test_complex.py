"""Complex numbers: the convention at the border, the crossings from and to real numbers, kinks, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import DtypeError, NotScalarError

Z = 1.5 - 0.5j
POINTS = np.array([1.5 - 0.5j, -2.0 + 1.0j, -0.3 - 0.2j])


def differences(f, z, h=1e-6):
    """∂f/∂Re z + i · ∂f/∂Im z of a real function of one complex number."""
    return sum(unit * (f(z + h * unit) - f(z - h * unit)) / (2 * h) for unit in (1.0, 1j))


# --- the convention -----------------------------------------------------------------------------------------------


def test_the_gradient_is_the_direction_of_steepest_ascent():
    assert gg.grad(lambda z: np.abs(z) ** 2)(1 + 2j) == 2 + 4j
    assert gg.grad(np.real)(Z) == 1 and gg.grad(np.imag)(Z) == 1j


def test_backward_leaves_the_same_gradient_and_adds_it():
    z = gg.variable(POINTS)
    for _ in range(2):
        np.sum(np.abs(z) ** 2).backward()
    np.testing.assert_allclose(z.grad, 4 * POINTS, rtol=1e-15)


def test_interior_gradients_and_pictures_show_the_same():
    z = gg.variable(1 + 2j, name="z")
    w = z * z
    L = np.abs(w) ** 2
    L.backward(keep=True)
    assert w.grad == pytest.approx(2 * (1 + 2j) ** 2) and z.grad == pytest.approx(4 * abs(1 + 2j) ** 2 * (1 + 2j))
    drawn = str(gg.circuit(lambda z: np.abs(z * 1j) ** 2, 1 + 2j))
    assert "2.00+4.00j" in drawn and "2.00-4.00j" not in drawn


@pytest.mark.parametrize("f", [np.exp, np.sin, np.sqrt, np.log, np.tanh, np.arcsinh, lambda z: z**3, lambda z: 1 / z])
@pytest.mark.parametrize("z", list(POINTS))
def test_a_pullback_takes_and_gives_conjugates_so_a_holomorphic_one_multiplies_by_conj_of_the_derivative(f, z):
    derivative = (f(z + 1e-6) - f(z - 1e-6)) / 2e-6
    _, pullback = gg.vjp(f, z)
    assert pullback(2 - 3j)[0] == pytest.approx((2 - 3j) * np.conj(derivative), rel=1e-8)


def test_backward_takes_dz_in_the_same_convention():
    z = gg.variable(Z)
    (z * z).backward(2 - 3j)
    assert z.grad == pytest.approx(gg.vjp(lambda z: z * z, Z)[1](2 - 3j)[0])


def test_third_order():
    """L = |z|⁴ = (x² + y²)²; along the real axis its third derivative is 24x."""

    def f(x, y):
        return np.abs(x + 1j * y) ** 4

    third = gg.grad(gg.grad(gg.grad(f)))(0.5, 0.25)
    assert third == pytest.approx(24 * 0.5)


def test_a_complex_step_agrees_with_the_gradient_of_a_real_function():
    f = lambda x: np.exp(np.sin(x)) / (1 + x * x)
    assert gg.grad(f)(0.7) == pytest.approx(np.imag(f(0.7 + 1e-30j)) / 1e-30, rel=1e-14)


# --- crossings ------------------------------------------------------------------------------------------------------


def test_real_through_complex_to_real():
    assert gg.grad(lambda x: np.real(np.exp(1j * x)))(0.3) == pytest.approx(-np.sin(0.3), rel=1e-15)
    assert gg.grad(lambda x: np.angle(np.exp(1j * x)))(0.3) == pytest.approx(1.0)
    x = np.array([0.1, 0.2])
    gradient = gg.grad(lambda x: np.sum(np.imag(np.exp(1j * x))))(x)
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(gradient, np.cos(x), rtol=1e-15)


def test_a_real_number_to_a_complex_power_and_the_other_way():
    assert gg.grad(lambda x: np.real(x ** (1 + 2j)))(2.0) == pytest.approx(np.real((1 + 2j) * 2.0**2j))
    f = lambda y: np.real((-2.0) ** (y * 1j))
    assert gg.grad(f)(0.3) == pytest.approx((f(0.3 + 1e-6) - f(0.3 - 1e-6)) / 2e-6, rel=1e-8)


@pytest.mark.parametrize(
    "f",
    [
        lambda z: np.real(np.vdot(z * POINTS, POINTS * z**2)),
        lambda z: np.real(np.dot(POINTS * z, POINTS)),
        lambda z: np.real(np.einsum("i,i->", POINTS * z, np.conj(z) * POINTS)),
        lambda z: np.real((POINTS * z) @ np.conj(z * POINTS)),
        lambda z: np.var(POINTS * z),
        lambda z: np.std(POINTS + np.conj(z)),
        lambda z: np.linalg.norm(POINTS + z),
        lambda z: np.abs(np.prod(POINTS + z)),
        lambda z: np.abs(np.mean(POINTS * z)),
        lambda z: np.angle(z, deg=True),
        lambda z: np.sum(np.real(np.where(np.real(POINTS) > 0, POINTS * z, 1 / z))),
        lambda z: np.real((POINTS * z)[[0, 0, 2]].sum()),
        lambda z: np.real(np.sign(z) * (1 + 2j)),
        lambda z: np.real(np.real_if_close(z * np.conj(z))),
        lambda z: z.real * z.imag**2 if isinstance(z, gg.Variable) else np.real(z) * np.imag(z) ** 2,
        lambda z: np.real(gg.sigmoid(z)),
    ],
)
def test_functions_of_one_complex_number(f):
    assert gg.grad(f)(Z) == pytest.approx(differences(f, Z), rel=1e-7)


def test_values_keep_their_kind():
    z = gg.variable(1 + 2j)
    assert z.dtype == np.complex128 and np.real(z).dtype == np.float64
    assert z.conj().value == 1 - 2j and z.conjugate().value == 1 - 2j
    x = gg.variable(2.0)
    assert np.real(x) is x and np.imag(x) == 0.0 and np.real_if_close(x) == 2.0
    row = gg.variable([2.0])
    assert np.real(row) is row and np.real_if_close(row) is row
    assert np.angle(gg.variable(-2.0)) == np.pi
    assert np.iscomplexobj(np.real_if_close(z).value) and np.isrealobj(np.real_if_close(z * z.conj()).value)


# --- kinks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [np.abs, lambda z: np.real(np.sign(z)), np.angle, lambda z: np.abs(z) ** 2])
def test_at_zero_nothing_flows(f):
    assert gg.grad(f)(0j) == 0
    np.testing.assert_array_equal(gg.grad(lambda z: np.sum(f(z)))(np.array([0j, 0j])), [0, 0])


def test_where_does_not_poison():
    z = np.array([0j, 4j])
    with np.errstate(divide="ignore", invalid="ignore"):
        gradient = gg.grad(lambda z: np.sum(np.abs(np.where(z != 0, np.log(z), 0))))(z)
    assert gradient[0] == 0 and np.isfinite(gradient[1])


# --- the other transforms -------------------------------------------------------------------------------------------


def test_forward_mode():
    z, dz = gg.jvp(lambda z: np.conj(z) * z**2, (Z,), (2 - 1j,))
    assert z == np.conj(Z) * Z**2 and dz == pytest.approx(np.conj(2 - 1j) * Z**2 + np.conj(Z) * 2 * Z * (2 - 1j))
    assert gg.jvp(np.abs, (3 + 4j,), (1j,))[1] == pytest.approx(0.8)
    assert gg.jvp(np.sign, (3 + 4j,), (4 - 3j,))[1] == pytest.approx((4 - 3j) / 5)  # across: it only turns
    assert gg.jvp(np.sign, (3 + 4j,), (3 + 4j,))[1] == pytest.approx(0)  # along


def test_jacobians_are_of_holomorphic_functions_and_of_real_inputs():
    a = np.array([[1 + 1j, 2.0], [0.5, -1j]])
    np.testing.assert_allclose(gg.jacobian(lambda z: a @ z**2)(np.array([1j, 2.0])), a * [2j, 4.0], rtol=1e-15)
    np.testing.assert_allclose(gg.jacobian(lambda x: np.exp(1j * x))(0.5), 1j * np.exp(0.5j), rtol=1e-15)
    np.testing.assert_allclose(gg.jacobian(lambda x: a @ x)(np.ones(2)), a, rtol=1e-15)
    for f in (np.conj, np.abs):
        with pytest.raises(DtypeError, match="not holomorphic"):
            gg.jacobian(f)(np.array([1j, 2.0]))


def test_a_checkpoint_sends_the_same_gradient():
    f = lambda z: np.sum(np.abs(z * z * (1 + 1j)))
    np.testing.assert_allclose(gg.grad(gg.checkpoint(f))(POINTS), gg.grad(f)(POINTS), rtol=1e-15)
    inner = gg.checkpoint(lambda z: z * z * (1 + 1j))
    np.testing.assert_allclose(gg.grad(lambda z: np.sum(np.abs(inner(z))))(POINTS), gg.grad(f)(POINTS), rtol=1e-15)
    dz = gg.jvp(lambda z: inner(z) * np.conj(z), (Z,), (1j,))[1]
    assert dz == pytest.approx((1 + 1j) * (2 * Z * 1j * np.conj(Z) + Z**2 * -1j))


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (lambda z: np.maximum(z, 0), "Maximum of complex numbers has no gradient: it compares them"),
        (lambda z: np.clip(z, 0, 1), "Maximum|Minimum"),
        (lambda z: np.max(z), "Max of complex numbers"),
        (lambda z: np.min(z), "Min of complex numbers"),
        (gg.relu, "relu of complex numbers has no gradient"),
        (lambda z: np.arctan2(z, 1.0), "Arctan2 takes no complex numbers"),
        (lambda z: np.hypot(z, 1.0), "Hypot takes no complex numbers"),
        (np.floor, "Floor takes no complex numbers"),
        (np.cbrt, "Cbrt takes no complex numbers"),
        (gg.softplus, "Softplus takes no complex numbers"),
    ],
)
def test_what_complex_numbers_do_not_have(f, said):
    with pytest.raises(DtypeError, match=said):
        gg.grad(lambda z: np.sum(np.real(f(z))))(POINTS)


def test_a_complex_output_has_no_gradient_but_advice():
    with pytest.raises(NotScalarError, match=r"a complex128 scalar\. Make it real .* np\.conjugate\(pullback"):
        gg.grad(np.exp)(Z)
    with pytest.raises(NotScalarError, match=r"np\.sum\(np\.abs\(z\) \*\* 2\)"):
        gg.grad(np.exp)(POINTS)
    with pytest.raises(
        NotScalarError, match=r"needs the upstream gradient dz, a complex number\. The gradient of a real"
    ):
        np.exp(gg.variable(Z)).backward()


def test_a_real_output_has_no_complex_upstream_gradient():
    with pytest.raises(DtypeError, match="but the output it belongs to is real"):
        gg.vjp(np.abs, Z)[1](1j)
    with pytest.raises(DtypeError, match="dz is a complex128 scalar"):
        np.abs(gg.variable(Z)).backward(1j)


def test_check_gradients_moves_complex_inputs_in_both_directions():
    report = gg.check_gradients(lambda z, x: np.abs(z * np.exp(z)) * x + z, POINTS, 2.0)
    assert report.ok and len(report.comparisons) == 14
    assert "z in the imaginary direction" in {c.input for c in report.comparisons}

    class Wrong(gg.Elementwise):
        def forward(self, x):
            self.x = x
            return x * x

        def backward(self, dz):
            return 2 * np.conjugate(self.x) * dz

    with pytest.raises(AssertionError, match="in the imaginary direction"):
        gg.check_gradients(lambda z: np.real(Wrong()(z)), Z, order=1)
