"""Chebyshev's polynomials: NumPy's names, whose functions of coefficients and points take variables; the class holds plain numbers."""

from numpy.polynomial.chebyshev import Chebyshev as Chebyshev
from numpy.polynomial.chebyshev import chebdomain as chebdomain
from numpy.polynomial.chebyshev import chebgauss as chebgauss
from numpy.polynomial.chebyshev import chebinterpolate as chebinterpolate
from numpy.polynomial.chebyshev import chebline as chebline
from numpy.polynomial.chebyshev import chebone as chebone
from numpy.polynomial.chebyshev import chebpts1 as chebpts1
from numpy.polynomial.chebyshev import chebpts2 as chebpts2
from numpy.polynomial.chebyshev import chebtrim as chebtrim
from numpy.polynomial.chebyshev import chebweight as chebweight
from numpy.polynomial.chebyshev import chebx as chebx
from numpy.polynomial.chebyshev import chebzero as chebzero

from gategrad.gates.polynomial_series import CHEBYSHEV as _SERIES

chebadd = _SERIES.add
chebder = _SERIES.der
chebfit = _SERIES.fit
chebgrid2d = _SERIES.grid2d
chebgrid3d = _SERIES.grid3d
chebint = _SERIES.integral
chebmul = _SERIES.mul
chebmulx = _SERIES.mulx
chebpow = _SERIES.pow
chebsub = _SERIES.sub
chebval = _SERIES.val
chebval2d = _SERIES.val2d
chebval3d = _SERIES.val3d
chebvander = _SERIES.vander
chebvander2d = _SERIES.vander2d
chebvander3d = _SERIES.vander3d
chebcompanion = _SERIES.refused["companion"]
chebdiv = _SERIES.refused["div"]
chebfromroots = _SERIES.refused["fromroots"]
chebroots = _SERIES.refused["roots"]
cheb2poly = _SERIES.converted["cheb2poly"]
poly2cheb = _SERIES.converted["poly2cheb"]
