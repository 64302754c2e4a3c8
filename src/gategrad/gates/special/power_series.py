"""Power series, for slopes that a formula would lose to cancellation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["power_series"]


def power_series(x: Any, coefficients: Sequence[float]) -> Any:
    """Σ c xⁿ by Horner's scheme, the highest power first: `np.polyval` in the precision of x, for Python's numbers as well."""
    total: Any = coefficients[0]
    for c in coefficients[1:]:
        total = total * x + c
    return total
