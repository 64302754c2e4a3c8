"""Variable: a value in a circuit. Operators written out for speed; everything else through NumPy's protocols.

How a gate is recorded in general is in `recording.py`; what `_binary` writes out is the same for what is common.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad import recording
from gategrad.array_methods import ArrayMethods, functions
from gategrad.assignment import in_place, set_item, written_out
from gategrad.backward import backward
from gategrad.errors import (
    DtypeError,
    EscapeError,
    GradientNotKeptError,
    NoRuleError,
    NotTrackedError,
    ShapeError,
)
from gategrad.escapes import AS_INDEX, compared, escape, formatted
from gategrad.forward import recover
from gategrad.gate import NO_OPTIONS, Gate, gate_of, on_meeting, ufuncs
from gategrad.recording import arrange, as_numpys, finish, leaf, of_numpy, plain, record, strengthen, unary
from gategrad.refusals import NOT_KEPT, no_rule, rare_ufunc, unknown_attribute
from gategrad.tape import AMBIENT, UNTRACKED, next_order, paused
from gategrad.values import FLOAT64, NUMPYS, PANDAS_PRIORITY, Spec, lock, own, spec_of

__all__ = ["Variable", "detach", "variable"]

_PASSES_NUMBERS = (np.real, np.imag)
"""Those of NumPy's functions that answer with a number of Python's if they are given one."""

_BOTH, _LEFT, _RIGHT = (True, True), (True, False), (False, True)
_ARRAY = np.ndarray
_new: Callable[[type], Any] = object.__new__


def _binary(ufunc: np.ufunc) -> tuple[Any, Any]:
    """Write out one binary operator and its reflection, with a short way for what is common: same tape, or floats."""

    def apply(self: Variable, other: Any) -> Any:
        level = self.level
        if level <= paused():
            return record(ufuncs[ufunc](), (self, other))
        kind = type(other)
        first = self.gate
        numbers = self.spec if first is None else first.spec
        if kind is Variable:
            y, source, needs = other.raw, other.gate, _BOTH
            if other.level != level:
                return record(ufuncs[ufunc](), (self, other))
            theirs = other.spec if source is None else source.spec
            if theirs is not numbers and NUMPYS in (theirs, numbers):
                if theirs or numbers:
                    return record(ufuncs[ufunc](), (self, other))
                numbers = NUMPYS
            if source is None:
                source = other
            else:
                source.users += 1
        elif kind is float or kind is int:
            y = source = other
            needs = _LEFT
        else:
            return record(ufuncs[ufunc](), (self, other))
        gate = ufuncs[ufunc]()
        gate.needs = needs
        if first is None:
            gate.inputs = (self, source)
        else:
            first.users += 1
            gate.inputs = (first, source)
        gate.options = NO_OPTIONS
        gate.level = level
        gate.order = next_order()
        gate.users = 0
        x = self.raw
        try:
            z = gate.forward(x, y)
        except Exception as error:
            z = recover(error, gate, (x, y))
        kind = type(z)
        if kind is float:
            gate.spec = numbers
        elif kind is _ARRAY and gate.is_ours:
            gate.spec = z.shape, z.dtype
        else:
            z = arrange(z, gate, (x, y))
        out = _new(Variable)
        out.raw = z
        out.gate = gate
        out.level = level
        return out

    def reflected(self: Variable, other: Any) -> Any:
        level = self.level
        kind = type(other)
        if level <= paused() or not (kind is float or kind is int):
            return record(ufuncs[ufunc](), (other, self))
        gate = ufuncs[ufunc]()
        gate.needs = _RIGHT
        first = self.gate
        if first is None:
            gate.inputs = (other, self)
            numbers = self.spec
        else:
            first.users += 1
            gate.inputs = (other, first)
            numbers = first.spec
        return finish(gate, level, (other, self.raw), NO_OPTIONS, None if numbers else numbers)

    apply.__doc__ = f"numpy.{ufunc.__name__} of this value and another."
    reflected.__doc__ = f"numpy.{ufunc.__name__} of another value and this one."
    return apply, reflected


def _in_place(ufunc: np.ufunc, apply: Any) -> Any:
    """The operator in its form with =: a float makes way for another, an array is written into, as in NumPy."""

    def write(self: Variable, other: Any) -> Any:
        gate = self.gate
        if not (self.spec if gate is None else gate.spec):
            return apply(self, other)
        return in_place(ufunc, self, other)

    write.__doc__ = f"numpy.{ufunc.__name__} of this value and another, under the name of this one."
    return write


def _comparison(name: str) -> Any:
    operation = getattr(operator, name)

    def compare(self: Variable, other: Any) -> Any:
        return operation(plain(self), plain(other))

    compare.__doc__ = (
        f"`operator.{name}` of the plain values: comparisons have no gradient, so the answer is no variable."
    )
    return compare


class Variable(ArrayMethods):
    """A value in a circuit: a float or an array, together with the gate that computed it.

    Made by `gg.variable` (a leaf, whose gradient is wanted) or by a gate. Behaves like the NumPy array or the
    Python float that it holds; NumPy functions and operators on it are recorded.

    >>> import numpy as np, gategrad as gg
    >>> x = gg.variable([1.0, 2.0], name="x")
    >>> y = np.sum(x * x)
    >>> y.backward()
    >>> x.grad
    array([2., 4.])
    """

    __slots__ = ("__weakref__", "_base", "_gradient", "_made", "_views", "gate", "level", "name", "raw", "spec")

    def __init__(self, *_: Any, **__: Any) -> None:
        raise TypeError("variables are made by gg.variable(value), with a small v")

    def __init_subclass__(cls) -> None:
        raise TypeError("Variable cannot be subclassed: hold one as an attribute instead")

    users = 0  # as a source of gradients, a leaf is where the walk ends: it waits for nobody
    raw: Any  # the value as gates see it: a float, an array, or a value on a lower tape
    gate: Gate | None  # the gate that computed this value; None for a leaf
    level: int  # the tape it belongs to
    spec: Spec  # of a leaf: what the value looks like (see values.Spec)
    name: str | None
    _gradient: Any
    _base: Variable | None  # what this is a view of, its own views, and its gate if that is not recorded: assignment.py
    _views: Any
    _made: Gate | None

    def __getattr__(self, attribute: str) -> Any:
        # Interior values are made in the hot path, which sets only three slots; these are the others' defaults.
        if attribute in ("name", "_gradient", "_base", "_views", "_made"):
            return None
        if attribute == "spec":
            return self.gate.spec if self.gate is not None else spec_of(self.raw)
        if attribute == "grad":  # the property below raised AttributeError, and Python asks here once more
            raise GradientNotKeptError(NOT_KEPT)
        raise AttributeError(unknown_attribute(attribute))

    # --- what it holds

    @property
    def value(self) -> Any:
        """The plain value: a Python float, or a read-only view of the array. Assign to replace a leaf's value."""
        value = self.raw
        if type(value) is float:
            return value
        value = plain(value)
        if type(value) is np.ndarray and value.flags.writeable:
            value = value.view()
            value.flags.writeable = False
        return value

    @value.setter
    def value(self, value: Any) -> None:
        if self.gate is not None or self.level != AMBIENT:
            raise NotTrackedError(
                "only the value of a variable made by gg.variable can be replaced; this one was computed by "
                f"{self.gate!r}"
            )
        new = own(value)
        if spec_of(new) != self.spec:
            if np.shape(new) != self.shape:
                raise ShapeError(
                    f"a value of shape {np.shape(new)} cannot replace one of shape {self.shape}: make a new gg.variable"
                )
            if np.iscomplexobj(new) and self.dtype.kind != "c":
                raise DtypeError(f"a complex value cannot replace one of {self.dtype}: make a new gg.variable")
            new = self.dtype.type(new) if self.spec and self.shape == () else new
            new = np.asarray(new, dtype=self.dtype) if self.spec else float(new)
        self.raw = lock(new)

    @property
    def grad(self) -> Any:
        """The gradient that `backward()` left here: of a leaf always, of an interior value with `keep=True`.

        It accumulates over calls of `backward()`; assign `None` to start afresh.
        """
        if self.gate is None:
            return self._gradient
        try:
            return self.gate.grad
        except AttributeError:
            raise GradientNotKeptError(NOT_KEPT) from None

    @grad.setter
    def grad(self, gradient: Any) -> None:
        if self.gate is not None:
            raise NotTrackedError("the gradient of an interior value is written by backward(keep=True) alone")
        if gradient is not None:
            gradient = np.asarray(gradient, self.dtype)
            if gradient.shape != self.shape:
                raise ShapeError(f"a gradient of shape {gradient.shape} cannot belong to a value of shape {self.shape}")
            gradient = gradient[()] if self.spec else float(gradient)
        self._gradient = gradient

    def item(self, *args: Any) -> float:
        """The value as a Python number; of arrays the one element, or that at the index given."""
        value = plain(self)
        number: float = value.item(*args) if hasattr(value, "item") else np.float64(value).item(*args)
        return number

    def detach(self) -> Variable:
        """The same value without its circuit: a constant for whatever is computed from it."""
        return detach(self)

    # --- backward

    backward = backward

    # --- operators

    __pandas_priority__ = PANDAS_PRIORITY

    __add__, __radd__ = _binary(np.add)
    __sub__, __rsub__ = _binary(np.subtract)
    __mul__, __rmul__ = _binary(np.multiply)
    __truediv__, __rtruediv__ = _binary(np.divide)
    __pow__, __rpow__ = _binary(np.power)
    __matmul__, __rmatmul__ = _binary(np.matmul)
    __mod__, __rmod__ = _binary(np.remainder)
    __floordiv__, __rfloordiv__ = _binary(np.floor_divide)
    __iadd__ = _in_place(np.add, __add__)
    __isub__ = _in_place(np.subtract, __sub__)
    __imul__ = _in_place(np.multiply, __mul__)
    __itruediv__ = _in_place(np.divide, __truediv__)
    __ipow__ = _in_place(np.power, __pow__)
    __imatmul__ = _in_place(np.matmul, __matmul__)
    __imod__ = _in_place(np.remainder, __mod__)
    __ifloordiv__ = _in_place(np.floor_divide, __floordiv__)

    __lt__ = _comparison("lt")
    __le__ = _comparison("le")
    __gt__ = _comparison("gt")
    __ge__ = _comparison("ge")
    __eq__ = _comparison("eq")
    __ne__ = _comparison("ne")
    __hash__ = object.__hash__  # by identity: leaves are keys of the dictionary of gradients

    def __neg__(self) -> Any:
        return unary(ufuncs[np.negative](), self)

    def __pos__(self) -> Any:
        return unary(ufuncs[np.positive](), self) if self.spec else self  # of an array, a copy

    def __abs__(self) -> Any:
        return unary(ufuncs[np.absolute](), self)

    def __setitem__(self, index: Any, value: Any) -> None:
        set_item(self, index, value)

    def __trunc__(self) -> int:
        raise EscapeError(escape("math.trunc(v)", "an int"))

    # --- NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and not options:
            gate = ufuncs.get(ufunc) or gate_of(ufunc)
            if gate is not None:
                z = unary(gate(), self) if len(inputs) == 1 and gate.is_ours else record(gate(), inputs)
                if type(z) is Variable and z.spec is None:
                    strengthen(z)  # rules compute with operators, of which Python's numbers make Python's
                return z
        return rare_ufunc(ufunc, method, inputs, options, plain)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        rule = functions.get(function)
        if rule is None:
            name = function.__name__
            raise NoRuleError(no_rule(f"{function.__module__}.{name}", name if function.__module__ == "numpy" else ""))
        if options.get("out") is not None and type(options["out"]) is Variable:
            return written_out(function, args, options, (options.pop("out"),))
        z = rule(*args, **options)
        if type(z) is Variable and z.spec is None and function not in _PASSES_NUMBERS:
            return of_numpy(z, args)
        return z

    # --- the ways out that would lose the gradient

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.level == UNTRACKED or compared():
            if copy:
                return np.array(plain(self), dtype=dtype)
            array = np.asarray(plain(self), dtype=dtype).view()
            array.flags.writeable = False  # what were written into it would not reach the variable, as NumPy has it
            return array
        raise EscapeError(escape("np.asarray(v)", "an array"))

    def __float__(self) -> float:
        if self.level == UNTRACKED or formatted():
            return float(plain(self))
        raise EscapeError(escape("float(v) (or a function of `math`, which calls it)", "a float"))

    def __int__(self) -> int:
        if self.level == UNTRACKED or formatted():
            return int(plain(self))
        raise EscapeError(escape("int(v)", "an int"))

    def __index__(self) -> int:
        raise EscapeError(escape(AS_INDEX, "an int"))

    def __complex__(self) -> complex:
        if self.level == UNTRACKED:
            return complex(self.raw)
        raise EscapeError(escape("complex(v)", "a complex number"))

    def __bool__(self) -> bool:
        return bool(plain(self))

    # --- display, copying

    def __repr__(self) -> str:
        value = plain(self)
        is_array = type(value) not in on_meeting and self.spec  # not a symbol of a program
        shown = np.array2string(np.asarray(value), prefix=" " * 9, separator=", ") if is_array else repr(value)
        parts = [shown]
        if self.dtype != FLOAT64:
            parts.append(f"dtype={self.dtype}")
        if self.name:
            parts.append(f"name={self.name!r}")
        if self.gate is not None:
            parts.append(f"gate={type(self.gate).__name__}")
        return f"variable({', '.join(parts)})"

    def __format__(self, spec: str) -> str:
        return format(plain(self), spec) if spec else repr(self)

    def __reduce__(self) -> Any:
        if self.gate is not None or self.level != AMBIENT:
            raise TypeError(
                "only variables made by gg.variable can be pickled or copied deeply: this one belongs to a circuit. "
                "Use v.value"
            )
        return _restore, (as_numpys(self), self.name, self._gradient)

    def __copy__(self) -> Variable:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        restore, state = self.__reduce__()
        return restore(*state)


