"""Operations on complex numbers that the host computes, one after another in one call where nobody else is concerned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gategrad.compiler.program.fourier import part_of
from gategrad.compiler.program.ops import OPS
from gategrad.compiler.program.value import Value

__all__ = ["OnHost"]


class OnHost:
    """An operation for the host, which is given the parts of complex numbers side by side, and gives such.

    `inside` are the operations that compute some of its inputs, and whose results nobody else reads: they are part of the
    call, since each way from machine code into Python costs more than NumPy takes for a few numbers.
    """

    def __init__(self, value: Value, inside: Sequence[OnHost | None]) -> None:
        self.name, self.options = value.op.name, value.options
        self.given: list[Any] = [
            x.dtype if first is None else first for x, first in zip(value.inputs, inside, strict=True)
        ]
        self.form = value.dtype, value.shape

    @property
    def __name__(self) -> str:
        function = self.options.get("function")
        name = self.name if function is None else getattr(function, "__name__", type(function).__name__)
        return "".join([f"{x.__name__} → " for x in self.given if isinstance(x, OnHost)]) + name

    def __call__(self, *arrays: Any) -> Any:
        z = self._evaluate(iter(arrays))
        dtype, shape = self.form
        return np.asarray(z, order="C").reshape(*shape, 1).view(part_of(dtype)) if dtype.kind == "c" else z

    def _evaluate(self, arrays: Iterator[Any]) -> Any:
        given = [x._evaluate(arrays) if isinstance(x, OnHost) else _together(next(arrays), x) for x in self.given]
        return np.asarray(OPS[self.name].evaluate(*given, **self.options), self.form[0])[()]


def _together(x: Any, dtype: Any) -> Any:
    return x.view(dtype)[..., 0][()] if dtype.kind == "c" else x
