"""Special functions at their ends and poles: what the gradient is there, and what a variable is told."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import special

import gategrad as gg
from gategrad.errors import NoRuleError


def slopes(f, *args):
    return gg.grad(lambda *xs: f(*xs), argnums=tuple(range(len(args))))(*args)


@pytest.mark.parametrize(
    ("f", "args", "expected"),
    [
        (special.xlogy, (0.0, 2.0), (np.log(2.0), 0.0)),
        (special.xlogy, (0.0, 0.0), (-np.inf, 0.0)),
        (special.xlog1py, (0.0, -1.0), (-np.inf, 0.0)),
        (special.entr, (0.0,), (np.inf,)),
        (special.entr, (-1.0,), (0.0,)),
        (special.rel_entr, (0.0, 2.0), (-np.inf, 0.0)),
        (special.rel_entr, (-1.0, 2.0), (0.0, 0.0)),
        (special.kl_div, (0.0, 2.0), (-np.inf, 1.0)),
        (special.logit, (0.0,), (np.inf,)),
        (special.ndtri, (0.0,), (np.inf,)),
        (special.log_ndtr, (-1e10,), (1e10,)),
        (special.log_ndtr, (1e10,), (0.0,)),
        (special.expit, (-800.0,), (0.0,)),
        (special.gammaln, (0.0,), (-np.inf,)),
        (special.i0e, (0.0,), (0.0,)),
        (special.j1, (0.0,), (0.5,)),
        (special.exprel, (0.0,), (0.5,)),
        (special.boxcox, (2.0, 0.0), (0.5, np.log(2.0) ** 2 / 2)),
        (special.spence, (1.0,), (-1.0,)),
        (special.ellipk, (0.0,), (np.pi / 8,)),
        (special.ellipk, (1.0,), (np.inf,)),
        (special.agm, (2.0, 2.0), (0.5, 0.5)),
        (special.huber, (1.0, 1.0), (0.0, 1.0)),
        (special.gammasgn, (2.0,), (0.0,)),
        (special.rgamma, (0.0,), (1.0,)),
        (special.eval_legendre, (0, 1.0), None),
        (special.bdtr, (3, 3, 0.5), None),
    ],
)
def test_slope(f, args, expected):
    if expected is None:  # a constant, in its last argument
        assert gg.grad(lambda x: f(*args[:-1], x))(args[-1]) == 0.0
        return
    with np.errstate(divide="ignore"):  # an infinite slope: NumPy says so, as it does for 1 / 0
        np.testing.assert_allclose(slopes(f, *args), expected, rtol=1e-13)


def test_a_zero_from_above_outweighs_an_infinite_slope():
    """entr at 0 under a where that does not take it, and times 0."""
    p = np.array([0.0, 0.5])
    gradient = gg.grad(lambda p: np.sum(np.where(p > 0, special.entr(p), 0.0)))(p)
    np.testing.assert_allclose(gradient, [0.0, -1.0 - np.log(0.5)])
    np.testing.assert_array_equal(gg.grad(lambda p: 0.0 * np.sum(special.entr(p)))(p), [0.0, 0.0])


def test_an_order_has_no_gradient_and_says_so():
    with pytest.raises(
        NoRuleError, match=r"scipy.special.jv\(v, x\) has no gradient with respect to v: .*plain number"
    ):
        gg.grad(lambda v: special.jv(v, 2.0))(1.5)
    assert gg.grad(lambda x: special.jv(1.5, x))(2.0) == pytest.approx(special.jvp(1.5, 2.0))


def test_a_ufunc_without_a_gate_says_what_to_use():
    with pytest.raises(NoRuleError, match=r"scipy.special.kelvin has no gate, .*: use ber, bei, ker and kei"):
        special.kelvin(gg.variable(1.0))


def test_compositions_of_scipys_own_take_variables():
    """jvp, softplus, spherical functions …: Python of SciPy's around ufuncs."""
    assert gg.grad(lambda x: special.jvp(1, x))(2.0) == pytest.approx(special.jvp(1, 2.0, 2))
    assert gg.grad(lambda x: special.zeta(x))(3.0) == pytest.approx(-0.198126242885, rel=1e-10)


@pytest.mark.parametrize(
    "first", ["import scipy.special as s, gategrad as gg", "import gategrad as gg, scipy.special as s"]
)
def test_gates_come_when_the_first_variable_does(first):
    script = f"""{first}
import sys
assert "gategrad.gates.special" not in sys.modules
assert gg.grad(s.erf)(0.0) > 1.12
assert "gategrad.gates.special" in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_a_ufunc_of_numpys_without_a_gate_does_not_bring_scipy():
    script = """import gategrad as gg, numpy as np, sys
try:
    np.gcd(gg.variable(1.0), 2)
except gg.errors.NoRuleError as error:
    assert "np.gcd is for integers" in str(error)
assert "scipy" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
