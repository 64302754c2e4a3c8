"""scipy.linalg: what numpy.linalg has not; triangular systems, functions of matrices, matrix equations, structured matrices.

These functions of SciPy's look at their arguments themselves, so a variable cannot answer them; `gategrad.scipy.linalg` has
them under the same names. It is imported by those who name it, since SciPy is heavy.
"""

from gategrad.gates.matrix_functions import angles as angles
from gategrad.gates.matrix_functions import banded as banded
from gategrad.gates.matrix_functions import decompositions as decompositions
from gategrad.gates.matrix_functions import equations as equations
from gategrad.gates.matrix_functions import functions as functions
from gategrad.gates.matrix_functions import indefinite as indefinite
from gategrad.gates.matrix_functions import missing as missing
from gategrad.gates.matrix_functions import riccati as riccati
from gategrad.gates.matrix_functions import rotations as rotations
from gategrad.gates.matrix_functions import structured as structured
from gategrad.gates.matrix_functions import systems as systems
from gategrad.gates.matrix_functions import toeplitz as toeplitz
from gategrad.gates.matrix_functions import triangular as triangular
