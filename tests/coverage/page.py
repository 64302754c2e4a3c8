"""The coverage page: what the tables say, and what the compiler makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from gategrad.array_methods import functions
from gategrad.refusals import ADVICE, WITHOUT_GRADIENT

from .cases import Case, Subject

__all__ = ["asks_only", "page"]

HEAD = """\
# Coverage

What can be differentiated, and to which order that is tested. This page is written by `python -m tests.coverage` from the
table of cases that drives the tests, so what it says has been run: each value against NumPy's, each gradient against central
differences, up to the order named; forward mode against reverse; float32 in, float32 out; the compiled function against the
eager one. There is no highest order: rules are made of gates, so they can be differentiated as often as one likes.

*Compiled* tells what `gg.compile` makes of value and gradient together: `native` code alone, or native code with `host calls`
for parts that NumPy or SciPy computes; `no` where no program can hold it: shapes that depend on values.

```python
>>> import numpy as np
>>> import gategrad as gg
>>> gg.grad(lambda x: np.median(x) + np.cumprod(x)[-1])(np.array([3.0, 1.0, 2.0]))
array([2., 6., 4.])

```
"""


def page(subjects: Iterable[Subject]) -> str:
    """The whole page, as Markdown."""
    return HEAD + "".join(_section(subject) for subject in subjects) + _tail()


def _section(subject: Subject) -> str:
    functions: dict[str, list[Case]] = {}
    for case in subject.cases:
        functions.setdefault(case.name, []).append(case)
    rows = "".join(_row(name, cases) for name, cases in sorted(functions.items()))
    return f"\n## {subject.heading}\n\n| function | order | compiled | notes |\n|---|---|---|---|\n{rows}"


def _row(name: str, cases: list[Case]) -> str:
    ways = sorted({case.how_compiled for case in cases}, reverse=True)
    notes = list(dict.fromkeys(case.note for case in cases if case.note))
    return f"| `{name}` | {min(case.order for case in cases)} | {' or '.join(ways)} | {'; '.join(notes)} |\n"


def asks_only(function: Any) -> bool:
    """Whether a function of NumPy's answers of the plain values: its answer carries no gradient."""
    rule = functions.get(function) if callable(function) and function.__hash__ else None
    return getattr(rule, "__module__", "") == "gategrad.gates.queries" or (
        isinstance(function, np.ufunc) and function in WITHOUT_GRADIENT
    )


def _tail() -> str:
    named = {name: getattr(np, name, None) for name in sorted(np.__all__)}
    queries = ", ".join(f"`{name}`" for name, f in named.items() if asks_only(f))
    refused = "".join(f"| `np.{name}` | {advice} |\n" for name, advice in sorted(ADVICE.items()) if name in named)
    return (
        "\n## Without a gradient\n\n"
        "Shapes, indices, counts, truths and texts: of variables these answer of the plain values.\n\n"
        f"{queries}\n\n"
        "## Refused\n\n"
        "Where there is no gradient, and no plain answer that would not lose one, `NoRuleError` says what to do instead.\n\n"
        f"| function | what it says |\n|---|---|\n{refused}"
    )
