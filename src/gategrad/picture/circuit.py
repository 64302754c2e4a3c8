"""The picture of a circuit: `gg.circuit(...)`, and what can be asked of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gategrad.errors import NotTrackedError, describe
from gategrad.picture.model import Model
from gategrad.picture.names import call_named, give_names, names_in
from gategrad.picture.replay import replay
from gategrad.tape import UNTRACKED
from gategrad.variable import Variable

if TYPE_CHECKING:
    from gategrad.picture.memory import Memory
    from gategrad.picture.nudge import Nudge

__all__ = ["Circuit", "circuit"]


def circuit(z: Variable | Callable[..., Any], *args: Any, **options: Any) -> Circuit:
    """The picture of the circuit that computed a variable, or that a function computes from these arguments.

    A variable may be drawn before or after its `backward()`: the circuit is computed once more from its leaves, and
    nothing of it is changed. Of a function, floats, arrays of floats and containers of them in `args` become
    variables named like the parameters; `options` are handed on as they are. Gradients are those of the output
    with respect to each value; if the output is an array, of the sum of its elements.

    Raises `TypeError` for anything else, `NotTrackedError` if there is no circuit to draw.

    >>> import gategrad as gg
    >>> print(gg.circuit(lambda x, y, z: (x + y) * z, -2, 5, -4))
      x ── -2.00 ──┐
           -4.00   ├─( + )── 3.00 ──┐
      y ──  5.00 ──┘        -4.00   ├─( × )── -12.00  f
           -4.00                    │           1.00
      z ── -4.00 ───────────────────┘
            3.00
    """
    if isinstance(z, Variable):
        if args or options:
            raise TypeError("gg.circuit of a variable takes nothing else: the variable knows what it was computed from")
        frame = sys._getframe(1)
        names = names_in({**frame.f_globals, **frame.f_locals})
        return Circuit(z, names)
    if not callable(z):
        raise TypeError(f"gg.circuit takes a variable, or a function and its arguments, not {describe(z)}")
    made, names = call_named(z, args, options)
    if not isinstance(made, Variable):
        raise NotTrackedError(
            f"the function returned {describe(made)}, which no circuit computed: return a single value that depends "
            "on the arguments"
        )
    return Circuit(made, names)


class Circuit:
    """A circuit to look at: gates, and wires with the value above (blue) and the gradient below (red).

    `print(c)` draws it in the terminal; `c.svg(...)` and `c.html(...)` are for the browser; a notebook shows it by
    itself. `c.nudge(...)` tries what a gradient predicts, `c.memory()` counts what backward needs.
    """

    def __init__(self, z: Variable, names: dict[Any, str] | None = None) -> None:
        if z.level == UNTRACKED:
            raise NotTrackedError(
                "this value remembers no circuit: it was computed under no_grad or was detached. "
                "Compute it from gg.variable(...) outside no_grad"
            )
        self._z = z
        self.model: Model
        self.model, self._sources = replay(z)
        give_names(self.model, self._sources, names or {}, z.name)

    @property
    def title(self) -> str:
        """The name of the output and what it is computed from: `f(x, y, z)`."""
        names = [wire.label for wire in self.model.leaves]
        shown = names if len(names) <= 6 else [*names[:3], "…", names[-1]]
        return f"{self.model.output.label}({', '.join(shown)})" if self.model.nodes else self.model.output.label

    def text(self, color: bool | None = None, width: int | None = None) -> str:
        """The drawing for a terminal, `width` columns wide; in colour on a terminal unless NO_COLOR is set."""
        from gategrad.picture.text import draw

        return draw(self.model, color, width)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text(color=False)

    def svg(self, path: str | Path | None = None) -> str:
        """The drawing as SVG, light and dark; also written to `path` if one is given."""
        from gategrad.picture.svg import draw

        return _written(draw(self.model), path)

    def html(self, path: str | Path | None = None) -> str:
        """One self-contained page that steps through both passes gate by gate; also written to `path` if given."""
        from gategrad.picture.html import page

        return _written(page(self.model, self.title), path)

    def steps(self) -> list[str]:
        """Both passes gate by gate, a sentence in words and numbers for each.

        >>> import gategrad as gg
        >>> for sentence in gg.circuit(lambda q, z: q * z, 3, -4).steps():
        ...     print(sentence)
        × multiplies: f = q · z = 3 · −4 = −12
        × switches: df/dq = z · df/df = −4 · 1 = −4; df/dz = q · df/df = 3 · 1 = 3
        """
        from gategrad.picture.words import steps

        return [step.words for step in steps(self.model)]

    def explain(self) -> str:
        """What every gate tells of itself: pattern, local gradients as numbers, the NumPy lines of its backward.

        >>> import gategrad as gg
        >>> print(gg.circuit(lambda q, z: q * z, 3, -4).explain())
        f = q · z
          Multiply, a switcher
          z = x · y. A switcher: each input receives the gradient scaled by the other input.
          df/dq = −4
          df/dz = 3
          dx = y * dz
          dy = x * dz
        """
        from gategrad.picture.facts import facts
        from gategrad.picture.model import operation

        blocks = []
        for node in self.model.nodes:
            written = operation(node, [wire.label for wire in node.inputs], spelled=True)
            blocks.append("\n  ".join([f"{node.output.label} = {written}", *facts(node)]))
        return "\n\n".join(blocks)

    def nudge(self, name: str, h: float = 0.01, index: Any = None) -> Nudge:
        """What the gradient predicts for the output when a value grows by `h`, beside what really happens.

        `name` is a variable or a named value in between. Of an array, `index` says which element grows; without
        it, all do. Raises `LookupError` if there is no such name.

        >>> import gategrad as gg
        >>> print(gg.circuit(lambda q, z: q * z, 3, -4).nudge("z", h=0.01))
        z has force 3: f should rise by 3h = 0.03; it rises by 0.03
        """
        from gategrad.picture.nudge import nudge

        return nudge(self._z, self.model, self._sources, name, h, index)

    def memory(self) -> Memory:
        """The ledger of what the forward pass remembers for backward, gate by gate, in bytes."""
        from gategrad.picture.memory import ledger

        return ledger(self.model)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self.text(color=False), "image/svg+xml": self.svg()}


def _written(text: str, path: str | Path | None) -> str:
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text
