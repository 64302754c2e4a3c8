"""Reductions, running sums and products."""

import numpy as np

from ..cases import case

rng = np.random.default_rng(1)
ROW = rng.uniform(0.5, 2.0, 5)
GRID = rng.uniform(0.5, 2.0, (3, 4))
BOX = rng.uniform(0.5, 2.0, (2, 3, 4))
MASK = rng.uniform(size=(3, 4)) > 0.4
ZEROS = np.array([0.7, 0.0, 1.3, 0.0, -0.4])
GAPS = np.where(np.arange(12).reshape(3, 4) % 5 == 1, np.nan, GRID)

SUMS = ("sum", "prod", "mean", "max", "min", "amax", "amin", "var", "std", "ptp")
NAN_SUMS = ("nansum", "nanprod", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd")


def of_gaps(name, **options):
    """The function of an array with NaN in fixed places."""
    there = np.logical_not(np.isnan(GAPS))
    return case(
        f"np.{name}", GRID,
        call=lambda x: getattr(np, name)(np.where(there, x, np.nan), **options),
        note="nothing flows into NaN",
    )  # fmt: skip


CASES = [
    *[case(f"np.{name}", BOX, axis=axis) for name in SUMS for axis in (None, (0, -1))],
    *[case(f"np.{name}", GRID, axis=1, keepdims=True) for name in SUMS],
    *[
        case(f"np.{name}", GRID, axis=0, where=MASK | (np.arange(3) == 1)[:, None])
        for name in ("sum", "prod", "mean", "var", "std")
    ],
    *[case(f"np.{name}", GRID, axis=0, where=MASK, initial=1.1) for name in ("sum", "prod", "max", "min")],
    *[case(f"np.{name}", GRID, dtype=np.float64) for name in ("sum", "prod", "mean", "var", "std")],
    case("np.var", GRID, ddof=1),
    case("np.std", GRID, axis=0, correction=1),
    *[of_gaps(name, axis=axis) for name in NAN_SUMS for axis in (None, 1)],
    *[of_gaps(name, axis=1) for name in ("nancumsum", "nancumprod")],
    *[
        case(f"np.{name}", ROW)
        for name in ("cumsum", "cumprod", "cumulative_sum", "cumulative_prod", "nancumsum", "nancumprod")
    ],
    *[case(f"np.{name}", BOX, axis=axis) for name in ("cumsum", "cumprod") for axis in (None, -2)],
    case("np.cumprod", ZEROS, note="exact with zeros, at any order"),
    *[case(f"np.{name}", GRID, axis=1, include_initial=True) for name in ("cumulative_sum", "cumulative_prod")],
    case("np.average", GRID, axis=1),
    case("np.average", GRID, ROW[:4], call=lambda x, w: np.average(x, axis=1, weights=w), note="also into the weights"),
    case("np.average", GRID, GRID[::-1], call=lambda x, w: np.average(x, weights=w, returned=True)),
    *[
        case(f"np.{ufunc}", GRID, call=getattr(getattr(np, ufunc), method), note="and its reduce, accumulate, reduceat")
        for ufunc in ("add", "multiply", "maximum", "minimum")
        for method in ("reduce", "accumulate")
    ],
    *[
        case(f"np.{ufunc}", ROW, call=lambda x, name=ufunc: getattr(np, name).reduceat(x, [0, 3, 1]))
        for ufunc in ("add", "multiply", "maximum", "minimum")
    ],
    *[
        case(
            f"np.{ufunc}",
            GRID,
            call=lambda x, f=ufunc, m=method: getattr(getattr(np, f), m)(x + 0.1, axis=1),
            note="and its reduce and accumulate",
        )
        for ufunc in ("subtract", "divide", "power", "hypot", "fmax", "fmin", "logaddexp2", "arctan2")
        for method in ("reduce", "accumulate")
    ],
    case("np.logaddexp", GRID, call=np.logaddexp.accumulate),
    case("np.logaddexp", GRID, call=lambda x: np.logaddexp.reduce(x, axis=1), note="and its reduce"),
    case("np.cov", GRID),
    case("np.cov", ROW, GRID[0, :1] + ROW**2, bias=True),
    case("np.cov", GRID, rowvar=False, ddof=0),
    case("np.cov", GRID, fweights=np.array([1, 2, 1, 3]), aweights=np.array([0.5, 1.0, 2.0, 1.0])),
    case("np.corrcoef", GRID),
    case("np.corrcoef", ROW, ROW**2 - 2.0 * ROW),
    case("np.apply_over_axes", BOX, call=lambda x: np.apply_over_axes(np.sum, x, (0, 2))),
    case("np.apply_along_axis", GRID, call=lambda x: np.apply_along_axis(lambda row: row[:2] * row[-1], 1, x)),
    case("np.apply_along_axis", BOX, call=lambda x: np.apply_along_axis(np.prod, 0, x)),
    case("np.apply_along_axis", GRID, call=lambda x: np.apply_along_axis(lambda row: [row[0], row[1] * row[2]], 1, x)),
]
