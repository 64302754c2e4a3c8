"""Writing into arrays

Each case writes into a value that was computed of its inputs, and returns it.
"""

import numpy as np

from ..cases import case

__all__ = ["CASES"]

rng = np.random.default_rng(12)
X, V = rng.uniform(0.5, 1.5, (3, 4)), rng.uniform(0.5, 1.5, 4)
MASK = X > 1.0
PLACES = np.array([[2, 0, 1, 0]])


def after(write):
    """What y = x · x is after write(y, v)."""

    def call(x, *rest):
        y = x * x
        write(y, *rest)
        return y

    return call


CASES = [
    case("np.copyto", X, V, call=after(lambda y, v: np.copyto(y, v, where=MASK))),
    case("np.put", X, V, call=after(lambda y, v: np.put(y, [1, 5, 1], v[:3]))),
    case("np.place", X, V, call=after(lambda y, v: np.place(y, MASK, v[:2]))),
    case("np.putmask", X, V, call=after(lambda y, v: np.putmask(y, MASK, v[:3]))),
    case("np.put_along_axis", X, V, call=after(lambda y, v: np.put_along_axis(y, PLACES, v, 0))),
    case("np.fill_diagonal", X, V, call=after(lambda y, v: np.fill_diagonal(y, v[:2]))),
    case("np.fill_diagonal", V, 0.5, call=lambda v, x: after(lambda y: np.fill_diagonal(y, v, wrap=True))(np.outer(v, v) * x)),
    case("np.add.at", X, V, call=after(lambda y, v: np.add.at(y, (slice(None), [0, 2, 0, 0]), v))),
    case("np.subtract.at", X, V, call=after(lambda y, v: np.subtract.at(y, [1, 1], v))),
    case("np.multiply.at", X, V, call=after(lambda y, v: np.multiply.at(y, [1, 1, 0], v)), note="any other ufunc as well"),
    case("np.multiply", X, V, call=after(lambda y, v: np.multiply(y, v, out=y, where=MASK)), note="out= and where= together"),
    case("np.cumsum", X, call=after(lambda y: np.cumsum(y, axis=0, out=y)), note="out="),
    case("np.nan_to_num", X, call=after(lambda y: np.nan_to_num(y, copy=False)), note="copy=False"),
    case("np.lib.stride_tricks.sliding_window_view", X, window_shape=2, axis=1),
]  # fmt: skip
