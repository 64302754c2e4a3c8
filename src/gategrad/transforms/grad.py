"""grad and value_and_grad: the gradient of a function as a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gategrad import careful
from gategrad.errors import NotScalarError, describe
from gategrad.recording import plain
from gategrad.tape import paused
from gategrad.transforms.derivative import Derivative
from gategrad.transforms.sides import Sample
from gategrad.transforms.vjp import collect, pull, run, split_aux, strip, strip_all
from gategrad.values import is_complex
from gategrad.variable import Variable
from gategrad.watch import WATCHED

__all__ = ["Gradient", "grad", "value_and_grad"]


class Gradient(Derivative):
    """What `grad` and its neighbours share: one call, one walk back."""

    noun = "gradient"

    def _differentiate(
        self, args: tuple[Any, ...], options: dict[str, Any], seed: Callable[[Any], Any]
    ) -> tuple[Any, Any, Any]:
        """The value, what came beside it, and the gradients that the `seed` of the value sends back."""
        before = careful.doubts
        z, aux, dxs, _circuit = self._once(args, options, seed)
        if careful.doubts != before and careful.in_doubt(before):
            dxs = self._settled(lambda moved: _sample(*self._once(moved, options, seed)), args, before, dxs, np.sum(z))
        return z, aux, dxs

    def _once(
        self, args: tuple[Any, ...], options: dict[str, Any], seed: Callable[[Any], Any]
    ) -> tuple[Any, Any, Any, Any]:
        before = careful.doubts
        level, output, leaves, rebuilds = run(self._f, args, options, self._positions(len(args)))
        z, aux = split_aux(output) if self._has_aux else (output, None)
        in_doubt = careful.doubts != before and careful.in_doubt(before)
        gradients = pull(z, seed(z), level, retain=in_doubt)  # who settles it may ask the circuit
        dxs = self._one_or_all(collect(leaves, rebuilds, gradients))
        return strip(z, level), (strip_all(aux, level) if self._has_aux else None), dxs, z if in_doubt else None


def _sample(z: Any, aux: Any, dxs: Any, circuit: Any) -> Sample:
    return Sample(np.sum(z), dxs)


class grad(Gradient):
    """The gradient of a function: `grad(f)(x)` is df/dx, in the container, shape and dtype of `x`.

    `f` returns a single number. `argnums` says with respect to which positional arguments: a number, or a tuple
    for a tuple of gradients. Of complex `x` it is the direction of steepest ascent: dL = Re(Σ conj(gradient) · δx).
    With `has_aux`, `f` returns `(z, anything)` and the call returns `(gradient, anything)`.

    Raises `NotScalarError` if `f` returns an array, `DtypeError` if an argument cannot have a gradient.

    >>> import numpy as np, gategrad as gg
    >>> gg.grad(lambda x: x**3)(2.0)
    12.0
    >>> gg.grad(gg.grad(lambda x: x**3))(2.0)
    12.0
    >>> gg.grad(lambda p: p["a"] * np.sum(p["b"]))({"a": 2.0, "b": np.ones(2)})
    {'a': 2.0, 'b': array([2., 2.])}
    """

    prefix = "gradient of"

    def __call__(self, *args: Any, **options: Any) -> Any:
        if self._at_once is not None and paused() != WATCHED:
            return self._at_once(*args, **options)
        _, aux, gradient = self._differentiate(args, options, _seed)
        return (gradient, aux) if self._has_aux else gradient


class value_and_grad(Gradient):
    """The value of a function together with its gradient, for the price of one forward and one backward pass.

    Arguments as for `grad`. With `has_aux` the call returns `((z, anything), gradient)`.

    >>> import gategrad as gg
    >>> gg.value_and_grad(lambda x: x**3)(2.0)
    (8.0, 12.0)
    """

    prefix = "value and gradient of"

    def __call__(self, *args: Any, **options: Any) -> Any:
        if self._at_once is not None and paused() != WATCHED:
            return self._at_once(*args, **options)
        z, aux, gradient = self._differentiate(args, options, _seed)
        return ((z, aux) if self._has_aux else z), gradient


def _seed(z: Any) -> Any:
    """1, as the gradient of the output: a single real number."""
    if type(z) is Variable:
        spec = z.spec if z.gate is None else z.gate.spec
        if not spec:
            return 1.0
        shape, dtype = spec
        if shape == () and dtype.kind == "f":
            return dtype.type(1)
    elif (isinstance(z, (float, int)) and not isinstance(z, bool)) or (
        getattr(z, "shape", None) == () and getattr(getattr(z, "dtype", None), "kind", "") in tuple("fiu")
    ):
        return 1.0
    raise _not_scalar(plain(z))


def _not_scalar(z: Any) -> Exception:
    if z is None:
        advice = "Is a `return` missing?"
    elif isinstance(z, bool) or getattr(z, "dtype", None) == bool:
        advice = "A truth value steps where it changes, and has no gradient anywhere else"
    elif is_complex(z):
        advice = (
            "Make it real with np.real, np.imag or np.abs. The derivative of a holomorphic function is "
            "np.conjugate(pullback(1.0)[0]) after _, pullback = gg.vjp(f, z)"
        )
        if np.shape(z):
            advice = "Make it a real number (np.sum(np.abs(z) ** 2)), or take gg.vjp"
    elif isinstance(z, tuple) and len(z) == 2:
        advice = "With has_aux=True the first is differentiated, and the second handed on"
    elif isinstance(z, (tuple, list, dict)):
        advice = "Return the one that is to be differentiated, or take gg.vjp"
    elif hasattr(z, "shape"):
        advice = "Reduce it (np.sum), or take gg.vjp or gg.jacobian"
    else:
        advice = "What it returns is computed from its arguments with operators and NumPy's functions"
    return NotScalarError(
        f"the gradient is of a function that returns a single real number; this one returned {describe(z)}. {advice}"
    )