recording.Variable = Variable
on_meeting[Variable] = record


# --- making variables ---------------------------------------------------------------------------------------------


def variable(value: Any, name: str | None = None) -> Variable:
    """A leaf of the circuit: a value whose gradient is wanted.

    `value` is a number, a nested list of numbers, or an array; it is copied. Floating-point arrays keep their
    dtype, everything else becomes float64; a single number becomes a Python float. `name` labels it in pictures.

    Raises `DtypeError` for what can have no gradient: strings, None, objects, integer arrays.

    >>> import numpy as np, gategrad as gg
    >>> gg.variable(3)
    variable(3.0)
    >>> gg.variable(np.zeros(2, np.float32), name="w")
    variable([0., 0.], dtype=float32, name='w')
    """
    new = _new(Variable)
    if type(value) is float:
        new.raw = value
        new.spec = None
    else:
        new.raw = lock(own(value))
        new.spec = NUMPYS if type(value) is np.float64 else spec_of(new.raw)
    new.gate = None
    new.level = AMBIENT
    new.name = name
    new._gradient = None
    leaf: Variable = new
    return leaf


def detach(x: Any) -> Variable:
    """The plain value of `x` as a variable that remembers no circuit."""
    constant: Variable = leaf(as_numpys(x), UNTRACKED)
    return constant


def _restore(raw: Any, name: str | None, gradient: Any) -> Variable:
    new = variable(raw, name)
    new._gradient = gradient.copy() if isinstance(gradient, np.ndarray) else gradient
    return new
