"""One thread for everybody, by the variables that each library reads when it is first imported."""

from __future__ import annotations

import os

__all__ = ["one_thread"]

_VARIABLES = (
    "GATEGRAD_NUM_THREADS",
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",  # NumPy's BLAS and PyTorch
    "NPROC",  # JAX: XLA asks for the number of processors here
)  # fmt: skip


def one_thread() -> None:
    """Set each variable to 1, unless the user has set it; call it before anything that reads one is imported."""
    for name in _VARIABLES:
        os.environ.setdefault(name, "1")
