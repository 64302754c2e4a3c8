"""vjp: run a function and keep its pullback, dz -> gradients of the inputs. What `grad` and the others stand on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad import careful
from gategrad.errors import DtypeError, ShapeError, describe
from gategrad.escapes import unhidden
from gategrad.recording import leaf, plain
from gategrad.tape import next_level, send, walk
from gategrad.transforms import kinked as kinked
from gategrad.transforms import parting as parting
from gategrad.transforms import replay as replay
from gategrad.transforms.containers import flatten, places, single
from gategrad.transforms.limits import settled
from gategrad.transforms.sides import Sample
from gategrad.values import FLOAT64, SINGLE, conjugated, is_own, lock, spec_of, travelling
from gategrad.variable import Variable

__all__ = [
    "Pullback",
    "collect",
    "differentiable",
    "gradient_of",
    "open_tape",
    "outputs_of",
    "pull",
    "run",
    "split_aux",
    "strip",
    "strip_all",
    "vjp",
]


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Compute `f(*primals)`, and the function that sends a gradient of the output back to the inputs.

    `pullback(dz)` returns a tuple with one gradient per primal, dx_i = Σ_j dz_j ∂z_j/∂x_i, each in the container,
    shape and dtype of its primal; `dz` has the container and shapes of the output. It may be called many times.
    Of complex values the gradients that go in and come out are directions of steepest ascent, the conjugates of those
    in the formula; so a holomorphic function of one number has the derivative `np.conjugate(pullback(1.0)[0])`.
    With `has_aux`, `f` returns `(z, anything)`, and this `(z, pullback, anything)`.

    Raises `DtypeError` if a primal is not made of floats, `ShapeError` if `dz` does not fit the output.

    >>> import numpy as np, gategrad as gg
    >>> z, pullback = gg.vjp(lambda x: x * x, np.array([1.0, 2.0]))
    >>> z, pullback(np.array([1.0, 10.0]))
    (array([1., 4.]), (array([ 2., 40.]),))
    """
    before = careful.doubts
    level, z, leaves, rebuilds = run(f, primals, {}, tuple(range(len(primals))))
    z, aux = split_aux(z) if has_aux else (z, None)
    outputs, values, rebuild = outputs_of(z, level)
    pullback = Pullback(level, outputs, values, leaves, rebuilds)
    pullback.made = f, primals, has_aux, careful.noted(before)
    value = rebuild(values)
    return (value, pullback, strip_all(aux, level)) if has_aux else (value, pullback)


class Pullback:
    """The second half of `vjp`: calls itself a function of `dz`."""

    made: tuple[Callable[..., Any], tuple[Any, ...], bool, careful.Doubt | None]
    """What `vjp` was given, and the doubt there was when it ran `f`."""

    def __init__(self, level: int, outputs: Any, values: Any, leaves: Any, rebuilds: Any) -> None:
        self._level, self._outputs, self._values = level, outputs, values
        self._leaves, self._rebuilds = leaves, rebuilds

    def __call__(self, dz: Any) -> tuple[Any, ...]:
        before = careful.doubts
        dxs = self._send(dz)
        f, primals, has_aux, earlier = self.made
        doubt = careful.noted(before) or earlier
        if doubt is None:
            return dxs

        def beside(moved: tuple[Any, ...]) -> Sample:
            z, pullback, *_ = vjp(f, *moved, has_aux=has_aux)
            return Sample(_along(z, dz), pullback._send(dz))

        settled_dxs: tuple[Any, ...] = settled(
            beside, primals, dxs, before, f, _along(self._values, dz), doubt | earlier
        )
        return settled_dxs

    def _send(self, dz: Any) -> tuple[Any, ...]:
        dzs, _ = flatten(dz)
        if len(dzs) != len(self._outputs):
            raise ShapeError(f"dz has {len(dzs)} values, but the output of the function has {len(self._outputs)}")
        gradients: dict[Any, Any] = {}
        for z, value, seed in zip(self._outputs, self._values, dzs, strict=True):
            seed = conjugated(_fit_seed(seed, value), spec_of(value))
            if type(z) is Variable and z.level == self._level:
                source = z.gate or z
                gradients[source] = gradients[source] + seed if source in gradients else seed
        return collect(self._leaves, self._rebuilds, send(gradients, retain=True))


