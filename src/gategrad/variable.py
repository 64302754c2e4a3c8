"""Variable: a value in a circuit. Operators written out for speed; everything else through NumPy's protocols."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gategrad.constant import Constant
from gategrad.errors import (
    DtypeError,
    EscapeError,
    GateError,
    GategradError,
    GradientNotKeptError,
    NoRuleError,
    NotScalarError,
    NotTrackedError,
    ShapeError,
    describe,
)
from gategrad.gate import Gate, on_meeting, ufuncs
from gategrad.masked import Masked
from gategrad.tape import AMBIENT, SEVERAL, UNTRACKED, Output, Spec, next_order, paused, spec_of, walk

__all__ = ["Variable", "detach", "astype", "getitem", "implements", "leaf", "plain", "record", "variable"]

functions: dict[Any, Callable[..., Any]] = {}
"""What NumPy's functions that are no ufuncs do with variables; `implements` adds to it."""


def implements(*names: Any) -> Callable[[Any], Any]:
    """Decorator: the function below is what these NumPy functions do when a variable is among their arguments."""

    def register(function: Any) -> Any:
        for name in names:
            functions[name] = function
        return function

    return register


_BOTH, _LEFT, _RIGHT = (True, True), (True, False), (False, True)
_new: Callable[[type], Any] = object.__new__
_deposit_lock = threading.Lock()


def _binary(ufunc: np.ufunc) -> tuple[Any, Any]:
    """Write out one binary operator and its reflection, with a short way for what is common: same tape, or floats."""

    def apply(self: Variable, other: Any) -> Any:
        gate = ufuncs[ufunc]()
        level = self.level
        if level <= paused():
            return _record_unless_masked(gate, self, other)
        x = self.raw
        if type(other) is Variable:
            if other.level != level:
                return record(gate, (self, other))
            y = other.raw
            gate.needs = _BOTH
            gate.inputs = (self.gate or self, other.gate or other)
        elif type(other) is float or type(other) is int:
            y = other
            gate.needs = _LEFT
            gate.inputs = (self.gate or self, y)
        else:
            return _record_unless_masked(gate, self, other)
        gate.level = level
        gate.order = next_order()
        try:
            z = gate.forward(x, y)
        except Exception as error:
            z = _recover(error, gate, (x, y))
        if type(z) is float:
            gate.spec = None
        else:
            z = _settle(z, gate, (x, y))
        out = _new(Variable)
        out.raw = z
        out.gate = gate
        out.level = level
        return out

    def reflected(self: Variable, other: Any) -> Any:
        return record(ufuncs[ufunc](), (other, self))

    apply.__doc__ = f"numpy.{ufunc.__name__} of this value and another."
    reflected.__doc__ = f"numpy.{ufunc.__name__} of another value and this one."
    return apply, reflected


def _record_unless_masked(gate: Gate, x: Variable, y: Any) -> Any:
    """Leave it to a masked gradient to combine itself with a variable: its mask has to stay outermost."""
    return NotImplemented if type(y) is Masked else record(gate, (x, y))


def _comparison(name: str) -> Any:
    ufunc = getattr(np, name)

    def compare(self: Variable, other: Any) -> Any:
        return ufunc(plain(self), plain(other))

    compare.__doc__ = f"numpy.{name} of the plain values: comparisons have no gradient, so the answer is no variable."
    return compare


