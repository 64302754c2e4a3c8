"""SciPy's logsumexp, softmax and log_softmax, with its signatures; and its functions of whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from gategrad.errors import NoRuleError
from gategrad.gates.axes import as_double, as_input
from gategrad.gates.loss import LogSoftmax, Softmax
from gategrad.gates.statistics import LogSumExp
from gategrad.recording import plain
from gategrad.variable import Variable

__all__ = ["comb", "factorial", "log_softmax", "logsumexp", "perm", "softmax"]


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """The logarithm of a weighted sum of exponentials, log |Σ b exp a|; as `scipy.special.logsumexp`.

    `a` and the weights `b` (1 if None) broadcast; `axis` is None, an int or several. With `return_sign` the answer is
    a pair, the second the sign of the sum, which has no gradient; without it a negative sum gives NaN.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(logsumexp)(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    >>> gg.grad(lambda b: logsumexp(np.zeros(2), b=b))(np.array([1.0, 3.0]))
    array([0.25, 0.25])
    """
    a = as_input(a)
    if b is None:
        z = LogSumExp(axis, keepdims)(a)
        return (z, np.ones_like(plain(z))) if return_sign else z
    b = as_input(b)
    counts = np.not_equal(plain(b), 0)
    considered = np.where(counts, plain(a), -np.inf)
    top = np.max(considered, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    total = np.sum(b * np.exp(np.where(counts, a, -np.inf) - top), axis=axis, keepdims=keepdims)
    folded = top if keepdims else np.squeeze(top, axis=axis)
    sign = np.sign(plain(total))
    with np.errstate(divide="ignore"):
        size = np.log(np.abs(total)) + folded
    if return_sign:
        return size, sign
    return np.where(sign < 0, np.nan, size)


def softmax(x: Any, axis: Any = None) -> Any:
    """exp x_i / Σ_j exp x_j along an axis, several, or all (None); as `scipy.special.softmax`.

    >>> import numpy as np
    >>> softmax(np.array([0.0, np.log(3.0)]))
    array([0.25, 0.75])
    """
    return Softmax(axis)(as_input(x))


def log_softmax(x: Any, axis: Any = None) -> Any:
    """x_i − log Σ_j exp x_j along an axis, several, or all (None); as `scipy.special.log_softmax`.

    >>> import numpy as np
    >>> log_softmax(np.array([0.0, -1000.0]))
    array([    0., -1000.])
    """
    return LogSoftmax(axis)(as_input(x))


def factorial(n: Any, exact: bool = False, extend: str = "zero") -> Any:
    """n! = Γ(n + 1), and 0 for negative n; as `scipy.special.factorial`.

    With variables, `exact` and the complex extension have no gradient: `NoRuleError`.

    >>> import gategrad as gg
    >>> float(factorial(4.0)), round(gg.grad(factorial)(0.0), 6)
    (24.0, -0.577216)
    """
    if type(n) is not Variable:
        return special.factorial(n, exact=exact)
    _refuse_exact("factorial", exact or extend != "zero")
    n = as_double(n)  # as SciPy computes
    negative = plain(n) < 0
    return np.where(negative, 0.0, special.gamma(np.where(negative, 0.0, n) + 1.0))


def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    """The number of ways to take k of N things, binom(N, k), and 0 unless 0 ≤ k ≤ N; as `scipy.special.comb`.

    >>> import gategrad as gg
    >>> float(comb(5.0, 2.0)), round(gg.grad(comb)(5.0, 2.0), 12)
    (10.0, 4.5)
    """
    if type(N) is not Variable and type(k) is not Variable:
        return special.comb(N, k, exact=exact, repetition=repetition)
    _refuse_exact("comb", exact)
    if repetition:
        return comb(N + k - 1, k)
    n_plain, k_plain = plain(N), plain(k)
    inside = (k_plain <= n_plain) & (n_plain >= 0) & (k_plain >= 0)
    return np.where(inside, special.binom(np.where(inside, N, 1.0), np.where(inside, k, 1.0)), 0.0)


def perm(N: Any, k: Any, exact: bool = False) -> Any:
    """The number of sequences of k of N things, N! / (N − k)!, and 0 unless 0 ≤ k ≤ N; as `scipy.special.perm`.

    >>> import gategrad as gg
    >>> float(perm(5.0, 2.0)), round(gg.grad(perm)(5.0, 2.0), 12)
    (20.0, 9.0)
    """
    if type(N) is not Variable and type(k) is not Variable:
        return special.perm(N, k, exact=exact)
    _refuse_exact("perm", exact)
    n_plain, k_plain = plain(N), plain(k)
    inside = (k_plain <= n_plain) & (n_plain >= 0) & (k_plain >= 0)
    n, taken = np.where(inside, N, 1.0), np.where(inside, k, 1.0)
    return np.where(inside, special.poch(n - taken + 1.0, taken), 0.0)


def _refuse_exact(name: str, exact: bool) -> None:
    if exact:
        raise NoRuleError(f"scipy.special.{name} of a variable counts in floats: leave exact and extend as they are")
