"""Gate: one application of a differentiable function, and the contract its two methods keep.

To understand the engine, read four files in this order: this one (what a gate is), `variable.py` (how `x * y` applies
one), `recording.py` (how it becomes a node of the circuit), `tape.py` (how the backward pass walks).
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from gategrad.errors import GateError

__all__ = [
    "NO_OPTIONS",
    "Gate",
    "all_gates",
    "derive",
    "from_backward",
    "gate_of",
    "latecomers",
    "on_meeting",
    "taken",
    "ufuncs",
    "unapplied",
]


class Gate:
    """One application of a differentiable function: a node of the circuit, with what it remembers for backward.

    A gate is written once, in plain NumPy. `forward` computes and remembers; `backward` multiplies each local
    gradient by the upstream gradient `dz` and returns one product per input, in input order:

    >>> import gategrad as gg
    >>> class Multiply(gg.Gate):
    ...     def forward(self, x, y):
    ...         self.x = x                        # must keep these around: backward needs them
    ...         self.y = y
    ...         return x * y
    ...     def backward(self, dz):
    ...         return [self.y * dz, self.x * dz]
    >>> x, y = gg.variable(3.0), gg.variable(-4.0)
    >>> z = Multiply()(x, y)
    >>> z.backward()
    >>> x.grad, y.grad
    (-4.0, 3.0)

    Arrays and numbers are inputs; options are keywords of the constructor and become attributes, as in
    `Sum(axis=1)(x)`. What flows through decides what happens: plain values are computed, variables are recorded.
    `backward` may return `None` for an input that receives nothing, and a single value if there is one input.
    Un-broadcasting, the adding of branches and the checks of shape and dtype are the engine's work, never a rule's.
    """

    __slots__ = ("grad", "inputs", "level", "needs", "options", "order", "spec", "users")

    # What the engine writes on a gate when it is applied to variables. Slots, so that `__dict__` holds
    # exactly the options and what `forward` remembered: that is what the ledger of memory counts.
    inputs: tuple[Any, ...]  # one per input: the gate that made it, the leaf variable, or the constant itself
    needs: tuple[bool, ...]  # which inputs want a gradient; empty once the backward pass has been through
    options: dict[str, Any]  # the attributes it had before it was applied
    order: int  # recording order, counted downwards so that the smallest comes first on the way back
    users: int  # how often its output has been used: so many answers the backward pass waits for
    level: int  # the tape this gate is recorded on
    spec: Any  # what the output is: None for a Python float, else (shape, dtype)
    grad: Any  # the upstream gradient, if `backward(keep=True)` asked for it

    pattern: ClassVar[str] = ""
    """What the gate does to the gradient, in a word: distributor, switcher, router …"""

    symbol: ClassVar[str] = ""
    """What a picture writes into the gate's box; the class name if empty."""

    ufunc: ClassVar[Any] = None
    """The NumPy ufunc (or SciPy's) that this gate stands for: calling that on a variable applies the gate."""

    sums_broadcasts: ClassVar[bool] = False
    """Whether `backward` may return a gradient with extra axes for the engine to sum away (see `fit.py`)."""

    passes_masks: ClassVar[bool] = False
    """Whether a structurally zero gradient may flow through `backward` as it is (see `masked.Masked`)."""

    remembers_inputs: ClassVar[bool] = True
    """Whether `forward` may keep its inputs; a gate that never does spares the engine a check for stale arrays."""

    overflows: ClassVar[bool] = False
    """Whether it grows exponentially, so that its slope may be infinite because it has overflowed."""

    is_steep: ClassVar[bool] = False
    """Whether its slope on a kink is infinite, so that a gradient of 0 that arrives there has no certain product."""

    takes_complex: ClassVar[bool] = False
    """Whether the rule holds for complex inputs as well; tests walk those gates with complex numbers too."""

    may_turn_complex: ClassVar[bool] = False
    """Whether real inputs have complex outputs, or real ones if the values say so: programs take them for complex."""

    is_ours: ClassVar[bool] = True
    """Whether the gate comes with the library, and is tested not to write into what it is handed."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.is_ours = cls.__module__.startswith("gategrad.")
        for name in Gate.__slots__:
            if name in cls.__dict__:
                raise taken(f"{cls.__name__} has an attribute {name}")
        if cls.__dict__.get("ufunc") is not None:
            ufuncs[cls.ufunc] = cls

    def forward(self, *inputs: Any) -> Any:
        """Compute the output from the inputs, and remember on `self` what `backward` will need."""
        raise GateError(f"{type(self).__name__} has no forward(self, x, ...): write the method that computes z")

    def backward(self, dz: Any) -> Any:
        """Return local gradient × upstream gradient, one for each input; follows from `jvp` if there is one."""
        if type(self).jvp in from_backward:
            raise GateError(
                f"{type(self).__name__} has no backward(self, dz): write the method that returns "
                "local gradient × dz, one for each input (or jvp(self, dx, ...), from which it follows)"
            )
        return derive["backward"](self, dz)

    def jvp(self, *tangents: Any) -> Any:
        """Return Σ local gradient × tangent, over the inputs that move (None for one that does not).

        Rarely written: it follows from `backward`, which is linear in dz, by transposing that.
        """
        return derive["jvp"](self, tangents)

    def kinks(self, *inputs: Any) -> Any:
        """Where these inputs, plain values, have no unique finite derivative: a mask, or None if that is nowhere."""
        return None

    kink: ClassVar[str] = ""
    """What `backward` answers at its kinks, in a few words."""

    def __call__(self, *inputs: Any) -> Any:
        """Apply the gate: compute on plain values, record on variables."""
        for x in inputs:
            meet = on_meeting.get(type(x))
            if meet is not None:
                return meet(self, inputs)
        gate = unapplied(self)
        gate.options = dict(gate.__dict__)
        gate.needs = (False,) * len(inputs)
        return gate.forward(*inputs)

    def fresh(self) -> Gate:
        """A gate with the same options that has not been applied yet."""
        gate = type(self).__new__(type(self))
        gate.__dict__.update(getattr(self, "options", self.__dict__))
        return gate

    def release(self) -> None:
        """Forget what `forward` remembered; the options stay."""
        self.needs = ()
        remembered = self.__dict__
        remembered.clear()
        if self.options:
            remembered.update(self.options)

    def __repr__(self) -> str:
        options = getattr(self, "options", self.__dict__)
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in options.items())})"

    def __copy__(self) -> Gate:
        return self.fresh()

    def __deepcopy__(self, memo: dict[int, Any]) -> Gate:
        gate = self.fresh()
        gate.__dict__.update(copy.deepcopy(gate.__dict__, memo))
        return gate


NO_OPTIONS: dict[str, Any] = {}
"""The options of most gates; shared, and never written into."""

_seen: set[type[Gate]] = set()


def unapplied(gate: Gate) -> Gate:
    """The gate itself if this is its first application, else a fresh one with the same options."""
    if hasattr(gate, "needs") and hasattr(gate, "options"):
        return gate.fresh()
    if type(gate) not in _seen:
        _meet_class(gate)
    return gate


def _meet_class(gate: Gate) -> None:
    """The first gate of a class is about to be applied: make sure that the class leaves the engine its own."""
    cls, name = type(gate), type(gate).__name__
    for attribute in Gate.__slots__:
        if hasattr(gate, attribute):
            raise taken(f"{name} sets self.{attribute} in its constructor")
    if not hasattr(gate, "__dict__"):
        raise GateError(f"{name} defines __slots__, but the engine finds what a gate remembers in its __dict__")
    if cls.__hash__ is not object.__hash__:  # @dataclass compares by value, but each application is a node of its own
        cls.__hash__ = object.__hash__  # type: ignore[method-assign]
        cls.__eq__ = object.__eq__  # type: ignore[method-assign]
    _seen.add(cls)


def taken(what: str) -> GateError:
    """The error of a gate that takes a name of the engine's; `what` says which, and where."""
    return GateError(
        f"{what}, a name that the engine needs for itself (as it does {', '.join(Gate.__slots__)}): call it something else"
    )


