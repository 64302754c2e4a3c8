"""Initial value problems: SciPy's numbers, and gradients against closed forms, differences, and each other."""

import numpy as np
import pytest
import scipy.integrate

import gategrad as gg
from gategrad.errors import NoGradientError, NoRuleError
from gategrad.scipy import integrate

TIGHT = {"rtol": 1e-9, "atol": 1e-11}
TIMES = np.array([0.0, 0.5, 0.8])
EXPLICIT, IMPLICIT = ["RK23", "RK45", "DOP853"], ["Radau", "BDF", "LSODA"]


def logistic(t, y, rate):
    """y′ = r y (1 − y)."""
    return rate * y * (1 - y)


def closed(y0, rate, t):
    grown = y0 * np.exp(rate * t)
    return grown / (1 - y0 + grown)


def solved(method, tight=TIGHT):
    """The logistic function at the three times, by one of the methods."""
    if method == "odeint":
        return lambda y0, rate, t: integrate.odeint(logistic, [y0], t, (rate,), tfirst=True, **tight)[:, 0]
    return lambda y0, rate, t: integrate.solve_ivp(logistic, (t[0], t[-1]), [y0], method, t, args=(rate,), **tight).y[0]


@pytest.mark.parametrize("method", ["RK45", "DOP853", "Radau", "LSODA", "odeint"])
def test_every_order_against_the_closed_form(method):
    """In y0, the rate and the times; to second order in the rate."""
    f, point = solved(method), (0.2, 1.5, TIMES)
    for found, expected in zip(gg.jacobian(f, (0, 1, 2))(*point), gg.jacobian(closed, (0, 1, 2))(*point), strict=True):
        if expected.ndim == 2:  # the first time is where it all begins: when it moves, all else does
            begins = -1.5 * closed(0.2, 1.5, TIMES) * (1 - closed(0.2, 1.5, TIMES))
            expected = np.column_stack([np.append(0.0, begins[1:]), expected[:, 1:]])
        np.testing.assert_allclose(found, expected, rtol=0, atol=3e-7)

    def last(g):
        return gg.grad(gg.grad(lambda rate: g(0.2, rate, TIMES)[-1]))(1.5)

    assert last(f) == pytest.approx(last(closed), abs=1e-7)


@pytest.mark.parametrize("method", EXPLICIT)
def test_the_gradient_is_that_of_the_numbers(method):
    """With coarse tolerances, on the steps that were chosen: the slope of the same steps for another rate."""

    def steps(rate):
        return integrate.solve_ivp(
            logistic, (0.0, 2.0), [0.2], method, args=(rate,), rtol=1e-2, first_step=0.5, max_step=0.5
        )

    assert len(steps(1.5).t) == len(steps(1.5 + 1e-5).t)
    difference = (steps(1.5 + 1e-5).y[0, -1] - steps(1.5 - 1e-5).y[0, -1]) / 2e-5
    gradient = gg.grad(lambda rate: steps(rate).y[0, -1])(1.5)
    assert gradient == pytest.approx(difference, rel=1e-8)
    if method == "RK23":
        assert abs(gradient - gg.grad(lambda rate: closed(0.2, rate, 2.0))(1.5)) > 1e-6


def swing(t, y, w):
    return [y[1], -w[0] * np.sin(y[0]) - w[1] * y[1]]


