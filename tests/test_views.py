"""Every way in which NumPy makes a view or a copy, times every way in which it writes: as there, or refused.

The oracle is NumPy itself: the same lines on plain arrays. A view that does not show what was written, a copy that does,
a write that is lost: each is a silent difference, and fails here.
"""

from __future__ import annotations

import contextlib
import inspect
import operator
import sys

import numpy as np
import pytest

import gategrad as gg
import gategrad.numpy as gnp
from gategrad.compiler.trace.tracing import trace
from gategrad.errors import EscapeError
from gategrad.flat import Flat
from gategrad.values import spec_of

REAL = np.arange(1.0, 17.0).reshape(4, 4)
COMPLEX = REAL + 1j * REAL[::-1]
EVERYWHERE = np.zeros((4, 4), int)

VIEWS = {
    "y": lambda y: y,
    # indices
    **{
        f"[{i}]": operator.itemgetter(i)
        for i in (..., 1, np.int64(1), (), slice(None), slice(1, None), slice(None, None, -1), None, True)
    },
    "[:, ::2]": lambda y: y[:, ::2],
    "[1:][0]": lambda y: y[1:][0],
    "[[0]]": lambda y: y[[0]],
    "[array]": lambda y: y[np.array(1)],
    "[mask]": lambda y: y[np.array([True, False, True, False])],
    # pieces
    "split": lambda y: np.split(y, 2)[1],
    "array_split": lambda y: np.array_split(y, 3, axis=1)[1],
    "hsplit": lambda y: np.hsplit(y, 2)[1],
    "vsplit": lambda y: np.vsplit(y, 2)[0],
    "dsplit": lambda y: np.dsplit(y[..., None].reshape(4, 2, 2), 2)[0],
    "unstack": lambda y: np.unstack(y)[1],
    "iteration": lambda y: list(y)[2],
    "reversed": lambda y: next(reversed(y)),
    "unpacking": lambda y: next(zip(*[y], strict=True))[0],
    # axes
    ".T": lambda y: y.T,
    ".mT": lambda y: y.mT,
    "transpose": np.transpose,
    ".transpose": lambda y: y.transpose(),
    "permute_dims": lambda y: np.permute_dims(y, (1, 0)),
    "swapaxes": lambda y: np.swapaxes(y, 0, 1),
    ".swapaxes": lambda y: y.swapaxes(0, 0),
    "moveaxis": lambda y: np.moveaxis(y, 0, 1),
    "rollaxis": lambda y: np.rollaxis(y, 1),
    "matrix_transpose": np.matrix_transpose,
    "linalg.matrix_transpose": np.linalg.matrix_transpose,
    "flip": np.flip,
    "flipud": np.flipud,
    "fliplr": np.fliplr,
    **{f"rot90 {k}": lambda y, k=k: np.rot90(y, k) for k in range(4)},
    "einsum ij->ji": lambda y: np.einsum("ij->ji", y),
    "einsum ij": lambda y: np.einsum("ij", y),
    "einsum ii->i": lambda y: np.einsum("ii->i", y),
    # shapes
    "reshape": lambda y: np.reshape(y, (2, 8)),
    "reshape to the same": lambda y: y.reshape(4, 4),
    "reshape F": lambda y: np.reshape(y, (2, 8), order="F"),
    "reshape A": lambda y: np.reshape(y.T, (2, 8), order="A"),
    "reshape copy": lambda y: np.reshape(y, (2, 8), copy=True),
    "reshape no copy": lambda y: y.reshape(2, 8, copy=False),
    "ravel": np.ravel,
    ".ravel": lambda y: y.ravel(),
    "ravel F": lambda y: np.ravel(y, order="F"),
    "ravel K": lambda y: np.ravel(y.T, order="K"),
    "ravel of T": lambda y: np.ravel(y.T),
    "flatten": lambda y: y.flatten(),
    "squeeze": np.squeeze,
    "squeeze again": lambda y: np.squeeze(np.expand_dims(y, 1)),
    "expand_dims": lambda y: np.expand_dims(y, 1),
    "atleast_1d": np.atleast_1d,
    "atleast_2d": lambda y: np.atleast_2d(y[0]),
    "atleast_3d": np.atleast_3d,
    "broadcast_to": lambda y: np.broadcast_to(y, (2, 4, 4)),
    "broadcast_to the same": lambda y: np.broadcast_to(y, (4, 4)),
    "broadcast_arrays": lambda y: np.broadcast_arrays(y, np.zeros((2, 1, 1)))[0],
    "meshgrid": lambda y: np.meshgrid(y[0], y[1])[0],
    "meshgrid without copy": lambda y: np.meshgrid(y[0], y[1], copy=False)[0],
    "diagonal": np.diagonal,
    ".diagonal": lambda y: y.diagonal(),
    "diag": np.diag,
    "linalg.diagonal": np.linalg.diagonal,
    "diagonal of a box": lambda y: np.diagonal(y.reshape(2, 2, 4), 0, 1, 2),
    "windows": lambda y: np.lib.stride_tricks.sliding_window_view(y, (2, 2)),
    # parts and types
    "real": np.real,
    ".real": lambda y: y.real,
    "imag": np.imag,
    ".imag": lambda y: y.imag,
    "real_if_close": np.real_if_close,
    "conj": np.conj,
    ".conj": lambda y: y.conj(),
    "astype": lambda y: y.astype(y.dtype),
    "astype without copy": lambda y: y.astype(y.dtype, copy=False),
    "np.astype without copy": lambda y: np.astype(y, y.dtype, copy=False),
    # views of views
    ".T.T": lambda y: y.T.T,
    "row of T": lambda y: y.T[1],
    "T of rows": lambda y: y[1:].T,
    "reshape of rows": lambda y: y[1:].reshape(-1),
    "reshape of columns": lambda y: y[:, 1:].reshape(-1),
    "back and forth": lambda y: y.reshape(-1)[::-1].reshape(2, 8),
    "real of a row": lambda y: np.real(y[1]),
    "row of real": lambda y: y.real[1],
    "real of T": lambda y: y.T.real,
    "imag of a reshape": lambda y: y.reshape(-1).imag[3:],
    # copies, and what returns its argument itself
    "copy": np.copy,
    "+": operator.pos,
    ".flat": lambda y: y.flat,
    ".flat[:]": lambda y: y.flat[:],
    "matrix_power": lambda y: np.linalg.matrix_power(y, 1),
    "diff": lambda y: np.diff(y, n=0),
    "nan_to_num": np.nan_to_num,
    "nan_to_num without copy": lambda y: np.nan_to_num(y, copy=False),
    "block": np.block,
    "choose": lambda y: np.choose(EVERYWHERE, [y]),
    **{
        f.__name__: f
        for f in (np.round, np.triu, np.sort, np.cumsum, np.unwrap, np.fix, np.positive, np.fft.fftshift, np.ediff1d)
    },
    **{
        f.__name__: lambda y, f=f: f([y])
        for f in (np.concatenate, np.stack, np.vstack, np.column_stack, np.dstack, np.block)
    },
    **{
        f"{f.__name__} over no axis": lambda y, f=f: f(y, axis=())
        for f in (np.sum, np.max, np.mean, np.prod, np.average)
    },
    "clip": lambda y: np.clip(y, 0, 100),
    "roll": lambda y: np.roll(y, 0),
    "tile": lambda y: np.tile(y, 1),
    "repeat": lambda y: np.repeat(y, 1),
    "take": lambda y: np.take(y, [0], 0),
    "take one": lambda y: np.take(y, np.array(1), 0),
    "compress": lambda y: np.compress([True], y, 0),
    "delete": lambda y: np.delete(y, 0, 0),
    "insert": lambda y: np.insert(y, [], 0.0),
    "append": lambda y: np.append(y, []),
    "pad": lambda y: np.pad(y, 0),
    "resize": lambda y: np.resize(y, (4, 4)),
    "where": lambda y: np.where(True, y, 0.0),
    "select": lambda y: np.select([EVERYWHERE == 0], [y]),
    "piecewise": lambda y: np.piecewise(y, [y.real > -100], [lambda t: t]),
    "apply_along_axis": lambda y: np.apply_along_axis(lambda row: row, 0, y),
    "apply_over_axes": lambda y: np.apply_over_axes(lambda a, axis: a, y, 0),
    "median": lambda y: np.median(y.real, axis=0),
    "partition": lambda y: np.partition(y, 1),
}


