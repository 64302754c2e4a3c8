"""Host callbacks: what no operation expresses is computed by Python and NumPy when the program runs.

A `HostFunction` knows what it is given and what comes out, which it finds out by running once on example arrays while
the program is traced. `Hosted` is the gate around one: its pullback is a host function too, differentiated by the
eager engine, so derivatives of any order work.
"""

from __future__ import annotations

import contextlib
import functools
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gategrad.compiler.program.fourier import complex_of
from gategrad.compiler.program.ops import is_known
from gategrad.compiler.trace.symbol import Symbol, builder_of, emit, hosts, lowerings
from gategrad.constant import Constant
from gategrad.errors import NotTraceableError, OtherNumbersError, ShapeError, TraceError
from gategrad.forward import Rescue, rescues
from gategrad.gate import Gate, on_meeting, unapplied
from gategrad.gates.conjugation import conj
from gategrad.masked import Masked
from gategrad.transforms.containers import flatten
from gategrad.transforms.vjp import vjp
from gategrad.values import FLOAT64, is_complex, spec_of
from gategrad.variable import Variable

__all__ = ["HostFunction", "Hosted"]

Form = tuple[Any, tuple[int, ...]]  # dtype and shape


class HostFunction:
    """A Python function of arrays as an operation: several results travel as one row of numbers."""

    def __init__(
        self, function: Callable[..., Any], forms: Sequence[Form], name: str,
        expected: Sequence[Form | None] | None = None, pythons: Sequence[bool] = (),
    ) -> None:  # fmt: skip
        self.function = function
        self.__name__ = name
        self.pythons = tuple(pythons)
        """Which of its arguments are numbers as Python has them."""
        self.results = self._results(forms, expected)
        if getattr(function, "may_turn_complex", False):
            self.results = list(map(_as_complex, self.results))
        known = [form for form in self.results if form is not None]
        self.turns_complex = all(dtype.kind != "c" for dtype, _ in forms) and any(
            dtype.kind == "c" for dtype, _ in known
        )
        self.single = len(self.results) == 1 and len(known) == 1
        self.dtype = known[0][0] if self.single else np.result_type(np.float32, *[dtype for dtype, _ in known])
        self.shape = known[0][1] if self.single else (sum([math.prod(shape) for _, shape in known]),)

    def __call__(self, *arrays: Any) -> Any:
        results = self._outputs(arrays)
        forms = [None if z is None else (z.dtype, z.shape) for z in results]
        if forms != self.results:
            if list(map(_as_complex, forms)) == list(map(_as_complex, self.results)):
                raise OtherNumbersError(
                    f"{self.__name__} returned {_listed(forms)} rather than {_listed(self.results)}"
                )
            raise ShapeError(
                f"{self.__name__} returned {_listed(forms)} where it returned {_listed(self.results)} for examples of "
                "the same shapes while it was traced: in a compiled function shapes and dtypes must not depend on "
                "values"
            )
        if self.single:
            return results[0]
        return np.concatenate([np.ravel(z).astype(self.dtype) for z in results if z is not None])

    def _outputs(self, arrays: Sequence[Any]) -> list[Any]:
        z = self.function(*[_as_given(x, is_python) for x, is_python in zip(arrays, self.pythons, strict=True)])
        return [
            None if part is None else np.asarray(part.resolve() if type(part) is Masked else part)
            for part in (z if isinstance(z, (tuple, list)) else (z,))
        ]

    def _results(self, forms: Sequence[Form], expected: Sequence[Form | None] | None) -> list[Form | None]:
        """What the results look like."""
        try:
            return [None if z is None else (z.dtype, z.shape) for z in self._probe(forms)]
        except NotTraceableError:
            if expected is None:
                raise
            return list(expected)

    def _probe(self, forms: Sequence[Form]) -> list[Any]:
        """What the function returns for example arrays: ones, or other numbers if it does not like those."""
        name, reason = self.__name__, None
        for example in (_ones, _spread, _identity):
            try:
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    results = self._outputs([example(*form) for form in forms])
            except TraceError:
                raise
            except Exception as error:  # whatever the user's function raises for numbers that it was not made for
                reason = error
                continue
            if any(z is not None and not is_known(z.dtype) for z in results):
                raise NotTraceableError(f"{name} returns what programs do not know: {_listed_dtypes(results)}")
            return results
        raise NotTraceableError(
            f"{name} has no operation in programs, and no host call could be made of it either: tried on example arrays "
            f"it raised {type(reason).__name__}: {reason}"
        ) from reason

    def unpack(self, packed: Symbol) -> list[Any]:
        """The single results, as symbols, of the one value that the operation has."""
        if self.single:
            return [packed]
        unpacked: list[Any] = []
        start = 0
        for form in self.results:
            if form is None:
                unpacked.append(None)
                continue
            dtype, shape = form
            stop = start + math.prod(shape)
            unpacked.append(np.astype(np.reshape(packed[start:stop], shape), dtype))
            start = stop
        return unpacked


