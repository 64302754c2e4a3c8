"""Series of polynomials: what `numpy.polynomial` computes of coefficients and points, for variables.

NumPy's own are Python functions that turn coefficients into plain arrays first, so no protocol reaches them. Here they are
compositions: values by Clenshaw's recurrence, and whatever is linear in the coefficients (derivatives, integrals,
other bases) by the matrix that NumPy's function makes of the unit vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad.gates.axes import as_input, shape_of, tracks
from gategrad.gates.scipy_names import Namespace

__all__ = ["CHEBYSHEV", "HERMITE", "HERMITE_E", "LAGUERRE", "LEGENDRE", "POWERS", "Series"]

Step = Callable[[int], tuple[float, float, float]]


class Series:
    """The functions of one family, p_{n+1}(x) = (a x + b) p_n(x) + c p_{n-1}(x), under NumPy's names for it.

    `step` says what a, b and c are for an n. Each function is NumPy's own where no variable is among its arguments.

    >>> import gategrad as gg
    >>> gg.grad(CHEBYSHEV.val, 1)(0.5, np.array([1.0, 2.0, 3.0]))
    array([ 1. ,  0.5, -0.5])
    """

    def __init__(self, module: str, prefix: str, step: Step, others: tuple[str, ...] = ()) -> None:
        self._step, self._prefix = step, prefix
        self._numpy = Namespace(f"numpy.polynomial.{module}")
        own = self._named
        self.val = own("val", self._val)
        several, grid, product = self._val_of_several, self._grid, self._vander_of_several
        self.val2d = own("val2d", lambda x, y, c: several(x, y, c))
        self.val3d = own("val3d", lambda x, y, z, c: several(x, y, z, c))
        self.grid2d = own("grid2d", lambda x, y, c: grid(x, y, c))
        self.grid3d = own("grid3d", lambda x, y, z, c: grid(x, y, z, c))
        self.vander = own("vander", self._vander)
        self.vander2d = own("vander2d", lambda x, y, deg: product(x, y, deg))
        self.vander3d = own("vander3d", lambda x, y, z, deg: product(x, y, z, deg))
        self.der, self.integral = own("der", self._der), own("int", self._int)
        self.add, self.sub = (
            own("add", lambda c1, c2: self._sum(c1, c2, 1.0)),
            own("sub", lambda c1, c2: self._sum(c1, c2, -1.0)),
        )
        self.mul, self.mulx, self.pow = own("mul", self._mul), own("mulx", self._mulx), own("pow", self._pow)
        self.fit = own("fit", self._fit)
        advice = "has no rule: change the basis (cheb2poly and its like), and use np.roots, np.poly or np.polydiv"
        self.refused = {
            name: self._numpy.refused(prefix + name, advice) for name in ("div", "roots", "fromroots", "companion")
        }
        self.converted = {name: own(name, self._conversion(name), whole=True) for name in others}

    def _named(self, name: str, function: Any, whole: bool = False) -> Any:
        full = name if whole else self._prefix + name

        def rule(*args: Any, **options: Any) -> Any:
            return function(*[_row(x) for x in args], **{option: _row(x) for option, x in options.items()})

        rule.__name__ = rule.__qualname__ = full
        rule.__doc__ = f"`{self._numpy.module}.{full}`, also of variables."
        return self._numpy.rule(rule)

    def _theirs(self, name: str) -> Any:
        return self._numpy._find(name)

    # --- values

    def _val(self, x: Any, c: Any, tensor: bool = True) -> Any:
        """The sum of c_k p_k(x) by Clenshaw's recurrence, as `numpy.polynomial` has it."""
        x, c = as_input(x), np.atleast_1d(_inexact(c))
        if tensor and shape_of(x):
            c = np.reshape(c, shape_of(c) + (1,) * len(shape_of(x)))
        last = shape_of(c)[0] - 1
        high = higher = 0.0 * x
        for n in range(last, 0, -1):
            high, higher = c[n] + self._next(n, x, high, higher), high
        return c[0] + self._next(0, x, high, higher)

    def _next(self, n: int, x: Any, high: Any, higher: Any) -> Any:
        a, b, _ = self._step(n)
        c = self._step(n + 1)[2]
        return (a * x + b) * high + c * higher

    def _val_of_several(self, *args: Any) -> Any:
        *points, c = args
        c = self._val(points[0], c)
        for x in points[1:]:
            c = self._val(x, c, tensor=False)
        return c

    def _grid(self, *args: Any) -> Any:
        *points, c = args
        for x in points:
            c = self._val(x, c)
        return c

    def _vander(self, x: Any, deg: int) -> Any:
        x = np.atleast_1d(_inexact(x))
        before, now = 0.0 * x, 0.0 * x + 1.0
        columns = [now]
        for n in range(deg):
            a, b, c = self._step(n)
            before, now = now, (a * x + b) * now + c * before
            columns.append(now)
        return np.stack(columns, axis=-1)

    def _vander_of_several(self, *args: Any) -> Any:
        *points, degrees = args
        z = self._vander(points[0], degrees[0])
        for x, degree in zip(points[1:], degrees[1:], strict=True):
            z = z[..., :, None] * self._vander(x, degree)[..., None, :]
            z = np.reshape(z, (*shape_of(z)[:-2], -1))
        return z

    # --- what is linear in the coefficients

    def _der(self, c: Any, m: int = 1, scl: float = 1.0, axis: int = 0) -> Any:
        return self._linear(lambda unit: self._theirs(self._prefix + "der")(unit, m, scl), c, axis)

    def _int(self, c: Any, m: int = 1, k: Any = (), lbnd: float = 0.0, scl: float = 1.0, axis: int = 0) -> Any:
        theirs = self._theirs(self._prefix + "int")
        z = self._linear(lambda unit: theirs(unit, m, [], lbnd, scl), c, axis)
        k = np.atleast_1d(_inexact(k))
        if not shape_of(k)[0]:
            return z
        units = np.eye(m)[: shape_of(k)[0]]
        columns = [theirs(np.zeros(1), m, list(unit), lbnd, scl) for unit in units]
        length = shape_of(z)[axis]
        added = np.stack([np.pad(column, (0, length - len(column))) for column in columns], axis=1).astype(
            z.dtype
        ) @ np.astype(k, z.dtype)
        return z + np.reshape(added, [-1 if n == axis % len(shape_of(z)) else 1 for n in range(len(shape_of(z)))])

    def _linear(self, function: Callable[[Any], Any], c: Any, axis: int = 0) -> Any:
        """A linear function of coefficients by its matrix, whose columns are what it makes of the unit vectors."""
        c = np.atleast_1d(_inexact(c))
        matrix = function(np.eye(shape_of(c)[axis], dtype=c.dtype))
        return np.moveaxis(np.tensordot(matrix, c, ((1,), (axis,))), 0, axis)

    def _conversion(self, name: str) -> Any:
        def columns(unit: Any) -> Any:
            rows = [self._theirs(name)(row) for row in unit]
            return np.stack([np.pad(row, (0, len(unit) - len(row))) for row in rows], axis=1)

        return lambda c: self._linear(columns, c)

    def _mulx(self, c: Any) -> Any:
        def columns(unit: Any) -> Any:
            rows = [self._theirs(self._prefix + "mulx")(row) for row in unit]
            return np.stack([np.pad(row, (0, len(unit) + 1 - len(row))) for row in rows], axis=1)

        return self._linear(columns, c)

    # --- sums and products

    def _sum(self, c1: Any, c2: Any, sign: float) -> Any:
        c1, c2 = [np.atleast_1d(_inexact(c)) for c in (c1, c2)]
        most = max(shape_of(c1)[0], shape_of(c2)[0])
        c1, c2 = [np.concatenate([c, np.zeros(most - shape_of(c)[0], c.dtype)]) for c in (c1, c2)]
        return c1 + sign * c2

    def _mul(self, c1: Any, c2: Any) -> Any:
        c1, c2 = [np.atleast_1d(_inexact(c)) for c in (c1, c2)]
        n, m = shape_of(c1)[0], shape_of(c2)[0]
        theirs = self._theirs(self._prefix + "mul")
        table = np.zeros((n + m - 1, n, m))
        for i in range(n):
            for j in range(m):
                product = theirs(np.eye(n)[i], np.eye(m)[j])
                table[: len(product), i, j] = product
        return np.einsum("kij,i,j->k", table.astype(np.result_type(c1, c2)), c1, c2)

    def _pow(self, c: Any, pow: int, maxpower: int = 16) -> Any:
        if int(pow) != pow or pow < 0 or (maxpower is not None and pow > maxpower):
            raise ValueError(f"the power is an integer from 0 to {maxpower}, not {pow}")
        c = np.atleast_1d(_inexact(c))
        z = c if pow else 0.0 * c[:1] + 1.0
        for _ in range(int(pow) - 1):
            z = self._mul(z, c)
        return z

    def _fit(self, x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None) -> Any:
        """Least squares with columns scaled to length 1, of all degrees up to `deg`, as `numpy.polynomial` has it."""
        x, y = _inexact(x), _inexact(y)
        columns, target = self._vander(x, int(deg)), y
        if w is not None:
            w = as_input(w)
            columns = columns * w[:, None]
            target = target * (w[:, None] if len(shape_of(y)) == 2 else w)
        rcond = shape_of(x)[0] * np.finfo(x.dtype).eps if rcond is None else rcond
        scale = np.sqrt(np.sum(columns * columns, axis=0))
        c, residuals, rank, s = np.linalg.lstsq(columns / scale, target, rcond)
        c = c / (scale[:, None] if len(shape_of(y)) == 2 else scale)
        return (c, [residuals, rank, s, rcond]) if full else c


