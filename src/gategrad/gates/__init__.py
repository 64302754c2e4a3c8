"""What can be computed. A gate and its function live in one module here and nowhere else; importing it registers it."""

from gategrad.gate import latecomers as _latecomers
from gategrad.gates import activation as activation
from gategrad.gates import arithmetic as arithmetic
from gategrad.gates import branches as branches
from gategrad.gates import choosing as choosing
from gategrad.gates import chosen as chosen
from gategrad.gates import comparison as comparison
from gategrad.gates import complex as complex
from gategrad.gates import convolution as convolution
from gategrad.gates import counting as counting
from gategrad.gates import covariance as covariance
from gategrad.gates import creation as creation
from gategrad.gates import diagonal as diagonal
from gategrad.gates import differences as differences
from gategrad.gates import division as division
from gategrad.gates import editing as editing
from gategrad.gates import einsum as einsum
from gategrad.gates import exponential as exponential
from gategrad.gates import filling as filling
from gategrad.gates import fitting as fitting
from gategrad.gates import fourier as fourier
from gategrad.gates import grids as grids
from gategrad.gates import hidden_slope as hidden_slope
from gategrad.gates import indexing as indexing
from gategrad.gates import interpolation as interpolation
from gategrad.gates import joining as joining
from gategrad.gates import linalg as linalg
from gategrad.gates import loss as loss
from gategrad.gates import missing as missing
from gategrad.gates import mixing as mixing
from gategrad.gates import padding as padding
from gategrad.gates import polynomials as polynomials
from gategrad.gates import products as products
from gategrad.gates import quantiles as quantiles
from gategrad.gates import queries as queries
from gategrad.gates import reduction as reduction
from gategrad.gates import repairs as repairs
from gategrad.gates import rows as rows
from gategrad.gates import running as running
from gategrad.gates import series as series
from gategrad.gates import shaping as shaping
from gategrad.gates import signs as signs
from gategrad.gates import statistics as statistics
from gategrad.gates import trigonometry as trigonometry
from gategrad.gates import ufunc_methods as ufunc_methods
from gategrad.gates import windows as windows
from gategrad.gates import writing as writing


def _special_functions() -> None:
    """The gates for SciPy's special functions: brought when the first of them meets a variable."""
    from gategrad.gates import special  # noqa: F401  (importing it registers them)


_latecomers["scipy.special"] = _special_functions
