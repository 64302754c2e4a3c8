"""Functions that may answer a real question with complex numbers: which, is known only when the values are."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.compiler.trace.symbol import traces
from gategrad.errors import ComplexTraceError

__all__: list[str] = []


def _refuse(function: Any) -> Any:
    def refuse(*_: Any, **__: Any) -> Any:
        raise ComplexTraceError(
            f"np.linalg.{function.__name__} gives complex numbers for some matrices: programs compute with real ones alone"
        )

    return refuse


for _function in (np.linalg.eig, np.linalg.eigvals):
    traces(_function)(_refuse(_function))
