"""Write the table of kinks.md with what the library answers: `python docs/make_kinks.py`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import gategrad as gg

PAGE = Path(__file__).parent / "kinks.md"


class Row(NamedTuple):
    """A function, the point of its kink, and why the gradient there is what it is."""

    name: str
    f: Callable[..., Any]
    at: Any
    why: str


def logistic(x: Any) -> Any:
    """1 / (1 + exp(−x)), as it is written by hand."""
    return 1 / (1 + np.exp(-x))


ROWS = [
    Row("abs(x)", np.abs, 0.0, "the middle of [−1, 1]"),
    Row("sign(x)", np.sign, 0.0, "flat on both sides"),
    Row("floor(x)", np.floor, 1.0, "flat on both sides"),
    Row("maximum(x, 0)", lambda x: np.maximum(x, 0.0), 0.0, "a tie is shared"),
    Row("minimum(x, 0)", lambda x: np.minimum(x, 0.0), 0.0, "a tie is shared"),
    Row("clip(x, 0, 1)", lambda x: np.clip(x, 0.0, 1.0), 1.0, "the same"),
    Row("relu(x)", gg.relu, 0.0, "what networks have always been trained with; `maximum(x, 0)` gives ½"),
    Row("max(x)", np.max, [1.0, 1.0, 0.0], "equal shares"),
    Row("min(x)", np.min, [1.0, 1.0, 1.0], "equal shares"),
    Row("prod(x)", np.prod, [2.0, 0.0, 3.0], "the product of the others, without dividing by x"),
    Row("linalg.norm(x)", np.linalg.norm, [0.0, 0.0], "the middle of the unit ball"),
    Row("linalg.norm(x, 3)", lambda x: np.linalg.norm(x, 3), [0.0, 0.0], "likewise, of any order"),
    Row("linalg.norm(x)²", lambda x: np.linalg.norm(x) ** 2, [0.0, 0.0], "smooth, and its own gradient too: what arrives at the kink is 0"),
    Row("sum(x²)", lambda x: np.sum(x**2), [0.0, 0.0], "smooth, and exact at every order"),
    Row("hypot(x, 0)", lambda x: np.hypot(x, 0.0), 0.0, "the middle of [−1, 1]"),
    Row("arctan2(x, 0)", lambda x: np.arctan2(x, 0.0), 0.0, "the origin has no angle: nothing flows"),
    Row("std(x)", np.std, [1.0, 1.0, 1.0], "the minimum of a convex function"),
    Row("sqrt(x)", np.sqrt, 0.0, "the slope is infinite; there is no finite one"),
    Row("sqrt(x²)", lambda x: np.sqrt(x**2), 0.0, "this is abs(x)"),
    Row("sqrt(x · x)", lambda x: np.sqrt(x * x), 0.0, "likewise"),
    Row("abs(x)²", lambda x: np.abs(x) ** 2, 0.0, "smooth, as the norm squared"),
    Row("sqrt(x²)²", lambda x: np.sqrt(x**2) ** 2, 0.0, "likewise"),
    Row("clip(x, 0, 2)²", lambda x: np.clip(x, 0.0, 2.0) ** 2, 0.0, "0 on the one side, 2 on the other: the middle"),
    Row("clip(x, 0, 1)²", lambda x: np.clip(x, 0.0, 1.0) ** 2, 1.0, "the gradient itself jumps: ½ · 2 · ½, its slope is ½"),
    Row("maximum(x, 0)²", lambda x: np.maximum(x, 0.0) ** 2, 0.0, "2 on the one side, 0 on the other: the middle"),
    Row("linalg.norm(x, 3)²", lambda x: np.linalg.norm(x, 3) ** 2, [0.0, 0.0], "its slopes differ with the direction"),
    Row("sqrt(x)²", lambda x: np.sqrt(x) ** 2, 0.0, "this is x, as far as there is one"),
    Row("sqrt(x⁴)", lambda x: np.sqrt(x**4), 0.0, "this is x²"),
    Row("cbrt(x)³", lambda x: np.cbrt(x) ** 3, 0.0, "this is x"),
    Row("cbrt(x³)", lambda x: np.cbrt(x**3), 0.0, "likewise"),
    Row("x · sqrt(x)", lambda x: x * np.sqrt(x), 0.0, "x ** 1.5: its curvature is infinite"),
    Row("sqrt(x) · 0", lambda x: np.sqrt(x) * 0.0, 0.0, "0 beside the point as well, whatever the slope"),
    Row("arccos(x)²", lambda x: np.arccos(x) ** 2, 1.0, "smooth from where it comes"),
    Row("arccosh(x)²", lambda x: np.arccosh(x) ** 2, 1.0, "likewise, and the same function from the other side"),
    Row("abs(x) ** 1.5", lambda x: np.abs(x) ** 1.5, 0.0, "its curvature is infinite"),
    Row("x · abs(x)", lambda x: x * np.abs(x), 0.0, "−2 on the one side, 2 on the other: the middle"),
    Row("relu(x)²", lambda x: gg.relu(x) ** 2, 0.0, "0 on the one side, 2 on the other: that of the slope of relu"),
    Row("max(x) · min(x)", lambda x: np.max(x) * np.min(x), [1.0, 1.0], "this is x₀ · x₁: the kinks cancel"),
    Row("Σ sort(x)²", lambda x: np.sum(np.sort(x) ** 2), [1.0, 1.0], "this is Σ x²"),
    Row("std(x)²", lambda x: np.std(x) ** 2, [1.0, 1.0, 1.0], "smooth; the Hessian is not 0, but its rows add up to 0"),
    Row("cbrt(x)", np.cbrt, 0.0, "the slope is infinite; beyond, the two sides have no common sign"),
    Row("where(x > 0, sqrt(x), 0)", lambda x: np.where(x > 0, np.sqrt(x), 0.0), -1.0, "nothing flows into what was not taken"),
    Row("where(x > 0, sqrt(x) @ a, 0)", lambda x: np.where(x > 0, np.sqrt(np.stack([x])) @ np.ones(1), 0.0), -1.0, "likewise, through a product of matrices"),
    Row("where(x = 0, 1, sin(x) / x)", lambda x: np.where(x == 0, 1.0, np.sin(x) / x), 0.0, "likewise, through a product"),
    Row("1 / (1 + exp(−x))", logistic, -800.0, "exp overflows; the gradient must not"),
    Row("log(Σ exp x)", lambda x: np.log(np.sum(np.exp(x))), [1000.0, 0.0], "exp overflows; the gradient must not. `gg.logsumexp` has the value too"),
    Row("gg.logsumexp(x)", gg.logsumexp, [1000.0, 0.0], "never overflows"),
]  # fmt: skip


def answers(row: Row, dtype: Any = np.float64, wrap: Callable[[Any], Any] = lambda f: f) -> tuple[Any, Any]:
    """First and second order at the kink; for arrays the gradient of the sum of the gradient."""
    x = row.at if isinstance(row.at, float) and dtype is np.float64 else np.array(row.at, dtype)[()]
    first = gg.grad(row.f)
    with np.errstate(all="ignore"):
        return wrap(first)(x), wrap(gg.grad(lambda x: np.sum(first(x))))(x)


def shown(x: Any) -> str:
    """A number as in the table; the numbers of an array side by side."""
    if np.ndim(x):
        return " ".join(map(shown, x))
    if np.isnan(x):
        return "NaN"
    known = {0.0: "0", 0.5: "½", float(np.float64(1) / 3): "⅓", np.inf: "∞", -np.inf: "−∞"}
    return known.get(float(x), f"{x:.4g}".replace("-", "−"))


def table() -> str:
    """The table as Markdown."""
    lines = ["| function | at | gradient | its gradient | why |", "|---|---|---|---|---|"]
    for row in ROWS:
        first, second = answers(row)
        lines.append(f"| `{row.name}` | {shown(row.at)} | {shown(first)} | {shown(second)} | {row.why} |")
    return "\n".join(lines)


def written(page: str) -> str:
    """The page with the table as it should be."""
    return re.sub(r"^\| function.*?\n(?!\|)", table() + "\n", page, count=1, flags=re.MULTILINE | re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