def each_row(z):
    for row in z:
        row *= 3.0


def iterated(z):
    with np.nditer(z, op_flags=[["readwrite"]]) as every:
        for x in every:
            x[...] = 2.0 * x


def exchanged(z):
    z[0], z[1] = z[1], z[0]


def shifted(z):
    z[1:] = z[:-1]


def turned(z):
    z += z.T


def one_row(z):
    z[-1] += 7.0


def chosen(z):
    z[z.real > 10.0] = -1.0


COMMON = {
    "z[0] =": lambda z: operator.setitem(z, 0, 100.0),
    "z[...] =": lambda z: operator.setitem(z, ..., 50.0),
    "z += 1": lambda z: operator.iadd(z, 1.0),
    "z[-1] += 7": one_row,
    "for row in z": each_row,
    "z.flat[0] =": lambda z: operator.setitem(z.flat, 0, 5.0),
}
OTHERS = {
    **{
        f.__name__: lambda z, f=f: f(z, 2.0)
        for f in (
            operator.isub,
            operator.imul,
            operator.itruediv,
            operator.ipow,
            operator.ifloordiv,
            operator.imod,
        )
    },
    "z @= a": lambda z: operator.imatmul(z, np.ones((z.shape[-1], z.shape[-1]))),
    "z[mask] =": chosen,
    "z[[0, 0]] =": lambda z: operator.setitem(z, [0, 0], 9.0),
    "z[1:] = z[:-1]": shifted,
    "z[:] = z[::-1]": lambda z: operator.setitem(z, slice(None), z[::-1]),
    "z += z.T": turned,
    "z[0], z[1] = z[1], z[0]": exchanged,
    "del z[0]": lambda z: operator.delitem(z, 0),
    "z.flat =": lambda z: setattr(z, "flat", 5.0),
    "z.real =": lambda z: setattr(z, "real", 5.0),
    "z.real +=": lambda z: setattr(z, "real", operator.iadd(z.real, 5.0)),
    "z.imag =": lambda z: setattr(z, "imag", 5.0),
    "z.shape =": lambda z: setattr(z, "shape", (z.size,)),
    "z.dtype =": lambda z: setattr(z, "dtype", np.int64),
    "z.fill": lambda z: z.fill(3.0),
    "z.put": lambda z: z.put([0, 1], [3.0, 4.0]),
    "z.sort": lambda z: z.sort(),
    "z[::-1].sort": lambda z: z[::-1].sort(),
    "z.partition": lambda z: z.partition(1),
    "z.resize": lambda z: z.resize((z.size,), refcheck=False),
    "z.setfield": lambda z: z.setfield(1.0, np.float64),
    "z.byteswap": lambda z: z.byteswap(inplace=True),
    "z.setflags": lambda z: z.setflags(write=False),
    "np.nditer": iterated,
    "np.put": lambda z: np.put(z, [0, -1], [3.0, 4.0]),
    "np.put wrapped": lambda z: np.put(z, [0, 99], [3.0], mode="wrap"),
    "np.copyto": lambda z: np.copyto(z, 5.0),
    "np.copyto where": lambda z: np.copyto(z, 5.0, where=np.real(z) > 5.0),
    "np.place": lambda z: np.place(z, np.real(z) > 5.0, [1.0, 2.0]),
    "np.putmask": lambda z: np.putmask(z, np.real(z) > 5.0, [1.0, 2.0]),
    "np.fill_diagonal": lambda z: np.fill_diagonal(z, 5.0),
    "np.fill_diagonal in turn": lambda z: np.fill_diagonal(z, [5.0, 6.0], wrap=True),
    "np.put_along_axis": lambda z: np.put_along_axis(z, np.zeros((1,) * z.ndim, int), 5.0, 0),
    "np.add.at": lambda z: np.add.at(z, [0, 0], 1.0),
    "np.subtract.at": lambda z: np.subtract.at(z, [0, 0], 1.0),
    "np.multiply.at": lambda z: np.multiply.at(z, [0, 0], 2.0),
    "np.negative.at": lambda z: np.negative.at(z, [0, 0, 1]),
    "np.multiply(out=z)": lambda z: np.multiply(z, 2.0, out=z),
    "np.multiply(out=(z,))": lambda z: np.multiply(z, 2.0, out=(z,)),
    "np.multiply(out=z, where=)": lambda z: np.multiply(z, 2.0, out=z, where=np.real(z) > 5.0),
    "np.exp(1, out=z)": lambda z: np.exp(1.0, out=z),
    "np.divmod(out=)": lambda z: np.divmod(np.ones(z.shape), 2.0, out=(z, np.empty(z.shape))),
    "np.clip(out=z)": lambda z: np.clip(z, 0.0, 3.0, out=z),
    "np.cumsum(out=z)": lambda z: np.cumsum(z, axis=0, out=z),
    "np.round(z, 0, z)": lambda z: np.round(z, 0, z),
    "np.add.reduce(out=z)": lambda z: np.add.reduce(np.ones((2, *z.shape)), 0, out=z),
    "np.add.accumulate(out=z)": lambda z: np.add.accumulate(np.ones(z.shape), 0, out=z),
    "np.mean(out=z)": lambda z: np.mean(np.ones((2, *z.shape)), 0, out=z),
    "np.concatenate(out=z)": lambda z: np.concatenate([np.ones(z.shape)], out=z),
    "np.choose(out=z)": lambda z: np.choose(np.zeros(z.shape, int), [2.0], out=z),
    "np.einsum(out=z)": lambda z: np.einsum("...->...", np.ones(z.shape), out=z),
    "np.nan_to_num(copy=False)": lambda z: np.nan_to_num(z, copy=False),
}
FEW = ("y", "[1]", ".T", "ravel", "real", "reshape of columns", "copy")