def call(
    function: Callable[..., Any], inputs: Sequence[Any], name: str, expected: Sequence[Form | None] | None = None
) -> list[Any]:
    """Write a host call into the program: a list of symbols, None for a result that is None.

    `expected` is what its results look like, for functions that refuse all examples.
    """
    places = [n for n, x in enumerate(inputs) if type(x) is Symbol]
    if len(places) < len(inputs):
        function = _Around(function, list(inputs), places)
    symbols = [inputs[n] for n in places]
    builder = builder_of(symbols)
    forms, pythons = [(x.dtype, x.shape) for x in symbols], [x.is_python for x in symbols]
    host = HostFunction(function, forms, name, expected, pythons)
    if host.turns_complex:
        builder.guesses = f"{name} gives complex numbers for some values, and perhaps real ones for others"
    return host.unpack(emit("callback", *symbols, function=host, dtype=host.dtype, shape=host.shape))


class _Around:
    """A function with some of its arguments filled in: those that are no values of the program."""

    def __init__(self, function: Callable[..., Any], inputs: list[Any], places: list[int]) -> None:
        self.function, self.inputs, self.places = function, inputs, places

    def __call__(self, *values: Any) -> Any:
        inputs = list(self.inputs)
        for place, value in zip(self.places, values, strict=True):
            inputs[place] = value
        return self.function(*inputs)


# --- what goes in and out of a host function ---------------------------------------------------------------------------


def _as_given(x: Any, is_python: bool) -> Any:
    """An argument as the function would have got it outside of programs: single numbers are Python's or NumPy's own."""
    if np.shape(x):
        return x
    number = np.asarray(x)[()]
    return number.item() if is_python else number


def _ones(dtype: Any, shape: tuple[int, ...]) -> Any:
    return (np.ones if dtype.kind in "fc" else np.zeros)(shape, dtype)[()]


def _spread(dtype: Any, shape: tuple[int, ...]) -> Any:
    steps = 0.5 + np.arange(math.prod(shape)) * 0.6180339887 % 1.0
    if dtype.kind == "c":
        steps = steps * np.exp(2j * steps)
    return np.reshape(steps if dtype.kind in "fc" else steps >= 1.0, shape).astype(dtype)[()]


def _identity(dtype: Any, shape: tuple[int, ...]) -> Any:
    if len(shape) < 2:
        return _ones(dtype, shape)
    return np.broadcast_to(np.eye(*shape[-2:], dtype=dtype), shape).copy()


def _as_complex(form: Form | None) -> Form | None:
    """What a complex result would look like in the place of this one."""
    return None if form is None else (complex_of(form[0]), form[1])


def _listed(forms: Sequence[Form | None]) -> str:
    return ", ".join(["None" if form is None else f"{form[0]}{list(form[1])}" for form in forms])


def _listed_dtypes(results: Sequence[Any]) -> str:
    return ", ".join([str(getattr(z, "dtype", None)) for z in results])


# --- NumPy's functions without an operation ------------------------------------------------------------------------------


def _on_host(function: Any, args: Any, options: dict[str, Any]) -> Any:
    """Any NumPy function or ufunc, with symbols anywhere among its arguments."""
    name = f"{getattr(function, '__module__', None) or 'numpy'}.{function.__name__}"
    if options.get("out") is not None:
        raise NotTraceableError(f"{name} with out= would write a value into an array: use its result instead")
    values, rebuild = flatten((args, options))

    def apply(*given: Any) -> Any:
        positional, named = rebuild(list(given))
        return function(*positional, **named)

    results = call(apply, values, name)
    return results[0] if len(results) == 1 else tuple(results)


hosts["function"] = _on_host


# --- gates -----------------------------------------------------------------------------------------------------------


class Hosted(Gate):
    """z = f(x, …), computed on the host. A black box for the program, with the gradient of the eager engine."""

    pattern = "function"

    def __init__(self, function: Callable[..., Any], name: str, expected: Sequence[Form | None] | None = None) -> None:
        self.function = function
        self.name = name
        self.expected = expected

    def forward(self, *xs: Any) -> Any:
        self.xs = xs
        if any(type(x) is Variable for x in xs):
            return Hosted(self.function, self.name, self.expected)(*xs)  # on the tape that they are on
        results = call(self.function, xs, self.name, self.expected)
        return results[0] if len(results) == 1 else tuple(results)

    def backward(self, dz: Any) -> Any:
        needed = tuple([n for n, need in enumerate(self.needs) if need])
        dzs = dz if type(dz) is tuple else (dz,)
        given = tuple([n for n, part in enumerate(dzs) if part is not None])
        pullback = _Pullback(self.function, len(self.xs), needed, given)
        inputs = (*self.xs, *[_resolved(dzs[n]) for n in given])
        looks = [_form(x) for x, need in zip(self.xs, self.needs, strict=True) if need]
        dxs = Hosted(pullback, f"{self.name}.backward", looks)(*inputs)
        found = iter(dxs if type(dxs) is tuple else (dxs,))
        return tuple([next(found) if need else None for need in self.needs])


