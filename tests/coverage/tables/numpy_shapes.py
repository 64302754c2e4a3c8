"""Shapes: the same elements elsewhere."""

import numpy as np

from ..cases import case
from .numpy_reductions import BOX, GRID, ROW

SQUARE = GRID[:, :3]
THIN = GRID[:, None, :1]


def written_into(make):
    """A call that makes an array like its input, and writes into all of it."""

    def call(x):
        y = make(x)
        y[...] = x
        y[1:] *= x[:-1]
        return y

    return call


CASES = [
    case("np.reshape", BOX, shape=(4, -1)),
    case("np.reshape", BOX, call=lambda x: np.reshape(x, (4, -1), order="F")),
    case("np.ravel", BOX),
    case("np.ravel", BOX, call=lambda x: np.ravel(x, order="F")),
    case("np.squeeze", THIN),
    case("np.expand_dims", GRID, axis=(0, -1)),
    case("np.transpose", BOX),
    case("np.permute_dims", BOX, axes=(2, 0, 1)),
    case("np.swapaxes", BOX, axis1=0, axis2=-1),
    case("np.moveaxis", BOX, source=(0, 1), destination=(-1, 0)),
    case("np.rollaxis", BOX, axis=2),
    case("np.matrix_transpose", BOX),
    case("np.broadcast_to", ROW, shape=(2, 5)),
    case("np.broadcast_arrays", GRID[:1], SQUARE[:, :1]),
    *[case(f"np.atleast_{n}d", ROW, 0.5) for n in (1, 2, 3)],
    case("np.flip", BOX, axis=(0, 2)),
    case("np.flip", BOX),
    case("np.flipud", GRID),
    case("np.fliplr", GRID),
    case("np.roll", GRID, shift=2),
    case("np.roll", GRID, shift=(1, -1), axis=(0, 1)),
    *[case("np.rot90", BOX, k=k, axes=(0, 2)) for k in (0, 1, 2, -1)],
    case("np.tile", GRID, reps=(2, 1, 3)),
    case("np.repeat", GRID, repeats=2),
    case("np.repeat", GRID, repeats=[1, 0, 2], axis=0),
    case("np.resize", GRID, new_shape=(3, 5)),
    case("np.concatenate", GRID, SQUARE, call=lambda x, y: np.concatenate([x, y], axis=1)),
    case("np.concat", GRID, SQUARE, call=lambda x, y: np.concat([x, y], axis=None)),
    case("np.stack", ROW, ROW**2, call=lambda x, y: np.stack([x, y], axis=-1)),
    *[
        case(f"np.{name}", ROW, ROW**2, call=lambda x, y, name=name: getattr(np, name)((x, y)))
        for name in ("vstack", "hstack", "dstack", "column_stack")
    ],
    case("np.append", GRID, ROW),
    case("np.append", GRID, SQUARE, axis=1),
    case("np.block", SQUARE, ROW[:3], call=lambda x, y: np.block([[x, np.ones((3, 1))], [y, 2.0]])),
    case("np.insert", GRID, ROW[:3], call=lambda x, v: np.insert(x, 1, v, axis=1)),
    case("np.insert", GRID, ROW[:2], call=lambda x, v: np.insert(x, [3, 3], v)),
    case("np.insert", GRID, ROW[:4], call=lambda x, v: np.insert(x, [0, 2], v, axis=0)),
    case("np.insert", GRID, 0.5, call=lambda x, v: np.insert(x, slice(0, 3, 2), v, axis=0)),
    case("np.delete", GRID, obj=[0, -1], axis=1),
    case("np.delete", GRID, obj=slice(1, 9, 3)),
    *[case(f"np.{name}", GRID, indices_or_sections=2) for name in ("hsplit",)],
    case("np.split", ROW, indices_or_sections=[1, 3]),
    case("np.array_split", ROW, indices_or_sections=3),
    case("np.vsplit", GRID, indices_or_sections=3),
    case("np.dsplit", BOX, indices_or_sections=[1]),
    case("np.unstack", GRID, axis=1),
    case("np.meshgrid", ROW, ROW[:3]),
    case("np.meshgrid", ROW, ROW[:3], sparse=True, indexing="ij"),
    case("np.diag", ROW, k=1),
    case("np.diag", GRID),
    case("np.diagonal", BOX, offset=-1, axis1=2, axis2=0),
    case("np.diagflat", SQUARE[:2, :2], k=-1),
    case("np.trace", BOX, offset=1, axis1=1, axis2=2),
    case("np.tril", GRID, k=1),
    case("np.triu", BOX),
    case("np.vander", ROW[:3], N=4),
    case("np.vander", np.array([0.0, 0.5]), increasing=True),
    case("np.copy", GRID),
    case("np.real", GRID),
    *[
        case(
            f"np.{make.__name__}",
            GRID,
            call=written_into(make),
            note="to be written into: a constant that takes variables",
        )
        for make in (np.zeros_like, np.ones_like, np.empty_like)
    ],
    case("np.full_like", ROW, 0.5, note="of a variable; into the number"),
    case("np.pad", GRID, pad_width=2),
    case("np.pad", GRID, pad_width=((1, 0), (0, 2)), constant_values=((1.5, 2.5), (3.5, 4.5))),
    case(
        "np.pad",
        GRID,
        0.5,
        call=lambda x, v: np.pad(x, 1, constant_values=v),
        note="also into `constant_values` and `end_values`",
    ),
    *[case("np.pad", GRID, pad_width=((4, 1), (0, 9)), mode=mode) for mode in ("edge", "reflect", "symmetric", "wrap")],
    *[
        case("np.pad", GRID, pad_width=((7, 1), (2, 9)), mode=mode, reflect_type="odd")
        for mode in ("reflect", "symmetric")
    ],
    *[
        case("np.pad", GRID, pad_width=((2, 1), (0, 3)), mode=mode, stat_length=2)
        for mode in ("maximum", "mean", "median", "minimum")
    ],
    *[case("np.pad", GRID, pad_width=1, mode=mode) for mode in ("maximum", "mean")],
    case("np.pad", GRID, pad_width={-1: (1, 2)}, mode="edge"),
    case("np.pad", GRID, pad_width=((2, 1), (0, 3)), mode="linear_ramp", end_values=(0.5, -1.0)),
]
