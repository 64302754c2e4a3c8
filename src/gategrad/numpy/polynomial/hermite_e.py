"""Hermite's polynomials, of probability: NumPy's names, whose functions of coefficients and points take variables; the class holds plain numbers."""

from numpy.polynomial.hermite_e import HermiteE as HermiteE
from numpy.polynomial.hermite_e import hermedomain as hermedomain
from numpy.polynomial.hermite_e import hermegauss as hermegauss
from numpy.polynomial.hermite_e import hermeline as hermeline
from numpy.polynomial.hermite_e import hermeone as hermeone
from numpy.polynomial.hermite_e import hermetrim as hermetrim
from numpy.polynomial.hermite_e import hermeweight as hermeweight
from numpy.polynomial.hermite_e import hermex as hermex
from numpy.polynomial.hermite_e import hermezero as hermezero

from gategrad.gates.polynomial_series import HERMITE_E as _SERIES

hermeadd = _SERIES.add
hermeder = _SERIES.der
hermefit = _SERIES.fit
hermegrid2d = _SERIES.grid2d
hermegrid3d = _SERIES.grid3d
hermeint = _SERIES.integral
hermemul = _SERIES.mul
hermemulx = _SERIES.mulx
hermepow = _SERIES.pow
hermesub = _SERIES.sub
hermeval = _SERIES.val
hermeval2d = _SERIES.val2d
hermeval3d = _SERIES.val3d
hermevander = _SERIES.vander
hermevander2d = _SERIES.vander2d
hermevander3d = _SERIES.vander3d
hermecompanion = _SERIES.refused["companion"]
hermediv = _SERIES.refused["div"]
hermefromroots = _SERIES.refused["fromroots"]
hermeroots = _SERIES.refused["roots"]
herme2poly = _SERIES.converted["herme2poly"]
poly2herme = _SERIES.converted["poly2herme"]
