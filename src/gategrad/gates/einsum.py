"""Einsum: sums of products named by letters. The gradient of each input is an einsum too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.array_methods import implements
from gategrad.errors import ShapeError
from gategrad.gate import Gate
from gategrad.gates.axes import as_input, only, refuse, shape_of
from gategrad.gates.subscripts import LETTERS, as_text
from gategrad.kinds import Example

__all__ = ["Einsum"]


class Einsum(Gate):
    """z = Σ x · y · …, over the letters that z lacks. A switcher: each input receives the gradient times all others.

    `subscripts` in the explicit form, without `...`, and without a letter twice in one input: `np.einsum` of
    variables brings its own into this form.
    """

    pattern, symbol = "switcher", "einsum"
    sums_broadcasts = True
    passes_masks = True
    takes_complex = True

    def __init__(self, subscripts: str, optimize: Any = False) -> None:
        self.subscripts = subscripts
        self.optimize = optimize

    def forward(self, *xs: Any) -> Any:
        wanted = sum(self.needs)
        self.xs: list[Any] = [x if wanted > need else None for x, need in zip(xs, self.needs, strict=True)]
        self.shapes = [shape_of(x) for x in xs]
        return np.einsum(self.subscripts, *xs, optimize=self.optimize)

    def backward(self, dz: Any) -> Any:
        return [self._gradient(i, dz) if need else None for i, need in enumerate(self.needs)]

    def _gradient(self, i: int, dz: Any) -> Any:
        """Exchange z and x_i. What x_i alone is long in was summed away: it is repeated by a product with ones."""
        inputs, output = self.subscripts.split("->")
        terms = inputs.split(",")
        mine, shape = terms.pop(i), self.shapes[i]
        others = [x for j, x in enumerate(self.xs) if j != i]
        lengths = {
            (c, n) for term, x in zip(terms, others, strict=True) for c, n in zip(term, shape_of(x), strict=True)
        }
        alone = [(c, n) for c, n in zip(mine, shape, strict=True) if c not in output and (c, n) not in lengths]
        ones = [np.ones(n, getattr(dz, "dtype", None)) for _, n in alone]
        subscripts = ",".join([output, *terms, *(c for c, _ in alone)]) + "->" + mine
        return np.einsum(subscripts, dz, *others, *ones, optimize=self.optimize)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Products of one to three inputs, sums within one input, batches, broadcast lengths."""
        lengths = dict(zip("bijk", (2, 3, 4, 5), strict=True))
        for subscripts in ("i,i->", "ij,jk->ik", "bij,bjk->bik", "ij->ji", "ij->", "ij,k->j", "ij,jk,k->i", "i,j->ij"):
            terms = subscripts.split("->")[0].split(",")
            yield cls(subscripts), tuple(rng.uniform(0.5, 1.5, [lengths[c] for c in term]) for term in terms)
        yield cls("ij,ij->i"), (rng.uniform(0.5, 1.5, (3, 1)), rng.uniform(0.5, 1.5, (1, 4)))
        yield cls(",i->i"), (0.5, rng.uniform(0.5, 1.5, 3))


@implements(np.einsum)
def _einsum(*operands: Any, out: Any = None, optimize: Any = False, dtype: Any = None, **options: Any) -> Any:
    refuse("np.einsum", out=out, **options)
    subscripts, operands = as_text(operands)
    xs = [only(as_input(x), True, 0.0, dtype) for x in operands]
    terms, output = _explicit(subscripts, [shape_of(x) for x in xs])
    for i, term in enumerate(terms):
        while len(set(term)) < len(term):
            xs[i], term = _on_diagonal(xs[i], term)
        terms[i] = term
    if len(terms) == 1 and output and set(output) == set(terms[0]) and len(output) == len(terms[0]):
        return np.transpose(xs[0], [terms[0].index(c) for c in output])  # a view, as in NumPy
    return Einsum(",".join(terms) + "->" + output, optimize)(*xs)


def _explicit(subscripts: str, shapes: list[tuple[int, ...]]) -> tuple[list[str], str]:
    """The letters of each input and of the output, with letters in place of every `...`.

    >>> _explicit("...ij,jk", [(2, 3, 4), (4, 5)])
    (['Zij', 'jk'], 'Zik')
    """
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(shapes):
        raise ShapeError(f"einsum: {subscripts!r} names {len(terms)} inputs, but there are {len(shapes)}")
    free = "".join(c for c in reversed(LETTERS) if c not in subscripts)
    hidden = 0
    for i, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        named = len(term.replace("...", ""))
        extra = len(shape) - named
        if extra < 0 or (extra and "..." not in term):
            raise ShapeError(f"einsum: {term!r} in {subscripts!r} names {named} axes of an input of shape {shape}")
        terms[i] = term.replace("...", free[:extra][::-1])
        hidden = max(hidden, extra)
    letters = "".join(terms)
    batch = free[:hidden][::-1]
    if not arrow:
        output = "..." + "".join(sorted(c for c in set(letters) - set(batch) if letters.count(c) == 1))
    return terms, output.replace("...", batch)


def _on_diagonal(x: Any, term: str) -> tuple[Any, str]:
    """`x` along the diagonal of the first two axes that bear the same letter, and its letters then."""
    letter = next(c for c in term if term.count(c) > 1)
    first = term.index(letter)
    second = term.index(letter, first + 1)
    if x.shape[first] != x.shape[second]:
        raise ShapeError(f"einsum: {letter!r} names axes of lengths {x.shape[first]} and {x.shape[second]}")
    rest = "".join(c for i, c in enumerate(term) if i not in (first, second))
    return np.diagonal(x, axis1=first, axis2=second), rest + letter
