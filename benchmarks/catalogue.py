"""The benchmarks there are. Each is imported when it is asked for, so that one peer's import cannot slow another's run."""

from __future__ import annotations

import importlib

from benchmarks.harness import Benchmark

__all__ = ["NAMES", "load"]

NAMES = (
    "notebook_eager", "scalar_mlp_eager", "chain_eager",
    "notebook_compiled", "rosenbrock", "neuron", "softmax_xent", "layernorm", "small_mlp", "large_mlp", "reductions",
    "scatter", "gaussian_process", "compile_time", "gradbench",
)  # fmt: skip

_FOLDERS = {"gradbench": "gradbench.comparison"}  # a folder of files, of which one has the benchmark


def load(name: str) -> Benchmark:
    """The benchmark of this name.

    >>> load("chain_eager").goal
    {'torch': 1.5, 'autograd': 4}
    """
    benchmark: Benchmark = importlib.import_module(f"benchmarks.{_FOLDERS.get(name, name)}").BENCHMARK
    return benchmark
