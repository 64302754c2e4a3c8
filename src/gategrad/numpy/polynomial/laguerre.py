"""Laguerre's polynomials: NumPy's names, whose functions of coefficients and points take variables; the class holds plain numbers."""

from numpy.polynomial.laguerre import Laguerre as Laguerre
from numpy.polynomial.laguerre import lagdomain as lagdomain
from numpy.polynomial.laguerre import laggauss as laggauss
from numpy.polynomial.laguerre import lagline as lagline
from numpy.polynomial.laguerre import lagone as lagone
from numpy.polynomial.laguerre import lagtrim as lagtrim
from numpy.polynomial.laguerre import lagweight as lagweight
from numpy.polynomial.laguerre import lagx as lagx
from numpy.polynomial.laguerre import lagzero as lagzero

from gategrad.gates.polynomial_series import LAGUERRE as _SERIES

lagadd = _SERIES.add
lagder = _SERIES.der
lagfit = _SERIES.fit
laggrid2d = _SERIES.grid2d
laggrid3d = _SERIES.grid3d
lagint = _SERIES.integral
lagmul = _SERIES.mul
lagmulx = _SERIES.mulx
lagpow = _SERIES.pow
lagsub = _SERIES.sub
lagval = _SERIES.val
lagval2d = _SERIES.val2d
lagval3d = _SERIES.val3d
lagvander = _SERIES.vander
lagvander2d = _SERIES.vander2d
lagvander3d = _SERIES.vander3d
lagcompanion = _SERIES.refused["companion"]
lagdiv = _SERIES.refused["div"]
lagfromroots = _SERIES.refused["fromroots"]
lagroots = _SERIES.refused["roots"]
lag2poly = _SERIES.converted["lag2poly"]
poly2lag = _SERIES.converted["poly2lag"]
