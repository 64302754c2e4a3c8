"""Values: what travels on the wires of a circuit, and what it looks like.

A value is a Python float, a NumPy array (or scalar) of a floating-point dtype, another library's array that follows
NumPy's protocols, or a variable of an outer tape. Its *spec* is None for a Python float, else its shape and dtype; and () for
a single float64 of NumPy's. That one travels as a Python float as well, with which rules compute several times faster,
but it is known for what it is: where it meets single precision, it is handed over as NumPy's, and widens the result.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gategrad.errors import DtypeError, EscapeError, ShapeError, describe

__all__ = [
    "FLOAT64",
    "NUMPYS",
    "PANDAS_PRIORITY",
    "SEVERAL",
    "SINGLE",
    "Spec",
    "as_value",
    "conjugated",
    "is_complex",
    "is_own",
    "lock",
    "own",
    "set_all",
    "spec_of",
    "strengthening",
    "travelling",
]

Spec = tuple[tuple[int, ...], Any] | tuple[()] | None

NUMPYS: tuple[()] = ()
"""The spec of a single float64 of NumPy's that travels as a Python float."""

SEVERAL: Any = ("several outputs",)
"""The spec of a gate whose forward returns a tuple; see `tape.Output`."""

FLOAT64 = np.dtype(np.float64)

SINGLE: tuple[tuple[int, ...], Any] = ((), FLOAT64)
"""The shape and dtype of a single number, whose own spec does not say them."""
PANDAS_PRIORITY = 10_000
"""More than what data frames and their columns have: `column * v` leaves the product to v, which takes a column as an array."""


def spec_of(value: Any) -> Spec:
    """What a value looks like: None for a Python float, else `(shape, dtype)`.

    >>> import numpy as np
    >>> spec_of(2.0), spec_of(np.zeros(3, np.float32))
    (None, ((3,), dtype('float32')))
    """
    if type(value) is float:
        return None
    try:
        spec: Spec = value.spec  # a variable of an outer tape knows its own
    except AttributeError:
        shape = getattr(value, "shape", None)
        return None if shape is None else (shape, value.dtype)
    return spec


travelling: dict[type, Callable[[Any, bool], Any]] = {np.float64: lambda x, is_python: float(x)}
"""How single numbers of a type travel between gates, if not as they are; whether they count as Python's is said.

The compiler joins, for symbols."""


strengthening: dict[type, Callable[[Any], None]] = {}
"""How a single number that nobody else has seen is told that it is NumPy's; variables and symbols join."""


def is_complex(x: Any) -> bool:
    """Whether `x` is a complex number or an array of them, whatever flows.

    >>> import numpy as np
    >>> is_complex(1.0), is_complex(1j), is_complex(np.zeros(2, complex))
    (False, True, True)
    """
    kind = type(x)
    return kind is complex or (kind is not float and getattr(x, "dtype", FLOAT64).kind == "c")


def conjugated(dz: Any, spec: Spec) -> Any:
    """A gradient on its way between people and the walk: conjugated if it belongs to complex values, else as it is.

    The walk carries dz with dL = Re(Σ dz · δz), which leaves the rules of holomorphic gates as they are for real
    numbers. People are handed its conjugate, the direction of steepest ascent: dL = Re(Σ conj(dz) · δz).
    """
    if not spec or spec is SEVERAL or spec[1] is FLOAT64 or spec[1].kind != "c" or dz is None:
        return dz
    return np.conjugate(dz)


def own(value: Any) -> Any:
    """A float or a floating-point array that nobody else holds; or the reason why there cannot be one."""
    if hasattr(value, "spec"):
        raise DtypeError("gg.variable of a variable would lose its gradient: use it as it is, or v.detach()")
    if isinstance(value, (bool, np.bool_)):
        raise DtypeError("a truth value has no gradient: gg.variable takes numbers and arrays of floats")
    if isinstance(value, (int, float)) and not isinstance(value, np.generic):
        return float(value)
    if type(value) is np.float64:
        return float(value)
    if isinstance(value, np.ma.MaskedArray):
        raise DtypeError("a masked array has no gradient where it is masked: fill it, or use np.where")
    array: Any = value
    is_array = isinstance(value, np.generic) or (hasattr(value, "dtype") and hasattr(value, "__array_function__"))
    if not is_array or (isinstance(value, np.ndarray) and type(value) is not np.ndarray):
        try:
            array = np.array(value)
        except ValueError as error:
            raise ShapeError(f"gg.variable was given rows of different lengths ({error})") from None
        except EscapeError:
            raise DtypeError("gg.variable was given a list of variables: join them with np.stack") from None
        if array.dtype.kind in "iu" and not hasattr(value, "dtype"):
            array = array.astype(np.float64)
    kind = array.dtype.kind
    if kind in "fc":
        return array.copy() if is_array else array
    if kind in "iu":
        raise DtypeError(
            f"{describe(array)} can have no gradient: its values cannot change by a little. "
            "Use gg.variable(x.astype(float)), or keep it a plain array if you index with it"
        )
    what = "None" if value is None else describe(value)
    raise DtypeError(f"{what} can have no gradient: gg.variable takes numbers and arrays of floats")


def as_value(x: Any, gate: Any, index: int) -> Any:
    """An input of a gate as a number or an array; or the reason why it cannot be one."""
    if isinstance(x, np.ma.MaskedArray):
        raise DtypeError(
            f"input {index} of {type(gate).__name__} is a masked array, whose mask gates do not know: fill it, or use np.where"
        )
    foreign = hasattr(x, "__array__") and not hasattr(x, "__array_function__") and not isinstance(x, np.generic)
    if foreign or isinstance(x, (list, tuple)):
        x = np.asarray(x)  # a list, a data frame's column, another library's tensor
    dtype = getattr(x, "dtype", None)
    if isinstance(x, (float, int, complex)) or (dtype is not None and dtype.kind in "fciub"):
        return x
    raise DtypeError(f"input {index} of {type(gate).__name__} is {describe(x)}: gates take numbers and arrays of them")


def is_own(array: Any) -> bool:
    """Whether an array is no view and may be written into: it can be handed out if nobody else holds it."""
    flags = array.flags
    return bool(flags.owndata and flags.c_contiguous and flags.writeable)


def lock(value: Any) -> Any:
    if type(value) is np.ndarray:
        value.flags.writeable = False  # gates remember it: a write behind their back would be a wrong gradient
    return value


def set_all(objects: Iterable[Any], names: Iterable[str], values: Iterable[Any]) -> None:
    """Set an attribute of each object, all in one call that runs no Python in between: Ctrl-C finds all set, or none.

    For slots of Python's classes alone: an attribute with a setter of its own would be Python. Python looks for signals
    between the instructions of its own code, and there are none here.
    """
    deque(map(setattr, objects, names, values), maxlen=0)
