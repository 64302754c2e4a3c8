"""scipy.stats, by the names of gategrad.scipy.stats."""

from __future__ import annotations

import numpy as np
import scipy.stats

from gategrad.scipy import stats

from ..cases import case
from .numpy_linalg import matrix, of_symmetric

LOCATION = (0.1, 1.3)
SHAPES = {
    **dict.fromkeys(
        ("norm", "halfnorm", "expon", "laplace", "logistic", "gumbel_r", "gumbel_l", "uniform", "cauchy", "halfcauchy"), ()
    ),
    "lognorm": (0.7,), "truncnorm": (-0.9, 1.2), "skewnorm": (1.5,), "weibull_min": (1.7,), "pareto": (2.2,),
    "gamma": (1.7,), "invgamma": (2.3,), "chi2": (3.5,), "beta": (1.4, 2.3), "f": (3.5, 5.1), "t": (3.3,), "vonmises": (1.4,),
}  # fmt: skip
COUNTS = {"poisson": (1.7,), "binom": (0.3,), "nbinom": (2.5, 0.4), "bernoulli": (0.3,), "geom": (0.3,)}
METHODS = dict.fromkeys(SHAPES, ("logpdf", "pdf", "logcdf", "cdf", "logsf", "sf", "ppf", "isf"))
METHODS |= dict.fromkeys(("truncnorm", "skewnorm"), METHODS["norm"][:6]) | {"vonmises": ("logpdf", "pdf")}
OF_COUNTS = ("logpmf", "pmf", "cdf", "sf")


def continuous(name):
    """All methods of a distribution at once, at two of its quantiles; quantiles themselves in proportion to x."""
    x = getattr(scipy.stats, name).ppf(np.array([0.2, 0.7]), *SHAPES[name], *LOCATION)
    p = np.array([0.15, 0.6])

    def call(x, *parameters):
        methods = [(method, getattr(getattr(stats, name), method)) for method in METHODS[name]]
        return tuple([f(x / x0 * p if method in ("ppf", "isf") else x, *parameters) for method, f in methods])

    x0 = x
    return case(f"scipy.stats.{name}", x, *SHAPES[name], *LOCATION, call=call, note=", ".join(METHODS[name]))


def counts(name):
    """All methods of a distribution of counts at once; nothing flows into the counts."""
    k = np.array([1, 2, 4]) if name != "bernoulli" else np.array([0, 1])
    fixed = (6,) if name == "binom" else ()

    def call(*parameters):
        return tuple([getattr(getattr(stats, name), method)(k, *fixed, *parameters) for method in OF_COUNTS])

    return case(f"scipy.stats.{name}", *COUNTS[name], call=call, note=", ".join(OF_COUNTS))


POINTS, MEAN, COVARIANCE = np.arange(6.0).reshape(2, 3) / 7, np.array([0.2, 0.1, -0.3]), matrix(3, 3)

CASES = [
    *[continuous(name) for name in SHAPES],
    *[counts(name) for name in COUNTS],
    case(
        "scipy.stats.multivariate_normal", POINTS, MEAN, COVARIANCE, note="logpdf, pdf",
        call=lambda x, mean, cov: of_symmetric(lambda cov: stats.multivariate_normal.logpdf(x, mean, cov))(cov),
    ),
    case("scipy.stats.multivariate_normal", POINTS, MEAN, np.array([1.0, 2.0, 0.5]), call=stats.multivariate_normal.pdf),
    case(
        "scipy.stats.wishart", matrix(2, 2), 4.5, COVARIANCE[:2, :2], note="logpdf, pdf",
        call=lambda x, df, scale: of_symmetric(lambda x: of_symmetric(lambda s: stats.wishart.logpdf(x, df, s))(scale))(x),
    ),
    case("scipy.stats.dirichlet", np.array([0.2, 0.3, 0.5]), np.array([0.7, 1.5, 2.2]), call=stats.dirichlet.logpdf, note="logpdf, pdf"),
    case(
        "scipy.stats.multinomial", np.array([0.2, 0.3, 0.5]), note="logpmf, pmf",
        call=lambda p: stats.multinomial.logpmf(np.array([[1, 2, 2], [5, 0, 0]]), 5, p),
    ),
]  # fmt: skip
