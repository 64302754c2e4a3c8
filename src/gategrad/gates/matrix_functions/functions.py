"""Functions of matrices: expm, logm, sqrtm, fractional powers, cosines and their kin.

One identity gives the derivative of them all: f([[x, e], [0, x]]) has f(x) on its diagonal, and beside it the derivative of
f at x along e (Higham, Functions of Matrices, section 3.2). It is the same function once more, so any order follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.linalg

from gategrad.gate import Gate
from gategrad.gates.axes import tracks
from gategrad.gates.linalg.matrices import known, no_gradient, random_matrix, transposed
from gategrad.gates.matrix_functions.equations import solve_sylvester
from gategrad.gates.matrix_functions.meeting import as_in_scipy, computed, square
from gategrad.kinds import Example
from gategrad.values import is_complex

__all__ = [
    "Expm",
    "FractionalMatrixPower",
    "Logm",
    "MatrixFunction",
    "Sqrtm",
    "coshm",
    "cosm",
    "expm",
    "expm_frechet",
    "fractional_matrix_power",
    "logm",
    "signm",
    "sinhm",
    "sinm",
    "sqrtm",
    "tanhm",
    "tanm",
]


class MatrixFunction(Gate):
    """A power series of a matrix. A kind: x receives the derivative of the series at xᵀ along dz."""

    pattern = "switcher"
    takes_complex = True
    x: Any

    def backward(self, dz: Any) -> Any:
        x = transposed(self.x)
        return _beside(self.fresh(), np.astype(x, np.result_type(x.dtype, np.float64)), dz)[1]

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """A matrix that is not normal."""
        yield cls(), (random_matrix(rng, 3, 3),)


class Expm(MatrixFunction):
    """z = Σ xᵏ / k!, the exponential of x. A switcher: x receives the derivative of the exponential at xᵀ along dz.

    Al-Mohy and Higham, SIAM J. Matrix Anal. Appl. 30 (2009).
    """

    symbol = "expm"

    def forward(self, x: Any) -> Any:
        self.x = x
        return computed(self, scipy.linalg.expm, x)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """A matrix, one whose eigenvalues coincide, and a stack."""
        yield cls(), (random_matrix(rng, 3, 3) - 2.0 * np.eye(3),)
        yield cls(), (np.array([[0.5, 1.0], [0.0, 0.5]]),)
        yield cls(), (random_matrix(rng, 2, 2, 2) * 0.5,)


class Logm(MatrixFunction):
    """z = log x, with exp z = x. A switcher: x receives the derivative of the logarithm at xᵀ along dz."""

    symbol = "logm"
    dtype = np.dtype(np.float64)  # as SciPy computes, whatever the precision of the data

    def forward(self, x: Any) -> Any:
        self.x = x
        return computed(self, lambda x: scipy.linalg.logm(x.astype(np.result_type(x, np.float64))), x)

    def backward(self, dz: Any) -> Any:
        _refuse_cut("logm", self.x)
        return super().backward(dz)


class FractionalMatrixPower(MatrixFunction):
    """z = xᵗ, for a real number t. A switcher: x receives the derivative of the power at xᵀ along dz."""

    symbol = "xᵗ"
    dtype = np.dtype(np.float64)  # as SciPy computes, whatever the precision of the data

    def __init__(self, t: float = 0.5) -> None:
        self.t = t

    def forward(self, x: Any) -> Any:
        self.x = x
        return computed(self, lambda x: scipy.linalg.fractional_matrix_power(x, self.t), x)

    def backward(self, dz: Any) -> Any:
        _refuse_cut("fractional_matrix_power", self.x)
        return super().backward(dz)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Powers on both sides of 0."""
        for t in (0.3, -1.7):
            yield cls(t), (random_matrix(rng, 3, 3),)