class Variable:
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

    # Methods and operators are a closed set, NumPy's own; what can be computed is the open set in `gates/`.
    __slots__ = ("__weakref__", "_gradient", "gate", "level", "name", "raw", "spec")

    raw: Any  # the value as gates see it: a float, an array, or a value on a lower tape
    gate: Gate | None  # the gate that computed this value; None for a leaf
    level: int  # the tape it belongs to
    spec: Spec  # of a leaf: what the value looks like (see tape.Spec)
    name: str | None
    _gradient: Any

    def __getattr__(self, attribute: str) -> Any:
        # Interior values are made in the hot path, which sets only three slots; these are the others' defaults.
        if attribute in ("name", "_gradient"):
            return None
        if attribute == "spec":
            return self.gate.spec if self.gate is not None else spec_of(self.raw)
        raise AttributeError(_unknown_attribute(attribute))

    # --- what it holds

    @property
    def value(self) -> Any:
        """The plain value: a Python float, or a read-only view of the array. Assign to replace a leaf's value."""
        value = plain(self)
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
        new = _own(value)
        if spec_of(new) != self.spec:
            if np.shape(new) != self.shape:
                raise ShapeError(
                    f"a value of shape {np.shape(new)} cannot replace one of shape {self.shape}: "
                    "make a new gg.variable"
                )
            new = self.dtype.type(new) if self.spec is not None and self.shape == () else new
            new = float(new) if self.spec is None else np.asarray(new, dtype=self.dtype)
        self.raw = _lock(new)

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
            raise GradientNotKeptError(
                "the gradient of an interior value is not kept unless you ask: call backward(keep=True)"
            ) from None

    @grad.setter
    def grad(self, gradient: Any) -> None:
        if self.gate is not None:
            raise NotTrackedError("the gradient of an interior value is written by backward(keep=True) alone")
        self._gradient = gradient

    def item(self) -> float:
        """The value as a Python number; for arrays with one element."""
        value = plain(self)
        number: float = value.item() if hasattr(value, "item") else value
        return number

    def detach(self) -> Variable:
        """The same value without its circuit: a constant for whatever is computed from it."""
        return detach(self)

    # --- backward

    def backward(self, dz: Any = None, *, retain: bool = False, keep: bool = False) -> None:
        """Walk back from this value and add to the `.grad` of every variable that it was computed from.

        `dz` is the upstream gradient of this value; 1 if it is a single number, required otherwise.
        `retain=True` lets the gates go on remembering, so that backward can be called again.
        `keep=True` keeps the gradients of interior values too, readable as their `.grad`.

        Raises `NotTrackedError`, `NotScalarError`, `ShapeError` or `ReleasedError`.

        >>> import gategrad as gg
        >>> x = gg.variable(3.0)
        >>> (x * x).backward()
        >>> x.grad
        6.0
        """
        if self.level != AMBIENT:
            raise NotTrackedError(_why_no_backward(self))
        gate = self.gate
        if dz is None:
            spec = self.spec if gate is None else gate.spec
            dz = 1.0 if spec is None else _seed_of_one(spec)
        else:
            dz = _fit_seed(dz, self)
        if gate is None:
            _deposit(self, dz)
            return
        gradients = walk(gate, dz, retain=retain, keep=keep)
        with _deposit_lock:
            for leaf, gradient in gradients.items():
                if type(gradient) is float and leaf._gradient is None:
                    leaf._gradient = gradient
                else:
                    _deposit(leaf, gradient)

    # --- operators

    __add__, __radd__ = _binary(np.add)
    __sub__, __rsub__ = _binary(np.subtract)
    __mul__, __rmul__ = _binary(np.multiply)
    __truediv__, __rtruediv__ = _binary(np.divide)
    __pow__, __rpow__ = _binary(np.power)
    __matmul__, __rmatmul__ = _binary(np.matmul)

    __lt__ = _comparison("less")
    __le__ = _comparison("less_equal")
    __gt__ = _comparison("greater")
    __ge__ = _comparison("greater_equal")
    __eq__ = _comparison("equal")
    __ne__ = _comparison("not_equal")
    __hash__ = object.__hash__  # by identity: leaves are keys of the dictionary of gradients

    def __neg__(self) -> Any:
        return ufuncs[np.negative]()(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return ufuncs[np.absolute]()(self)

    # --- NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if len(inputs) > 1 and type(inputs[1]) is Masked:
            return NotImplemented
        if method == "__call__" and not options:
            gate = ufuncs.get(ufunc)
            if gate is not None:
                return record(gate(), inputs)
        return _rare_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        rule = functions.get(function)
        if rule is None:
            raise NoRuleError(_no_rule(f"{function.__module__}.{function.__name__}"))
        return rule(*args, **options)

    # --- the ways out that would lose the gradient

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.level == UNTRACKED:
            return np.array(self.raw, dtype=dtype)
        raise EscapeError(_escape("np.asarray(v)", "an array"))

    def __float__(self) -> float:
        if self.level == UNTRACKED:
            return float(self.raw)
        raise EscapeError(_escape("float(v) (or a function of `math`, which calls it)", "a float"))

    def __int__(self) -> int:
        if self.level == UNTRACKED:
            return int(self.raw)
        raise EscapeError(_escape("int(v)", "an int"))

    def __index__(self) -> int:
        raise EscapeError(_escape("using v as an index", "an int"))

    def __complex__(self) -> complex:
        if self.level == UNTRACKED:
            return complex(self.raw)
        raise EscapeError(_escape("complex(v)", "a complex number"))

    def __bool__(self) -> bool:
        return bool(plain(self))

    # --- what an array offers

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value; () for a number."""
        spec = self.spec
        return () if spec is None else spec[0]

    @property
    def dtype(self) -> Any:
        """The dtype of the value; float64 for a Python float."""
        spec = self.spec
        return _FLOAT64 if spec is None else spec[1]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        size = 1
        for length in self.shape:
            size *= length
        return size

    @property
    def T(self) -> Any:
        """The value with its axes reversed."""
        return np.transpose(self)

    @property
    def real(self) -> Any:
        """The real part."""
        return np.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return np.imag(self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a variable that holds a single number has no len()")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("a variable that holds a single number cannot be iterated over")
        return (self[index] for index in range(self.shape[0]))

    def __getitem__(self, index: Any) -> Any:
        return functions[getitem](self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise EscapeError(
            "a variable cannot be written into: gates may remember the old values. "
            "Compute a new one with np.where, np.concatenate or arithmetic"
        )

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """`np.sum` of this value."""
        return np.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        """`np.mean` of this value."""
        return np.mean(self, axis=axis, keepdims=keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Any:
        """`np.prod` of this value."""
        return np.prod(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """`np.max` of this value."""
        return np.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        """`np.min` of this value."""
        return np.min(self, axis=axis, keepdims=keepdims)

    def var(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
        """`np.var` of this value."""
        return np.var(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
        """`np.std` of this value."""
        return np.std(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def argmax(self, axis: Any = None) -> Any:
        """`np.argmax` of this value: indices, which carry no gradient."""
        return np.argmax(plain(self), axis=axis)

    def argmin(self, axis: Any = None) -> Any:
        """`np.argmin` of this value: indices, which carry no gradient."""
        return np.argmin(plain(self), axis=axis)

    def dot(self, other: Any) -> Any:
        """`np.dot` of this value and another."""
        return np.dot(self, other)

    def reshape(self, *shape: Any) -> Any:
        """`np.reshape` of this value; the shape as one tuple or as several integers."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def ravel(self) -> Any:
        """`np.ravel` of this value: one axis."""
        return np.reshape(self, -1)

    def flatten(self) -> Any:
        """One axis, as `ravel`: variables are never written into, so view and copy are the same."""
        return np.reshape(self, -1)

    def squeeze(self, axis: Any = None) -> Any:
        """`np.squeeze` of this value."""
        return np.squeeze(self, axis=axis)

    def transpose(self, *axes: Any) -> Any:
        """`np.transpose` of this value; the axes as one tuple or as several integers."""
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) if axes else None)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """`np.swapaxes` of this value."""
        return np.swapaxes(self, axis1, axis2)

    def astype(self, dtype: Any) -> Any:
        """The value in another floating-point type; the gradient comes back in this one's."""
        return functions[astype](self, dtype)

    def copy(self) -> Variable:
        """This variable: values are never written into, so a copy would be the same."""
        return self

    # --- display, copying

    def __repr__(self) -> str:
        value = plain(self)
        shown = f"{value!r}" if self.spec is None else np.array2string(np.asarray(value), prefix=" " * 9, separator=", ")
        parts = [shown]
        if self.spec is not None and self.dtype != _FLOAT64:
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
        return _restore, (self.raw, self.name, self._gradient)

    def __copy__(self) -> Variable:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        restore, state = self.__reduce__()
        return restore(*state)