PAIRS = [(view, write) for view in VIEWS for write in COMMON] + [(view, write) for view in FEW for write in OTHERS]
ALL_PAIRS = [(view, write) for view in VIEWS for write in {**COMMON, **OTHERS}]


class Refused(Exception):
    pass


def both(y, view, write, through):
    """What is in y and in a view of it after something was written into one of them."""
    with np.errstate(all="ignore"):
        z = VIEWS[view](y)
        {**COMMON, **OTHERS}[write](z if through else y)
    return y, z[:] if isinstance(z, (Flat, np.flatiter)) else z


def run(y, *what):
    try:
        return [np.array(x.value if isinstance(x, gg.Variable) else x) for x in both(y, *what)]
    except Exception as error:  # whatever NumPy and we raise
        raise Refused from error


def compare(run_ours, data, view, write, through):
    """Whether ours are NumPy's arrays; None if either refuses and ours at least where NumPy does."""
    try:
        expected = run(data * 1.0, view, write, through)
    except Refused:
        expected = None
    try:
        found = run_ours(view, write, through)
    except Refused:
        return
    assert expected is not None, f"{view}, {write}: NumPy refuses that"
    for ours, numpys in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, numpys, err_msg=f"{view}, then {write}")


def lifted(lift):
    return lambda *what: run(lift(), *what)


