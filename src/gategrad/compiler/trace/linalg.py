"""numpy.linalg on symbols: operations that LAPACK answers, and what is made of them.

Whatever is asked for in another form (full singular vectors, other modes, other dtypes) is called on the host.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.array_methods import functions
from gategrad.compiler.program.ops import Failure
from gategrad.compiler.program.value import Value
from gategrad.compiler.trace.symbol import (
    Symbol,
    as_value,
    builder_of,
    cast,
    common_dtype,
    emit,
    hosts,
    lowers,
    traces,
)
from gategrad.gates.linalg.checking import Check

__all__: list[str] = []

_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def _given(*xs: Any) -> list[Any] | None:
    """Matrices as symbols of one dtype that LAPACK knows; None if there is none."""
    dtype = common_dtype(xs)
    dtype = np.dtype(np.float64) if dtype.kind in "iub" else dtype
    for x in xs:
        if np.ndim(x) < 2:
            raise np.linalg.LinAlgError(f"{np.ndim(x)}-dimensional array given. Array must be at least two-dimensional")
    if dtype not in _FLOATS:
        return None
    builder = builder_of(xs)
    return [Symbol(cast(as_value(x, builder), dtype, builder), builder) for x in xs]


def _squares(*xs: Any) -> list[Any] | None:
    """The same, of which the first are square matrices, as in NumPy."""
    given = _given(*xs)
    if given is not None and given[0].shape[-1] != given[0].shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    return given


def _turned(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _part(packed: Any, start: int, rows: int, columns: int) -> Any:
    """A matrix out of the row of numbers that an operation has per matrix."""
    return np.reshape(packed[..., start : start + rows * columns], (*packed.shape[:-1], rows, columns))


# --- factors, and what is solved with them ---------------------------------------------------------------------------


@traces(np.linalg.cholesky)
def _cholesky(a: Any, /, *, upper: bool = False) -> Any:
    given = _squares(a)
    if given is None:
        return hosts["function"](np.linalg.cholesky, (a,), {"upper": upper})
    return _turned(emit("cholesky", _turned(given[0]))) if upper else emit("cholesky", given[0])


@traces(np.linalg.solve)
def _solve(a: Any, b: Any) -> Any:
    if np.ndim(b) == 1:
        return _solve(a, np.reshape(b, (-1, 1)))[..., 0]
    given = _squares(a, b)
    if given is None:
        return hosts["function"](np.linalg.solve, (a, b), {})
    x, y = given
    if x.shape[-1] != y.shape[-2]:
        raise ValueError(f"solve: x is {x.shape}, y is {y.shape}; y must have as many rows ({y.shape[-2]}) as x")
    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    y = np.broadcast_to(y, batch + y.shape[-2:])
    triangle = _triangle(x.value)
    if triangle is not None:
        return emit("triangular_solve", np.broadcast_to(x, batch + x.shape[-2:]), y, lower=triangle == "lower")
    lu, is_turned = _factors(x)
    return emit("lu_solve", np.broadcast_to(lu, batch + lu.shape[-1:]), y, transposed=is_turned)


@traces(np.linalg.inv)
def _inv(a: Any) -> Any:
    given = _squares(a)
    if given is None:
        return hosts["function"](np.linalg.inv, (a,), {})
    lu, is_turned = _factors(given[0])
    inverse = emit("lu_inverse", lu)  # by columns
    return inverse if is_turned else _turned(inverse)


def _factors(x: Any) -> tuple[Any, bool]:
    """The factors of x, or of the matrix that x is the transpose of: both are solved with the same ones.

    What has been checked is the matrix; its factors are not computed again for that, but used behind the check.
    """
    value, builder, is_turned, checks = x.value, x.builder, False, []
    while _is_turn(value) or value.op.name == "check":
        if value.op.name == "check":
            checks.append(value)
        else:
            is_turned = not is_turned
        value = value.inputs[0]
    lu = emit("lu", Symbol(value, builder))
    for check in reversed(checks):
        lu = emit("check", lu, Symbol(check.inputs[1], builder), **check.options)
    return lu, is_turned


def _is_turn(value: Value) -> bool:
    rank = len(value.shape)
    return value.op.name == "transpose" and value.options["axes"] == (*range(rank - 2), rank - 1, rank - 2)


def _triangle(value: Value) -> str | None:
    """Which triangle of a matrix has all that is not zero, as far as the program tells."""
    turned = False
    while _is_turn(value) or (value.op.name == "broadcast" and value.shape[-2:] == value.inputs[0].shape[-2:]):
        turned ^= _is_turn(value)
        value = value.inputs[0]
    if value.op.name != "cholesky":
        return None
    return "upper" if turned else "lower"


# --- determinants ----------------------------------------------------------------------------------------------------


@traces(np.linalg.slogdet)
def _slogdet(a: Any) -> Any:
    given = _squares(a)
    if given is None:
        return _SlogdetResult(*hosts["function"](np.linalg.slogdet, (a,), {}))
    (x,) = given
    n = x.shape[-1]
    lu, _ = _factors(x)
    diagonal = lu[..., : n * n : n + 1]
    exchanged = np.not_equal(lu[..., n * n :], np.arange(n, dtype=lu.dtype))
    signs = np.where(exchanged, -np.sign(diagonal), np.sign(diagonal))
    sign = np.prod(signs, axis=-1) + 0.0  # no -0.0
    return _SlogdetResult(sign, np.sum(np.log(np.abs(diagonal)), axis=-1))


@traces(np.linalg.det)
def _det(a: Any) -> Any:
    if _squares(a) is None:
        return hosts["function"](np.linalg.det, (a,), {})
    sign, log = _slogdet(a)
    return sign * np.exp(log)


# --- decompositions --------------------------------------------------------------------------------------------------


@traces(np.linalg.eigh)
def _eigh(a: Any, UPLO: str = "L") -> Any:
    given = _squares(a)
    if given is None or UPLO.upper() not in ("L", "U"):
        return _EighResult(*hosts["function"](np.linalg.eigh, (a, UPLO), {}))
    n = given[0].shape[-1]
    packed = emit("eigh", given[0], lower=UPLO.upper() == "L")
    return _EighResult(packed[..., :n], _turned(_part(packed, n, n, n)))


@traces(np.linalg.eig)
def _eig(a: Any) -> Any:
    """Complex numbers, although NumPy has real ones where all eigenvalues are: then the program gives up."""
    given = _squares(a)
    if given is None:
        return _EigResult(*hosts["function"](np.linalg.eig, (a,), {}))
    given[0].builder.guesses = "np.linalg.eig gives complex numbers for some matrices, real ones for others"
    packed = emit("eig", given[0])
    return _EigResult(packed[..., 0, :], packed[..., 1:, :])


@traces(np.linalg.eigvals)
def _eigvals(a: Any) -> Any:
    return _eig(a)[0]


@traces(np.linalg.eigvalsh)
def _eigvalsh(a: Any, UPLO: str = "L") -> Any:
    return _eigh(a, UPLO)[0]


@traces(np.linalg.svd)
def _svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    given = _given(a)
    if given is None or hermitian or (compute_uv and full_matrices and a.shape[-1] != a.shape[-2]):
        found = hosts["function"](np.linalg.svd, (a, full_matrices, compute_uv, hermitian), {})
        return _SVDResult(*found) if compute_uv else found
    (x,) = given
    if not compute_uv:
        return emit("svdvals", x)
    rows, columns = x.shape[-2:]
    k = min(rows, columns)
    packed = emit("svd", x)
    u, vh = _part(packed, k, k, rows), _part(packed, k + rows * k, columns, k)
    return _SVDResult(_turned(u), packed[..., :k], _turned(vh))


@traces(np.linalg.svdvals)
def _svdvals(x: Any, /) -> Any:
    return _svd(x, compute_uv=False)


@traces(np.linalg.qr)
def _qr(a: Any, mode: str = "reduced") -> Any:
    given = _given(a)
    if given is None or mode not in ("reduced", "r"):
        found = hosts["function"](np.linalg.qr, (a, mode), {})
        return _QRResult(*found) if mode == "complete" else found
    rows, columns = a.shape[-2:]
    k = min(rows, columns)
    packed = emit("qr", given[0])
    r = _part(packed, rows * k, k, columns)
    return r if mode == "r" else _QRResult(_turned(_part(packed, 0, k, rows)), r)


@traces(np.linalg.pinv)
def _pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue) -> Any:
    """By singular values, as NumPy's."""
    given = _given(a)
    both = rcond is not None and rtol is not np._NoValue
    if given is None or hermitian or both or 0 in a.shape:
        return hosts["function"](np.linalg.pinv, (a, rcond, hermitian), {} if rtol is np._NoValue else {"rtol": rtol})
    if rcond is None:
        rcond = 1e-15 if rtol is np._NoValue else rtol
    if rcond is None:
        rcond = max(a.shape[-2:]) * np.finfo(given[0].dtype).eps
    u, s, vh = _svd(given[0], full_matrices=False)
    large = s > np.expand_dims(rcond, -1) * np.max(s, axis=-1, keepdims=True)
    scale = np.where(large, 1.0 / np.where(large, s, 1.0), 0.0)
    return _turned(vh) @ (scale[..., None] * _turned(u))


@traces(np.linalg.cond)
def _cond(x: Any, p: Any = None) -> Any:
    """Infinite of singular matrices, as in NumPy; where gradients are wanted those have no inverse."""
    by_gates = functions[np.linalg.cond]
    if p in (None, 2, -2):
        return by_gates(x, p)
    if _squares(x) is None:
        return hosts["function"](np.linalg.cond, (x, p), {})
    singular = np.equal(_slogdet(x)[0], 0.0)
    z = by_gates(np.where(singular[..., None, None], np.eye(x.shape[-1], dtype=x.dtype), x), p)
    return np.where(singular, np.inf, z)


# --- errors that depend on values --------------------------------------------------------------------------------------


@lowers(Check)
def _check(gate: Check, x: Any) -> Any:
    return emit("check", x, np.any(gate.bad), failure=Failure(type(gate.error), str(gate.error)))


_UNIT = np.eye(1)
_SlogdetResult: Any = type(np.linalg.slogdet(_UNIT))
_EigResult: Any = type(np.linalg.eig(_UNIT))
_EighResult: Any = type(np.linalg.eigh(_UNIT))
_SVDResult: Any = type(np.linalg.svd(_UNIT))
_QRResult: Any = type(np.linalg.qr(_UNIT))