def _along(z: Any, dz: Any) -> Any:
    """The one number of which what comes back is the gradient."""
    with np.errstate(all="ignore"):
        return sum([np.sum(x * y) for x, y in zip(flatten(z)[0], flatten(dz)[0], strict=True)])


def _fit_seed(dz: Any, z: Any) -> Any:
    """An upstream gradient in the shape and dtype of the output that it belongs to."""
    spec = spec_of(z)
    shape, dtype = spec or SINGLE
    have = np.shape(plain(dz))
    if have != shape:
        raise ShapeError(f"dz has shape {have}, but the output it belongs to has shape {shape}")
    if not hasattr(dz, "dtype"):
        dz = np.asarray(dz)
    if dz.dtype.kind not in "fciu":
        raise DtypeError(f"dz is {describe(dz)}: it takes numbers and arrays of floats")
    if dz.dtype.kind == "c" != dtype.kind:
        raise DtypeError(f"dz is {describe(dz)}, but the output it belongs to is real: pass np.real(dz)")
    if hasattr(dz, "spec"):  # a variable, or a symbol of the program that is being traced
        return dz if dz.dtype == dtype else dz.astype(dtype)
    if not spec:
        return float(dz) if isinstance(dz, (np.ndarray, np.generic)) else dz
    return dz if dz.dtype == dtype else dz.astype(dtype)


# --- the steps, shared with grad -------------------------------------------------------------------------------


def run(f: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any], argnums: tuple[int, ...]) -> Any:
    """Call `f` with the arguments in `argnums` as leaves of a fresh tape: (level, output, leaves, rebuilds)."""
    level, leaves, rebuilds, lifted = open_tape([args[n] for n in argnums])
    arguments = list(args)
    for n, x in zip(argnums, lifted, strict=True):
        arguments[n] = x
    try:
        return level, f(*arguments, **options), leaves, rebuilds
    except ValueError as error:
        hidden = unhidden(error)
        if hidden is error:
            raise
        raise hidden from None
    except TypeError as error:
        _note_lists(error, args, argnums)
        raise


def _note_lists(error: TypeError, args: tuple[Any, ...], argnums: tuple[int, ...]) -> None:
    """Of an operator that lists do not have, say what a list of numbers became, and what an array would have."""
    for n in argnums:
        kind = type(args[n])
        if kind in (list, tuple) and f"'{kind.__name__}'" in str(error):
            error.add_note(
                f"argument {n} is a {kind.__name__}, so the function gets a {kind.__name__} of variables: pass "
                "np.array(...) of floats to compute with it as an array"
            )


def pull(z: Any, dz: Any, level: int, *, retain: bool = False) -> dict[Any, Any]:
    """The gradients that `dz` at `z` sends to the leaves of a tape; nothing if `z` does not depend on them."""
    if type(z) is not Variable or z.level != level:
        return {}
    return {z: dz} if z.gate is None else send({z.gate: dz}, retain=True) if retain else walk(z.gate, dz)


def strip(z: Any, level: int) -> Any:
    """The value of `z` as it is outside this tape."""
    return z.raw if type(z) is Variable and (z.level == level or z.level < 0) else z


def outputs_of(z: Any, level: int) -> tuple[list[Any], list[Any], Callable[[list[Any]], Any]]:
    """What a function returned, taken apart: (outputs, their values outside this tape, what rebuilds the container)."""
    if z is None:
        raise DtypeError("the function returned None: nothing to differentiate (is a `return` missing?)")
    outputs, rebuild = flatten(z)
    return outputs, [strip(z, level) for z in outputs], rebuild


def split_aux(output: Any) -> tuple[Any, Any]:
    """The value of a function with `has_aux` and what it returned beside; or the reason why this is no such pair."""
    if not isinstance(output, tuple) or len(output) != 2:
        raise TypeError(f"with has_aux=True the function returns (value, anything), but it returned {describe(output)}")
    return output


def strip_all(aux: Any, level: int) -> Any:
    """What is in a container, as it is outside this tape."""
    values, rebuild = flatten(aux)
    return rebuild([strip(x, level) for x in values])


def collect(groups: list[list[Variable]], rebuilds: list[Any], gradients: dict[Any, Any]) -> tuple[Any, ...]:
    """What arrived at the leaves, each group in its container."""
    return tuple(
        [rebuild([gradient_of(x, gradients) for x in group]) for group, rebuild in zip(groups, rebuilds, strict=True)]
    )


