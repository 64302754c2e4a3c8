"""Hermite's polynomials, of physicists: NumPy's names, whose functions of coefficients and points take variables; the class holds plain numbers."""

from numpy.polynomial.hermite import Hermite as Hermite
from numpy.polynomial.hermite import hermdomain as hermdomain
from numpy.polynomial.hermite import hermgauss as hermgauss
from numpy.polynomial.hermite import hermline as hermline
from numpy.polynomial.hermite import hermone as hermone
from numpy.polynomial.hermite import hermtrim as hermtrim
from numpy.polynomial.hermite import hermweight as hermweight
from numpy.polynomial.hermite import hermx as hermx
from numpy.polynomial.hermite import hermzero as hermzero

from gategrad.gates.polynomial_series import HERMITE as _SERIES

hermadd = _SERIES.add
hermder = _SERIES.der
hermfit = _SERIES.fit
hermgrid2d = _SERIES.grid2d
hermgrid3d = _SERIES.grid3d
hermint = _SERIES.integral
hermmul = _SERIES.mul
hermmulx = _SERIES.mulx
hermpow = _SERIES.pow
hermsub = _SERIES.sub
hermval = _SERIES.val
hermval2d = _SERIES.val2d
hermval3d = _SERIES.val3d
hermvander = _SERIES.vander
hermvander2d = _SERIES.vander2d
hermvander3d = _SERIES.vander3d
hermcompanion = _SERIES.refused["companion"]
hermdiv = _SERIES.refused["div"]
hermfromroots = _SERIES.refused["fromroots"]
hermroots = _SERIES.refused["roots"]
herm2poly = _SERIES.converted["herm2poly"]
poly2herm = _SERIES.converted["poly2herm"]
