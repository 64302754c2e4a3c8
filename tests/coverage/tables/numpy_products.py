"""Products, differences, interpolation, polynomials."""

import numpy as np

from ..cases import case
from .numpy_reductions import BOX, GRID, ROW

rng = np.random.default_rng(4)
SHORT = rng.uniform(-1.0, 1.0, 3)
MATRIX = rng.uniform(-1.0, 1.0, (4, 3))
VECTORS = rng.uniform(-1.0, 1.0, (4, 3))
KNOTS = np.array([0.0, 0.7, 1.5, 2.9, 4.0])
INSIDE = np.array([[0.1, 1.2, 3.3], [-0.5, 2.2, 4.7]])
EVEN = rng.uniform(-1.0, 1.0, 4)

CASES = [
    case("np.matmul", BOX, MATRIX),
    case("np.dot", GRID, MATRIX),
    case("np.dot", BOX, BOX.transpose(1, 2, 0)),
    case("np.inner", GRID, ROW[:4]),
    case("np.outer", ROW, SHORT),
    case("np.vdot", GRID, GRID[::-1] + 0.5),
    case("np.vecdot", VECTORS, SHORT),
    case("np.vecdot", GRID, GRID[::-1] + 0.5, axis=0),
    case("np.matvec", BOX, ROW[:4]),
    case("np.vecmat", ROW[:3], BOX),
    case("np.tensordot", BOX, GRID),
    case("np.tensordot", BOX, MATRIX, axes=([1, 2], [1, 0])),
    case("np.kron", GRID[:2], MATRIX[:2]),
    case("np.cross", VECTORS, SHORT),
    case("np.cross", VECTORS, VECTORS.T[:, ::-1], axisb=0, axisc=0),
    case("np.einsum", GRID, MATRIX, call=lambda x, y: np.einsum("ij,jk", x, y)),
    case("np.einsum", BOX, MATRIX, call=lambda x, y: np.einsum("...ij,jk->...ki", x, y, optimize=True)),
    case("np.einsum", BOX, MATRIX, call=lambda x, y: np.einsum(x, [0, 1, 2], y, [2, 3], [0, 3])),
    case("np.einsum", BOX, ROW[:4], call=lambda x, y: np.einsum(x, [..., 1], y, [1])),
    case("np.einsum", GRID, call=lambda x: np.einsum("ij->j", x, dtype=np.float64)),
    case("np.einsum", GRID[:, :3], call=lambda x: np.einsum("ii->i", x)),
    case("np.einsum", GRID, MATRIX, ROW[:3], call=lambda x, y, z: np.einsum("ij,jk,k->i", x, y, z, optimize="greedy")),
    *[
        case(f"np.{name}", x, y, mode=mode)
        for name in ("convolve", "correlate")
        for x, y in ((ROW, SHORT), (SHORT, ROW), (ROW, EVEN), (EVEN, ROW), (EVEN, EVEN[:2]), (EVEN[:2], ROW))
        for mode in ("full", "same", "valid")
    ],
    case("np.diff", GRID),
    case("np.diff", GRID, n=2, axis=0),
    case("np.diff", GRID, 0.5, ROW[:3], call=lambda x, a, b: np.diff(x, prepend=a, append=b[:, None])),
    case("np.ediff1d", GRID),
    case("np.ediff1d", ROW, SHORT, 0.5),
    case("np.gradient", ROW),
    case("np.gradient", GRID),
    case("np.gradient", ROW, 0.7, edge_order=2),
    case("np.gradient", ROW, KNOTS),
    case("np.gradient", ROW, KNOTS, edge_order=2),
    case("np.gradient", GRID, 0.5, KNOTS[:4]),
    case("np.gradient", BOX, axis=(2, 1)),
    case("np.trapezoid", GRID),
    case("np.trapezoid", GRID, KNOTS[:3], axis=0),
    case("np.trapezoid", GRID, dx=0.5),
    case("np.unwrap", KNOTS * 3.0),
    case("np.unwrap", GRID * 9.0, axis=0, period=4.0),
    case("np.interp", INSIDE, KNOTS, ROW, note="into x, xp and fp"),
    case("np.interp", INSIDE, KNOTS, ROW, left=-1.0, right=2.5),
    case("np.interp", INSIDE, KNOTS, ROW, period=4.4),
    case("np.linspace", 0.5, 2.0, num=4),
    case("np.linspace", SHORT, 2.0, num=3, endpoint=False, axis=-1),
    case("np.logspace", 0.5, SHORT, num=3),
    case("np.logspace", 2.0, call=lambda base: np.logspace(0.0, 2.0, 3, base=base)),
    case("np.geomspace", 0.5, SHORT + 2.0, num=3),
    case("np.polyval", SHORT, ROW),
    case("np.polyadd", SHORT, ROW),
    case("np.polysub", SHORT, ROW),
    case("np.polymul", SHORT, ROW),
    case("np.polydiv", ROW, SHORT),
    case("np.polyder", ROW, m=2),
    case("np.polyint", ROW, m=2, k=[1.0, 2.0]),
    case("np.poly", SHORT),
    case("np.polyfit", ROW, np.exp(ROW), deg=2, note="into the points too; w=, cov= and full= as well"),
    case("np.polyfit", ROW, np.cos(ROW), 1.0 + ROW**2, call=lambda x, y, w: np.polyfit(x, y, 1, w=w)),
    case("np.polyfit", ROW, np.cos(ROW), call=lambda x, y: np.polyfit(x, np.stack([y, y * y], 1), 1)),
    case("np.polyfit", ROW, np.cos(ROW), call=lambda x, y: np.polyfit(x, y, 1, cov=True)),
    case("np.roots", np.array([1.0, -6.0, 11.0, -6.1]), compiles=False, note="real or complex, as their values are"),
    case(
        "np.roots",
        np.array([0.7, 1.2]),
        call=lambda p: np.roots(np.concatenate([np.zeros(1), p, np.zeros(2)])),
        compiles=False,
    ),
]
