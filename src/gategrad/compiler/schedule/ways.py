"""Which way a matrix product is computed, by its sizes."""

from __future__ import annotations

from gategrad.compiler.program.value import Value

__all__ = ["SMALL", "is_few", "is_shallow", "is_small", "is_thin", "is_vector", "sizes_of"]

SMALL = 128**3
"""Products of at most this many multiplications read the matrices where they lie (measured)."""

_SHALLOW = 64  # steps; up to there tiles take two thirds of the time of BLAS at any size (measured)
_FEW, _WIDE, _FAR = (
    12,
    64,
    2**18,
)  # rows, columns, and bytes: what a second cache does not hold beside other things (measured)
_SHORT = 8  # steps of a sum
_WORTH_LAYING = 8  # rows that read a `y` which was laid out for them
_LOW, _NARROW = 32, 8  # rows and columns below which laying out the matrices takes longer than BLAS (measured)
_LOW_IF_LARGE, _LARGE = 256, 2**22  # the same where `y` has more bytes than that, and is laid out in the third cache
_CACHED = 2**20  # bytes of the second cache


def sizes_of(product: Value) -> tuple[int, int, int]:
    """Rows, steps and columns of each of the products of a value."""
    x, y = product.inputs
    return x.shape[-2], x.shape[-1], y.shape[-1]


def is_vector(product: Value) -> bool:
    """Whether one of the matrices is a single row or column, for which BLAS has routines of its own.

    Tiles take two to twelve times as long, but half as long where each sum is short (measured).
    """
    rows, inner, columns = sizes_of(product)
    return rows == 1 or (columns == 1 and inner >= _SHORT)


def is_small(product: Value) -> bool:
    """Whether nothing is worth laying out."""
    rows, inner, columns = sizes_of(product)
    return rows * inner * columns <= SMALL


def is_shallow(product: Value) -> bool:
    """Whether BLAS would spend its time on packing: few steps for each element, and a `y` that a cache holds."""
    rows, inner, columns = sizes_of(product)
    return inner <= _SHALLOW and rows >= _WORTH_LAYING and inner * columns * product.dtype.itemsize <= _CACHED


def is_few(product: Value) -> bool:
    """Whether so few rows are computed that a second matrix whose rows lie in order is best read once, where it lies."""
    rows, inner, columns = sizes_of(product)
    return rows <= _FEW and columns >= _WIDE and inner * columns * product.dtype.itemsize >= _FAR


def is_thin(product: Value) -> bool:
    """Whether the matrices are used too few times to be worth laying out."""
    rows, inner, columns = sizes_of(product)
    low = _LOW_IF_LARGE if inner * columns * product.dtype.itemsize > _LARGE else _LOW
    double = product.dtype.itemsize == 8  # in single precision SciPy's BLAS takes up to half as long again as panels do
    return (double and rows < low) or columns < _NARROW
