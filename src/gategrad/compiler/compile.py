"""compile: a function, its derivatives included, as one native function."""

from __future__ import annotations

import functools
import inspect
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, cast

from gategrad.compiler.arguments import Argument, fixed, read
from gategrad.compiler.differentiate import Call, pullback_of, record
from gategrad.compiler.program.value import Program
from gategrad.compiler.report import Report
from gategrad.compiler.runtime import callable as native
from gategrad.compiler.specialise import Specialisation, specialise
from gategrad.compiler.trace.symbol import Symbol
from gategrad.variable import Variable, plain

__all__ = ["Compiled", "compile"]

_MOST = 64  # specialisations kept for each function; the least recently used goes first


class Compiled(native.Callable):
    """A function as native code, compiled for the shapes and dtypes that it is called with. See `compile`."""

    def __init__(self, f: Callable[..., Any], static: Sequence[str] = (), donate: Sequence[str] = ()) -> None:
        functools.update_wrapper(cast(Any, self), f, updated=())
        self._f = f
        self._static = (static,) if isinstance(static, str) else tuple(static)
        self._donate = (donate,) if isinstance(donate, str) else tuple(donate)
        self._specialisations: OrderedDict[Any, Specialisation] = OrderedDict()
        self._pullbacks: OrderedDict[Any, Callable[..., Any]] = OrderedDict()
        self._parameters = _parameters(f)

    def slow(self, /, *args: Any, **kwargs: Any) -> Any:
        """Answer a call that the installed code was not made for."""
        arguments = self._read(args, kwargs)
        leaves = [leaf for a in arguments for leaf in a.leaves]
        if any(type(plain(leaf)) is Symbol for leaf in leaves):
            return self._f(*args, **kwargs)  # inside another compiled function it is part of that one's program
        keywords = tuple(kwargs)
        if any(type(leaf) is Variable for leaf in leaves):
            return self._record(arguments, leaves, keywords)
        found = self._specialise(arguments, keywords)
        if found.is_direct:
            native.install(self, found.code)
        return found.run(arguments, keywords)

    def program(self, *args: Any, **kwargs: Any) -> Program:
        """The program for these arguments: print it to read what the function and its gradient compute."""
        return self._specialise(self._read(args, kwargs), tuple(kwargs)).program

    def llvm(self, *args: Any, **kwargs: Any) -> str:
        """The LLVM code of the program for these arguments, after LLVM's optimiser; empty without llvmlite."""
        from gategrad.compiler.runtime.engine import optimised

        text = self._specialise(self._read(args, kwargs), tuple(kwargs)).text
        return optimised(text) if text else ""

    def report(self, *args: Any, **kwargs: Any) -> Report:
        """What became of the function for these arguments: kernels, memory, host calls, compile times. Print it."""
        return self._specialise(self._read(args, kwargs), tuple(kwargs)).report

    def __repr__(self) -> str:
        return f"<compiled {getattr(self._f, '__qualname__', self._f)}, {len(self._specialisations)} specialisations>"

    def __reduce__(self) -> Any:
        name = getattr(self, "__qualname__", "")
        module = inspect.getmodule(self._f)
        if module is not None and getattr(module, name, None) is self:
            return name  # a decorated function: found again by its name
        return compile, (self._f,), {"_static": self._static, "_donate": self._donate}

    # --- specialisations

    def _read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Argument]:
        names = [self._parameters[n] if n < len(self._parameters) else f"x{n}" for n in range(len(args))]
        given = [*zip(names, args, strict=True), *kwargs.items()]
        return [fixed(x, name) if name in self._static else read(x, name) for name, x in given]

    def _specialise(self, arguments: list[Argument], keywords: tuple[str, ...]) -> Specialisation:
        found: Specialisation = _remembered(
            self._specialisations,
            (keywords, *[a.key for a in arguments]),
            lambda: specialise(self._f, arguments, keywords),
        )
        return found

    # --- when a compiled function is differentiated

    def _record(self, arguments: list[Argument], leaves: list[Any], keywords: tuple[str, ...]) -> Any:
        builds = [a.build for a in arguments]

        def flat(*values: Any) -> Any:
            rest = iter(values)
            built = [build(rest) for build in builds]
            positional = len(built) - len(keywords)
            return self(*built[:positional], **dict(zip(keywords, built[positional:], strict=True)))

        containers = (keywords, *[a.key for a in arguments])

        def pullback(needs: tuple[bool, ...], given: tuple[int, ...]) -> Callable[..., Any]:
            def make() -> Callable[..., Any]:
                made = pullback_of(flat, needs, given)
                made.__name__ = made.__qualname__ = f"{getattr(self._f, '__name__', 'program')}_pullback"
                return cast(Callable[..., Any], compile(made))

            found: Callable[..., Any] = _remembered(self._pullbacks, (containers, needs, given), make)
            return found

        return record(Call(flat, pullback), leaves)


def compile(f: Callable[..., Any] | None = None, *, static: Sequence[str] = (), donate: Sequence[str] = ()) -> Any:
    """Compile a function to native code: its arithmetic, and that of every derivative taken inside, as one program.

    `f` takes numbers, arrays and nested containers of them, and returns such. At the first call with arguments of
    new shapes or dtypes it runs once on symbols, which write down what NumPy is asked to do; later calls run the
    machine code made of that alone. So its side effects happen once, and arrays, numbers and settings that it takes
    from outside are what they were then. Python's truth values and the arguments named in `static`, which must be
    hashable, are part of the program: another value is another program. A Python integer is taken as a float.
    A single float64 counts as a Python float, which never widens float32.

    `compiled.program(*args)` is the program to read, `.llvm(*args)` the machine's version, `.report(*args)` tells what
    fused, what memory is used, and what had to be left to NumPy. Without llvmlite all runs in NumPy.

    Raises `TraceError`, quoting the line, where the Python of `f` wants to know a value (`if`, `float()`).

    >>> import numpy as np, gategrad as gg
    >>> @gg.compile
    ... def energy(x):
    ...     return np.sum(np.tanh(x) ** 2)
    >>> bool(abs(energy(np.ones(3)) - 3 * np.tanh(1.0) ** 2) < 1e-12)
    True
    >>> print(gg.compile(gg.grad(lambda x, y: x * y + x, (0, 1))).program(3.0, 4.0))
    <lambda>(x: float64, y: float64):
        v0 = 1 + y  # float64
        return v0, x
    """
    if f is None:
        return functools.partial(compile, static=static, donate=donate)
    return _native_type()(f, static, donate)


@functools.cache
def _native_type() -> type[Compiled]:
    from gategrad.compiler.runtime.engine import available

    return cast(type[Compiled], native.native_type(Compiled)) if available() else Compiled


def _remembered(store: OrderedDict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
    """What is stored under the key, made if need be; the least recently used entry goes if there are too many."""
    found = store.get(key)
    if found is None:
        found = make()
        store[key] = found
        if len(store) > _MOST:
            store.popitem(last=False)
    else:
        store.move_to_end(key)
    return found


def _parameters(f: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