@pytest.mark.parametrize("through", [False, True], ids=["into y", "into the view"])
@pytest.mark.parametrize("data", [REAL, COMPLEX], ids=["real", "complex"])
def test_as_in_numpy_or_refused(data, through):
    for view, write in PAIRS:
        compare(lifted(lambda: gg.variable(data) * 1.0), data, view, write, through)


@pytest.mark.slow
@pytest.mark.parametrize("through", [False, True], ids=["into y", "into the view"])
@pytest.mark.parametrize("data", [REAL, COMPLEX], ids=["real", "complex"])
def test_as_in_numpy_or_refused_all_pairs(data, through):
    for view, write in ALL_PAIRS:
        compare(lifted(lambda: gg.variable(data) * 1.0), data, view, write, through)


@pytest.mark.parametrize("through", [False, True], ids=["into y", "into the view"])
def test_where_nothing_is_recorded(through):
    with gg.no_grad():
        for view, write in PAIRS:
            compare(lifted(lambda: gg.variable(REAL) * 1.0), REAL, view, write, through)


def test_on_another_level():
    def f(x):
        for view, write in PAIRS:
            compare(lifted(lambda: x * 1.0), REAL, view, write, True)
        return np.sum(x)

    gg.grad(lambda x: np.sum(x * gg.grad(f)(x)))(REAL)


@pytest.mark.parametrize("through", [False, True], ids=["into y", "into the view"])
@pytest.mark.parametrize("data", [REAL, COMPLEX], ids=["real", "complex"])
def test_in_programs(data, through):
    def ours(view, write, through):
        try:
            program, rebuild = trace(
                lambda x: both(x * 1.0, view, write, through), lambda xs: (xs, {}), [spec_of(data)], ["x"], "f"
            )
        except Exception as error:  # TraceError and whatever NumPy says of symbols
            raise Refused from error
        return rebuild(program(data))

    for view, write in PAIRS:
        compare(ours, data, view, write, through)


