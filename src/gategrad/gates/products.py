"""Products: matrix products of every shape, and what NumPy makes of them. For `einsum` see `einsum.py`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.errors import ShapeError
from gategrad.gates.axes import as_input, axes_of, refuse, shape_of
from gategrad.kinds import Bilinear, Example
from gategrad.misfit import product_misfit

__all__ = ["MatMul"]


class MatMul(Bilinear):
    """z = x @ y. A switcher: each input receives the gradient multiplied by the transpose of the other input."""

    ufunc, symbol = np.matmul, "@"

    def forward(self, x: Any, y: Any) -> Any:
        try:
            z = x @ y
            self.axes = x.ndim, y.ndim
        except (ValueError, AttributeError, TypeError) as error:
            raise _misfit(x, y) or error from None
        need_x, need_y = self.needs
        self.x = x if need_y else None  # must keep these around: backward needs them
        self.y = y if need_x else None
        return z

    def backward(self, dz: Any) -> Any:
        rule = _dot_gradients if self.axes in _SMALL else _batched_gradients
        return rule(self.x, self.y, dz, self.axes, self.needs)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Rows, matrices and stacks of matrices in every combination, also broadcast against each other."""
        pairs = (
            ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((1, 3), (3, 1)),
            ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 1, 2, 3), (4, 3, 2)),
            ((5, 2, 3), (3,)), ((3,), (5, 3, 4)), ((1, 2, 3), (5, 3, 1)),
        )  # fmt: skip
        for one, other in pairs:
            yield cls(), (rng.uniform(-1.0, 1.0, one), rng.uniform(-1.0, 1.0, other))


_SMALL = {(2, 2), (1, 2), (2, 1), (1, 1)}


def _dot_gradients(x: Any, y: Any, dz: Any, axes: tuple[int, int], needs: tuple[bool, ...]) -> tuple[Any, Any]:
    """Without stacks of matrices: one product for each input."""
    need_x, need_y = needs
    dx = dy = None
    if need_x:
        dx = dz @ y.T if axes == (2, 2) else y @ dz if axes == (1, 2) else dz[:, None] * y if axes == (2, 1) else dz * y
    if need_y:
        dy = x.T @ dz if axes == (2, 2) else x[:, None] * dz if axes == (1, 2) else dz @ x if axes == (2, 1) else dz * x
    return dx, dy


def _batched_gradients(x: Any, y: Any, dz: Any, axes: tuple[int, int], needs: tuple[bool, ...]) -> tuple[Any, Any]:
    """With stacks of matrices on a side; the engine sums over those axes that broadcasting repeated."""
    need_x, need_y = needs
    x_axes, y_axes = axes
    dx = dy = None
    if x_axes == 1:
        dx = (y @ dz[..., None])[..., 0] if need_x else None
        dy = x[:, None] * dz[..., None, :] if need_y else None
    elif y_axes == 1:
        dx = dz[..., None] * y if need_x else None
        dy = _rows(dz, 1) @ _rows(x, 2) if need_y else None
    else:
        dx = dz @ np.swapaxes(y, -1, -2) if need_x else None
        if need_y and y_axes == 2:
            dy = _rows(x, 2).T @ _rows(dz, 2)  # one matrix for the whole stack: one product, nothing to sum after
        elif need_y:
            dy = np.swapaxes(x, -1, -2) @ dz
    return dx, dy


def _rows(x: Any, ndim: int) -> Any:
    """All leading axes as one, of `ndim` in the end."""
    kept = x.shape[x.ndim - ndim + 1 :]
    return x.reshape((math.prod(x.shape[: x.ndim - ndim + 1]), *kept))


def _misfit(x: Any, y: Any) -> ShapeError | None:
    """What must equal what, if that is why a product failed."""
    if not all(isinstance(v, (int, float)) or hasattr(v, "shape") for v in (x, y)):
        return None
    return product_misfit(shape_of(x), shape_of(y))


# --- NumPy's functions ----------------------------------------------------------------------------------------


@implements(np.linalg.matmul)
def _matmul(x1: Any, x2: Any, /) -> Any:
    return MatMul()(as_input(x1), as_input(x2))


@implements(np.dot)
def _dot(a: Any, b: Any, out: Any = None) -> Any:
    refuse("np.dot", out=out)
    a, b = as_input(a), as_input(b)
    if not len(shape_of(a)) or not len(shape_of(b)):
        return a * b
    if len(shape_of(b)) == 1 or (len(shape_of(a)) <= 2 and len(shape_of(b)) == 2):
        return MatMul()(a, b)
    return _tensordot(a, b, axes=((-1,), (-2,)))