class _Pullback:
    """The pullback of a host function: of its inputs and the upstream gradients, at any order.

    It is handed what flows between gates, and `vjp` takes and gives gradients as people see them: their conjugates.
    """

    def __init__(
        self, function: Callable[..., Any], count: int, needed: tuple[int, ...], given: tuple[int, ...]
    ) -> None:
        self.function, self.count, self.needed, self.given = function, count, needed, given

    def __call__(self, *args: Any) -> Any:
        xs, dzs = list(args[: self.count]), args[self.count :]

        def of_needed(*chosen: Any) -> Any:
            for n, x in zip(self.needed, chosen, strict=True):
                xs[n] = x
            z = self.function(*xs)
            parts = z if isinstance(z, (tuple, list)) else (z,)
            return tuple([parts[n] for n in self.given])

        zs, pullback = vjp(of_needed, *[xs[n] for n in self.needed])
        if any(is_complex(z) and not is_complex(dz) for z, dz in zip(zs, dzs, strict=True)):
            raise OtherNumbersError("the value is complex, and real in the program")
        return tuple([conj(dx) for dx in pullback(tuple([conj(dz) for dz in dzs]))])


def _form(x: Any) -> Form:
    spec = spec_of(x)
    return (np.dtype(spec[1]), spec[0]) if spec else (FLOAT64, ())


def _resolved(x: Any) -> Any:
    return x.resolve() if type(x) is Masked else x


def _like(dx: Any, form: Form) -> Any:
    """The gradient of a real input as a real one."""
    return np.real(dx) if form[0].kind != "c" and is_complex(dx) else dx


class _Fresh:
    """A gate as a function: each call applies a fresh gate with the same options."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate.fresh()
        self.may_turn_complex = gate.may_turn_complex

    def __call__(self, *xs: Any) -> Any:
        return self.gate.fresh()(*xs)


def _rescue_forward(gate: Gate, inputs: Sequence[Any]) -> Any:
    """The forward rule cannot be traced: neither can the backward rule then, which needs what it would have kept."""
    hosted = Hosted(_Fresh(gate), type(gate).__name__)
    z = hosted(*inputs) if any(type(x) is Variable for x in inputs) else _traced(hosted, inputs)
    gate.backward = functools.partial(_hosted_backward, gate, hosted, tuple(inputs))  # type: ignore[method-assign]
    return z


def _traced(hosted: Hosted, inputs: Sequence[Any]) -> Any:
    hosted.needs = (False,) * len(inputs)
    return hosted.forward(*inputs)


def _hosted_backward(gate: Gate, hosted: Hosted, inputs: tuple[Any, ...], dz: Any) -> Any:
    again = Hosted(hosted.function, hosted.name)
    again.xs, again.needs = inputs, gate.needs
    return again.backward(dz)


def _rescue_backward(gate: Gate, dz: Any) -> Any:
    """The backward rule cannot be traced: run it on the host, with what the forward rule kept."""
    values, rebuild = flatten((vars(gate), dz))
    symbols = [x for x in values if type(x) is Symbol]
    if symbols and isinstance(dz, (float, np.ndarray)):  # a constant among symbols, which the rule took for a number
        builder = symbols[0].builder
        with contextlib.suppress(TraceError):
            return gate.backward(Symbol(builder.constant(dz), builder, is_python=type(dz) is float))
    options, needs = dict(gate.options), gate.needs
    looks = [
        _form(source.array if type(source) is Constant else source) if need else None
        for source, need in zip(gate.inputs, needs, strict=True)
    ]

    def backward(*given: Any) -> Any:
        remembered, upstream = rebuild(list(given))
        again = type(gate).__new__(type(gate))
        again.__dict__.update(options)
        again.__dict__.update(remembered)
        again.needs = needs
        dxs = again.backward(upstream)
        parts = dxs if type(dxs) in (tuple, list) else (dxs,)
        return tuple([_like(dx, form) if form else None for dx, form in zip(parts, looks, strict=True)])

    backward_gate = Hosted(backward, f"{type(gate).__name__}.backward", looks)
    places = [n for n, x in enumerate(values) if type(x) in (Symbol, Variable)]
    backward_gate.function = _Around(backward, values, places)
    flowing = [values[n] for n in places]
    if any(type(x) is Variable for x in flowing):
        return backward_gate(*flowing)
    return _traced(backward_gate, flowing)


rescues[TraceError] = Rescue(_rescue_forward, _rescue_backward)


def _on_symbols(gate: Gate, inputs: tuple[Any, ...]) -> Any:
    """Apply a gate to symbols: its lowering, or its forward, which is written in NumPy and so writes the program."""
    if any(type(x) is Variable for x in inputs):
        return on_meeting[Variable](gate, inputs)
    gate = unapplied(gate)
    gate.options = dict(gate.__dict__)
    gate.needs = (False,) * len(inputs)
    inputs = tuple([x.resolve() if type(x) is Masked else x for x in inputs])
    lowering = lowerings.get(type(gate))
    if lowering is not None:
        return lowering(gate, *inputs)
    try:
        return gate.forward(*inputs)
    except TraceError:
        return _rescue_forward(gate, inputs)


on_meeting[Symbol] = _on_symbols
