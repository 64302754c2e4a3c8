"""An expression: text, parsed into a short list of instructions. It is never evaluated as Python.

Python's own grammar reads the text (`ast.parse`), a whitelist turns nodes into instructions for a stack, and whatever
is not on the list is refused with its place in the text. Neither step recurses, so nesting can exhaust nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gategrad.cli.refusal import Refusal, Span, listed, shortened
from gategrad.cli.vocabulary import CONSTANTS
from gategrad.errors import EscapeError, GategradError
from gategrad.recording import plain
from gategrad.variable import Variable

__all__ = ["Apply", "Expression", "Instruction", "Literal", "Name", "gather", "join", "settle"]


@dataclass(frozen=True)
class Literal:
    """Put a constant on the stack."""

    value: Any


@dataclass(frozen=True)
class Name:
    """Put the value of a name on the stack."""

    name: str
    span: Span


@dataclass(frozen=True)
class Apply:
    """Replace the last values of the stack, one for each operand, by what the function makes of them."""

    title: str
    function: Callable[..., Any]
    span: Span
    operands: tuple[Span, ...]


Instruction = Literal | Name | Apply


@dataclass(frozen=True)
class Expression:
    """A function of named values, given as text.

    >>> from gategrad.cli.parse import parse
    >>> expression = parse("(x + y) * z")
    >>> expression.names
    ('x', 'y', 'z')
    >>> expression({"x": -2.0, "y": 5.0, "z": -4.0})
    -12.0
    """

    text: str
    instructions: tuple[Instruction, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the expression, in the order in which they appear."""
        return tuple(dict.fromkeys(item.name for item in self.instructions if isinstance(item, Name)))

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """Compute with plain values, or with variables, in which case the circuit is recorded.

        The names of constants (pi, e, inf, nan) need no value, but may have one.
        Raises `Refusal` for a name without a value, and where a function does not take what it is given.
        """
        values = {**CONSTANTS, **values}
        self._refuse_missing(values)
        stack: list[Any] = []
        for instruction in self.instructions:
            if isinstance(instruction, Literal):
                stack.append(instruction.value)
            elif isinstance(instruction, Name):
                stack.append(values[instruction.name])
            else:
                first = len(stack) - len(instruction.operands)
                stack[first:] = [self._apply(instruction, stack[first:])]
        return settle(stack.pop())

    def _apply(self, instruction: Apply, arguments: list[Any]) -> Any:
        try:
            z = instruction.function(*arguments)
        except (Exception, RecursionError) as error:  # whatever a function has against its arguments is for the user
            raise self._refused(instruction, arguments, error) from error
        if isinstance(z, np.generic):
            z = z.item()
        kind = np.asarray(z).dtype.kind if isinstance(z, (np.ndarray, complex)) else "f"
        if kind not in "fbiu":
            raise Refusal(f"{instruction.title} gives no real numbers here", self.text, [instruction.span])
        return z.astype(np.float64) if kind in "iu" else z

    def _refused(self, instruction: Apply, arguments: list[Any], error: BaseException) -> Refusal:
        if isinstance(error, Refusal):
            return Refusal(error.message, self.text, [instruction.span])
        shapes = [np.shape(plain(x)) for x in arguments if not isinstance(x, (list, tuple, str))]
        if isinstance(error, ValueError) and len(shapes) == len(arguments) > 1 and any(shapes):
            parts = [_looks(self.text[slice(*span)], x) for span, x in zip(instruction.operands, shapes, strict=True)]
            return Refusal(f"the shapes do not fit: {listed(parts)}", self.text, [instruction.span])
        if isinstance(error, EscapeError):
            return Refusal(
                f"{instruction.title} takes a plain number in one of these places, as an axis is, not a value of the circuit",
                self.text,
                [instruction.span],
                _PAIRWISE.get(instruction.title, ()),
            )
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, MemoryError):
            reason = "the result does not fit into memory"
        title = "" if isinstance(error, GategradError) else f"{instruction.title}: "
        return Refusal(title + reason, self.text, [instruction.span])

    def _refuse_missing(self, values: Mapping[str, Any]) -> None:
        missing = [name for name in self.names if name not in values]
        if not missing:
            return
        seen = [item for item in self.instructions if isinstance(item, Name) and item.name in missing]
        first = {item.name: item.span for item in reversed(seen)}
        verb = "has" if len(missing) == 1 else "have"
        given = " ".join(f"{name}=..." for name in missing)
        spans = [first[name] for name in missing]
        raise Refusal(f"{listed(missing)} {verb} no value: add {given}", self.text, spans)


_PAIRWISE = {
    **dict.fromkeys(("max", "amax"), ("the larger of two values is maximum(x, y)",)),
    **dict.fromkeys(("min", "amin"), ("the smaller of two values is minimum(x, y)",)),
}


def _looks(text: str, shape: tuple[int, ...]) -> str:
    return f"{shortened(text, 30)} is {shape or 'a number'}"


def settle(value: Any) -> Any:
    """Make one array of a list that holds variables."""
    return np.stack([settle(x) for x in value]) if isinstance(value, list) else value


def gather(*elements: Any) -> list[Any]:
    """What a list is to a function that takes several arrays of any shape."""
    return [settle(x) for x in elements]


def join(*elements: Any) -> Any:
    """What a list in the text is: an array of its numbers; a list as long as variables are among them."""
    values = [settle(x) for x in elements]
    if any(isinstance(x, Variable) for x in values):
        return values
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise Refusal("the rows of this list differ in length") from None
    return array
