"""Complex numbers.

Their gradients are directions of steepest ascent. Every function of the sections above that has a meaning for complex numbers
takes them; `tests/gates` walks them all. Here are those that are about complex numbers.
"""

import numpy as np

from ..cases import case

ROW = np.array([0.7, -1.2, 2.1, 0.4])
TURNED = ROW * np.exp(1j * np.array([0.3, 1.2, -0.8, 2.0]))


def both(name, **options):
    """Of complex numbers, and of real ones."""
    f = getattr(np, name)
    return [
        case(f"np.{name}", TURNED, **options),
        case(f"np.{name}", ROW, call=lambda x: f(x) * x, note=options.get("note", "")),
    ]


CASES = [
    *[row for name in ("conj", "conjugate", "real", "imag") for row in both(name)],
    *both("real_if_close", compiles=False, note="complex numbers: the dtype depends on values"),
    case("np.angle", TURNED),
    case("np.angle", TURNED, deg=True),
    case("np.abs", TURNED),
    case("np.absolute", TURNED),
    case("np.sort_complex", TURNED),
    case("np.sort_complex", ROW),
    case("np.nan_to_num", TURNED),
    *[
        case(f"np.emath.{name}", x, note="complex where the real function has no value")
        for name in ("sqrt", "log", "log2", "log10", "arccos", "arcsin", "arctanh")
        for x in (ROW * 0.9, np.abs(ROW) * 0.4)
        if x[1] > 0 or not name.startswith("arc")  # beyond their cuts: tests/gates/test_branches.py
    ],
    case("np.emath.logn", ROW, call=lambda x: np.emath.logn(3.0, x)),
    case("np.emath.power", ROW, 1.5, call=np.emath.power),
]