@pytest.mark.parametrize("method", [*EXPLICIT, *IMPLICIT])
@pytest.mark.parametrize("times", [None, [1.5, 0.7, 0.2]])
def test_values_are_scipys(method, times):
    """Backwards in time, several unknowns, lists from the right-hand side, at the steps and between them."""
    w = np.array([2.0, 0.3])
    expected = scipy.integrate.solve_ivp(swing, (1.5, 0.2), [1.0, 0.0], method, times, args=(w,))
    found = integrate.solve_ivp(lambda t, y: swing(t, y, gg.variable(w)), (1.5, 0.2), [1.0, 0.0], method, times)
    np.testing.assert_allclose(found.y.value, expected.y, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(found.t, expected.t)
    plain = integrate.solve_ivp(swing, (1.5, 0.2), [1.0, 0.0], method, times, args=(w,), dense_output=True)
    np.testing.assert_array_equal(plain.y, expected.y)
    assert plain.sol is not None
    assert integrate.solve_ivp(swing, (1.5, 0.2), [1.0, 0.0], method, times, args=(w,)).nfev == expected.nfev


@pytest.mark.parametrize("method", ["RK45", "BDF"])
def test_both_ends_of_the_span(method):
    def last(begin, end):
        found = integrate.solve_ivp(logistic, (begin, end), [0.2], method, args=(1.5,), **TIGHT)
        return found.y[0, -1] + 0.0 * found.t[-1]

    slope = 1.5 * closed(0.2, 1.5, 1.0) * (1 - closed(0.2, 1.5, 1.0))
    np.testing.assert_allclose(gg.grad(last, (0, 1))(0.5, 1.5), [-slope, slope], rtol=1e-6)


def test_a_stiff_equation():
    """y₁′ = −1000 (y₁ − p cos t), y₂′ = y₁: an explicit method would take thousands of steps. y₂ ≈ p sin t."""

    def f(t, y, p):
        return np.stack([-1000.0 * (y[0] - p * np.cos(t)), y[1] * 0.0 + y[0]])

    def last(p, method):
        return integrate.solve_ivp(f, (0.0, 2.0), [1.0, 0.0], method, [2.0], args=(p,), rtol=1e-6, atol=1e-9).y[1, 0]

    k = 1000.0
    # y₁ = a (k² cos t + k sin t) / (k² + 1) + (y₁(0) − …) e^{−kt}, integrated; linear in p
    exact = (k * k * np.sin(2.0) - k * (np.cos(2.0) - 1)) / (k * k + 1) - k * k / (k * k + 1) / k
    for method in IMPLICIT:
        assert gg.grad(last)(1.0, method) == pytest.approx(exact, rel=1e-5)


SECRET = gg.variable(1.5)


def late(t, y):
    return SECRET * y if t > 0.5 else y


@pytest.mark.parametrize("method", ["RK45", "LSODA"])
def test_a_variable_that_shows_late(method):
    """Nobody names it, and the right-hand side does not compute with it where it begins."""
    SECRET.grad = None
    integrate.solve_ivp(late, (0.0, 1.0), [1.0], method, max_step=0.05, **TIGHT).y[0, -1].backward()
    assert SECRET.grad == pytest.approx(0.5 * np.exp(1.25), rel=0.1)  # the jump lies within a step
    assert SECRET.grad is not None
    with gg.no_grad():
        assert type(integrate.solve_ivp(late, (0.0, 1.0), [1.0], method).y) is np.ndarray
        assert type(integrate.odeint(late, [1.0], [0.0, 1.0], tfirst=True)) is np.ndarray
    for block in (gg.no_grad(), gg.detect_anomaly()):
        with block:
            slope = gg.grad(lambda p: integrate.solve_ivp(lambda t, y: p * y, (0, 1), [1.0], method, **TIGHT).y[0, -1])
            assert slope(0.5) == pytest.approx(np.exp(0.5), rel=1e-6)


def test_third_order_and_forward_mode():
    def last(rate):
        return integrate.solve_ivp(logistic, (0.0, 0.4), [0.2], args=(rate,), first_step=0.2, max_step=0.2).y[0, -1]

    def thrice(f):
        return gg.grad(gg.grad(gg.grad(f)))(1.5)

    assert thrice(last) == pytest.approx(thrice(lambda rate: closed(0.2, rate, 0.4)), rel=1e-3)
    assert gg.jvp(last, (1.5,), (2.0,))[1] == pytest.approx(2 * gg.grad(last)(1.5), rel=1e-12)
    stiff = solved("Radau", {"rtol": 1e-6, "atol": 1e-8})
    along = gg.jvp(lambda rate: stiff(0.2, rate, TIMES[:2]), (1.5,), (2.0,))[1]
    np.testing.assert_allclose(along, 2 * gg.jacobian(lambda rate: stiff(0.2, rate, TIMES[:2]))(1.5), rtol=1e-10)


def test_complex_states():
    """y′ = i w y: y = e^{i w t}, and its real part falls by t sin(w t)."""

    def real(w):
        return np.real(integrate.solve_ivp(lambda t, y: 1j * w * y, (0.0, 1.0), [1.0 + 0j], **TIGHT).y[0, -1])

    assert gg.grad(real)(0.7) == pytest.approx(-np.sin(0.7), rel=1e-7)


def test_an_event_that_knows_a_variable():
    with pytest.raises(NoRuleError, match="takes no events="):
        integrate.solve_ivp(lambda t, y: -y, (0.0, 1.0), [1.0], events=lambda t, y: y[0] - gg.variable(0.5))
    found = integrate.solve_ivp(lambda t, y: -y, (0.0, 1.0), [1.0], events=lambda t, y: y[0] - 0.5)
    assert found.t_events[0] == pytest.approx(np.log(2), rel=1e-3)


def test_the_state_is_a_vector():
    with pytest.raises(ValueError, match="`y0` must be 1-dimensional"):
        integrate.solve_ivp(lambda t, y: -y, (0.0, 1.0), gg.variable(np.ones((2, 2))))
    assert integrate.odeint(lambda y, t: -y, gg.variable(1.0), [0.0, 1.0]).shape == (2, 1)
    assert gg.grad(lambda y: integrate.solve_ivp(lambda t, y: -y, (0, 1), y).y[1, -1])(np.array([1.0, 2.0])).shape == (
        2,
    )
    assert integrate.solve_ivp(lambda t, y: -gg.variable(1.0) * y, (0, 1), [1, 2]).y.shape[0] == 2


def test_vectorized():
    def f(t, y):
        assert y.ndim == 2
        return -gg.variable(2.0) * y

    found = integrate.solve_ivp(f, (0.0, 1.0), [1.0, 3.0], vectorized=True, **TIGHT)
    np.testing.assert_allclose(found.y.value[:, -1], np.exp(-2) * np.array([1.0, 3.0]), rtol=1e-8)


def test_odeint_has_its_signature():
    t = np.linspace(0.0, 1.0, 3)

    def f(y, t, rate):
        return -rate * y

    expected, report = scipy.integrate.odeint(f, [1.0, 2.0], t, (0.7,), full_output=True)
    found, ours = integrate.odeint(f, [1.0, 2.0], t, (gg.variable(0.7),), full_output=True)
    np.testing.assert_array_equal(found.value, expected)
    assert ours["nfe"].tolist() == report["nfe"].tolist()
    np.testing.assert_array_equal(integrate.odeint(f, [1.0, 2.0], t, (0.7,)), expected)
    np.testing.assert_allclose(
        gg.grad(lambda y: integrate.odeint(f, y, t[::-1], (0.7,))[-1, 0])(np.ones(2)), [np.exp(0.7), 0]
    )
    slope = gg.grad(lambda rate: np.sum(integrate.odeint(f, [1.0], [0.0, 1.0, 1.0], (rate,))))(0.7)
    assert slope == pytest.approx(-2 * np.exp(-0.7), rel=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"events": lambda t, y, rate: y[0]}, r"takes no events=: find the time .* as a root"),
        ({"dense_output": True}, r"takes no dense_output=: name the times in t_eval="),
        ({"method": scipy.integrate.RK45}, "SciPy's methods by name"),
        ({"rtol": gg.variable(1e-3)}, r"solve_ivp has no gradient in rtol=: pass its \.value"),
    ],
)
def test_what_is_refused(options, said):
    with pytest.raises(NoRuleError, match=said):
        integrate.solve_ivp(logistic, (0.0, 1.0), [0.2], args=(gg.variable(1.5),), **options)


