"""Complex values as pairs of real ones: machine code knows no other numbers.

Arithmetic on complex numbers becomes arithmetic on their parts, which fuses with all around it; what only moves elements
moves those of both parts. In memory that others see (inputs, outputs, what the host reads and writes) the parts lie
side by side, as NumPy has them: a last axis of length 2, of which either part is a view. What has no rule here is computed
by the host.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from gategrad.compiler.passes.simplify import Simplifier
from gategrad.compiler.program.fourier import part_of
from gategrad.compiler.program.ops import OPS
from gategrad.compiler.program.value import Builder, Program, Value
from gategrad.compiler.schedule.parts import BOTH, RULES, Pair
from gategrad.compiler.trace.symbol import Symbol

__all__ = ["OnHost", "as_pairs"]


def as_pairs(program: Program) -> Program:
    """The same program without complex values; those among its inputs and outputs have a last axis of length 2."""
    if all(value.dtype.kind != "c" for value in program.values):
        return program
    return _Rewriting().rewritten(program)


class OnHost:
    """An operation on complex numbers for the host, which is given their parts side by side, and gives such."""

    def __init__(self, value: Value) -> None:
        self.name, self.options = value.op.name, value.options
        self.given = [x.dtype for x in value.inputs]
        self.form = value.dtype, value.shape

    @property
    def __name__(self) -> str:
        function = self.options.get("function")
        return self.name if function is None else getattr(function, "__name__", type(function).__name__)

    def __call__(self, *arrays: Any) -> Any:
        given = [_together(x, dtype) for x, dtype in zip(arrays, self.given, strict=True)]
        z = OPS[self.name].evaluate(*given, **self.options)
        dtype, shape = self.form
        if dtype.kind != "c":
            return z
        return np.asarray(z, dtype, order="C").reshape(*shape, 1).view(part_of(dtype))


def _together(x: Any, dtype: Any) -> Any:
    return x.view(dtype)[..., 0][()] if dtype.kind == "c" else x


class _Rewriting:
    def __init__(self) -> None:
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
        inputs = [self._whole(x) if x.dtype.kind == "c" else self.reals[x] for x in value.inputs]
        on_host = OnHost(value)
        if value.op.name in ("fft", "ifft") and value.inputs[0].dtype.kind != "c":
            inputs, on_host = self._among_zeros(value)
        shape = (*value.shape, 2) if value.dtype.kind == "c" else value.shape
        made = self.simplifier.builder.emit(
            "callback", inputs, function=on_host, dtype=part_of(value.dtype), shape=shape
        )
        (self.wholes if value.dtype.kind == "c" else self.reals)[value] = made

    def _among_zeros(self, value: Value) -> tuple[list[Value], OnHost]:
        """A transform of complex numbers, given real ones: they are cast here, as NumPy would."""
        x = Value(OPS["cast"], value.inputs, {"dtype": value.dtype})
        self._rewrite(x)
        return [self._whole(x)], OnHost(Value(value.op, (x,), value.options))

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
