"""Legendre's polynomials: NumPy's names, whose functions of coefficients and points take variables; the class holds plain numbers."""

from numpy.polynomial.legendre import Legendre as Legendre
from numpy.polynomial.legendre import legdomain as legdomain
from numpy.polynomial.legendre import leggauss as leggauss
from numpy.polynomial.legendre import legline as legline
from numpy.polynomial.legendre import legone as legone
from numpy.polynomial.legendre import legtrim as legtrim
from numpy.polynomial.legendre import legweight as legweight
from numpy.polynomial.legendre import legx as legx
from numpy.polynomial.legendre import legzero as legzero

from gategrad.gates.polynomial_series import LEGENDRE as _SERIES

legadd = _SERIES.add
legder = _SERIES.der
legfit = _SERIES.fit
leggrid2d = _SERIES.grid2d
leggrid3d = _SERIES.grid3d
legint = _SERIES.integral
legmul = _SERIES.mul
legmulx = _SERIES.mulx
legpow = _SERIES.pow
legsub = _SERIES.sub
legval = _SERIES.val
legval2d = _SERIES.val2d
legval3d = _SERIES.val3d
legvander = _SERIES.vander
legvander2d = _SERIES.vander2d
legvander3d = _SERIES.vander3d
legcompanion = _SERIES.refused["companion"]
legdiv = _SERIES.refused["div"]
legfromroots = _SERIES.refused["fromroots"]
legroots = _SERIES.refused["roots"]
leg2poly = _SERIES.converted["leg2poly"]
poly2leg = _SERIES.converted["poly2leg"]
