"""Every exception that gategrad raises: what went wrong, where, why, and what to do.

Each class also derives from the built-in exception that NumPy or Python would raise in the same place, so that
code which already catches `ValueError` or `TypeError` keeps working.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "AnomalyError",
    "ComplexTraceError",
    "DtypeError",
    "EscapeError",
    "GateError",
    "GategradError",
    "GradientNotKeptError",
    "KeptSymbolError",
    "KinkWarning",
    "NoGradientError",
    "NoRuleError",
    "NotScalarError",
    "NotTraceableError",
    "NotTrackedError",
    "ProgramError",
    "OtherNumbersError",
    "ReleasedError",
    "ShapeError",
    "StaleError",
    "TraceError",
    "UndecidedError",
    "describe",
]


class GategradError(Exception):
    """The root of all exceptions of this library."""


class ShapeError(GategradError, ValueError):
    """Shapes that do not fit together."""


class DtypeError(GategradError, TypeError):
    """A value whose type can carry no gradient: integers, strings, None, objects."""


class EscapeError(GategradError, TypeError):
    """A variable was about to become a plain number or array, which would silently lose its gradient."""


class NoGradientError(GategradError, ArithmeticError):
    """A gradient was asked for at a point where there is none: eigenvectors of eigenvalues that coincide, and the like."""


class UndecidedError(NoGradientError):
    """A rule lacks what only the circuit behind its gate can tell; the walk asks that (`tape.sweep`)."""


class NoRuleError(GategradError, TypeError):
    """A NumPy function without a gate was called on a variable."""


class NotScalarError(GategradError, ValueError):
    """A gradient was asked of something that is not a single number."""


class NotTrackedError(GategradError, RuntimeError):
    """`backward()` on a value that remembers no circuit."""


class ReleasedError(GategradError, RuntimeError):
    """A second `backward()` through gates that have already handed back what they remembered."""


class StaleError(GategradError, RuntimeError):
    """An array that a gate remembers was changed between the forward and the backward pass."""


class ProgramError(GategradError, RuntimeError):
    """A program broke a rule of its kind: a defect of the compiler, never of who uses it."""


class TraceError(GategradError, TypeError):
    """The Python of a compiled function wants to know a value that exists only when the program runs."""


class NotTraceableError(TraceError, AttributeError):
    """A NumPy function, option or attribute for which programs have no operation."""


class ComplexTraceError(NotTraceableError):
    """A function that cannot be traced with complex numbers where it may have real ones: it runs as it is."""


class OtherNumbersError(GategradError, RuntimeError):
    """A program met real numbers where it computes with complex ones, or complex ones where it computes with real ones.

    The function itself answers that call.
    """


class KeptSymbolError(GategradError, RuntimeError):
    """A value of a program was kept while its function was traced, and is used outside of it."""


class KinkWarning(GategradError, RuntimeWarning):  # noqa: N818 - a warning, of the family
    """A derivative may be wrong: numbers alone did not say what it is, and no limit was found beside the point."""


class AnomalyError(GategradError, FloatingPointError):
    """A gate returned a gradient that is NaN or infinite for one that was not; `fault` holds what is known of it."""

    def __init__(self, message: str, fault: Any = None) -> None:
        super().__init__(message)
        self.fault = fault


class GateError(GategradError, RuntimeError):
    """A gate broke its contract: a wrong number of gradients, a wrong shape or dtype, a mutated input."""


class GradientNotKeptError(GategradError, AttributeError):
    """The gradient of an interior value was read, but nobody had asked to keep it."""


def describe(value: Any) -> str:
    """Say in a few words what a value is, for use inside messages.

    >>> import numpy as np
    >>> describe(np.zeros((2, 3)))
    'a float64 array of shape (2, 3)'
    >>> describe(3.0), describe(None), describe("abc")
    ('the float 3.0', 'None', "the str 'abc'")
    """
    package, shape, dtype = (
        type(value).__module__.partition(".")[0],
        getattr(value, "shape", None),
        getattr(value, "dtype", None),
    )
    if shape is not None and hasattr(value, "__array__") and package not in ("numpy", "gategrad"):
        return f"a {package} {type(value).__name__} of shape {tuple(shape)}"
    if shape is not None and dtype is not None:
        return f"a {dtype} scalar" if shape == () else f"{_article(str(dtype))} {dtype} array of shape {shape}"
    if value is None:
        return "None"
    text = repr(value)
    return f"the {type(value).__name__} {text if len(text) <= 40 else text[:37] + '...'}"


def _article(word: str) -> str:
    return "an" if word[:1] in "aeiou" else "a"