@implements(np.inner)
def _inner(a: Any, b: Any) -> Any:
    a, b = as_input(a), as_input(b)
    if not len(shape_of(a)) or not len(shape_of(b)):
        return a * b
    return MatMul()(a, b) if len(shape_of(b)) == 1 else _tensordot(a, b, axes=((-1,), (-1,)))


@implements(np.outer, np.linalg.outer)
def _outer(a: Any, b: Any, out: Any = None) -> Any:
    refuse("np.outer", out=out)
    return np.reshape(a, (-1, 1)) * np.reshape(b, (-1,))


@implements(np.vdot)
def _vdot(a: Any, b: Any) -> Any:
    if any(np.iscomplexobj(x) for x in (a, b)):
        a = np.conjugate(a)
    return MatMul()(np.reshape(a, (-1,)), np.reshape(b, (-1,)))


@implements(np.tensordot, np.linalg.tensordot)
def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = as_input(a), as_input(b)
    one, other = shape_of(a), shape_of(b)
    a_axes, b_axes = _contracted(axes, one, other)
    if [one[i] for i in a_axes] != [other[i] for i in b_axes]:
        raise ShapeError(
            f"tensordot: x is {one}, y is {other}; the lengths of x's axes {a_axes}, {tuple(one[i] for i in a_axes)}, "
            f"must equal those of y's axes {b_axes}, {tuple(other[i] for i in b_axes)}"
        )
    a_free = tuple([i for i in range(len(one)) if i not in a_axes])
    b_free = tuple([i for i in range(len(other)) if i not in b_axes])
    n = math.prod([one[i] for i in a_axes])
    rows, columns = tuple([one[i] for i in a_free]), tuple([other[i] for i in b_free])
    left = np.reshape(np.transpose(a, a_free + a_axes), (math.prod(rows), n))
    right = np.reshape(np.transpose(b, b_axes + b_free), (n, math.prod(columns)))
    return np.reshape(MatMul()(left, right), rows + columns)


def _contracted(axes: Any, one: tuple[int, ...], other: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes of both inputs that `np.tensordot` sums over, counted from the front."""
    if isinstance(axes, (int, np.integer)):
        n = int(axes)
        return tuple(range(len(one) - n, len(one))), tuple(range(n))
    a_axes, b_axes = [tuple(np.atleast_1d(part).tolist()) for part in axes]
    return axes_of(a_axes, len(one)), axes_of(b_axes, len(other))


@implements(np.kron)
def _kron(a: Any, b: Any) -> Any:
    a, b = as_input(a), as_input(b)
    ndim = max(len(shape_of(a)), len(shape_of(b)))
    one = (1,) * (ndim - len(shape_of(a))) + shape_of(a)
    other = (1,) * (ndim - len(shape_of(b))) + shape_of(b)
    left = np.reshape(a, tuple([length for n in one for length in (n, 1)]))
    right = np.reshape(b, tuple([length for n in other for length in (1, n)]))
    return np.reshape(left * right, tuple([n * m for n, m in zip(one, other, strict=True)]))


@implements(np.cross)
def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(as_input(a), axisa, -1), np.moveaxis(as_input(b), axisb, -1)
    if shape_of(a)[-1:] != (3,) or shape_of(b)[-1:] != (3,):
        raise ValueError(
            f"both input arrays must be (arrays of) 3-dimensional vectors, but the axes have lengths "
            f"{shape_of(a)[-1]} and {shape_of(b)[-1]}"
        )
    turned = [1, 2, 0], [2, 0, 1]
    z = a[..., turned[0]] * b[..., turned[1]] - a[..., turned[1]] * b[..., turned[0]]
    return np.moveaxis(z, -1, axisc)


@implements(np.vecdot)
def _vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return np.sum(_conjugate(x1) * x2, axis=axis)


@implements(np.matvec)
def _matvec(x1: Any, x2: Any, /) -> Any:
    return (as_input(x1) @ as_input(x2)[..., None])[..., 0]


@implements(np.vecmat)
def _vecmat(x1: Any, x2: Any, /) -> Any:
    return (_conjugate(x1)[..., None, :] @ as_input(x2))[..., 0, :]


def _conjugate(x: Any) -> Any:
    x = as_input(x)
    return np.conjugate(x) if np.iscomplexobj(x) else x
