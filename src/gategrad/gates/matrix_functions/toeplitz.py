"""Systems and products with Toeplitz and circulant matrices, of their first columns and rows: no matrix is written out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.linalg

from gategrad.gate import Gate
from gategrad.gates.axes import as_input, shape_of
from gategrad.gates.conjugation import conj
from gategrad.gates.linalg.coinciding import is_traced
from gategrad.gates.linalg.matrices import known
from gategrad.gates.matrix_functions.meeting import as_in_scipy, computed
from gategrad.gates.matrix_functions.structured import circulant, toeplitz
from gategrad.kinds import Example
from gategrad.values import is_complex

__all__ = ["SolveToeplitz", "matmul_toeplitz", "solve_circulant", "solve_toeplitz"]


class SolveToeplitz(Gate):
    """z = t⁻¹ y, with t constant along its diagonals, of its first column and row. A switcher: y receives t⁻ᵀ dz.

    The diagonals receive minus the sums of dy zᵀ along them. By Levinson's recursion, n² operations.
    """

    pattern, symbol = "switcher", "solve"
    takes_complex = True
    dtype = np.dtype(np.float64)  # as SciPy computes, whatever the precision of the data

    def forward(self, column: Any, row: Any, y: Any) -> Any:
        z = computed(self, lambda c, r, y: scipy.linalg.solve_toeplitz((c, r), y), column, row, y)
        self.column, self.row = column, row
        self.z: Any = z if self.needs[0] or self.needs[1] else None
        return z

    def backward(self, dz: Any) -> Any:
        n = shape_of(self.column)[0]
        if n == 0:
            return None, None, None
        first = self.column[:1]
        dy = SolveToeplitz()(np.concatenate([first, self.row[1:]]), self.column, dz)
        if not (self.needs[0] or self.needs[1]):
            return None, None, dy
        pairs = [(dy, self.z)] if len(shape_of(dy)) == 1 else [(dy[:, k], self.z[:, k]) for k in range(shape_of(dy)[1])]
        sums: Any = -sum(np.convolve(up, z[::-1]) for up, z in pairs)  # at n − 1 + i − j
        above = np.concatenate([np.zeros(1, sums.dtype), sums[: n - 1][::-1]])  # the corner is the column's
        dxs = sums[n - 1 :], above, dy
        return tuple([dx if need else None for dx, need in zip(dxs, self.needs, strict=True)])

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """One vector, and several."""
        for shape in ((4,), (3, 2)):
            column, row = rng.uniform(-0.3, 0.3, (2, shape[0]))
            column[0] += 2.0
            yield cls(), (column, row, rng.uniform(-1.0, 1.0, shape))


@as_in_scipy
def solve_toeplitz(c_or_cr: Any, b: Any) -> Any:
    """The solution of a x = b, of the first column (and row) of a Toeplitz matrix; as `scipy.linalg.solve_toeplitz`.

    In double precision, as there, and in n² operations, gradients too.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda c: np.sum(solve_toeplitz(c, np.ones(2))))(np.array([3.0, 1.0])).round(12)
    array([-0.125, -0.125])
    """
    column, row = _column_and_row(c_or_cr)
    b = as_input(b)
    dtype = np.result_type(column.dtype, row.dtype, b.dtype, np.float64)
    return SolveToeplitz()(*[np.astype(x, dtype) for x in (column, row, b)])


@as_in_scipy
def matmul_toeplitz(c_or_cr: Any, x: Any) -> Any:
    """The product of a Toeplitz matrix and x, by a circulant matrix around it; as `scipy.linalg.matmul_toeplitz`.

    In double precision, as there. Programs have no complex numbers, so a compiled function writes the matrix out.
    """
    column, row, x = map(_double, (*_column_and_row(c_or_cr), as_input(x)))
    if is_traced(column) or is_traced(row) or is_traced(x):
        return toeplitz(column, row) @ x
    around = np.concatenate([column, row[:0:-1]])
    return _cycled(around, x, np.multiply)[: shape_of(column)[0]]


@as_in_scipy
def solve_circulant(c: Any, b: Any) -> Any:
    """The solution of a x = b, of the first column of a circulant matrix, by Fourier's transform; as `scipy.linalg.solve_circulant`.

    Programs have no complex numbers, so a compiled function writes the matrix out. Raises `LinAlgError` for a singular one.
    """
    c, b = as_input(c), as_input(b)
    if is_traced(c) or is_traced(b):
        return np.linalg.solve(circulant(c), b)
    spectrum = np.abs(np.fft.fft(known(c)))
    near = spectrum.max(initial=0.0) * np.finfo(spectrum.dtype).eps * shape_of(c)[0]
    if np.any(spectrum <= near):
        raise np.linalg.LinAlgError("singular circulant matrix.")
    return _cycled(c, b, lambda c, b: b / c)


def _column_and_row(c_or_cr: Any) -> tuple[Any, Any]:
    if isinstance(c_or_cr, tuple):
        column, row = map(as_input, c_or_cr)
    else:
        column = as_input(c_or_cr)
        row = conj(column)
    return np.reshape(column, -1), np.reshape(row, -1)


def _double(x: Any) -> Any:
    return np.astype(x, np.result_type(x.dtype, np.float64))


def _cycled(c: Any, x: Any, combine: Any) -> Any:
    """What becomes of x, with zeros behind it, where each frequency is combined with that of c."""
    n, columns = shape_of(c)[0], len(shape_of(x)) == 2
    dtype = np.result_type(c.dtype, x.dtype, np.float32)
    forth, back = (np.fft.fft, np.fft.ifft) if is_complex(c) or is_complex(x) else (np.fft.rfft, np.fft.irfft)
    spectrum = forth(c)
    z = back(combine(spectrum[:, None] if columns else spectrum, forth(x, n, axis=0)), n, axis=0)
    return z if z.dtype == dtype else z.astype(dtype)
