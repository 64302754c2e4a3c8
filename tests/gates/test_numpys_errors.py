"""What NumPy refuses of arrays it refuses of variables too, by an exception of the same family."""

import numpy as np
import pytest

import gategrad as gg

ROW, GRID = np.arange(1.0, 5.0), np.arange(6.0).reshape(2, 3)

WRONG = {
    "take: axis": lambda x, y: np.take(y, 0, axis=5),
    "take: place": lambda x, y: np.take(y, 9, axis=0),
    "take_along_axis: axis": lambda x, y: np.take_along_axis(y, np.zeros((2, 3), int), axis=2),
    "cumsum: axis": lambda x, y: np.cumsum(y, axis=5),
    "cumprod: axis": lambda x, y: np.cumprod(y, axis=-3),
    "cumulative_sum: no axis": lambda x, y: np.cumulative_sum(y),
    "median: axis": lambda x, y: np.median(y, axis=7),
    "quantile: q": lambda x, y: np.quantile(x, 1.5),
    "quantile: method": lambda x, y: np.quantile(x, 0.5, method="cubic"),
    "percentile: q": lambda x, y: np.percentile(x, [-1, 50]),
    "partition: kth": lambda x, y: np.partition(x, 8),
    "sort: axis": lambda x, y: np.sort(x, axis=1),
    "pad: negative": lambda x, y: np.pad(x, -1),
    "pad: mode": lambda x, y: np.pad(x, 1, mode="mirror"),
    "pad: option": lambda x, y: np.pad(x, 1, mode="edge", constant_values=1),
    "pad: widths": lambda x, y: np.pad(y, ((1, 1), (1, 1), (1, 1))),
    "convolve: empty": lambda x, y: np.convolve(x, []),
    "convolve: 2-d": lambda x, y: np.convolve(y, x),
    "correlate: mode": lambda x, y: np.correlate(x, x, mode="all"),
    "interp: lengths": lambda x, y: np.interp(0.5, x, [1.0, 2.0]),
    "interp: 2-d": lambda x, y: np.interp(0.5, y, y),
    "diff: order": lambda x, y: np.diff(x, n=-1),
    "diff: axis": lambda x, y: np.diff(x, axis=1),
    "split: unequal": lambda x, y: np.split(x, 3),
    "array_split: none": lambda x, y: np.array_split(x, 0),
    "select: lengths": lambda x, y: np.select([x > 0], [x, x]),
    "select: ints": lambda x, y: np.select([np.array([1, 0, 1, 1])], [x]),
    "choose: range": lambda x, y: np.choose([0, 2, 0, 0], [x, x]),
    "piecewise: lengths": lambda x, y: np.piecewise(x, [x > 0], [1.0, 2.0, 3.0]),
    "gradient: short": lambda x, y: np.gradient(x[:1]),
    "gradient: order": lambda x, y: np.gradient(x, edge_order=3),
    "gradient: spacings": lambda x, y: np.gradient(y, 1.0, 1.0, 1.0),
    "gradient: lengths": lambda x, y: np.gradient(x, np.arange(3.0)),
    "rot90: axes": lambda x, y: np.rot90(y, axes=(0, 2)),
    "rot90: twice": lambda x, y: np.rot90(y, axes=(0, 0)),
    "cross: length": lambda x, y: np.cross(x, x),
    "meshgrid: indexing": lambda x, y: np.meshgrid(x, x, indexing="yx"),
    "delete: place": lambda x, y: np.delete(x, 7),
    "insert: place": lambda x, y: np.insert(x, 9, 1.0),
    "insert: shape": lambda x, y: np.insert(y, 0, np.ones(2), axis=0),
    "block: depths": lambda x, y: np.block([[x], x]),
    "polyder: order": lambda x, y: np.polyder(x, -1),
    "polyint: constants": lambda x, y: np.polyint(x, 3, k=[1.0, 2.0]),
    "vander: 2-d": lambda x, y: np.vander(y),
    "cov: 3-d": lambda x, y: np.cov(y[None]),
    "einsum: number": lambda x, y: np.einsum("ij,jk", y),
    "einsum: lengths": lambda x, y: np.einsum("i,i", x, y[0]),
    "linspace: number": lambda x, y: np.linspace(x, 1.0, -2),
    "compress: axis": lambda x, y: np.compress([True], y, axis=3),
    "apply_along_axis: axis": lambda x, y: np.apply_along_axis(np.sum, 2, y),
    "add.reduceat: place": lambda x, y: np.add.reduceat(x, [0, 9]),
    "trapezoid: axis": lambda x, y: np.trapezoid(x, axis=1),
    "bincount: lengths": lambda x, y: np.bincount([0, 1], x),
    "repeat: lengths": lambda x, y: np.repeat(x, [1, 2]),
    "tril: 0-d": lambda x, y: np.tril(x[0]),
    "average: weights": lambda x, y: np.average(y, axis=0, weights=x),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_error_is_of_the_same_family(wrong):
    with pytest.raises(Exception) as numpys:
        WRONG[wrong](ROW, GRID)
    family = next(cls for cls in type(numpys.value).__mro__ if cls.__module__ in ("builtins", "numpy.exceptions"))
    with pytest.raises(family):
        WRONG[wrong](gg.variable(ROW), gg.variable(GRID))
