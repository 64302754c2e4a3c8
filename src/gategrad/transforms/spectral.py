"""spectral: a function of Hermitian matrices, made of a function of numbers; exact where eigenvalues coincide, to any order.

In v f(w) vᴴ, written by hand, eigenvalues that coincide lack a number that only f knows, its slope. Here f is at hand. Around a
matrix with eigenvalues w and eigenvectors v, the function is the series (Daleckii and Krein 1965; Higham, Functions of Matrices,
section 3.2)

    f(x + e) = v [ f(wᵢ) + f[wᵢ, wⱼ] dᵢⱼ + Σₖ f[wᵢ, wₖ, wⱼ] dᵢₖ dₖⱼ + … ] vᴴ,   d = vᴴ e v,

whose coefficients, the divided differences of f, are finite where eigenvalues coincide: f[w, w] is f'(w). It is written out as
it stands, with e = x − x: zero, but not its derivatives. So there is no rule, and as many terms as x has tapes around it are all that
can be asked for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.errors import NoGradientError
from gategrad.gates.axes import as_input
from gategrad.gates.linalg.barrier import Barrier
from gategrad.gates.linalg.coinciding import is_traced
from gategrad.gates.linalg.matrices import adjoint, hermitian, known, no_gradient, on_diagonal, tapes_around
from gategrad.recording import plain
from gategrad.transforms.jvp import jvp

__all__ = ["divided_differences", "refuse_rows", "series", "spectral", "values"]

Function = Callable[[Any], Any]


def spectral(f: Function, x: Any) -> Any:
    """A function of numbers as one of Hermitian matrices: v f(w) vᴴ, with x = v w vᴴ.

    `f` works element by element, on arrays of any shape, in NumPy; it may use variables. `x` has the shape (…, n, n); of each
    matrix the lower triangle is read, as by `np.linalg.eigh`. The gradient is Hermitian, and exact where eigenvalues coincide, to any
    order; the k-th order takes nᵏ⁺¹ numbers.

    Raises `NoGradientError` in the backward pass where f has no finite slope at an eigenvalue, `ValueError` if f does not work element
    by element. Source: Daleckii and Krein (1965); Higham, Functions of Matrices (2008), section 3.2.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda x: np.sum(gg.spectral(np.sqrt, x)))(4.0 * np.eye(2))
    array([[0.25, 0.25],
           [0.25, 0.25]])
    """
    x = as_input(x)
    base = plain(x)
    w, v = np.linalg.eigh(base)
    refuse_rows("spectral", f, w)
    inner: Any = on_diagonal(values(f, w))
    order = tapes_around(x)
    if order:
        tables = divided_differences(f, w, order)
        inner = inner + series("spectral", tables, adjoint(v) @ hermitian(x - base) @ v)
    return v @ inner @ adjoint(v)


def refuse_rows(name: str, f: Function, w: Any) -> None:
    """Raise `ValueError` if what f makes of a number depends on the numbers beside it."""
    if type(w) is not np.ndarray or w.shape[-1] < 2 or not w.size:
        return
    whole, one = known(values(f, w)), known(values(f, w[..., :1]))
    if not is_traced(whole) and not np.allclose(whole[..., :1], one, rtol=1e-5, equal_nan=True):
        raise ValueError(
            f"{name}: f(w)[0] is another number than f(w[0]): f must work element by element, as np.exp does. For a function of "
            "all eigenvalues use np.linalg.eigh"
        )


def values(f: Function, w: Any) -> Any:
    """f of each, also if it is a constant."""
    return np.broadcast_to(f(w), w.shape)


# --- the series -----------------------------------------------------------------------------------------------


def series(name: str, tables: list[Any], d: Any) -> Any:
    """Σ over all orders of Σₖₗ… f[wᵢ, wₖ, wₗ, …, wⱼ] dᵢₖ dₖₗ …; all terms are zero, their derivatives are not."""
    total: Any = 0.0
    product = d
    for order, table in enumerate(tables, start=1):
        if order > 1:
            product = product[..., None] * d[(..., *[None] * (order - 1), slice(None), slice(None))]
        finite = np.isfinite(known(table))
        term = np.where(finite, table, 1.0) * Barrier(np.logical_not(finite), functools.partial(_too_steep, name))(
            product
        )
        total = total + (np.sum(term, axis=tuple(range(-order, -1))) if order > 1 else term)
    return total


def _too_steep(name: str) -> NoGradientError:
    return no_gradient(name, "f has no finite slope at an eigenvalue", "Shift the matrix, or use a smoother f")


# --- divided differences ----------------------------------------------------------------------------------------


def divided_differences(f: Function, w: Any, order: int) -> list[Any]:
    """f[wᵢ, wⱼ], f[wᵢ, wⱼ, wₖ] and so on up to an order, of w in order.

    Each is computed once for every combination, in two ways: as the difference quotient over the widest gap, which cancels where that
    is narrow, and as a mean of the derivative of f over the simplex that the points span (Genocchi and Hermite), which is
    right where f is smooth on the scale of the gap. How much a quotient may be off is known: where the mean is within that, it is the
    better of the two, and where it is not, the quotient is.
    """
    n = w.shape[-1]
    value = values(f, w)
    doubt = np.abs(known(value)) * np.finfo(np.real(known(value)).dtype).eps
    noise = _rounding(w)
    tables = []
    for k in range(1, order + 1):
        f = _derivative(f)
        rows, first, last, places = _combinations(n, k)
        with np.errstate(all="ignore"):
            gap = w[..., rows[:, -1]] - w[..., rows[:, 0]]
            safe = np.where(gap == 0, 1.0, gap)
            quotient = (value[..., last] - value[..., first]) / safe
            spread = (doubt[..., last] + doubt[..., first]) / np.abs(safe)
            mean = _mean(f, w, rows)
            apart = np.abs(known(mean) - known(quotient))
            is_better = (np.abs(known(gap)) <= noise) | (apart <= 8.0 * spread)
            value = np.where(is_better, mean, quotient)
            doubt = np.where(is_better, np.abs(known(mean)) * np.finfo(doubt.dtype).eps, spread)
        tables.append(value[..., places])
    return tables


def _rounding(w: Any) -> Any:
    """Up to which gap values are the same but for rounding, whatever f makes of the difference."""
    value = known(w)
    size = np.abs(value).max(axis=-1, initial=0.0, keepdims=True)
    return 4 * value.shape[-1] * np.finfo(value.dtype).eps * size


def _derivative(f: Function) -> Function:
    def slope(w: Any) -> Any:
        return jvp(lambda w: values(f, w), (w,), (np.ones(w.shape, w.dtype),))[1]

    return slope


def _mean(derivative: Function, w: Any, rows: Any) -> Any:
    """∫ f⁽ᵏ⁾(Σ λᵢ wᵢ) dλ over the simplex Σ λᵢ = 1, by Gauss's points."""
    weights, shares = _simplex(rows.shape[1] - 1)
    at: Any = 0.0
    for place in range(rows.shape[1]):
        at = at + w[..., rows[:, place], None] * shares[:, place].astype(w.dtype)
    return np.sum(derivative(at) * weights.astype(w.dtype), axis=-1)


