"""Queries: NumPy's functions whose answer carries no gradient. On variables they answer of the plain values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.recording import plain
from gategrad.variable import Variable

__all__ = ["all_plain"]

# Shapes and dtypes, indices and counts, truths, text; and new arrays that only look like a variable.
_QUERIES = (
    np.can_cast, np.common_type, np.min_scalar_type, np.iscomplexobj, np.isrealobj, np.ndim, np.result_type, np.shape, np.size,
    np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition, np.argwhere, np.count_nonzero,
    np.digitize, np.flatnonzero, np.lexsort, np.nonzero, np.searchsorted,
    np.all, np.allclose, np.any, np.array_equal, np.array_equiv, np.isclose, np.iscomplex, np.isin, np.isneginf,
    np.isposinf, np.isreal, np.may_share_memory, np.shares_memory,
    np.array2string, np.array_repr, np.array_str,
    np.diag_indices_from, np.tril_indices_from, np.triu_indices_from, np.einsum_path,
    np.empty_like, np.ones_like, np.zeros_like,
)  # fmt: skip


def _ask(function: Any) -> Callable[..., Any]:
    def ask(*args: Any, **options: Any) -> Any:
        return function(*map(all_plain, args), **{name: all_plain(x) for name, x in options.items()})

    return ask


def all_plain(x: Any) -> Any:
    """The plain value of a variable, also within lists and tuples (`np.lexsort((v, w))`)."""
    if type(x) is Variable:
        return plain(x)
    return type(x)(map(all_plain, x)) if type(x) in (list, tuple) else x


for _function in _QUERIES:
    implements(_function)(_ask(_function))


@implements(np.full_like)
def _full_like(a: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
    if type(fill_value) is not Variable:
        return np.full_like(plain(a), fill_value, dtype, **options)
    dtype = np.result_type(plain(a)) if dtype is None else dtype
    return np.copy(np.broadcast_to(fill_value.astype(dtype), options.get("shape") or np.shape(plain(a))))