def getitem(x: Any, index: Any) -> Any:
    """The key under which `gates/indexing.py` registers what `x[index]` does."""
    return x[index]


def astype(x: Any, dtype: Any) -> Any:
    """The key under which `gates/shaping.py` registers what `x.astype(dtype)` does."""
    return x.astype(dtype)


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
        new.raw = value = _lock(_own(value))
        new.spec = spec_of(value)
    new.gate = None
    new.level = AMBIENT
    new.name = name
    new._gradient = None
    leaf: Variable = new
    return leaf


def leaf(value: Any, level: int) -> Variable:
    """A leaf on the tape of this level; `value` may itself be a value on a lower tape."""
    new = _new(Variable)
    new.raw = value
    new.gate = None
    new.level = level
    new.spec = value.spec if type(value) is Variable else spec_of(value)
    made: Variable = new
    return made


def detach(x: Any) -> Variable:
    """The plain value of `x` as a variable that remembers no circuit."""
    return leaf(plain(x), UNTRACKED)


def plain(x: Any) -> Any:
    """The float or array inside, whatever the number of tapes around it.

    >>> import gategrad as gg
    >>> plain(gg.variable(2.0)), plain(2.0)
    (2.0, 2.0)
    """
    while type(x) is Variable:
        x = x.raw
    return x


