"""Series of polynomials: `gategrad.numpy.polynomial`, each family like Chebyshev's."""

import numpy as np

import gategrad.numpy as gnp

from ..cases import case

X, Y = np.array([-0.7, 0.1, 0.4, 0.9]), np.array([0.3, -0.2, 0.8, 0.5])
C, D = np.array([0.5, -1.2, 0.3, 0.8]), np.array([0.4, 0.7, -0.9])
SURFACE = np.array([[0.5, -0.2], [0.1, 0.9], [-0.4, 0.3]])
FAMILIES = {
    "polynomial": "poly", "chebyshev": "cheb", "legendre": "leg", "hermite": "herm", "hermite_e": "herme", "laguerre": "lag",
}  # fmt: skip


def _rows(module, prefix):
    functions = getattr(gnp.polynomial, module)

    def row(name, *inputs, **options):
        function = getattr(functions, name)
        return case(f"np.polynomial.{module}.{name}", *inputs, call=lambda *xs: function(*xs, **options))

    conversions = [name for name in vars(functions) if name in (f"{prefix}2poly", f"poly2{prefix}")]
    of_all = [
        row(f"{prefix}val", X, C),
        row(f"{prefix}int", SURFACE, m=2, k=[1.0], lbnd=0.5, axis=1),
        *[row(name, C) for name in conversions],
    ]
    if module != "chebyshev":  # the others differ by their recurrence alone
        return of_all
    return [
        *of_all,
        row(f"{prefix}val", 0.3, SURFACE),
        row(f"{prefix}val2d", X, Y, SURFACE),
        row(f"{prefix}grid2d", X, Y, SURFACE),
        row(f"{prefix}vander", X, deg=3),
        row(f"{prefix}vander2d", X, Y, deg=[2, 1]),
        row(f"{prefix}der", C, m=2, scl=3.0),
        row(f"{prefix}add", C, D),
        row(f"{prefix}sub", D, C),
        row(f"{prefix}mul", C, D),
        row(f"{prefix}mulx", C),
        row(f"{prefix}pow", D, pow=2),
        row(f"{prefix}fit", X, Y, deg=2),
    ]


CASES = [row for module, prefix in FAMILIES.items() for row in _rows(module, prefix)]