@functools.cache
def _simplex(k: int) -> tuple[Any, Any]:
    """Weights and barycentric coordinates of 4ᵏ points: the cube's, folded into the simplex."""
    node, weight = np.polynomial.legendre.leggauss(4)
    node, weight = (node + 1) / 2, weight / 2
    weights, shares = np.ones(1), np.ones((1, 1))
    for rest in range(
        k
    ):  # what is left after each share is shared on; a simplex of the dimension k shrinks by its powers
        weights = np.concatenate([weights * u * t ** (k - rest - 1) for t, u in zip(node, weight, strict=True)])
        shares = np.concatenate(
            [np.concatenate([shares[:, :-1], shares[:, -1:] * (1 - t), shares[:, -1:] * t], axis=1) for t in node]
        )
    return weights, shares


@functools.lru_cache(64)
def _combinations(n: int, k: int) -> tuple[Any, Any, Any, Any]:
    """All ascending rows of k + 1 places out of n; where each without its last, and without its first, is among those of k; and where
    the row of any k + 1 places is.
    """
    rows, places = _ascending(n, k)
    shorter, _ = _ascending(n, k - 1)
    names = _name(shorter, n)
    return rows, np.searchsorted(names, _name(rows[:, :-1], n)), np.searchsorted(names, _name(rows[:, 1:], n)), places


def _ascending(n: int, k: int) -> tuple[Any, Any]:
    every = np.sort(np.indices((n,) * (k + 1)).reshape(k + 1, -1), axis=0).T
    names = _name(every, n)
    _, first, places = np.unique(names, return_index=True, return_inverse=True)
    return every[first], places.reshape((n,) * (k + 1))


def _name(rows: Any, n: int) -> Any:
    """One number for each row."""
    return rows @ n ** np.arange(rows.shape[1])[::-1]