def _own(value: Any) -> Any:
    """A float or a floating-point array that nobody else holds; or the reason why there cannot be one."""
    if isinstance(value, Variable):
        raise DtypeError("gg.variable of a variable would lose its gradient: use it as it is, or v.detach()")
    if isinstance(value, (bool, np.bool_)):
        raise DtypeError("a truth value has no gradient: gg.variable takes numbers and arrays of floats")
    if isinstance(value, (int, float)) and not isinstance(value, np.generic):
        return float(value)
    if type(value) is np.float64:
        return float(value)
    array: Any = value
    is_array = hasattr(value, "dtype")
    if not is_array:
        try:
            array = np.array(value)
        except ValueError as error:
            raise ShapeError(f"gg.variable was given rows of different lengths ({error})") from None
        except EscapeError:
            raise DtypeError("gg.variable was given a list of variables: join them with np.stack") from None
        if array.dtype.kind in "iu":
            array = array.astype(np.float64)
    kind = array.dtype.kind
    if kind in "fc":
        return array.copy() if is_array else array
    if kind in "iu":
        raise DtypeError(
            f"an array of {array.dtype} can have no gradient: its values cannot change by a little. "
            "Use gg.variable(x.astype(float)), or keep it a plain array if you index with it"
        )
    what = "None" if value is None else describe(value)
    raise DtypeError(f"{what} can have no gradient: gg.variable takes numbers and arrays of floats")


def _lock(value: Any) -> Any:
    if type(value) is np.ndarray:
        value.flags.writeable = False  # gates remember it: a write behind their back would be a wrong gradient
    return value


def _restore(raw: Any, name: str | None, gradient: Any) -> Variable:
    new = variable(raw, name)
    new._gradient = gradient
    return new


# --- recording ----------------------------------------------------------------------------------------------------


def record(gate: Gate, inputs: tuple[Any, ...]) -> Any:
    """Apply a gate to inputs of which some are variables, on the highest tape among them."""
    level = UNTRACKED
    for x in inputs:
        if type(x) is Variable and x.level > level:
            level = x.level
    if hasattr(gate, "needs"):
        gate = gate.fresh()
    if level <= paused():
        return _compute(gate, inputs)
    values, sources, needs = [], [], []
    for x in inputs:
        kind = type(x)
        if kind is Variable:
            if x.level == level:
                values.append(x.raw)
                sources.append(x.gate or x)
                needs.append(True)
                continue
            if x.level == UNTRACKED:
                x = x.raw
        values.append(x)
        if kind is np.ndarray and gate.remembers_inputs and x.flags.writeable:
            x = Constant(x)
        sources.append(x)
        needs.append(False)
    gate.needs = tuple(needs)
    gate.inputs = tuple(sources)
    gate.level = level
    gate.order = next_order()
    if gate._has_options:
        gate.options = dict(gate.__dict__)
    try:
        z = gate.forward(*values)
    except Exception as error:
        z = _recover(error, gate, values)
    if type(z) is float:
        gate.spec = None
    else:
        z = _settle(z, gate, values)
        if type(z) is tuple:
            return _spread(z, gate, level)
    out = _new(Variable)
    out.raw = z
    out.gate = gate
    out.level = level
    return out


