"""Numbers as people read them: two decimals in drawings, a real minus sign in prose, arrays as shape and range."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["brief", "count", "exact", "number", "prose", "shape_of", "spread", "summary"]

_SMALLEST, _LARGEST = 0.01, 100_000.0  # outside of these two decimals would say too little or too much
_SHORT = 3  # arrays of so many elements are written out


def number(x: Any) -> str:
    """A number for a drawing or a table.

    >>> number(-12.0), number(0.7311), number(1.2e-5), number(-0.0)
    ('-12.00', '0.73', '1.2e-05', '0.00')
    """
    if isinstance(x, (complex, np.complexfloating)):
        return f"{number(x.real)}{'-' if x.imag < 0 else '+'}{number(abs(x.imag))}j"
    x = float(x)
    if x == 0:
        return "0.00"
    if math.isfinite(x) and not _SMALLEST <= abs(x) < _LARGEST:
        return f"{x:.1e}"
    return f"{x:.2f}"


def prose(x: Any) -> str:
    """A number for a sentence: four digits, a real minus sign, no needless zeros.

    >>> prose(-12.0), prose(0.73105858)
    ('−12', '0.7311')
    """
    if isinstance(x, (complex, np.complexfloating)):
        return f"{x:.4g}".replace("-", "−")
    return f"{float(x) + 0.0:.4g}".replace("-", "−")


def exact(x: Any) -> str:
    """A constant of a formula: as many digits as it was written with, within reason.

    >>> exact(1.0), exact(1.00001), exact(0.1)
    ('1', '1.00001', '0.1')
    """
    return f"{_item(x):.6g}"


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of a value; () for a number."""
    return tuple(np.shape(x))


def summary(x: Any) -> str:
    """A value in the width of a label: the number, the few elements, or the shape and the range.

    >>> summary(2.0), summary(np.array([1.0, -2.0])), summary(np.arange(6.0).reshape(2, 3))
    ('2.00', '[1.00 -2.00]', '(2, 3) 0.00 … 5.00')
    """
    if isinstance(x, tuple):
        return f"{len(x)} values"
    if x is None:
        return ""
    shown, shape = spread(x), shape_of(x)
    return shown if shape == () or shown.startswith("[") else f"{shape} {shown}"


def spread(x: Any) -> str:
    """As `summary`, without the shape: for labels that say it elsewhere.

    >>> spread(np.arange(6.0).reshape(2, 3))
    '0.00 … 5.00'
    """
    if x is None or isinstance(x, tuple):
        return summary(x)
    shape = shape_of(x)
    if shape == ():
        return number(_item(x))
    if len(shape) == 1 and 0 < shape[0] <= _SHORT:
        return f"[{' '.join(number(element) for element in np.asarray(x))}]"
    return _range(np.asarray(x))


def brief(x: Any) -> str:
    """A value inside a sentence: the number, or what an array looks like."""
    if x is None or isinstance(x, tuple):
        return summary(x)
    return prose(_item(x)) if shape_of(x) == () else summary(x).replace("-", "−")


def count(n: int, thing: str) -> str:
    """A number of things.

    >>> count(1, "gate"), count(100_000, "gate")
    ('1 gate', '100,000 gates')
    """
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _item(x: Any) -> Any:
    return x.item() if hasattr(x, "item") else x


def _range(array: Any) -> str:
    if array.size == 0:
        return "empty"
    if array.dtype.kind == "c":
        return "complex"
    if array.dtype.kind not in "fiu":
        return str(array.dtype)
    finite = array[np.isfinite(array)]
    missing = array.size - finite.size
    if finite.size == 0:
        return "no finite number"
    low, high = number(finite.min()), number(finite.max())
    spread = low if low == high else f"{low} … {high}"
    return f"{spread}, {missing} not finite" if missing else spread
