"""The coverage page: what the tables say, and what the compiler makes of it."""

from __future__ import annotations

from collections.abc import Iterable

from .cases import Case, Table

__all__ = ["page"]

HEAD = """\
# Coverage

What can be differentiated, and to which order that is tested. This page is written by `python -m tests.coverage` from the
table of cases that drives the tests, so what it says has been run: each value against NumPy's, each gradient against central
differences, up to the order named; float32 in, float32 out; the compiled function against the eager one. There is no highest
order: rules are made of gates, so they can be differentiated as often as one likes.

*Compiled* tells what `gg.compile` makes of value and gradient together: `native` code alone, or native code with `host calls`
for parts that NumPy computes; `no` where the shape of the answer depends on values, which no program can hold.

```python
>>> import numpy as np
>>> import gategrad as gg
>>> gg.grad(lambda x: np.median(x) + np.cumprod(x)[-1])(np.array([3.0, 1.0, 2.0]))
array([2., 6., 4.])

```
"""


def page(tables: Iterable[Table]) -> str:
    """The whole page, as Markdown."""
    return HEAD + "".join(_section(table) for table in tables)


def _section(table: Table) -> str:
    functions: dict[str, list[Case]] = {}
    for case in table.cases:
        functions.setdefault(case.name, []).append(case)
    rows = "".join(_row(name, cases) for name, cases in sorted(functions.items()))
    return f"\n## {table.heading}\n\n| function | order | compiled | notes |\n|---|---|---|---|\n{rows}"


def _row(name: str, cases: list[Case]) -> str:
    ways = sorted({case.how_compiled for case in cases}, reverse=True)
    notes = list(dict.fromkeys(case.note for case in cases if case.note))
    return f"| `{name}` | {min(case.order for case in cases)} | {' or '.join(ways)} | {'; '.join(notes)} |\n"