# --- gradients, and what is said --------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [name for name in {**COMMON, **OTHERS} if name not in ("z @= a", "z += z.T")])
@pytest.mark.parametrize("view", ["[1]", ".T", "flip", "expand_dims"])
def test_gradients_through_views(view, write):
    """The oracle is differences of the same function on plain arrays."""

    def f(x):
        y = x * x / 10.0
        before = np.sum(y**3)
        both(y, "y", "z += 1", False)
        z = VIEWS[view](y)
        {**COMMON, **OTHERS}[write](z)
        return before + np.sum(np.sin(y)) + np.sum(np.cos(z))

    with contextlib.suppress(EscapeError, AttributeError, TypeError, ValueError):
        assert f(REAL * 1.01) == pytest.approx(gg.value_and_grad(f)(REAL * 1.01)[0], rel=1e-12)
        gg.check_gradients(f, REAL * 1.01, order=1)


def test_real_and_imaginary_parts():
    def f(x):
        y = x * (1 + 2j)
        y.real[1:] *= x[1:]
        np.imag(y)[0] = x[2] ** 2
        y.imag += x
        y.real = y.real * y.imag
        return np.sum(np.abs(y) ** 2)

    x = np.array([0.5, -1.5, 2.0])
    assert gg.value_and_grad(f)(x)[0] == pytest.approx(f(x))
    assert gg.check_gradients(f, x, order=2)


def test_what_numpy_does_not_write_into_either():
    y = gg.variable(REAL) * 1.0
    for view in (np.diagonal(y), np.broadcast_to(y, (2, 4, 4))):
        with pytest.raises(EscapeError, match="is a view that shows a diagonal, or an element in several places"):
            view[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        y.imag[0] = 1.0
    with pytest.raises(TypeError, match="a real array has no imaginary part"):
        y.imag = 1.0


def test_a_view_made_under_no_grad():
    """It is a constant that shows what is in y; written into, it would cut y off from its gradient."""
    x = gg.variable(REAL[0])
    y = x * 2.0
    with gg.no_grad():
        view = y[1:]
    with pytest.raises(EscapeError, match="made under no_grad of a variable that is tracked"):
        view[0] = 1.0
    y[1] = x[0] ** 2
    np.testing.assert_array_equal(view.value, y.value[1:])
    assert view.gate is None
    np.sum(y * y.detach()).backward()
    assert x.grad[1] == 0.0


def test_long_chains_of_views_need_no_recursion():
    y = view = gg.variable(np.zeros(300)) * 1.0
    for _ in range(250):
        view = view[1:]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        view[0] = 1.0
    finally:
        sys.setrecursionlimit(limit)
    assert np.flatnonzero(y.value).tolist() == [250]


def test_plain_arrays_do_not_take_variables():
    v, plain = gg.variable(REAL[0]), np.zeros(4)
    for write in (
        lambda: np.copyto(plain, v),
        lambda: np.put(plain, [0], v),
        lambda: np.add.at(plain, [0], v),
    ):
        with pytest.raises(EscapeError, match="would write a tracked variable into a plain array"):
            write()
    assert not plain.any()


def test_out_of_the_wrong_shape():
    y = gg.variable(REAL) * 1.0
    with pytest.raises(ValueError, match=r"out= has shape \(4, 4\), and the result \(4,\)"):
        np.sum(REAL, 0, out=y)
    assert np.multiply(REAL[0], 2.0, out=y) is y
    np.testing.assert_array_equal(y.value, np.broadcast_to(2.0 * REAL[0], (4, 4)))


def test_arrays_made_of_detached_variables_take_no_writes():
    y = gg.variable(REAL).detach()
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(y)[0] = 1.0
    copy = np.array(y)
    copy[0] = 0.0
    np.testing.assert_array_equal(y.value, REAL)


def test_array_copies_and_asarray_does_not():
    y = gg.variable(REAL) * 1.0
    assert gnp.asarray(y) is y and gnp.asanyarray(y) is y
    gnp.array(y)[0] = 9.0
    gnp.full((2, 4), y[0])[0] = 9.0
    gnp.asarray(y, copy=True)[0] = 9.0
    np.testing.assert_array_equal(y.value, REAL)
