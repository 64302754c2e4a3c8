"""Matrix products of symbols, and what NumPy makes of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gategrad.compiler.trace.symbol import Symbol, as_value, builder_of, cast, common_dtype, composes, traces
from gategrad.errors import NotTraceableError
from gategrad.gates.subscripts import as_text
from gategrad.misfit import product_misfit

__all__: list[str] = []


@composes("matmul", as_given=True)
def _matmul(x: Any, y: Any) -> Any:
    """NumPy's matmul as one batched matrix product between reshapes."""
    x_rank, y_rank = np.ndim(x), np.ndim(y)
    misfit = product_misfit(np.shape(x), np.shape(y))
    if misfit is not None:
        raise misfit
    x = np.reshape(x, (1, -1)) if x_rank == 1 else x
    y = np.reshape(y, (-1, 1)) if y_rank == 1 else y
    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    x, y = (np.broadcast_to(a, batch + a.shape[-2:]) for a in (x, y))
    builder, dtype = builder_of((x, y)), common_dtype((x, y))
    z = Symbol(
        builder.emit("matmul", [cast(as_value(a, builder), dtype, builder) for a in (x, y)]), builder, in_rows=True
    )
    rows = () if x_rank == 1 else z.shape[-2:-1]
    columns = () if y_rank == 1 else z.shape[-1:]
    return np.reshape(z, batch + rows + columns)


@traces(np.dot)
def _dot(a: Any, b: Any, out: Any = None) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) == 1 or np.ndim(a) <= 2 == np.ndim(b):
        return np.matmul(a, b)
    return np.tensordot(a, b, axes=((-1,), (-2,)))


@traces(np.tensordot, np.linalg.tensordot)
def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    if isinstance(axes, (int, np.integer)):
        left, right = list(range(np.ndim(a) - axes, np.ndim(a))), list(range(axes))
    else:
        left, right = (np.atleast_1d(n).tolist() for n in axes)
    left, right = [n % np.ndim(a) for n in left], [n % np.ndim(b) for n in right]
    if [a.shape[n] for n in left] != [b.shape[n] for n in right]:
        raise ValueError(f"tensordot: the lengths of x's axes {left} must equal those of y's axes {right}")
    letters = iter("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    x = [next(letters) for _ in range(np.ndim(a))]
    y = [next(letters) for _ in range(np.ndim(b))]
    for p, q in zip(left, right, strict=True):
        y[q] = x[p]
    z = [c for n, c in enumerate(x) if n not in left] + [c for n, c in enumerate(y) if n not in right]
    return np.einsum(f"{''.join(x)},{''.join(y)}->{''.join(z)}", a, b)


@traces(np.outer, np.linalg.outer)
def _outer(a: Any, b: Any, out: Any = None) -> Any:
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


@traces(np.vdot)
def _vdot(a: Any, b: Any) -> Any:
    a = np.reshape(a, -1)
    return np.matmul(np.conjugate(a) if np.iscomplexobj(a) else a, np.reshape(b, -1))


# --- einsum ----------------------------------------------------------------------------------------------------------


@traces(np.einsum)
def _einsum(*operands: Any, **_: Any) -> Any:
    """A chain of two-operand contractions, each one batched matrix product between transposes."""
    terms, result = _explicit(*as_text(operands))
    while len(terms) > 1:
        (a, x), (b, y) = terms[0], terms[1]
        rest = set(result).union(*[set(letters) for letters, _ in terms[2:]])
        terms[:2] = [_contract(a, x, b, y, rest)]
    letters, z = terms[0]
    z, letters = _sum_out(z, letters, set(result))
    return np.transpose(z, [letters.index(c) for c in result])


def _explicit(subscripts: str, operands: Any) -> tuple[list[tuple[str, Any]], str]:
    """The letters of each operand with the operand, and the letters of the result."""
    if not isinstance(subscripts, str):
        raise NotTraceableError("np.einsum takes its subscripts as a text here, as in np.einsum('ij,jk->ik', x, y)")
    text = subscripts.replace(" ", "")
    left, arrow, result = text.partition("->")
    inputs = left.split(",")
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in text]
    dots = max((np.ndim(x) - len(t) + 3 for t, x in zip(inputs, operands, strict=True) if "..." in t), default=0)
    hidden = "".join(spare[:dots])
    terms = []
    for t, x in zip(inputs, operands, strict=True):
        count = np.ndim(x) - len(t) + 3
        term = t.replace("...", hidden[dots - count :] if count else "") if "..." in t else t
        while len(set(term)) != len(term):
            x, term = _on_diagonal(x, term)
        terms.append((term, x))
    joined = "".join(term for term, _ in terms)
    implicit = hidden + "".join(sorted(c for c in set(joined) - set(hidden) if joined.count(c) == 1))
    return terms, result.replace("...", hidden) if arrow else implicit


def _on_diagonal(x: Any, term: str) -> tuple[Any, str]:
    """`x` along the diagonal of two axes that bear the same letter, and its letters then."""
    letter = next(c for c in term if term.count(c) > 1)
    first = term.index(letter)
    second = term.index(letter, first + 1)
    rest = "".join(c for n, c in enumerate(term) if n not in (first, second))
    return np.diagonal(x, axis1=first, axis2=second), rest + letter


def _sum_out(x: Any, letters: str, wanted: set[str]) -> tuple[Any, str]:
    axes = tuple([n for n, c in enumerate(letters) if c not in wanted])
    return (np.sum(x, axis=axes), "".join(c for c in letters if c in wanted)) if axes else (x, letters)


def _contract(a: str, x: Any, b: str, y: Any, rest: set[str]) -> tuple[str, Any]:
    """Two operands into one: letters that nobody else wants are summed over."""
    x, a = _sum_out(x, a, rest | set(b))
    y, b = _sum_out(y, b, rest | set(a))
    x, y = _same_lengths(a, x, b, y)
    batch = [c for c in a if c in b and c in rest]
    inner = [c for c in a if c in b and c not in rest]
    rows, columns = [c for c in a if c not in b], [c for c in b if c not in a]
    length = {**dict(zip(a, np.shape(x), strict=True)), **dict(zip(b, np.shape(y), strict=True))}

    def sizes(*groups: list[str]) -> list[int]:
        return [length[c] for group in groups for c in group]

    letters = "".join([*batch, *rows, *columns])
    left = np.transpose(x, [a.index(c) for c in batch + rows + inner])
    right = np.transpose(y, [b.index(c) for c in batch + inner + columns])
    if not inner:
        left = np.reshape(left, sizes(batch, rows) + [1] * len(columns))
        return letters, left * np.reshape(right, sizes(batch) + [1] * len(rows) + sizes(columns))
    n, k, m = (math.prod(sizes(group)) for group in (rows, inner, columns))
    left, right = np.reshape(left, (*sizes(batch), n, k)), np.reshape(right, (*sizes(batch), k, m))
    return letters, np.reshape(np.matmul(left, right), sizes(batch, rows, columns))


def _same_lengths(a: str, x: Any, b: str, y: Any) -> tuple[Any, Any]:
    """Broadcast along the letters that both have where one of them has length 1."""
    one, other = dict(zip(a, np.shape(x), strict=True)), dict(zip(b, np.shape(y), strict=True))
    for c in set(a) & set(b):
        if one[c] != other[c]:
            (length,) = np.broadcast_shapes((one[c],), (other[c],))
            one[c] = other[c] = length
    return np.broadcast_to(x, tuple([one[c] for c in a])), np.broadcast_to(y, tuple([other[c] for c in b]))