def _inexact(x: Any) -> Any:
    """What goes in as an array; integers as floating-point numbers."""
    x = as_input(x)
    if not hasattr(x, "dtype"):
        return np.asarray(x, float)
    return x + 0.0 if x.dtype.kind in "iub" else x


def _row(x: Any) -> Any:
    """A list of variables as one."""
    return np.stack(x) if isinstance(x, (list, tuple)) and tracks(x) else x


POWERS = Series("polynomial", "poly", lambda n: (1.0, 0.0, 0.0))
CHEBYSHEV = Series("chebyshev", "cheb", lambda n: (2.0 if n else 1.0, 0.0, -1.0), ("cheb2poly", "poly2cheb"))
LEGENDRE = Series("legendre", "leg", lambda n: ((2 * n + 1) / (n + 1), 0.0, -n / (n + 1)), ("leg2poly", "poly2leg"))
HERMITE = Series("hermite", "herm", lambda n: (2.0, 0.0, -2.0 * n), ("herm2poly", "poly2herm"))
HERMITE_E = Series("hermite_e", "herme", lambda n: (1.0, 0.0, -1.0 * n), ("herme2poly", "poly2herme"))
LAGUERRE = Series(
    "laguerre", "lag", lambda n: (-1 / (n + 1), (2 * n + 1) / (n + 1), -n / (n + 1)), ("lag2poly", "poly2lag")
)
