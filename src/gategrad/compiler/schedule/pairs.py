"""Complex values as pairs of real ones: machine code knows no other numbers.

Arithmetic on complex numbers becomes arithmetic on their parts, which fuses with all around it; what only moves elements
moves those of both parts. In memory that others see (inputs, outputs, what the host reads and writes) the parts lie
side by side, as NumPy has them: a last axis of length 2, of which either part is a view. What has no rule here is computed
by the host.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from gategrad.compiler.passes.simplify import Simplifier
from gategrad.compiler.program.fourier import part_of
from gategrad.compiler.program.ops import FOURIER, OPS
from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Builder, Value
from gategrad.compiler.schedule.on_host import OnHost
from gategrad.compiler.schedule.parts import BOTH, RULES, Pair
from gategrad.compiler.trace.symbol import Symbol

__all__ = ["as_pairs"]


def as_pairs(program: Program) -> Program:
    """The same program without complex values; those among its inputs and outputs have a last axis of length 2."""
    if all(value.dtype.kind != "c" for value in program.values):
        return program
    return _Rewriting(program).rewritten(program)


class _Rewriting:
    def __init__(self, program: Program) -> None:
        self.uses = Counter(x for value in program.values for x in value.inputs)
        self.uses.update(program.outputs)
        self.simplifier = Simplifier()
        self.reals: dict[Value, Value] = {}
        self.pairs: dict[Value, Pair] = {}
        self.wholes: dict[Value, Value] = {}  # parts side by side

    def rewritten(self, program: Program) -> Program:
        inputs = [self._input(x) for x in program.inputs]
        for value in program.values:
            if value.op.name != "input":
                self._rewrite(value)
        outputs = [self._whole(z) if z.dtype.kind == "c" else self.reals[z] for z in program.outputs]
        return Program(inputs, outputs, program.name)

    def _input(self, x: Value) -> Value:
        if x.dtype.kind != "c":
            self.reals[x] = x
            return x
        options = {"dtype": part_of(x.dtype), "shape": (*x.shape, 2)}
        self.wholes[x] = Value(OPS["input"], (), options, x.name)
        return self.wholes[x]

    def _rewrite(self, value: Value) -> None:
        name = value.op.name
        if value.dtype.kind != "c" and all(x.dtype.kind != "c" for x in value.inputs):
            made = self.simplifier.builder.again(value, [self.reals[x] for x in value.inputs])
            self._keep(value, self._symbol(self.simplifier.simplest(made)))
        elif name in BOTH:
            self.pairs[value] = self._both(value)
        elif name == "constant":
            array = value.options["value"].array
            self.pairs[value] = Pair(*[self._symbol(self.simplifier.constant(x)) for x in (array.real, array.imag)])
        elif name in RULES:
            self._keep(value, RULES[name](*[self._operand(x) for x in value.inputs], **value.options))
        else:
            self._on_host(value)

    def _keep(self, value: Value, made: Any) -> None:
        parts = made if isinstance(made, Pair) else (made,)
        assert all(x.dtype == part_of(value.dtype) for x in parts), f"{value} became {parts}"
        if isinstance(made, Pair):
            self.pairs[value] = made
            return
        self.reals[value] = made.value
        if made.value.op.name not in ("constant", "input"):
            made.value.name = made.value.name or value.name

    def _both(self, value: Value) -> Pair:
        """The operation on both parts."""
        parts = []
        for part in range(2):
            inputs = [self._pair(x)[part].value if x.dtype.kind == "c" else self.reals[x] for x in value.inputs]
            parts.append(self._symbol(self.simplifier.emit(value.op.name, inputs, **value.options)))
        return Pair(*parts)

    def _on_host(self, value: Value) -> None:
        if value.op.name in ("fft", "ifft") and value.inputs[0].dtype.kind != "c":
            made = self._call(self._of_complex(value))
        else:
            made = self._call(value)
        (self.wholes if value.dtype.kind == "c" else self.reals)[value] = made

    def _call(self, value: Value) -> Value:
        inside = [self._inside(x, value) for x in value.inputs]
        inputs: list[Value] = []
        for x, first in zip(value.inputs, inside, strict=True):
            if first is not None:
                inputs += self.wholes[x].inputs
            else:
                inputs.append(self._whole(x) if x.dtype.kind == "c" else self.reals[x])
        shape = (*value.shape, 2) if value.dtype.kind == "c" else value.shape
        return self.simplifier.builder.emit(
            "callback", inputs, function=OnHost(value, inside), dtype=part_of(value.dtype), shape=shape
        )

    def _inside(self, x: Value, user: Value) -> OnHost | None:
        """The operation that computes x, if it is the host's as well, and x nobody's but the user's."""
        made = self.wholes.get(x)
        function = None if made is None else made.options.get("function")
        if self.uses[x] != 1 or not isinstance(function, OnHost) or {function.name, user.op.name} & FOURIER:
            return None
        return function

    def _of_complex(self, value: Value) -> Value:
        """A transform of complex numbers, given real ones: they are cast here, as NumPy would."""
        x = Value(OPS["cast"], value.inputs, {"dtype": value.dtype})
        self._rewrite(x)
        return Value(value.op, (x,), value.options)

    def _operand(self, x: Value) -> Any:
        return self._pair(x) if x.dtype.kind == "c" else self._symbol(self.reals[x])

    def _pair(self, x: Value) -> Pair:
        """The parts of a complex value: views of where they lie side by side, if that is what there is of it."""
        if x not in self.pairs:
            whole, shape = self.wholes[x], x.shape
            parts = [
                self.simplifier.emit("slice", [whole], parts=(*[(0, n, 1) for n in shape], (k, k + 1, 1)))
                for k in range(2)
            ]
            self.pairs[x] = Pair(*[self._symbol(self.simplifier.emit("reshape", [p], shape=shape)) for p in parts])
        return self.pairs[x]

    def _whole(self, x: Value) -> Value:
        """The parts of a complex value side by side."""
        if x not in self.wholes:
            parts = [self.simplifier.emit("reshape", [part.value], shape=(*x.shape, 1)) for part in self.pairs[x]]
            self.wholes[x] = self.simplifier.builder.emit("concatenate", parts, axis=len(x.shape))
        return self.wholes[x]

    def _symbol(self, value: Value) -> Symbol:
        return Symbol(value, cast(Builder, self.simplifier))
