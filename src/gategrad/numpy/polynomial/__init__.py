"""Series of polynomials: NumPy's names. The functions of the modules take coefficients that are variables; the classes do not."""

from numpy.polynomial import Chebyshev as Chebyshev
from numpy.polynomial import Hermite as Hermite
from numpy.polynomial import HermiteE as HermiteE
from numpy.polynomial import Laguerre as Laguerre
from numpy.polynomial import Legendre as Legendre
from numpy.polynomial import Polynomial as Polynomial
from numpy.polynomial import set_default_printstyle as set_default_printstyle

from gategrad.numpy.polynomial import chebyshev as chebyshev
from gategrad.numpy.polynomial import hermite as hermite
from gategrad.numpy.polynomial import hermite_e as hermite_e
from gategrad.numpy.polynomial import laguerre as laguerre
from gategrad.numpy.polynomial import legendre as legendre
from gategrad.numpy.polynomial import polynomial as polynomial
