"""Conjugation: what rules need where complex numbers may flow, and real ones should not pay for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gategrad.errors import DtypeError
from gategrad.gate import Gate
from gategrad.values import is_complex

__all__ = ["conj", "refuse_complex"]


def conj(x: Any) -> Any:
    """The conjugate of complex values; real ones as they are, which `np.conjugate` would copy."""
    return np.conjugate(x) if is_complex(x) else x


def refuse_complex(dz: Any, gate: Gate) -> None:
    """Raise `DtypeError` if the gradient of a gate that compares its inputs is asked for complex ones."""
    if is_complex(dz):
        raise DtypeError(
            f"{type(gate).__name__} of complex numbers has no gradient: it compares them, and complex numbers have no "
            "order (NumPy sorts them by their real parts). Compare np.abs, np.real or np.angle of them"
        )
