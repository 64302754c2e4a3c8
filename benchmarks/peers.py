"""Value and gradient of one formula by us and by each peer, each as its users would write it.

A formula is a function of a namespace (`numpy`, `jax.numpy`, `autograd.numpy`) that gives the function of the inputs.
PyTorch has names of its own, so it gets a formula of its own. Inputs are converted before the clock starts, since
users keep their data in the library they use; the answers are complete when a run returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import gategrad as gg
from benchmarks.harness import Run, Variant
from gategrad.compiler import compile as compiler

__all__ = ["autograd_run", "compared", "jax_run", "torch_module", "torch_run"]

Formula = Callable[[Any], Callable[..., Any]]
Function = Callable[..., Any]


def compared(
    name: str,
    formula: Formula,
    inputs: Sequence[Any],
    argnums: tuple[int, ...],
    *,
    torch: Function | None = None,
    extra: Mapping[str, Callable[[], Run]] | None = None,
    rtol: float = 1e-9,
) -> Variant:
    """Value and gradient of a formula at these inputs: ours compiled, JAX's jit, PyTorch eager and compiled, autograd."""
    peers: dict[str, Callable[[], Run]] = {"jax": lambda: _jax(formula, inputs, argnums)}
    if torch is not None:
        peers["torch"] = lambda: _torch(torch, inputs, argnums, whole=False)
        peers["torch_compile"] = lambda: _torch(torch, inputs, argnums, whole=True)
    peers["autograd"] = lambda: autograd_run(formula, inputs, argnums)
    return Variant(name, _ours(formula, inputs, argnums), {**peers, **(extra or {})}, rtol)


def _ours(formula: Formula, inputs: Sequence[Any], argnums: tuple[int, ...]) -> Run:
    function = compiler.compile(gg.value_and_grad(formula(np), argnums=argnums))
    return lambda: function(*inputs)


def _jax(formula: Formula, inputs: Sequence[Any], argnums: tuple[int, ...]) -> Run:
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax_run(jax.value_and_grad(formula(jax.numpy), argnums=argnums), inputs)


def jax_run(function: Function, inputs: Sequence[Any]) -> Run:
    """A function as JAX's users run it: compiled, its inputs on the device, its answer waited for."""
    import jax

    jax.config.update("jax_enable_x64", True)
    compiled = jax.jit(function)
    there = [jax.numpy.asarray(x) for x in inputs]
    return lambda: jax.block_until_ready(compiled(*there))


def torch_module() -> Any:
    """PyTorch on one thread."""
    import torch

    torch.set_num_threads(1)
    return torch


def torch_run(function: Function, inputs: Sequence[Any], argnums: tuple[int, ...], *, whole: bool) -> Run:
    """A function of tensors, eager or through `torch.compile`; those in `argnums` require gradients."""
    torch = torch_module()
    there = [torch.tensor(x) for x in inputs]
    for n in argnums:
        there[n].requires_grad_()
    if whole:
        function = torch.compile(function, dynamic=False)
    return lambda: function(*there)


def _torch(loss: Function, inputs: Sequence[Any], argnums: tuple[int, ...], *, whole: bool) -> Run:
    torch = torch_module()
    if whole:
        loss = torch.compile(loss, dynamic=False)

    def work(*there: Any) -> Any:
        z = loss(*there)
        return z, torch.autograd.grad(z, [there[n] for n in argnums])

    return torch_run(work, inputs, argnums, whole=False)


def autograd_run(formula: Formula, inputs: Sequence[Any], argnums: tuple[int, ...]) -> Run:
    """Value and gradient of a formula by HIPS autograd."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    function = value_and_grad(formula(anp), argnum=argnums)
    return lambda: function(*inputs)
