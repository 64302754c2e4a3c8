"""Linear algebra: SciPy's LAPACK, one matrix of the stack after the other.

LAPACK counts by columns and works in place, in memory that the program has planned. What it overwrites is laid out for it
first, which is where transposes go: a symmetric matrix, and what is solved for, need none, and triangles are read where
they lie.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable

import numpy as np

from gategrad.compiler.codegen.calls.fortran import call_fortran, integer, leading, letter, real
from gategrad.compiler.codegen.failures import Fail
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.text import Body, literal, llvm_type
from gategrad.compiler.program.lapack import NO_EIGENVALUES, NO_SINGULAR_VALUES, NOT_DEFINITE, SINGULAR
from gategrad.compiler.program.ops import Failure
from gategrad.compiler.program.value import Value
from gategrad.compiler.runtime.table import Table
from gategrad.compiler.schedule.views import View, contiguous, view_of

__all__ = ["write_lapack"]

_BLOCK = 64  # columns that LAPACK takes at a time, at most: what it likes as working memory for each row


def write_lapack(
    body: Body, value: Value, memory: Memory, table: Table, scratch: Callable[[int], str], fail: Fail
) -> None:
    """One operation of linear algebra on each matrix of a stack, into the buffer of `value`."""
    if not value.size:
        return
    views = [*map(view_of, value.inputs), View(value, 0, contiguous(value.shape))]
    batch = value.inputs[0].shape[: len(value.inputs[0].shape) - (1 if value.op.name.startswith("lu_") else 2)]
    with contextlib.ExitStack() as nest:
        indices = [nest.enter_context(body.loop(0, n)) for n in batch]
        places = [
            _Place(
                body.address(
                    memory.pointers[v.base], v.base.dtype, list(zip(indices, v.strides, strict=False)), v.offset
                ),
                v.strides[len(batch) :],
            )
            for v in views
        ]
        _ROUTINES[value.op.name](_Writing(body, table, value, scratch, fail), *places)


@dataclasses.dataclass(frozen=True)
class _Place:
    """Where a matrix lies: its first element, and the steps from row to row and from column to column."""

    pointer: str
    strides: tuple[int, ...]


class _Writing:
    """What all routines need to write: copies, checks and calls for matrices of one precision."""

    def __init__(self, body: Body, table: Table, value: Value, scratch: Callable[[int], str], fail: Fail) -> None:
        self.body, self.table, self.value, self.fail = body, table, value, fail
        self.dtype = value.dtype
        self._scratch = scratch
        self.info = body.slot("i32", "info")

    def sizes(self) -> tuple[int, int]:
        """Rows and columns of the last input."""
        rows, columns = self.value.inputs[-1].shape[-2:]
        return rows, columns

    def room(self, count: int) -> str:
        """Working memory for so many numbers of the matrices' precision."""
        return self._scratch(max(count, 1) * self.dtype.itemsize)

    def integers(self, count: int) -> str:
        """Working memory for so many of LAPACK's integers."""
        return self._scratch(max(count, 1) * 4)

    def at(self, pointer: str, terms: list[tuple[str, int]], offset: int = 0) -> str:
        """The address of an element."""
        return self.body.address(pointer, self.dtype, terms, offset)

    def copy(self, source: _Place, target: str, steps: tuple[int, int], sizes: tuple[int, int]) -> None:
        """Lay a matrix out with these steps between its rows and columns."""
        body, (rows, columns) = self.body, sizes
        with body.loop(0, rows) as i, body.loop(0, columns) as j:
            element = body.load(self.at(source.pointer, [(i, source.strides[0]), (j, source.strides[1])]), self.dtype)
            body.store(element, self.at(target, [(i, steps[0]), (j, steps[1])]), self.dtype)

    def call(self, library: str, name: str, *arguments: str | int) -> None:
        """Call a routine; numbers are sizes, single capitals say how a matrix is to be taken, the rest are addresses."""
        given = [
            integer(self.body, a) if isinstance(a, int) else letter(self.body, a) if len(a) == 1 else a
            for a in arguments
        ]
        call_fortran(self.body, self.table, library, name, self.dtype, given)

    def expect_success(self, text: str) -> None:
        """Leave with a `LinAlgError` that says this unless the routine has done what it was asked."""
        info = self.body.make(f"load i32, ptr {self.info}")
        with self.body.only(self.body.make(f"icmp ne i32 {info}, 0")):
            self.fail(self.body, Failure(np.linalg.LinAlgError, text))

    def expect_diagonal(self, pointer: str, n: int, step: int) -> None:
        """Leave if there is a zero on the diagonal of a triangle."""
        body = self.body
        with body.loop(0, n) as i:
            element = body.load(self.at(pointer, [(i, step)]), self.dtype)
            zero = body.make(f"fcmp oeq {llvm_type(self.dtype)} {element}, {literal(0, self.dtype)}")
            with body.only(zero):
                self.fail(body, Failure(np.linalg.LinAlgError, SINGULAR))

    def solve(self, triangle: _Place, z: str, form: str, *, unit: bool = False) -> None:
        """Replace the rows at z by x⁻¹ z. `form`: which triangle x is as it is read here, "L" or "U"."""
        n, columns = self.sizes()
        by_columns, lead = leading((triangle.strides[0], triangle.strides[1]), n, n)
        # Rows here are columns there: z is zᵀ, on the right of which xᵀ stands, which x is if it lies by rows.
        stored = form if by_columns else {"L": "U", "U": "L"}[form]
        diagonal = "U" if unit else "N"
        if columns == 1:
            self.call("blas", "trsv", stored, "N" if by_columns else "T", diagonal, n, triangle.pointer, lead, z, 1)
            return
        one = real(self.body, 1, self.dtype)
        self.call(
            "blas", "trsm", "R", stored, "T" if by_columns else "N", diagonal, columns, n, one, triangle.pointer, lead, z,
            columns,
        )  # fmt: skip


