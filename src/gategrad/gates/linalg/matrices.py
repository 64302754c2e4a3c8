"""Matrices: what the rules of linear algebra are written in, for stacks of matrices and whatever flows."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.array_methods import ArrayMethods
from gategrad.errors import NoGradientError
from gategrad.gates.axes import reshape, shape_of
from gategrad.gates.conjugation import conj
from gategrad.gates.linalg.checking import Check
from gategrad.masked import Masked
from gategrad.recording import plain
from gategrad.variable import Variable
from gategrad.watch import floor

__all__ = [
    "adjoint",
    "checked",
    "eye_of",
    "for_matrices",
    "hermitian",
    "known",
    "no_gradient",
    "on_diagonal",
    "random_matrix",
    "tapes_around",
    "transposed",
]


def known(x: Any) -> Any:
    """The numbers themselves, to decide by; while a function is traced, the symbols that stand for them."""
    value = plain(x.resolve() if type(x) is Masked else x)
    return value if isinstance(value, ArrayMethods) else np.asarray(value)


def tapes_around(x: Any) -> int:
    """How many tapes x is on, one around the other: so many derivatives may be asked for."""
    count = 0
    while type(x) is Variable:
        count += x.level > floor()
        x = x.raw
    return count


def transposed(x: Any) -> Any:
    """Each matrix of the stack transposed."""
    return np.swapaxes(x, -1, -2)


def adjoint(x: Any) -> Any:
    """Each matrix of the stack transposed and conjugated."""
    return conj(transposed(x))


def hermitian(x: Any) -> Any:
    """(x + x^H) / 2, the part of a matrix that a function of Hermitian matrices sees."""
    return (x + adjoint(x)) * 0.5


def for_matrices(x: Any) -> Any:
    """Numbers, one per matrix of the stack, so that they multiply matrices."""
    return reshape(x, (*shape_of(x), 1, 1))


def eye_of(x: Any) -> Any:
    """The unit matrix of the size of the rows of x, in its precision."""
    return np.eye(x.shape[-1], dtype=np.result_type(x.dtype, np.float32).type(0).real.dtype)


def on_diagonal(d: Any) -> Any:
    """Matrices with these vectors on their diagonals."""
    return d[..., :, None] * eye_of(d)


def checked(x: Any, bad: Any, error: Callable[[], Exception]) -> Any:
    """x, unless something is bad: then the error. What is computed from the answer is computed after the check."""
    if isinstance(bad, ArrayMethods):
        somewhere: Any = np.any(bad)  # type: ignore[call-overload]
        x = x.resolve() if type(x) is Masked else x
        if isinstance(x, float | np.ndarray):
            x = np.where(somewhere, np.nan, x)  # a constant becomes a value that the program computes
        return Check(somewhere, error())(x)
    if np.any(bad):
        raise error()
    return x


def no_gradient(name: str, why: str, remedy: str) -> NoGradientError:
    """The error for a point at which a function has no gradient; it quotes the user's line."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in ("gategrad", "numpy"):
        frame = frame.f_back
    line = "" if frame is None else linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    where = f", asked for at {frame.f_code.co_filename}:{frame.f_lineno}\n    {line}\n" if frame and line else ": "
    return NoGradientError(f"{name} has no gradient here{where}{why}. {remedy}")


def random_matrix(rng: np.random.Generator, *shape: int) -> Any:
    """A well-conditioned matrix or stack of them, for tests: what is on the diagonal outweighs the rest."""
    return rng.uniform(-0.5, 0.5, shape) + np.eye(shape[-2], shape[-1]) * (1.5 + np.arange(shape[-1]))
