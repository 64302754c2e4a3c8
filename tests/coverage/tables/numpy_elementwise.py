"""Elementwise functions."""

import numpy as np

from ..cases import case

rng = np.random.default_rng(2)
ANY = rng.uniform(-2.0, 2.0, (2, 3))
OTHER = rng.uniform(-2.0, 2.0, 3)
POSITIVE = rng.uniform(0.5, 2.0, (2, 3))
INSIDE = rng.uniform(-0.8, 0.8, (2, 3))
BETWEEN = np.array([[-1.7, -0.2, 0.3], [1.2, 2.8, 7.6]])
GAPS, HOLES = rng.uniform(0.5, 2.0, 5), np.array([0.0, np.nan, 0.0, np.inf, -np.inf])

FLAT = "gradient 0: constant between its steps"

CASES = [
    *[
        case(f"np.{name}", ANY)
        for name in (
            "abs",
            "absolute",
            "fabs",
            "negative",
            "positive",
            "square",
            "exp",
            "exp2",
            "expm1",
            "sin",
            "cos",
            "tanh",
            "sinh",
            "cosh",
            "arctan",
            "atan",
            "arcsinh",
            "asinh",
            "deg2rad",
            "radians",
            "rad2deg",
            "degrees",
            "sinc",
            "i0",
            "nan_to_num",
            "real_if_close",
        )
    ],
    *[case(f"np.{name}", POSITIVE) for name in ("sqrt", "cbrt", "log", "log2", "log10", "log1p", "reciprocal")],
    *[case(f"np.{name}", INSIDE) for name in ("tan", "arcsin", "asin", "arccos", "acos", "arctanh", "atanh")],
    *[case(f"np.{name}", POSITIVE + 1.0) for name in ("arccosh", "acosh")],
    *[case(f"np.{name}", BETWEEN, note=FLAT) for name in ("floor", "ceil", "trunc", "rint", "fix", "sign")],
    *[case(f"np.{name}", BETWEEN, decimals=1, note=FLAT) for name in ("round", "around")],
    *[
        case(f"np.{name}", ANY, OTHER)
        for name in ("add", "subtract", "multiply", "maximum", "minimum", "fmax", "fmin", "logaddexp", "logaddexp2")
    ],
    *[
        case(f"np.{name}", POSITIVE, OTHER)
        for name in ("power", "pow", "hypot", "arctan2", "atan2", "copysign", "heaviside")
    ],
    case("np.float_power", POSITIVE, OTHER),
    case("np.divide", ANY, POSITIVE[0]),
    case("np.true_divide", ANY, POSITIVE[0]),
    case("np.remainder", BETWEEN, POSITIVE[0]),
    case("np.remainder", -BETWEEN, -POSITIVE[0]),
    case("np.mod", BETWEEN, POSITIVE[0]),
    case("np.fmod", BETWEEN, -POSITIVE[0]),
    case("np.floor_divide", BETWEEN, POSITIVE[0], note=FLAT),
    case("np.divmod", BETWEEN, POSITIVE[0]),
    case("np.modf", BETWEEN),
    case("np.ldexp", ANY, np.array([1, -2, 3])),
    case("np.frexp", BETWEEN, call=lambda x: np.frexp(x)[0], note="the exponent is a plain integer"),
    case("np.sinc", np.array([0.0, 1e-3, -1.5, 4.2])),
    case("np.i0", 0.0),
    case("np.clip", BETWEEN, a_min=-0.5, a_max=2.0),
    case("np.clip", BETWEEN, max=2.0),
    case("np.clip", BETWEEN, OTHER, call=lambda x, low: np.clip(x, low, 2.5)),
    case(
        "np.nan_to_num",
        GAPS,
        call=lambda x: np.nan_to_num(np.where(HOLES == 0, x, HOLES.astype(x.dtype)), nan=1.0, posinf=2.0, neginf=3.0),
    ),
    case("np.where", ANY > 0, ANY, OTHER, note="the condition alone: indices"),
    case("np.add", ANY, OTHER, call=lambda x, y: np.add.outer(x, y), note="and its outer, for any ufunc"),
    case("np.subtract", ANY, 0.5, call=lambda x, y: np.subtract(x, y, dtype=np.float64)),
    case("np.astype", ANY, call=lambda x: np.astype(x, np.float64)),
]