# --- the routines ---------------------------------------------------------------------------------------------------


def _cholesky(w: _Writing, x: _Place, z: _Place) -> None:
    """The lower triangle by rows is the upper one by columns; the rest of it becomes zero."""
    n, _ = w.sizes()
    w.copy(x, z.pointer, (n, 1), (n, n))
    w.call("lapack", "potrf", "U", n, z.pointer, n, w.info)
    w.expect_success(NOT_DEFINITE)
    with w.body.loop(0, n) as i:
        first = w.body.plus(i, 1)
        with w.body.walk(first, str(n)) as j:
            w.body.store(literal(0, w.dtype), w.at(z.pointer, [(i, n), (j, 1)]), w.dtype)


def _triangular_solve(w: _Writing, x: _Place, y: _Place, z: _Place) -> None:
    n, columns = w.sizes()
    w.expect_diagonal(x.pointer, n, x.strides[0] + x.strides[1])
    w.copy(y, z.pointer, (columns, 1), (n, columns))
    w.solve(x, z.pointer, "L" if w.value.options["lower"] else "U")


def _lu(w: _Writing, x: _Place, z: _Place) -> None:
    """LAPACK says with which row each was exchanged, counted from one."""
    n, _ = w.sizes()
    w.copy(x, z.pointer, (1, n), (n, n))
    places = w.integers(n)
    w.call("lapack", "getrf", n, n, z.pointer, n, places, w.info)
    with w.body.loop(0, n) as i:
        number = w.body.load(w.body.address(places, "i4", [(i, 1)], 0), "i4")
        before = w.body.make(f"add i32 {number}, -1")
        place = w.body.make(f"sitofp i32 {before} to {llvm_type(w.dtype)}")
        w.body.store(place, w.at(z.pointer, [(i, 1)], n * n), w.dtype)


def _lu_solve(w: _Writing, lu: _Place, y: _Place, z: _Place) -> None:
    """x = p l u. Both factors lie by columns in one square."""
    n, columns = w.sizes()
    w.expect_diagonal(lu.pointer, n, n + 1)
    w.copy(y, z.pointer, (columns, 1), (n, columns))
    factors = _Place(lu.pointer, (1, n))
    if w.value.options["transposed"]:
        turned = _Place(lu.pointer, (n, 1))
        w.solve(turned, z.pointer, "L")
        w.solve(turned, z.pointer, "U", unit=True)
        _exchange_rows(w, lu, z, backwards=True)
    else:
        _exchange_rows(w, lu, z, backwards=False)
        w.solve(factors, z.pointer, "L", unit=True)
        w.solve(factors, z.pointer, "U")