def test_times_that_are_equal():
    """Each is a time of its own, to second order too."""
    slope = gg.jacobian(lambda t: integrate.odeint(lambda y, t: -2 * y, [1.0], t)[:, 0])(np.array([0.0, 1.0, 1.0]))
    fall = 2 * np.exp(-2)
    np.testing.assert_allclose(slope, [[0, 0, 0], [fall, -fall, 0], [fall, 0, -fall]], rtol=1e-6, atol=1e-7)
    curvature = gg.hessian(lambda t: integrate.odeint(lambda y, t: -2 * y, [1.0], t)[2, 0])(np.array([0.0, 1.0, 1.0]))
    np.testing.assert_allclose(
        curvature, 2 * fall * np.array([[1, 0, -1], [0, 0, 0], [-1, 0, 1]]), rtol=1e-6, atol=1e-7
    )


def test_numbers_that_do_not_solve_the_equation():
    """The right-hand side answers otherwise when it is asked again."""
    calls = []

    def restless(t, y):
        calls.append(t)
        return -gg.variable(1.0) * y * (1.0 if len(calls) < 30 else 9.0)

    with pytest.raises(NoGradientError, match="no gradient that could be trusted"):
        integrate.solve_ivp(restless, (0.0, 1.0), [1.0], "LSODA")