def gradient_of(x: Variable, gradients: dict[Any, Any]) -> Any:
    """What arrived at a leaf, and zeros of its shape and dtype if nothing did.

    Arrays are copied unless nobody else holds them: a rule may hand one array to several inputs, or what it remembers,
    or `dz` itself.
    """
    dx = gradients.get(x)
    if type(dx) is float:
        return dx
    if dx is None:
        spec = x.spec
        return np.zeros(*spec)[()] if spec else 0.0
    dx = conjugated(dx, x.spec)
    if type(dx) is not np.ndarray or (_holders(dx) <= _ALONE and is_own(dx)):
        return dx
    return dx.copy()


_holders: Callable[[Any], int] = getattr(sys, "getrefcount", lambda x: 1 << 30)
"""How many references there are to an object; beyond any count where Python does not say."""


def _alone(x: Any, gradients: dict[Any, Any]) -> int:
    """How many references `gradient_of` finds if there are no others than its own and that of the dictionary."""
    dx = gradients.get(x)
    return _holders(dx)


_ALONE = min(_alone(None, {None: np.empty(1)}), 1 << 20)


def differentiable(x: Any, where: str) -> Any:
    """`x` as something that can have a gradient: Python ints become floats; or the reason why it cannot."""
    if type(x) is float or type(x) is Variable:
        return x
    if isinstance(x, (bool, np.bool_)):
        raise DtypeError(f"{where} is {x}: a truth value has no gradient. Pass {float(x)}, or leave it out of argnums")
    if type(x) is int:
        return float(x)
    if type(x) is complex:
        return np.complex128(x)
    if isinstance(x, np.ma.MaskedArray):
        raise DtypeError(
            f"{where} is a masked array, which has no gradient where it is masked: fill it, or use np.where"
        )
    kind = getattr(getattr(x, "dtype", None), "kind", "")  # another library's dtype may have none
    if kind == "c" and type(x) in travelling:
        return travelling[type(x)](x, False)  # as the Python complex above
    if kind and kind in "fc":
        return x
    if kind and kind in "iu":
        raise DtypeError(
            f"{where} is {describe(x)}: integers cannot change by a little, so they have no gradient. "
            "Pass x.astype(float), or leave it out of argnums"
        )
    advice = ". Pass np.asarray(x)" if hasattr(x, "__array__") and not isinstance(x, np.ndarray) else ""
    raise DtypeError(
        f"{where} is {describe(x)}: gradients are of numbers, arrays of floats, and containers of them{advice}"
    )


def open_tape(primals: Any) -> tuple[int, list[list[Variable]], list[Any], list[Any]]:
    """A fresh tape with the primals as its leaves: (level, leaves of each, what rebuilds each, the primals lifted)."""
    level = next_level()
    groups: list[list[Variable]] = []
    rebuilds: list[Callable[[list[Any]], Any]] = []
    lifted: list[Any] = []
    for position, primal in enumerate(primals):
        kind = type(primal)
        if kind is float or (kind is np.ndarray and primal.dtype is FLOAT64):  # written out: what is most common
            x = leaf(primal if kind is float else _still(primal), level)
            groups.append([x])
            rebuilds.append(single)
            lifted.append(x)
            continue
        where = f"argument {position}"
        values, rebuild = flatten(differentiable(None, where) if primal is None else primal)
        try:
            group = [leaf(_still(differentiable(x, where)), level) for x in values]
        except DtypeError as error:
            raise _in_its_place(error, primal, values, where) from None
        groups.append(group)
        rebuilds.append(rebuild)
        lifted.append(rebuild(group))
    return level, groups, rebuilds, lifted


def _in_its_place(error: DtypeError, primal: Any, values: list[Any], where: str) -> DtypeError:
    """The same error with the place in the container: "argument 0['layers'][1] is …"."""
    for x, path in zip(values, places(primal), strict=True):
        try:
            differentiable(x, where)
        except DtypeError:
            if not path:
                break
            return DtypeError(
                f"{where}{path}{str(error).removeprefix(where)}. What is no parameter is another argument, or a field of a "
                "dataclass with metadata={'static': True}"
            )
    return error


def _still(x: Any) -> Any:
    """A copy of the caller's array that nobody can write into while gates remember it."""
    return lock(np.array(x)) if isinstance(x, np.ndarray) else x
