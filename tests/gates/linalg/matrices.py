"""Matrices whose eigenvalues or singular values are given, in bases in which nothing is special; complex ones with a `turn`."""

import numpy as np


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


def basis(n, turn, seed):
    rng = np.random.default_rng(seed)
    return np.linalg.qr(rng.normal(size=(n, n)) + turn * rng.normal(size=(n, n)))[0]


def with_eigenvalues(*w, turn=0.0):
    v = basis(len(w), turn, 3)
    return (v * w) @ adjoint(v)


def with_singular_values(*s, shape, turn=0.0):
    u, v = basis(shape[0], turn, 4), basis(shape[1], turn, 5)
    return (u[:, : len(s)] * s) @ adjoint(v[:, : len(s)])