class Sqrtm(Gate):
    """z = x^½, with z z = x. A switcher: x receives the solution y of zᵀ y + y zᵀ = dz.

    Negative eigenvalues are allowed, zero has no gradient.
    """

    pattern, symbol = "switcher", "sqrtm"
    takes_complex = True

    def forward(self, x: Any) -> Any:
        self.z = z = computed(self, scipy.linalg.sqrtm, x)
        return z

    def backward(self, dz: Any) -> Any:
        z = transposed(self.z)
        value = known(z)
        if value.size and np.linalg.cond(value).max() > 1 / np.finfo(value.dtype).eps:
            raise no_gradient("sqrtm", "the matrix is singular", "Add a little to its diagonal")
        return solve_sylvester(z, z, dz)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Two matrices."""
        yield cls(), (random_matrix(rng, 3, 3),)
        yield cls(), (random_matrix(rng, 2, 2),)


def _beside(function: Any, x: Any, e: Any) -> tuple[Any, Any]:
    """f(x), and its derivative along e: the blocks in the first row of f([[x, e], [0, x]])."""
    n = x.shape[-1]
    row = np.concatenate([x, e], axis=-1)
    below = np.concatenate([np.zeros(x.shape, x.dtype), x], axis=-1)
    z = function(np.concatenate([row, below], axis=-2))
    return z[..., :n, :n], z[..., :n, n:]


def _refuse_cut(name: str, x: Any) -> None:
    """Logarithms and powers jump on the negative axis."""
    w = np.linalg.eigvals(known(x))
    if np.any((w.real <= 0) & (np.abs(w.imag) <= 1e2 * np.finfo(w.dtype).eps * np.abs(w).max(initial=0.0))):
        raise no_gradient(
            name,
            "an eigenvalue is zero or negative, where the function jumps",
            "Shift the matrix, or use sqrtm or expm",
        )


# --- SciPy's functions ----------------------------------------------------------------------------------------


@as_in_scipy
def expm(A: Any) -> Any:
    """The exponential of a matrix, Σ Aᵏ / k!; as `scipy.linalg.expm`, for stacks too.

    >>> import numpy as np, gategrad as gg
    >>> turn = lambda angle: expm(angle * np.array([[0.0, -1.0], [1.0, 0.0]]))[1, 0]
    >>> bool(np.isclose(gg.grad(turn)(0.5), np.cos(0.5), rtol=1e-14))
    True
    """
    return Expm()(square("expm", A))


@as_in_scipy
def expm_frechet(A: Any, E: Any, method: Any = None, compute_expm: bool = True) -> Any:
    """exp A, and its derivative along E; as `scipy.linalg.expm_frechet`, without the choice of a method."""
    A = square("expm_frechet", A)
    z, along = _beside(Expm(), np.astype(A, np.result_type(A.dtype, np.float64)), E)  # double precision, as there
    return (z, along) if compute_expm else along


@as_in_scipy
def logm(A: Any) -> Any:
    """The principal logarithm of a matrix, with expm(logm(A)) = A; as `scipy.linalg.logm`.

    Raises `NoGradientError` in the backward pass where an eigenvalue is zero or negative.

    >>> import numpy as np, gategrad as gg
    >>> bool(np.allclose(gg.grad(lambda x: np.trace(logm(x)))(np.diag([2.0, 4.0])), np.diag([0.5, 0.25])))
    True
    """
    return Logm()(square("logm", A))


@as_in_scipy
def sqrtm(A: Any) -> Any:
    """The principal square root of a matrix, with z @ z = A; as `scipy.linalg.sqrtm`.

    Raises `NoGradientError` in the backward pass if the matrix is singular.

    >>> import numpy as np, gategrad as gg
    >>> bool(np.allclose(gg.grad(lambda x: np.trace(sqrtm(x)))(np.diag([4.0, 1.0])), np.diag([0.25, 0.5])))
    True
    """
    return Sqrtm()(square("sqrtm", A))


@as_in_scipy
def fractional_matrix_power(A: Any, t: Any) -> Any:
    """A matrix to the power of a real number, which may be a variable too; as `scipy.linalg.fractional_matrix_power`.

    >>> import numpy as np, gategrad as gg
    >>> power = lambda t: np.trace(fractional_matrix_power(np.diag([1.0, np.e]), t))
    >>> bool(np.isclose(gg.grad(power)(0.5), np.exp(0.5)))
    True
    """
    A = square("fractional_matrix_power", A)
    if not tracks(t):
        return FractionalMatrixPower(float(t))(A)
    z = expm(t * logm(A))
    return z if is_complex(z) else np.astype(z, A.dtype)  # the logarithm alone is in double precision


@as_in_scipy
def cosm(A: Any) -> Any:
    """The cosine of a matrix, the real part of exp(iA) if A is real; as `scipy.linalg.cosm`."""
    return _turn("cosm", A)[0]


@as_in_scipy
def sinm(A: Any) -> Any:
    """The sine of a matrix, the imaginary part of exp(iA) if A is real; as `scipy.linalg.sinm`."""
    return _turn("sinm", A)[1]


@as_in_scipy
def tanm(A: Any) -> Any:
    """The tangent of a matrix, cos(A)⁻¹ sin(A); as `scipy.linalg.tanm`."""
    return np.linalg.solve(*_turn("tanm", A))


@as_in_scipy
def coshm(A: Any) -> Any:
    """The hyperbolic cosine of a matrix, (exp A + exp −A) / 2; as `scipy.linalg.coshm`."""
    return (expm(A) + expm(-A)) * 0.5


@as_in_scipy
def sinhm(A: Any) -> Any:
    """The hyperbolic sine of a matrix, (exp A − exp −A) / 2; as `scipy.linalg.sinhm`."""
    return (expm(A) - expm(-A)) * 0.5


@as_in_scipy
def tanhm(A: Any) -> Any:
    """The hyperbolic tangent of a matrix, cosh(A)⁻¹ sinh(A); as `scipy.linalg.tanhm`."""
    up, down = expm(A), expm(-A)
    return np.linalg.solve(up + down, up - down)


@as_in_scipy
def signm(A: Any) -> Any:
    """The sign of a matrix, A (A²)^−½, whose eigenvalues are ±1; as `scipy.linalg.signm`."""
    return np.linalg.solve(sqrtm(A @ A), square("signm", A))


def _turn(name: str, A: Any) -> tuple[Any, Any]:
    """cos A and sin A: the first column of exp [[0, −A], [A, 0]], in which nothing is complex that was real."""
    A = square(name, A)
    n = A.shape[-1]
    nothing = np.zeros(A.shape, A.dtype)
    whole = np.concatenate([np.concatenate([nothing, -A], axis=-1), np.concatenate([A, nothing], axis=-1)], axis=-2)
    z = expm(whole)
    return z[..., :n, :n], z[..., n:, :n]
