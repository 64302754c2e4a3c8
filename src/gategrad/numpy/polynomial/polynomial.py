"""Powers of x: NumPy's names, whose functions of coefficients and points take variables; the class holds plain numbers."""

from numpy.polynomial.polynomial import Polynomial as Polynomial
from numpy.polynomial.polynomial import polydomain as polydomain
from numpy.polynomial.polynomial import polyline as polyline
from numpy.polynomial.polynomial import polyone as polyone
from numpy.polynomial.polynomial import polytrim as polytrim
from numpy.polynomial.polynomial import polyvalfromroots as polyvalfromroots
from numpy.polynomial.polynomial import polyx as polyx
from numpy.polynomial.polynomial import polyzero as polyzero

from gategrad.gates.polynomial_series import POWERS as _SERIES

polyadd = _SERIES.add
polyder = _SERIES.der
polyfit = _SERIES.fit
polygrid2d = _SERIES.grid2d
polygrid3d = _SERIES.grid3d
polyint = _SERIES.integral
polymul = _SERIES.mul
polymulx = _SERIES.mulx
polypow = _SERIES.pow
polysub = _SERIES.sub
polyval = _SERIES.val
polyval2d = _SERIES.val2d
polyval3d = _SERIES.val3d
polyvander = _SERIES.vander
polyvander2d = _SERIES.vander2d
polyvander3d = _SERIES.vander3d
polycompanion = _SERIES.refused["companion"]
polydiv = _SERIES.refused["div"]
polyfromroots = _SERIES.refused["fromroots"]
polyroots = _SERIES.refused["roots"]
