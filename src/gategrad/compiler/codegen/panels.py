"""Large matrix products by panels: parts of both matrices are laid out anew, so that what a tile reads lies in order.

The order of the loops is that of Goto and van de Geijn, Anatomy of high-performance matrix multiplication (2008): a
panel of `y` stays in the first cache while a block of `x`, in the second, is walked past it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gategrad.compiler.codegen.elementwise import Needs
from gategrad.compiler.codegen.memory import Memory
from gategrad.compiler.codegen.text import Body

__all__ = ["HEIGHT", "Tile", "fits", "write_panels"]

HEIGHT = 8
"""Rows of a tile; with two vectors to a row, its sums stay in registers."""

_DEPTH = 256  # of the inner axis at a time
_ROWS = 256  # of x at a time

Tile = Callable[..., None]
"""Writes a tile: body, needs, addresses, strides, depth, place, form, dtype, and whether to add to what is there."""


def fits(sizes: tuple[int, int, int], lanes: int) -> bool:
    """Whether a product is made of whole tiles."""
    rows, inner, columns = sizes
    return rows % HEIGHT == 0 and columns % (2 * lanes) == 0 and inner > 0


@dataclasses.dataclass
class _Product:
    body: Body
    needs: Needs
    at: list[str]
    strides: list[tuple[int, int]]
    sizes: tuple[int, int, int]
    dtype: Any
    lanes: int
    block: str  # where a block of x is laid out
    panels: str  # where all panels of y are
    tile: Tile

    @property
    def width(self) -> int:
        return 2 * self.lanes


def write_panels(
    body: Body, needs: Needs, at: list[str], strides: list[tuple[int, int]], sizes: tuple[int, int, int], dtype: Any,
    memory: Memory, scratch: Callable[[int], str], tile: Tile,
) -> None:  # fmt: skip
    """Add the product of two matrices to a third. `scratch` hands out buffers of so many bytes."""
    rows, inner, columns = sizes
    depth = min(inner, _DEPTH)
    block = scratch(min(rows, _ROWS) * depth * dtype.itemsize)
    panels = scratch(columns * depth * dtype.itemsize)
    product = _Product(body, needs, at, strides, sizes, dtype, memory.lanes(dtype), block, panels, tile)
    for depth, k in _blocks(inner, _DEPTH):
        with _over(body, k) as first_k:
            _lay_out_panels(product, first_k, depth)
            for count, i in _blocks(rows, _ROWS):
                with _over(body, i) as first_row:
                    _lay_out_block(product, first_row, first_k, count, depth)
                    _tiles(product, first_row, count, depth)


Range = tuple[int, int, int]


def _blocks(length: int, size: int) -> Iterator[tuple[int, Range]]:
    """The whole blocks of an axis, as the range of their starts, and the rest."""
    whole = length - length % size
    if whole:
        yield size, (0, whole, size)
    if whole < length:
        yield length - whole, (whole, length, length - whole)


@contextmanager
def _over(body: Body, starts: Range) -> Iterator[str]:
    with body.loop(*starts) as i:
        yield i


def _lay_out_panels(p: _Product, first_k: str, depth: int) -> None:
    """Panel after panel, each `depth` times `width` elements in order."""
    body, (down, across) = p.body, p.strides[1]
    step = p.lanes if across == 1 else 1
    with body.loop(0, p.sizes[2], p.width) as j, body.loop(0, depth) as k:
        for c in range(0, p.width, step):
            terms = [(first_k, down), (k, down), (j, across)]
            x = body.load(body.address(p.at[1], p.dtype, terms, c * across), p.dtype, step)
            body.store(x, body.address(p.panels, p.dtype, [(j, depth), (k, p.width)], c), p.dtype, step)


def _lay_out_block(p: _Product, first_row: str, first_k: str, count: int, depth: int) -> None:
    """Strips of `HEIGHT` rows, each with the elements of one column side by side."""
    body, (down, across) = p.body, p.strides[0]
    step = HEIGHT if down == 1 else 1
    with body.loop(0, count, HEIGHT) as i, body.loop(0, depth) as k:
        for r in range(0, HEIGHT, step):
            terms = [(first_row, down), (i, down), (first_k, across), (k, across)]
            x = body.load(body.address(p.at[0], p.dtype, terms, r * down), p.dtype, step)
            body.store(x, body.address(p.block, p.dtype, [(i, depth), (k, HEIGHT)], r), p.dtype, step)


def _tiles(p: _Product, first_row: str, count: int, depth: int) -> None:
    body, (z_down, _) = p.body, p.strides[2]
    strides = [(1, HEIGHT), (p.width, 1), (z_down, 1)]
    with body.loop(0, p.sizes[2], p.width) as j, body.loop(0, count, HEIGHT) as i:
        at = [
            body.address(p.block, p.dtype, [(i, depth)], 0),
            body.address(p.panels, p.dtype, [(j, depth)], 0),
            body.address(p.at[2], p.dtype, [(first_row, z_down), (i, z_down), (j, 1)], 0),
        ]
        p.tile(body, p.needs, at, strides, depth, ("0", "0"), (HEIGHT, p.lanes, 2), p.dtype, add=True)
