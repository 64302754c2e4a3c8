"""NumPy's Fourier transforms as C functions: the inner loops of its ufuncs, verified before anyone relies on them.

`numpy.fft` computes each transform by a ufunc of its own, whose inner loop has the signature that NumPy's C API prescribes
for all of them: `void loop(char **args, const intp *dimensions, const intp *steps, void *data)`. `PyUFuncObject` is part of
that API as well, so where the loops and their data are can be read there. A NumPy that has it otherwise is no obstacle:
its transforms are called on the host.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

__all__ = ["LOOPS", "are_native", "data_address", "loop_address"]

LOOPS = ("fft", "ifft", "rfft_n_even", "rfft_n_odd", "irfft")
"""The ufuncs, each of a signal and a factor: (n), () -> (m)."""

_TYPES = {"fft": "Dd->D", "ifft": "Dd->D", "rfft_n_even": "dd->D", "rfft_n_odd": "dd->D", "irfft": "Dd->d"}


class _Ufunc(ctypes.Structure):
    """The beginning of `PyUFuncObject`."""

    _fields_ = (
        ("refcount", ctypes.c_ssize_t),
        ("type", ctypes.c_void_p),
        ("nin", ctypes.c_int),
        ("nout", ctypes.c_int),
        ("nargs", ctypes.c_int),
        ("identity", ctypes.c_int),
        ("functions", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
        ("ntypes", ctypes.c_int),
        ("reserved", ctypes.c_int),
        ("name", ctypes.c_void_p),
        ("types", ctypes.c_void_p),
    )


_Loop = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


@cache
def are_native() -> bool:
    """Whether the loops are where NumPy's headers say, and compute what `numpy.fft` does."""
    try:
        return all(_is_known(name) for name in LOOPS) and all(
            _agrees(name, number) for name in LOOPS for number in range(2)
        )
    except (ImportError, AttributeError, ValueError):
        return False


def loop_address(name: str, double: bool) -> int:
    """Where the loop of a ufunc for double or for single precision is."""
    return _pointers(name)[0][not double]


def data_address(name: str, double: bool) -> int:
    """Where what that loop is to be handed as its data is."""
    return _pointers(name)[1][not double]


def _ufunc(name: str) -> Any:
    from numpy.fft import _pocketfft_umath  # type: ignore[attr-defined]

    return getattr(_pocketfft_umath, name)


def _pointers(name: str) -> tuple[list[int], list[int]]:
    found = _Ufunc.from_address(id(_ufunc(name)))
    functions, data = (
        [word or 0 for word in (ctypes.c_void_p * 2).from_address(place)] if place else [0, 0]
        for place in (found.functions, found.data)
    )
    return functions, data


def _is_known(name: str) -> bool:
    """Whether the fields say what Python is told of the ufunc."""
    ufunc = _ufunc(name)
    found = _Ufunc.from_address(id(ufunc))
    fields = (found.type, found.nin, found.nout, found.nargs, found.ntypes)
    if fields != (id(np.ufunc), ufunc.nin, ufunc.nout, ufunc.nargs, ufunc.ntypes) or ufunc.signature not in (
        "(n),()->(m)",
        "(m),()->(n)",
    ):
        return False
    if list(ufunc.types[:2]) != [_TYPES[name], _TYPES[name].translate({ord("D"): "F", ord("d"): "f"})]:
        return False
    if not found.functions or not found.types:
        return False
    numbers = [np.dtype(letter).num for text in ufunc.types for letter in text.replace("->", "")]
    return list((ctypes.c_char * len(numbers)).from_address(found.types).raw) == numbers


def _agrees(name: str, number: int) -> bool:
    """Whether a loop computes what the ufunc does, from and to elements that lie apart."""
    ufunc, dtypes = _ufunc(name), [np.dtype(c) for c in _ufunc(name).types[number].replace("->", "")]
    length, made = {"rfft_n_even": (6, 4), "rfft_n_odd": (5, 3), "irfft": (4, 6)}.get(name, (5, 5))
    x = (np.cos(np.arange(2 * length)) + (1j * np.sin(np.arange(2 * length)) if dtypes[0].kind == "c" else 0)).astype(
        dtypes[0]
    )
    factor, z = np.full((), 0.5, dtypes[1]), np.zeros((2, made), dtypes[2])
    expected = ufunc(x.reshape(2, length), factor, out=np.zeros_like(z))
    args = (ctypes.c_void_p * 3)(x.ctypes.data, factor.ctypes.data, z.ctypes.data)
    sizes = (ctypes.c_ssize_t * 3)(2, length, made)
    a, b = dtypes[0].itemsize, dtypes[2].itemsize
    steps = (ctypes.c_ssize_t * 5)(a * length, 0, b * made, a, b)
    loop = _Loop(loop_address(name, number == 0))
    loop(*[ctypes.addressof(block) for block in (args, sizes, steps)], data_address(name, number == 0))
    return bool(np.array_equal(z, expected))
