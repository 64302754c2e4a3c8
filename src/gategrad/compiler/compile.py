"""compile: a function, its derivatives included, as one native function."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from gategrad.compiler.arguments import Argument, fixed, read
from gategrad.compiler.codegen.signature import Array, Container, Scalar, Signature, Structure
from gategrad.compiler.program.value import Program
from gategrad.compiler.runtime import callable as native
from gategrad.compiler.trace.symbol import Symbol
from gategrad.compiler.trace.tracing import trace
from gategrad.gate import Gate
from gategrad.transforms.containers import flatten
from gategrad.values import spec_of
from gategrad.variable import Variable

__all__ = ["Compiled", "compile"]

_MOST = 64  # specialisations kept for each function; the least recently used goes first


@dataclasses.dataclass
class Specialisation:
    """A program for arguments of certain shapes and dtypes, and the code that runs it."""

    program: Program
    rebuild: Callable[[list[Any]], Any]
    signature: Signature | None  # None: the output is no container that native code can build
    code: native.Code | None  # None: the program is interpreted
    text: str = ""


class Compiled(native.Callable):
    """A function as native code, compiled for the shapes and dtypes that it is called with. See `compile`."""

    def __init__(self, f: Callable[..., Any], static: Sequence[str] = (), donate: Sequence[str] = ()) -> None:
        functools.update_wrapper(cast(Any, self), f, updated=())
        self._f, self._static, self._donate = f, tuple(static), tuple(donate)
        self._specialisations: OrderedDict[Any, Specialisation] = OrderedDict()
        self._parameters = _parameters(f)

    def slow(self, /, *args: Any, **kwargs: Any) -> Any:
        """Answer a call that the installed code was not made for."""
        arguments = self._read(args, kwargs)
        leaves = [leaf for a in arguments for leaf in a.leaves]
        if any(type(leaf) is Symbol for leaf in leaves):
            return self._f(*args, **kwargs)
        if any(type(leaf) is Variable for leaf in leaves):
            return self._record(arguments, leaves, len(args), tuple(kwargs))
        found = self._specialise(arguments, len(args), tuple(kwargs))
        if found.code is None:
            return found.rebuild(found.program(*leaves))
        if found.signature is not None:
            plain = [a.plain for a in arguments]
            native.install(self, found.code)
            return found.code.answer(tuple(plain[: len(args)]), dict(zip(kwargs, plain[len(args) :], strict=True)))
        return found.rebuild(list(found.code.answer(tuple(leaves), {})))

    def program(self, *args: Any, **kwargs: Any) -> Program:
        """The program for these arguments: print it to read what the function and its gradient compute."""
        return self._specialise(self._read(args, kwargs), len(args), tuple(kwargs)).program

    def llvm(self, *args: Any, **kwargs: Any) -> str:
        """The LLVM code of the program for these arguments, after LLVM's optimiser."""
        from gategrad.compiler.runtime.engine import optimised

        return optimised(self._specialise(self._read(args, kwargs), len(args), tuple(kwargs)).text)

    # --- specialisations

    def _read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Argument]:
        names = [self._parameters[n] if n < len(self._parameters) else f"x{n}" for n in range(len(args))]
        given = [*zip(names, args, strict=True), *kwargs.items()]
        return [fixed(x) if name in self._static else read(x, name) for name, x in given]

    def _specialise(self, arguments: list[Argument], positional: int, keywords: tuple[str, ...]) -> Specialisation:
        key = (positional, keywords, *[a.key for a in arguments])
        found = self._specialisations.get(key)
        if found is None:
            found = self._specialisations[key] = self._make(arguments, positional, keywords)
            if len(self._specialisations) > _MOST:
                self._specialisations.popitem(last=False)
        else:
            self._specialisations.move_to_end(key)
        return found

    def _make(self, arguments: list[Argument], positional: int, keywords: tuple[str, ...]) -> Specialisation:
        leaves = [leaf for a in arguments for leaf in a.leaves]
        names = [name for a in arguments for name in a.names]

        def bind(values: list[Any]) -> tuple[list[Any], dict[str, Any]]:
            rest = iter(values)
            built = [a.build(rest) for a in arguments]
            return built[:positional], dict(zip(keywords, built[positional:], strict=True))

        name = getattr(self._f, "__name__", "program")
        program, rebuild = trace(self._f, bind, [spec_of(x) for x in leaves], names, name)
        from gategrad.compiler.runtime.engine import available

        if not available():
            return Specialisation(program, rebuild, None, None)
        return _link(program, rebuild, arguments, keywords)

    # --- when a compiled function is differentiated

    def _record(self, arguments: list[Argument], leaves: list[Any], positional: int, keywords: tuple[str, ...]) -> Any:
        def call(function: Any, values: Sequence[Any]) -> Any:
            rest = iter(values)
            built = [a.build(rest) for a in arguments]
            return function(*built[:positional], **dict(zip(keywords, built[positional:], strict=True)))

        return Call(self, call)(*leaves)


