"""A matrix laid out anew in strips, so that what the tiles of a product read lies in order.

A strip holds `width` rows (of `x`) or columns (of `y`): for each step of the inner axis, their elements side by side.
The last strip is as wide as the others; where it has no rows left it repeats the last one, which tiles do not write.
"""

from __future__ import annotations

from gategrad.compiler.codegen.elementwise import Needs, intrinsic
from gategrad.compiler.codegen.products.tile import Form
from gategrad.compiler.codegen.text import Body, llvm_type

__all__ = ["layout_of", "room", "strips_text"]

_STEPS = 8  # rows of memory that are read side by side

Pointers = list[str]


def room(count: int, width: int, depth: int, form: Form) -> int:
    """Bytes for so many rows in strips; the last vector written may reach beyond them."""
    return (-(-count // width) * width * depth + form.lanes) * form.dtype.itemsize


def layout_of(along: int, across: int) -> str:
    """Which way a matrix lies: elements side by side `across` rows, `along` them, or `apart`."""
    return "across" if across == 1 else "along" if along == 1 else "apart"


def strips_text(form: Form, width: int, layout: str) -> str:
    """`@gg_strips(x, along, across, count, depth, strips)` lays out `count` rows of `depth` elements.

    `along` and `across` are the distances from one element of a row to the next, and from one row to the next.
    """
    body = Body()
    needs: Needs = {"declarations": {}}
    write = {"across": _side_by_side, "along": _turned, "apart": _apart}[layout]
    write(body, needs, form, width)
    body.write("ret void")
    parameters = "ptr noalias readonly %x, i64 %along, i64 %across, i64 %count, i64 %depth, ptr noalias %strips"
    return "\n".join(
        [body.function(f"define void @gg_strips({parameters}) optsize nounwind"), *needs["declarations"].values()]
    )


def _strip(body: Body, form: Form, first: str) -> str:
    """Where a strip is laid out."""
    return body.address("%strips", form.dtype, [(body.make(f"mul nsw i64 {first}, %depth"), 1)], 0)


def _rows(body: Body, needs: Needs, form: Form, first: str, count: int) -> Pointers:
    """Where the rows of a strip start; behind the last row it is the last one again."""
    last = body.make("sub nsw i64 %count, 1")
    rows = [intrinsic(body, needs, "smin", "i64", [body.plus(first, r), last]) for r in range(count)]
    return [body.address("%x", form.dtype, [(body.make(f"mul nsw i64 {row}, %across"), 1)], 0) for row in rows]


def _apart(body: Body, needs: Needs, form: Form, width: int) -> None:
    with body.walk("0", "%count", width) as first:
        _collect(body, form, _rows(body, needs, form, first, width), _strip(body, form, first), width, "0")


def _side_by_side(body: Body, needs: Needs, form: Form, width: int) -> None:
    """A few steps of all strips at a time, so that memory is read in order."""
    rest = body.make(f"srem i64 %count, {width}")
    whole = body.make(f"sub nsw i64 %count, {rest}")
    with body.walk("0", "%depth", _STEPS) as start:
        stop = intrinsic(body, needs, "smin", "i64", [body.plus(start, _STEPS), "%depth"])
        with body.walk("0", whole, width) as first:
            strip = _strip(body, form, first)
            with body.walk(start, stop) as k:
                source = body.address("%x", form.dtype, [(body.make(f"mul nsw i64 {k}, %along"), 1), (first, 1)], 0)
                place = body.address(strip, form.dtype, [(k, width)], 0)
                for c, lanes in _pieces(width, form.lanes):
                    x = body.load(body.address(source, form.dtype, [], c), form.dtype, lanes)
                    body.store(x, body.address(place, form.dtype, [], c), form.dtype, lanes)
    with body.walk(whole, "%count", width) as first:
        _collect(body, form, _rows(body, needs, form, first, width), _strip(body, form, first), width, "0")


def _turned(body: Body, needs: Needs, form: Form, width: int) -> None:
    """Squares of vectors are transposed in registers.

    The last square may be wider than what is left of the strip. What it writes too far is where the first square
    writes the next step, which comes after it.
    """
    lanes, dtype = form.lanes, form.dtype
    bulk = body.make(f"and i64 %depth, -{lanes}")
    with body.walk("0", "%count", width) as first:
        target = _strip(body, form, first)
        rows = _rows(body, needs, form, first, -(-width // lanes) * lanes)
        for column in reversed(range(0, width, lanes)):
            with body.walk("0", bulk, lanes) as k:
                places = [body.address(row, dtype, [(k, 1)], 0) for row in rows[column : column + lanes]]
                square = [body.load(place, dtype, lanes) for place in places]
                for step, vector in enumerate(_transposed(body, square, form)):
                    place = body.address(target, dtype, [(k, width)], step * width + column)
                    body.store(vector, place, dtype, lanes)
        _collect(body, form, rows, target, width, bulk)


def _pieces(width: int, lanes: int) -> list[tuple[int, int]]:
    pieces, start = [], 0
    while start < width:
        while lanes > width - start:
            lanes //= 2
        pieces.append((start, lanes))
        start += lanes
    return pieces


def _collect(body: Body, form: Form, rows: Pointers, target: str, width: int, start: str) -> None:
    """Element by element."""
    with body.walk(start, "%depth") as k:
        shift = body.make(f"mul nsw i64 {k}, %along")
        for r in range(width):
            x = body.load(body.address(rows[r], form.dtype, [(shift, 1)], 0), form.dtype)
            body.store(x, body.address(target, form.dtype, [(k, width)], r), form.dtype)


def _transposed(body: Body, square: list[str], form: Form) -> list[str]:
    """Swap ever larger blocks beside the diagonal: of one element, two, four, …"""
    lanes = form.lanes
    kind = llvm_type(form.dtype, lanes)
    size = 1
    while size < lanes:
        above = [lane if not lane & size else lanes + lane - size for lane in range(lanes)]
        below = [lane + size if not lane & size else lanes + lane for lane in range(lanes)]
        for r in range(lanes):
            if r & size:
                continue
            pair = square[r], square[r + size]
            for place, mask in ((r, above), (r + size, below)):
                order = ", ".join(f"i32 {lane}" for lane in mask)
                square[place] = body.make(
                    f"shufflevector {kind} {pair[0]}, {kind} {pair[1]}, <{lanes} x i32> <{order}>"
                )
        size *= 2
    return square