on_meeting[Variable] = record


def _compute(gate: Gate, inputs: tuple[Any, ...]) -> Any:
    """Apply a gate without recording it: the results are untracked variables."""
    gate.needs = (False,) * len(inputs)
    values = [plain(x) for x in inputs]
    try:
        z = gate.forward(*values)
    except Exception as error:
        z = _recover(error, gate, values)
    z = _settle(z, gate, values)
    return tuple([leaf(part, UNTRACKED) for part in z]) if type(z) is tuple else leaf(z, UNTRACKED)


def _spread(outputs: tuple[Any, ...], gate: Gate, level: int) -> tuple[Variable, ...]:
    """Hand out the outputs of a gate that has several, each as a variable of its own."""
    spread = []
    for index, z in enumerate(outputs):
        output = Output(index, len(outputs))
        output.needs = (True,)
        output.inputs = (gate,)
        output.level = level
        output.order = next_order()
        output.options = {"index": index, "count": len(outputs)}
        output.spec = _spec(z)
        out = leaf(z, level)
        out.gate = output
        spread.append(out)
    return tuple(spread)


def _spec(z: Any) -> Spec:
    if type(z) is Variable:
        spec: Spec = z.spec
        return spec
    return spec_of(z)


def _settle(z: Any, gate: Gate, inputs: Sequence[Any]) -> Any:
    """Bring what `forward` returned into the form in which values travel, and note what it looks like."""
    kind = type(z)
    if kind is np.float64:
        gate.spec = None
        return float(z)
    if kind is np.ndarray:
        if z.dtype.kind not in "fc":
            raise _wrong_output(z, gate)
        z.flags.writeable = False  # other gates will remember it: nobody may write behind their backs
    elif kind is tuple:
        z = tuple([_settle(part, gate, inputs) for part in z])
        gate.spec = SEVERAL
        return z
    elif kind is complex and complex not in map(type, inputs):
        return _settle(gate.forward(*map(_as_numpy, inputs)), gate, inputs)  # (-8.0) ** (1 / 3): NumPy says nan
    elif kind is int:
        gate.spec = None
        return float(z)
    elif kind is not Variable and (not hasattr(z, "dtype") or z.dtype.kind not in "fc"):
        raise _wrong_output(z, gate)
    gate.spec = _spec(z)
    return z


def _as_numpy(x: Any) -> Any:
    return np.float64(x) if type(x) is float or type(x) is int else x


def _recover(error: Exception, gate: Gate, inputs: Sequence[Any]) -> Any:
    """Answer as NumPy would where Python's numbers raise; else say which gate failed, on what, and why."""
    numbers = any(type(x) is float or type(x) is int for x in inputs)
    if isinstance(error, (ZeroDivisionError, OverflowError)) and numbers:
        return gate.forward(*map(_as_numpy, inputs))
    shapes = [np.shape(x) if isinstance(x, np.ndarray) else getattr(x, "shape", ()) for x in inputs]
    name = type(gate).__name__
    if isinstance(error, ValueError) and "read-only" in str(error):
        raise GateError(
            f"{name}.forward wrote into one of its inputs: other gates remember that array. "
            "Compute a new one (x + 1 rather than x += 1)"
        ) from error
    if isinstance(error, ValueError) and not isinstance(error, GategradError) and any(shapes):
        listed = ", ".join(f"{letter} is {shape}" for letter, shape in zip("xyzuvw", shapes, strict=False))
        raise ShapeError(f"{name}: {listed}: {error}") from error
    raise error