class Call(Gate):
    """z = f(x, …) for a compiled f. A black box with an exact gradient: its pullback is compiled as well."""

    pattern = "function"

    def __init__(self, compiled: Compiled, call: Callable[..., Any]) -> None:
        self.compiled, self.call = compiled, call

    def forward(self, *leaves: Any) -> Any:
        self.leaves = leaves
        outputs, self.rebuild = flatten(self.call(self.compiled, leaves))
        self.count = len(outputs)
        return outputs[0] if self.count == 1 else tuple(outputs)

    def backward(self, dz: Any) -> Any:
        raise NotImplementedError


def compile(f: Callable[..., Any] | None = None, *, static: Sequence[str] = (), donate: Sequence[str] = ()) -> Any:
    """Compile a function to native code: its arithmetic, and that of every derivative taken inside, as one program.

    >>> import numpy as np, gategrad as gg
    >>> @gg.compile
    ... def energy(x):
    ...     return np.sum(np.tanh(x) ** 2)
    >>> bool(abs(energy(np.ones(3)) - 3 * np.tanh(1.0) ** 2) < 1e-12)
    True
    """
    if f is None:
        return functools.partial(compile, static=static, donate=donate)
    return _native_type()(f, static, donate)


@functools.cache
def _native_type() -> type[Compiled]:
    from gategrad.compiler.runtime.engine import available

    return cast(type[Compiled], native.native_type(Compiled)) if available() else Compiled


def _parameters(f: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        return []


def _link(
    program: Program, rebuild: Callable[[list[Any]], Any], arguments: list[Argument], keywords: tuple[str, ...]
) -> Specialisation:
    from gategrad.compiler.codegen.module import write_native
    from gategrad.compiler.runtime.link import link
    from gategrad.compiler.runtime.table import Table

    leaves = [_leaf(z) for z in program.outputs]
    output = _structure(rebuild(list(leaves)))
    native_program = program
    if output is not None:  # native code fills a container in its own order; outputs come in that of sorted keys
        positions = {id(leaf): n for n, leaf in enumerate(leaves)}
        outputs = [program.outputs[positions[id(leaf)]] for leaf in _in_order(output)]
        native_program = Program(program.inputs, outputs, program.name)
    table = Table()
    written = write_native(native_program, table)
    if output is not None:
        signature = Signature(tuple(a.structure for a in arguments), output, keywords, written.workspace)
    else:
        flat = tuple(leaf for a in arguments for leaf in _leaves_of(a))
        signature = Signature(flat, Container(tuple, tuple(leaves)), (), written.workspace)
    code = link(written.text, signature, table)
    return Specialisation(program, rebuild, signature if output is not None else None, code, written.text)


def _leaves_of(argument: Argument) -> list[Structure]:
    return [
        Scalar("f64") if type(x) is float else Scalar("f32") if type(x) is np.float32 else Array(x.dtype, x.shape)
        for x in argument.leaves
    ]


def _in_order(structure: Structure) -> list[Structure]:
    if isinstance(structure, Container):
        return [leaf for item in structure.items for leaf in _in_order(item)]
    return [structure]


def _leaf(z: Any) -> Structure:
    if z.shape == () and z.dtype.kind == "f":
        return Scalar("f64" if z.dtype.itemsize == 8 else "f32")
    return Array(z.dtype, z.shape)


def _structure(x: Any) -> Structure | None:
    """The containers around the outputs as native code builds them; None if it cannot."""
    if isinstance(x, (Scalar, Array)):
        return x
    kind = type(x)
    if kind not in (tuple, list, dict):
        return None
    items = [_structure(item) for item in (x.values() if kind is dict else x)]
    if any(item is None for item in items):
        return None
    return Container(kind, cast(Any, tuple(items)), tuple(x) if kind is dict else ())
