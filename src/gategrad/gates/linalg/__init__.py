"""numpy.linalg: inverses and systems, determinants, decompositions, norms. Rules in plain NumPy, for stacks of matrices."""

from gategrad.gates.linalg import barrier as barrier
from gategrad.gates.linalg import checking as checking
from gategrad.gates.linalg import determinants as determinants
from gategrad.gates.linalg import eig as eig
from gategrad.gates.linalg import factors as factors
from gategrad.gates.linalg import inverses as inverses
from gategrad.gates.linalg import norms as norms
from gategrad.gates.linalg import products as products
from gategrad.gates.linalg import spectra as spectra
from gategrad.gates.linalg import svd as svd