def _exchange_rows(w: _Writing, lu: _Place, z: _Place, *, backwards: bool) -> None:
    body, (n, columns) = w.body, w.sizes()
    with body.loop(0, n) as count:
        i = body.make(f"sub i64 {n - 1}, {count}") if backwards else count
        place = body.load(w.at(lu.pointer, [(i, 1)], n * n), w.dtype)
        other = body.make(f"fptosi {llvm_type(w.dtype)} {place} to i64")
        with body.only(body.make(f"icmp ne i64 {i}, {other}")), body.loop(0, columns) as j:
            one, two = w.at(z.pointer, [(i, columns), (j, 1)]), w.at(z.pointer, [(other, columns), (j, 1)])
            above, below = body.load(one, w.dtype), body.load(two, w.dtype)
            body.store(below, one, w.dtype)
            body.store(above, two, w.dtype)


def _lu_inverse(w: _Writing, lu: _Place, z: _Place) -> None:
    body, n = w.body, w.value.shape[-1]
    w.expect_diagonal(lu.pointer, n, n + 1)
    w.copy(_Place(lu.pointer, (n, 1)), z.pointer, (n, 1), (n, n))
    places = w.integers(n)
    with body.loop(0, n) as i:
        place = body.load(w.at(lu.pointer, [(i, 1)], n * n), w.dtype)
        number = body.make(f"add i32 {body.make(f'fptosi {llvm_type(w.dtype)} {place} to i32')}, 1")
        body.store(number, body.address(places, "i4", [(i, 1)], 0), "i4")
    length = _BLOCK * n
    w.call("lapack", "getri", n, z.pointer, n, places, w.room(length), length, w.info)


def _eigh(w: _Writing, x: _Place, z: _Place) -> None:
    n, _ = w.sizes()
    vectors = w.at(z.pointer, [], n)
    w.copy(x, vectors, (1, n), (n, n))
    triangle = "L" if w.value.options["lower"] else "U"
    length, count = 1 + (6 + _BLOCK) * n + 2 * n * n, 3 + 5 * n
    room, integers = w.room(length), w.integers(count)
    w.call("lapack", "syevd", "V", triangle, n, vectors, n, z.pointer, room, length, integers, count, w.info)
    w.expect_success(NO_EIGENVALUES)


def _svd(w: _Writing, x: _Place, z: _Place) -> None:
    rows, columns = w.sizes()
    k = min(rows, columns)
    whole = w.value.op.name == "svd"
    inner = w.room(rows * columns)
    w.copy(x, inner, (1, rows), (rows, columns))
    u = w.at(z.pointer, [], k) if whole else inner
    vh = w.at(z.pointer, [], k + rows * k) if whole else inner
    length = 4 * k * k + 7 * k + _BLOCK * (rows + columns)
    room, integers = w.room(length), w.integers(8 * k)
    w.call(
        "lapack", "gesdd", "S" if whole else "N", rows, columns, inner, rows, z.pointer, u, rows, vh, k, room, length,
        integers, w.info,
    )  # fmt: skip
    w.expect_success(NO_SINGULAR_VALUES)


def _qr(w: _Writing, x: _Place, z: _Place) -> None:
    """The triangle is taken out of the square before the reflections in the rest of it are multiplied out."""
    body, (rows, columns) = w.body, w.sizes()
    k = min(rows, columns)
    inner, scales, length = w.room(rows * columns), w.room(k), _BLOCK * columns
    room = w.room(length)
    w.copy(x, inner, (1, rows), (rows, columns))
    w.call("lapack", "geqrf", rows, columns, inner, rows, scales, room, length, w.info)
    r = w.at(z.pointer, [], rows * k)
    with body.loop(0, k) as i, body.loop(0, columns) as j:
        element = body.load(w.at(inner, [(i, 1), (j, rows)]), w.dtype)
        below = body.make(f"icmp slt i64 {j}, {i}")
        kept = body.make(
            f"select i1 {below}, {llvm_type(w.dtype)} {literal(0, w.dtype)}, {llvm_type(w.dtype)} {element}"
        )
        body.store(kept, w.at(r, [(i, columns), (j, 1)]), w.dtype)
    w.call("lapack", "orgqr", rows, k, k, inner, rows, scales, room, length, w.info)
    w.copy(_Place(inner, (rows, 1)), z.pointer, (rows, 1), (k, rows))


_ROUTINES: dict[str, Callable[..., None]] = {
    "cholesky": _cholesky, "triangular_solve": _triangular_solve, "lu": _lu, "lu_solve": _lu_solve,
    "lu_inverse": _lu_inverse, "eigh": _eigh, "svd": _svd, "svdvals": _svd, "qr": _qr,
}  # fmt: skip
