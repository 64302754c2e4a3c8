"""Order statistics, choosing, sets."""

import numpy as np

from ..cases import case
from .numpy_reductions import GRID, ROW, of_gaps

rng = np.random.default_rng(3)
SHUFFLED = rng.permutation(24).reshape(2, 3, 4) * 0.37 + 0.2
METHODS = (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
)  # fmt: skip
LINES = [lambda x: -x, lambda x: x * x, lambda x: np.exp(x)]
POINTS = np.array([-1.3, 0.4, 2.7, 0.9])
PLACES = np.arange(float(ROW.size))
WEIGHTS = 1.0 + np.cos(np.arange(float(SHUFFLED.size))).reshape(SHUFFLED.shape) ** 2

CASES = [
    case("np.sort", SHUFFLED),
    case("np.sort", SHUFFLED, axis=None),
    case("np.sort", SHUFFLED, axis=1, kind="stable"),
    case("np.partition", SHUFFLED, kth=2),
    case("np.partition", SHUFFLED, kth=(1, 3), axis=None),
    *[case("np.median", SHUFFLED, axis=axis) for axis in (None, 1, (0, -1))],
    case("np.median", SHUFFLED, axis=(0, 2), keepdims=True),
    *[
        case(
            "np.quantile",
            SHUFFLED,
            q=0.37,
            axis=2,
            method=method,
            note="every method; also into q where that has a slope",
        )
        for method in METHODS
    ],
    case("np.quantile", SHUFFLED, 0.3),
    case("np.quantile", SHUFFLED, np.array([[0.1, 0.4], [0.7, 0.95]]), axis=1, keepdims=True),
    case("np.percentile", SHUFFLED, q=[30, 70], axis=0),
    case("np.percentile", SHUFFLED, q=12.5),
    *[of_gaps("nanmedian", axis=axis) for axis in (None, 1)],
    of_gaps("nanquantile", q=0.4, axis=1, keepdims=True),
    of_gaps("nanpercentile", q=40.0, axis=0),
    *[of_gaps("nanquantile", q=0.37, method=method) for method in METHODS],
    case("np.take", GRID, indices=[2, 0, 2], axis=0),
    case("np.take", GRID, indices=np.array([[1, -1]])),
    *[case("np.take", GRID, indices=[[5, -4], [1, 9]], axis=1, mode=mode) for mode in ("wrap", "clip")],
    case("np.take_along_axis", GRID, np.argsort(GRID, axis=1), axis=1),
    case("np.compress", GRID, call=lambda x: np.compress([True, False, True], x, axis=0)),
    case("np.extract", GRID, call=lambda x: np.extract(np.arange(12).reshape(3, 4) % 3 == 0, x)),
    case("np.select", POINTS, call=lambda x: np.select([x < 0, x < 1], [x**2, np.sin(x)], 2.0 * x)),
    case("np.choose", POINTS, POINTS[::-1] ** 2, call=lambda x, y: np.choose([0, 1, 1, 0], [x, y])),
    case("np.choose", POINTS, call=lambda x: np.choose([0, 4, -1, 1], [x, 2.0 * x], mode="wrap")),
    case("np.piecewise", POINTS, call=lambda x: np.piecewise(x, [x < 0, x > 1], LINES)),
    case("np.piecewise", POINTS, call=lambda x: np.piecewise(x, [x > 0, x > 1], [lambda x: np.log(x), 3.0])),
    case("np.piecewise", 0.7, call=lambda x: np.piecewise(x, [x > 0], [lambda x: x * x, 1.0])),
    *[
        case(f"np.{name}", POINTS, compiles=False, note="nothing flows where values drop out")
        for name in ("unique", "unique_values")
    ],
    case("np.unique", GRID, axis=0, compiles=False),
    *[
        case(f"np.{name}", POINTS, compiles=False, call=lambda x, name=name: getattr(np, name)(x).values)
        for name in ("unique_all", "unique_counts", "unique_inverse")
    ],
    case("np.intersect1d", POINTS, compiles=False, call=lambda x: np.intersect1d(x, x), note="into the first alone"),
    case("np.union1d", ROW, POINTS, compiles=False),
    case("np.setdiff1d", ROW, POINTS, compiles=False, call=lambda x, y: np.setdiff1d(x, y)),
    case("np.setxor1d", ROW, POINTS, compiles=False),
    case(
        "np.trim_zeros",
        POINTS,
        compiles=False,
        call=lambda x: np.trim_zeros(np.concatenate([np.zeros(2), x, np.zeros(1)])),
    ),
    case("np.bincount", ROW, call=lambda w: np.bincount([0, 2, 2, 5, 0], w, minlength=8), note="into the weights"),
    case(
        "np.histogram", ROW, call=lambda w: np.histogram(POINTS.repeat(2)[:5], 4, weights=w)[0], note="into the weights"
    ),
    case(
        "np.histogram", ROW, call=lambda w: np.histogram(POINTS.repeat(2)[:5], [-2, 0, 1], weights=w, density=True)[0]
    ),
    case(
        "np.histogram", ROW, 3, call=lambda x, bins: np.histogram(x, bins)[1], note="through the edges", compiles=False
    ),
    case("np.histogram_bin_edges", ROW, 4, compiles=False),
    *[
        case(f"np.{name}", SHUFFLED, q=0.37 if name == "quantile" else 37.0, axis=axis, weights=weights,
             method="inverted_cdf", note="weights=: read where NumPy does")
        for name in ("quantile", "percentile")
        for axis, weights in ((None, WEIGHTS), (2, WEIGHTS[0, 0]))
    ],
    case("np.quantile", SHUFFLED, call=lambda x: np.quantile(
             x, [0.1, 0.9], axis=1, weights=WEIGHTS, method="inverted_cdf", keepdims=True)),
    case("np.nanquantile", GRID, note="weights= too", call=lambda x: np.nanquantile(
        np.where(np.arange(12).reshape(3, 4) % 5 == 1, np.nan, x), 0.4, axis=1, weights=np.arange(12.0).reshape(3, 4) + 1.0,
        method="inverted_cdf")),
    case("np.histogram2d", ROW, call=lambda w: np.histogram2d(np.cos(PLACES), np.sin(PLACES), 3, weights=w)[0],
         note="into the weights"),
    case("np.histogramdd", ROW, call=lambda w: np.histogramdd([np.cos(PLACES)] * 3, [2, 3, [-1, 0.2, 1]], weights=w,
                                                             density=True)[0], note="into the weights"),
]  # fmt: skip
