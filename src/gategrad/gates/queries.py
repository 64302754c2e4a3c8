"""Queries: NumPy's functions whose answer carries no gradient. On variables they answer of the plain values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.recording import plain
from gategrad.variable import Variable

__all__ = ["all_plain"]

# Shapes and dtypes, indices and counts, truths, text.
_QUERIES = (
    np.can_cast, np.common_type, np.min_scalar_type, np.iscomplexobj, np.isrealobj, np.ndim, np.result_type, np.shape, np.size,
    np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition, np.argwhere, np.count_nonzero,
    np.digitize, np.flatnonzero, np.lexsort, np.nonzero, np.searchsorted,
    np.all, np.allclose, np.any, np.array_equal, np.array_equiv, np.isclose, np.iscomplex, np.isin, np.isneginf,
    np.isposinf, np.isreal, np.may_share_memory, np.shares_memory,
    np.array2string, np.array_repr, np.array_str,
    np.diag_indices_from, np.tril_indices_from, np.triu_indices_from, np.einsum_path,
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