on_meeting: dict[type, Callable[[Gate, tuple[Any, ...]], Any]] = {}
"""What happens when a gate is applied to a value of this type. The layers above join: a Variable is recorded."""


derive: dict[str, Callable[..., Any]] = {}
"""How `backward` follows from `jvp`, and `jvp` from `backward`, in gates that have one of them; `transpose.py` joins.

And what a layer below asks of one above: a slope at a kink (`transforms/kinked.py`), a limit (`transforms/parting.py`), the
`answers` of a gate.
"""

from_backward: set[Callable[..., Any]] = {Gate.jvp}
"""The `jvp` methods that call `backward`: a gate that has no other one must have a `backward` of its own."""


ufuncs: dict[Any, type[Gate]] = {}
"""Which gate stands for which ufunc; filled as gate classes with a `ufunc` are defined."""


latecomers: dict[str, Callable[[], None]] = {}
"""What brings the gates for another package's ufuncs, by the name of that package's module: `gates/` adds to it."""


def gate_of(ufunc: Any) -> type[Gate] | None:
    """The gate that stands for a ufunc, or None.

    Gates for ufuncs of a package that may never be imported are brought here, when the first ufunc without a gate
    arrives after that package has been imported.
    """
    gate = ufuncs.get(ufunc)
    if gate is None and latecomers:
        for module in [name for name in latecomers if name in sys.modules]:
            latecomers[module]()
            latecomers.pop(module, None)  # only now: another thread that comes meanwhile waits for the same import
        gate = ufuncs.get(ufunc)
    return gate


def all_gates(kind: type[Gate] = Gate) -> Iterator[type[Gate]]:
    """Every gate class there is, the user's own included; kinds (which nobody applies) are left out."""
    for cls in kind.__subclasses__():
        if not cls.__subclasses__() or "forward" in cls.__dict__:
            yield cls
        yield from all_gates(cls)
