"""SciPy's special functions on variables; imported when the first of them meets one, since SciPy is heavy."""

from gategrad.gates.special import bessel as bessel
from gategrad.gates.special import counts as counts
from gategrad.gates.special import densities as densities
from gategrad.gates.special import differential as differential
from gategrad.gates.special import elementary as elementary
from gategrad.gates.special import elliptic as elliptic
from gategrad.gates.special import error_function as error_function
from gategrad.gates.special import gamma as gamma
from gategrad.gates.special import gamma_distribution as gamma_distribution
from gategrad.gates.special import hypergeometric as hypergeometric
from gategrad.gates.special import incomplete as incomplete
from gategrad.gates.special import information as information
from gategrad.gates.special import integrals as integrals
from gategrad.gates.special import missing as missing
from gategrad.gates.special import orthogonal as orthogonal
from gategrad.gates.special import probability as probability
from gategrad.gates.special import reductions as reductions
from gategrad.gates.special import spherical as spherical
from gategrad.gates.special import voigt as voigt