def _wrong_output(z: Any, gate: Gate) -> Exception:
    return GateError(
        f"{type(gate).__name__}.forward returned {describe(z)}: return a float, a floating-point array, "
        "or a tuple of them"
    )


# --- helpers of backward() ----------------------------------------------------------------------------------------


def _seed_of_one(spec: Any) -> Any:
    shape, dtype = spec
    if any(length != 1 for length in shape):
        raise NotScalarError(
            f"backward() on an array of shape {shape} needs the upstream gradient dz, an array of that shape. "
            "For the gradient of a single number, reduce first: np.sum(f).backward()"
        )
    return np.ones(shape, dtype)[()]


def _fit_seed(dz: Any, z: Variable) -> Any:
    if type(dz) is Variable:
        raise DtypeError("backward(dz) takes a number or an array; for derivatives of gradients use gg.grad or gg.vjp")
    dz = np.asarray(dz)
    if dz.dtype.kind not in "fciu":
        raise DtypeError(f"dz is {describe(dz)}: it takes a number or an array of floats")
    if dz.shape != z.shape:
        raise ShapeError(f"dz has shape {dz.shape}, but the value that it is the gradient of has shape {z.shape}")
    return float(dz) if z.spec is None else dz.astype(z.dtype)[()]


def _deposit(leaf: Variable, gradient: Any) -> None:
    """Add to `.grad`. Always a new array: the walk may have handed the same one to several leaves."""
    if leaf._gradient is not None:
        leaf._gradient = leaf._gradient + gradient
    elif type(gradient) is np.ndarray:
        leaf._gradient = gradient.copy()
    else:
        leaf._gradient = gradient


def _why_no_backward(z: Variable) -> str:
    if z.level == UNTRACKED:
        return (
            "backward() on a value that remembers no circuit: it was computed under no_grad, was detached, "
            "or depends on no variable. Compute it from gg.variable(...) outside no_grad"
        )
    return "backward() inside a function that gg.grad or the like is differentiating: return the value instead"


# --- messages -----------------------------------------------------------------------------------------------------


def _escape(what: str, becomes: str) -> str:
    return (
        f"{what} would turn a tracked variable into {becomes} and silently lose its gradient. "
        "Use NumPy's functions (np.sin(v) rather than math.sin(v)), or v.value if you want a constant"
    )


def _no_rule(name: str) -> str:
    return (
        f"{name} has no gate, so its gradient is unknown. Compose it from functions that have one, "
        "write a gg.Gate for it, or pass v.value if you want a constant"
    )


def _unknown_attribute(attribute: str) -> str:
    hint = f"; use np.{attribute}(v)" if callable(getattr(np, attribute, None)) else ""
    return f"a variable has no attribute {attribute!r}{hint}"


def _rare_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A ufunc without a gate, one of its methods, or one with options."""
    name = f"np.{ufunc.__name__}"
    if options.get("out") is not None:
        raise EscapeError(f"{name} with out= would write a tracked variable into a plain array: use its result instead")
    if method == "__call__":
        if ufunc in _WITHOUT_GRADIENT:
            return ufunc(*map(plain, inputs), **options)
        if ufunc not in ufuncs:
            raise NoRuleError(_no_rule(name))
        raise NoRuleError(f"{name} of a variable takes no options, but got {', '.join(options)}")
    if method == "reduce" and ufunc in _REDUCTIONS:
        options.setdefault("axis", 0)
        return _REDUCTIONS[ufunc](*inputs, **options)
    if method == "at":
        raise EscapeError(f"{name}.at writes into its first argument, which a variable cannot be")
    raise NoRuleError(f"{name}.{method} has no gate; compose it from functions that have one")


_FLOAT64 = np.dtype(np.float64)
_REDUCTIONS = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}
_WITHOUT_GRADIENT = {
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.isnan, np.isinf, np.isfinite, np.signbit, np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
}  # fmt: skip
