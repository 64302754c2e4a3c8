"""What every compiled function must fulfil: NumPy, the interpreter and native code give the same numbers."""

import numpy as np

from gategrad.compiler import compile as compiler

__all__ = ["check", "tolerance"]


def check(f, inputs):
    """A function written in NumPy, on arrays: as it is, interpreted, and compiled."""
    expected = f(*inputs)
    compiled = compiler.compile(f)
    limit = tolerance([*inputs, *expected])
    for found in (compiled.program(*inputs)(*inputs), compiled(*inputs)):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert np.shape(a) == np.shape(b)
            assert np.result_type(a) == np.result_type(b)  # in the order of bytes that the machine has
            np.testing.assert_allclose(a, b, rtol=limit, atol=limit)


def tolerance(arrays):
    """How far results may differ: rounding in the narrowest of the dtypes, made larger by chains of operations."""
    return 2e-3 if any(np.asarray(x).dtype in (np.float32, np.complex64) for x in arrays) else 1e-8
