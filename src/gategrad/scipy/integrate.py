"""scipy.integrate for variables, under the same names: initial value problems and integrals, with gradients.

`from gategrad.scipy import integrate` instead of `from scipy import integrate` is the whole change. SciPy's own functions raise
`EscapeError` where they meet a variable.
"""

from scipy.integrate import BDF as BDF
from scipy.integrate import DOP853 as DOP853
from scipy.integrate import LSODA as LSODA
from scipy.integrate import RK23 as RK23
from scipy.integrate import RK45 as RK45
from scipy.integrate import DenseOutput as DenseOutput
from scipy.integrate import IntegrationWarning as IntegrationWarning
from scipy.integrate import ODEintWarning as ODEintWarning
from scipy.integrate import OdeSolution as OdeSolution
from scipy.integrate import OdeSolver as OdeSolver
from scipy.integrate import Radau as Radau
from scipy.integrate import qmc_quad as qmc_quad
from scipy.integrate import quad_vec as quad_vec

from gategrad.gates.sampled_integrals import cumulative_simpson as cumulative_simpson
from gategrad.gates.sampled_integrals import cumulative_trapezoid as cumulative_trapezoid
from gategrad.gates.sampled_integrals import fixed_quad as fixed_quad
from gategrad.gates.sampled_integrals import romb as romb
from gategrad.gates.sampled_integrals import simpson as simpson
from gategrad.gates.sampled_integrals import trapezoid as trapezoid
from gategrad.solvers.differential import odeint as odeint
from gategrad.solvers.differential import solve_ivp as solve_ivp
from gategrad.solvers.quadrature import quad as quad
from gategrad.solvers.refused import complex_ode as complex_ode
from gategrad.solvers.refused import dblquad as dblquad
from gategrad.solvers.refused import newton_cotes as newton_cotes
from gategrad.solvers.refused import nquad as nquad
from gategrad.solvers.refused import ode as ode
from gategrad.solvers.refused import solve_bvp as solve_bvp
from gategrad.solvers.refused import tplquad as tplquad
