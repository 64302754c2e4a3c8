"""`GATEGRAD_NUM_THREADS` holds for BLAS as well, as far as its library can be asked."""

from __future__ import annotations

import ctypes
import os
from functools import cache

from gategrad.compiler.runtime.pool import NUM_THREADS, thread_count

__all__ = ["blas_threads", "limit_blas_threads"]

_NAMES = [  # as the OpenBLAS in SciPy's wheels calls them, and any other
    ("scipy_openblas_get_num_threads", "scipy_openblas_set_num_threads"),
    ("openblas_get_num_threads", "openblas_set_num_threads"),
]


def limit_blas_threads() -> None:
    """Let SciPy's BLAS use no more threads than `GATEGRAD_NUM_THREADS`, if that is set; never more than it does."""
    found = _functions()
    if found is None or not os.environ.get(NUM_THREADS):
        return
    get, set_ = found
    if get() > thread_count():
        set_(thread_count())


def blas_threads() -> int | None:
    """How many threads SciPy's BLAS uses; None if it is none that we know."""
    found = _functions()
    return None if found is None else int(found[0]())


@cache
def _functions() -> tuple[ctypes._NamedFuncPointer, ctypes._NamedFuncPointer] | None:
    """What asks for and sets the number of threads.

    The system's loader finds them in the library that SciPy's own module was linked with.
    """
    from scipy.linalg import cython_blas

    try:
        library = ctypes.CDLL(cython_blas.__file__)
    except OSError:
        return None
    for get_name, set_name in _NAMES:
        if hasattr(library, get_name) and hasattr(library, set_name):
            get, set_ = library[get_name], library[set_name]
            get.argtypes, get.restype = [], ctypes.c_int
            set_.argtypes, set_.restype = [ctypes.c_int], None
            return get, set_
    return None
