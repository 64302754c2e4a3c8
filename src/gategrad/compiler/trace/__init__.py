"""Tracing: running a function on symbols, which write a program instead of computing."""

from gategrad.compiler.trace import (
    arrangement,
    assignment,
    complex,
    fourier,
    host,
    indexing,
    jacobian,
    linalg,
    products,
    queries,
    reductions,
    special,
    ufuncs,
)

__all__ = [
    "arrangement",
    "assignment",
    "complex",
    "fourier",
    "host",
    "indexing",
    "jacobian",
    "linalg",
    "products",
    "queries",
    "reductions",
    "special",
    "ufuncs",
]
