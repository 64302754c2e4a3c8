"""An expression at its values: the circuit, run forward and backward once. All that is printed is read from here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from gategrad.cli.expression import Expression
from gategrad.cli.refusal import Refusal
from gategrad.cli.values import match_names
from gategrad.errors import GategradError, describe
from gategrad.picture import Circuit
from gategrad.picture.nudge import Nudge
from gategrad.variable import Variable, variable

__all__ = ["Evaluation"]


class Evaluation:
    """The value of an expression, its gradients, and its circuit.

    Raises `Refusal` if names and values do not match, or if the result is not a single number that depends on them.

    >>> from gategrad.cli.parse import parse
    >>> evaluation = Evaluation(parse("(x + y) * z"), {"x": -2.0, "y": 5.0, "z": -4.0})
    >>> evaluation.value, evaluation.gradients
    (-12.0, {'x': -4.0, 'y': -4.0, 'z': 3.0})
    """

    def __init__(self, expression: Expression, values: Mapping[str, Any]) -> None:
        match_names(expression, values)
        self.expression = expression
        self.values = {name: values[name] for name in expression.names if name in values}
        variables = {name: variable(value, name=name) for name, value in self.values.items()}
        self._z = self._single_number(expression(variables))
        self._z.name = self._z.name or "f"
        self.value = self._z.item()
        self._backward()
        self.gradients = {name: _or_zero(x.grad, self.values[name]) for name, x in variables.items()}
        self.unreached = [name for name, x in variables.items() if x.grad is None]

    @cached_property
    def circuit(self) -> Circuit:
        """The picture of the circuit."""
        return Circuit(self._z, {})

    @property
    def output(self) -> str:
        """What the result is called: f, unless one of the variables is."""
        return self.circuit.model.output.label

    def nudge(self, name: str, h: float) -> Nudge:
        """What the gradient predicts when a value grows by `h`, beside what plain NumPy then computes."""
        grown = self.expression({**self.values, name: self.values[name] + h})
        after, force = float(np.asarray(grown).item()), float(np.sum(self.gradients[name]))
        several = np.size(self.values[name]) > 1
        return Nudge(name, self.output, h, force, self.value, after, several)

    def _backward(self) -> None:
        try:
            self._z.backward()
        except GategradError as error:
            raise Refusal(str(error)) from error

    def _single_number(self, z: Any) -> Variable:
        text = self.expression.text
        if not isinstance(z, Variable):
            why = "it has no variables" if not self.values else "comparisons and constants have no gradient"
            raise Refusal(f"there is nothing to differentiate: {why}", text, [(0, len(text))])
        if z.size != 1:
            raise Refusal(
                f"the result is {describe(z.value)}: a gradient is that of a single number",
                text,
                [(0, len(text))],
                [f"reduce it: sum({text}) or mean({text})" if len(text) < 60 else "reduce it: sum(...) or mean(...)"],
            )
        return z


def _or_zero(gradient: Any, value: Any) -> Any:
    return gradient if gradient is not None else np.zeros_like(value)[()]
