"""compile: a function, its derivatives included, as one native function."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, cast

from gategrad.compiler.arguments import Argument, fixed, pythons, read
from gategrad.compiler.halves import Halves, with_numpys
from gategrad.compiler.program.program import Program
from gategrad.compiler.report import Report
from gategrad.compiler.runtime import callable as native
from gategrad.compiler.specialisation import Specialisation
from gategrad.compiler.specialise import specialise
from gategrad.compiler.trace.symbol import Symbol
from gategrad.errors import ComplexTraceError, DtypeError, describe
from gategrad.germs import Germ
from gategrad.recording import plain
from gategrad.transforms.call import Call, Rule, record
from gategrad.transforms.derivative import Derivative, at_once
from gategrad.variable import Variable

__all__ = ["Compiled", "compile"]

_MOST = 64  # specialisations kept for each function; the least recently used goes first


class CompiledCall(Call):
    """z = f(x, …) for a compiled f. A black box with an exact gradient: its derivatives are compiled as well."""

    symbol = "compiled"

    def __init__(self, flat: _FlatCall) -> None:
        self.function = flat.function
        self.flat = flat

    def derivative(self, rule: Rule, *which: Any) -> Callable[..., Any]:
        return self.flat.derivative(rule, *which)

    def run(self, leaves: tuple[Any, ...]) -> Any:
        self.half: Halves | None = None
        self.residuals: tuple[Any, ...] | None = None
        if True not in self.needs or _varies(leaves):
            return self.function(*leaves)  # among variables of another tape the call is recorded there
        self.half = self.flat.halves(self.needs)
        whole, self.residuals, numpys = self.half.first(leaves)
        return whole if numpys == 0 else with_numpys(whole, numpys)

    def pull(self, upstream: tuple[Any, ...], given: tuple[int, ...]) -> Any:
        half, residuals, moving = self.half, self.residuals, len(given) == len(self.places)
        if half is None or residuals is None or not moving or _varies(upstream):
            return super().pull(upstream, given)  # which starts from the leaves, so that they can vary as well
        return half.second(self.leaves, residuals, upstream)


def _varies(values: tuple[Any, ...]) -> bool:
    kinds = list(map(type, values))
    return Variable in kinds or Symbol in kinds


class Compiled(native.Callable):
    """A function as native code, compiled for the shapes and dtypes that it is called with. See `compile`."""

    def __init__(self, f: Callable[..., Any], static: Sequence[str] = (), donate: Sequence[str] = ()) -> None:
        if not callable(f):
            raise TypeError(
                f"compile takes a function, not {describe(f)}: it returns a function, as in gg.compile(f)(x)"
            )
        functools.update_wrapper(cast(Any, self), f, updated=())
        self._f = f
        self._static = (static,) if isinstance(static, str) else tuple(static)
        self._donate = (donate,) if isinstance(donate, str) else tuple(donate)
        self._specialisations: OrderedDict[Any, Specialisation] = OrderedDict()
        self._derivatives: OrderedDict[Any, Callable[..., Any]] = OrderedDict()
        self._flat: OrderedDict[Any, _FlatCall] = OrderedDict()
        parameters = _parameters(f)
        self._parameters = [p.name for p in parameters or () if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        if self._static or self._donate:
            self._check_names(parameters)

    def slow(self, /, *args: Any, **kwargs: Any) -> Any:
        """Answer a call that the installed code was not made for."""
        known = self._flat.get(((), *map(type, args)))  # written out: variables alone, as there have been before
        if known is not None and not kwargs and not any(hasattr(x.raw, "spec") for x in args):
            return record(CompiledCall(known), args)
        arguments = self._read(args, kwargs)
        leaves = [leaf for a in arguments for leaf in a.leaves]
        varies = False
        for leaf in leaves:
            kind = type(leaf)
            if kind is Variable:
                varies, kind = True, type(plain(leaf))
            if kind is Symbol or kind is Germ:
                return self._f(*args, **kwargs)  # inside another compiled function it is part of that one's program
        keywords = tuple(kwargs)
        if varies:
            return self._record(arguments, leaves, keywords)
        found = self._specialise(arguments, keywords)
        if found.relies_on_rows and any(a.is_rearranged for a in arguments):
            return self._f(*args, **kwargs)
        if found.is_direct:
            native.install(self, found.code)
        return found.run(arguments, keywords)

    def program(self, *args: Any, **kwargs: Any) -> Program:
        """The program for these arguments: print it to read what the function and its gradient compute."""
        found = self._specialise(self._read(args, kwargs), tuple(kwargs))
        if found.program is None:
            raise ComplexTraceError(str(found.report))
        return found.program

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
        known = self._parameters
        names = (
            known[: len(args)]
            if len(args) <= len(known)
            else [*known, *[f"x{n}" for n in range(len(known), len(args))]]
        )
        given = [*zip(names, args, strict=True), *kwargs.items()]
        return [fixed(x, name) if name in self._static else read(x, name) for name, x in given]

    def _specialise(self, arguments: list[Argument], keywords: tuple[str, ...]) -> Specialisation:
        def make() -> Specialisation:
            return specialise(self._f, arguments, keywords, self._donated(len(arguments), keywords))

        key = (keywords, *[a.key for a in arguments])
        found: Specialisation = _remembered(self._specialisations, key, make)
        if found.minds_python and found.pythons != (given := pythons([a.structure for a in arguments])):
            found = _remembered(self._specialisations, (*key, given), make)
        return found

    def _donated(self, count: int, keywords: tuple[str, ...]) -> list[int]:
        """The positions of the donated arguments among so many, of which the last come by keyword."""
        positional = self._parameters[: count - len(keywords)]
        names = [*positional, *[""] * (count - len(keywords) - len(positional)), *keywords]
        return [names.index(name) for name in self._donate if name in names]

    def _check_names(self, parameters: list[inspect.Parameter] | None) -> None:
        """Do `static` and `donate` name parameters of the function, as far as its signature tells?"""
        known = None if parameters is None else _names(parameters)
        for option, names in (("static", self._static), ("donate", self._donate)):
            for name in names:
                if known is not None and name not in known:
                    function = getattr(self._f, "__name__", "the function")
                    raise ValueError(
                        f"{option}= names {name!r}, but the parameters of {function} are {', '.join(known) or 'none'}"
                    )
        both = [name for name in self._donate if name in self._static]
        if both:
            raise ValueError(
                f"{both[0]!r} is named in static= and in donate=: what is part of the program has no memory"
            )

    # --- when a compiled function is differentiated

    def derivative(self, asked: Derivative) -> Callable[..., Any]:
        """The derivative of this function that is asked for, compiled as a whole."""

        def make() -> Callable[..., Any]:
            _, argnums, has_aux = asked.asks
            derived = cast(Callable[..., Any], type(asked)(self._f, argnums, has_aux))
            return cast(Callable[..., Any], compile(derived, static=self._static))

        found: Callable[..., Any] = _remembered(self._derivatives, (type(asked), *asked.asks[1:]), make)
        return found

    @functools.cached_property
    def _keeping(self) -> Compiled:
        """The same function, but one that writes over nothing: its pullback starts from the arguments once more."""
        return cast(Compiled, compile(self._f, static=self._static)) if self._donate else self

    def _record(self, arguments: list[Argument], leaves: list[Any], keywords: tuple[str, ...]) -> Any:
        containers = (keywords, *[a.key for a in arguments])
        flat = self._flat.get(containers)
        if flat is None:
            flat = _remembered(self._flat, containers, lambda: _FlatCall(self, arguments, keywords, containers))
        return record(CompiledCall(flat), leaves)


class _FlatCall:
    """A compiled function as one of flat values, for arguments taken apart in one way: what its gate is made with."""

    def __init__(
        self, compiled: Compiled, arguments: list[Argument], keywords: tuple[str, ...], containers: tuple[Any, ...]
    ) -> None:
        self._compiled, self._keywords, self._containers = compiled, keywords, containers
        self._builds = [a.build for a in arguments]
        self._whole = all(build is next for build in self._builds) and not keywords  # the values are the arguments
        self.function = self._flattened(compiled._keeping)
        self._last: tuple[tuple[bool, ...], Halves | None] = (
            (),
            None,
        )  # the halves that were asked for last, and for what needs

    def _flattened(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if self._whole:
            return function
        keywords, builds = self._keywords, self._builds

        def flat(*values: Any) -> Any:
            rest = iter(values)
            built = [build(rest) for build in builds]
            positional = len(built) - len(keywords)
            return function(*built[:positional], **dict(zip(keywords, built[positional:], strict=True)))

        return flat

    def derivative(self, rule: Rule, *which: Any) -> Callable[..., Any]:
        """The derivative by a rule, compiled as a whole, or not at all."""
        compiled = self._compiled

        def make() -> Callable[..., Any]:
            derived = rule(self._flattened(compiled._f), *which)

            @functools.wraps(derived)
            def made(*groups: Any) -> Any:
                try:
                    return derived(*groups)
                except DtypeError as error:  # real in the program, and complex where the function itself had answered
                    raise ComplexTraceError(str(error)) from error

            made.__name__ = made.__qualname__ = f"{getattr(compiled._f, '__name__', 'program')}_{derived.__name__}"
            return cast(Callable[..., Any], compile(made))

        found: Callable[..., Any] = _remembered(compiled._derivatives, (self._containers, rule, *which), make)
        return found

    def halves(self, needs: tuple[bool, ...]) -> Halves:
        """The function and its pullback as two programs, for values of which some want a gradient."""
        asked, last = self._last
        if last is not None and asked == needs:
            return last
        compiled = self._compiled
        found: Halves = _remembered(
            compiled._derivatives,
            (self._containers, Halves, needs),
            lambda: Halves(self._flattened(compiled._f), needs, compile),
        )
        self._last = needs, found
        return found


at_once[Compiled] = lambda asked: asked.asks[0].derivative(asked)  # type: ignore[attr-defined]


def compile(f: Callable[..., Any] | None = None, *, static: Sequence[str] = (), donate: Sequence[str] = ()) -> Any:
    """Compile a function to native code: its arithmetic, and that of every derivative taken inside, as one program.

    `f` takes numbers, arrays and nested containers of them, and returns such. At the first call with arguments of
    new shapes or dtypes it runs once on symbols, which write down what NumPy is asked to do; later calls run the
    machine code made of that alone. So its side effects happen once (twice, if a call comes to numbers that are not
    finite and is answered by a second program, see docs/kinks.md), and arrays, numbers and settings that it takes
    from outside are what they were then. Python's truth values and the arguments named in `static`, which must be
    hashable, are part of the program: another value is another program. A Python integer is taken as a float.
    Numbers of Python's do not widen the float32 arrays that they meet and NumPy's own do, as in NumPy. Single float64s are
    returned as Python floats, whosever they are.

    The arrays in the arguments named in `donate` are given up: where the output, or a part of it, is built like such
    an argument (same containers, dtypes and shapes), it is written over those arrays and returns them. So a training
    loop `params = step(params, batch)` allocates nothing. Arrays that are read-only, strided, or share memory with
    other arguments stay as they are, and so does everything under `grad` of the compiled function, where the
    program is interpreted, and where a call may be answered by a second program (see docs/kinks.md). A call that raises has written over nothing.

    `compiled.program(*args)` is the program to read, `.llvm(*args)` the machine's version, `.report(*args)` tells what
    fused, what memory is used, and what had to be left to NumPy. Without llvmlite all runs in NumPy. Where NumPy has real
    numbers or complex ones, whichever the values say (`np.linalg.eig`), programs have complex ones, or what a host call
    had while it was traced (`scipy.linalg.sqrtm`); a call in which they are of the other kind is answered by `f` itself.

    Division by zero and overflow give inf and nan as NumPy does, for single numbers as well, but without warnings:
    `np.errstate` has no say. Other Python threads run during calls that take long; any number of threads may call.

    Raises `TraceError`, quoting the line, where the Python of `f` wants to know a value (`if`, `float()`), and
    `ValueError` where `static` or `donate` name no parameter of `f`. Calls raise `IndexError` as NumPy does, and
    `MemoryError` for what does not fit into the machine.

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
        with contextlib.suppress(KeyError):  # another thread may have thrown it out since
            store.move_to_end(key)
    return found


def _parameters(f: Callable[..., Any]) -> list[inspect.Parameter] | None:
    """The parameters of a function; None if nobody knows them."""
    try:
        return list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return None


def _names(parameters: list[inspect.Parameter]) -> list[str] | None:
    """All names by which arguments can be given; None if there may be others."""
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return [p.name for p in parameters if p.kind is not p.VAR_POSITIONAL]
