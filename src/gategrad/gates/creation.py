"""Creation of arrays like a variable, `zeros_like` and its kin. They are constants, but variables: what is written into them is tracked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.recording import plain
from gategrad.variable import Variable, detach

__all__: list[str] = []


def _blank(function: Any) -> Callable[..., Any]:
    def make(a: Any, *args: Any, **options: Any) -> Any:
        z = function(plain(a), *args, **options)
        return detach(z) if z.shape and z.dtype.kind in "fc" else z  # a single number is not written into

    return make


for _function in (np.empty_like, np.ones_like, np.zeros_like):
    implements(_function)(_blank(_function))


@implements(np.full_like)
def _full_like(a: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Any:
    if type(fill_value) is not Variable:
        return _blank(np.full_like)(a, fill_value, dtype, **options)
    dtype = np.result_type(plain(a)) if dtype is None else dtype
    return np.copy(np.broadcast_to(fill_value.astype(dtype), options.get("shape") or np.shape(plain(a))))
