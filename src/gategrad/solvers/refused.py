"""SciPy's solvers that variables refuse, and what to use instead."""

from __future__ import annotations

from gategrad.gates.scipy_names import Namespace

__all__ = [
    "complex_ode",
    "dblquad",
    "linear_sum_assignment",
    "linprog",
    "lsq_linear",
    "milp",
    "newton_cotes",
    "nnls",
    "nquad",
    "ode",
    "quadratic_assignment",
    "solve_bvp",
    "tplquad",
]

_OPTIMIZE, _INTEGRATE = Namespace("scipy.optimize"), Namespace("scipy.integrate")
_CORNER = "has no gradient worth the name, since its solution sits in a corner and jumps from one to another:"
_ACTIVE = "has no gate, since which unknowns are held depends on the data:"
_NEST = "has no gate: nest quad, as in quad(lambda y: quad(lambda x: f(x, y), a, b)[0], c, d)"

linprog = _OPTIMIZE.refused("linprog", f"{_CORNER} add a small quadratic term and use minimize with bounds")
milp = _OPTIMIZE.refused("milp", f"{_CORNER} use a relaxation and minimize")
linear_sum_assignment = _OPTIMIZE.refused("linear_sum_assignment", f"{_CORNER} use a soft assignment, or pass v.value")
quadratic_assignment = _OPTIMIZE.refused("quadratic_assignment", f"{_CORNER} use a soft assignment, or pass v.value")
nnls = _OPTIMIZE.refused("nnls", f"{_ACTIVE} use least_squares(lambda x: a @ x - b, x0, bounds=(0, np.inf))")
lsq_linear = _OPTIMIZE.refused("lsq_linear", f"{_ACTIVE} use least_squares(lambda x: a @ x - b, x0, bounds=...)")

dblquad = _INTEGRATE.refused("dblquad", _NEST)
tplquad = _INTEGRATE.refused("tplquad", _NEST)
nquad = _INTEGRATE.refused("nquad", _NEST)
newton_cotes = _INTEGRATE.refused("newton_cotes", "has no gate: use simpson, or fixed_quad")
solve_bvp = _INTEGRATE.refused("solve_bvp", "has no gate: use root on the end of solve_ivp (shooting)")
ode = _INTEGRATE.refused("ode", "has no gate: use solve_ivp")
complex_ode = _INTEGRATE.refused("complex_ode", "has no gate: use solve_ivp, which takes complex states")
