"""GradBench's protocol, the tool's side: one JSON message per line, one JSON answer each.

An evaluation defines a module, then has its functions evaluated; what it thinks of the output comes as an analysis.
All times are in nanoseconds. `evaluate` is what GradBench scores. `prepare` (from JSON to arrays) and `compile` (the
first call: trace, compile or load from disk, and one run) are named apart, and so is `processor`: what all threads
together took of the processors during the runs that `evaluate` counts.
"""

from __future__ import annotations

import importlib
import json
import platform
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TextIO

import numpy as np

from benchmarks.machine import here

__all__ = ["MODULES", "Function", "answer", "functions_of", "serve"]

MODULES = ("hello", "gmm", "lse", "llsq", "kmeans")
"""The evaluations that we answer; each is a file beside this one, with `FUNCTIONS` in it."""

Message = Mapping[str, Any]


class Function(NamedTuple):
    """A function of an evaluation."""

    prepare: Callable[[Any], tuple[Any, ...]]
    """From the input of a message to the arguments of `compute`; not timed as evaluation."""
    compute: Callable[..., Any]


def serve(messages: Iterable[str], answers: TextIO) -> None:
    """Answer every message, until there are no more."""
    for line in messages:
        message = json.loads(line)
        print(json.dumps({"id": message["id"], **answer(message)}), file=answers, flush=True)


def answer(message: Message) -> dict[str, Any]:
    """The answer to one message, without its id.

    >>> answer({"kind": "start", "eval": "hello"})["tool"]
    'gategrad'
    >>> answer({"kind": "evaluate", "module": "hello", "function": "double", "input": 3.0})["output"]
    6.0
    """
    match message["kind"]:
        case "start":
            versions = {"python": platform.python_version(), "numpy": np.__version__}
            return {"tool": "gategrad", "config": {**here()._asdict(), "versions": versions}}
        case "define":
            return _define(message["module"])
        case "evaluate":
            return _evaluate(message)
        case _:  # an analysis needs no answer but its id, and neither does the end
            return {}


def functions_of(module: str) -> Mapping[str, Function]:
    """The functions of an evaluation by name; `LookupError` for one that we do not answer."""
    if module not in MODULES:
        raise LookupError(f"there is no {module!r} here, only {', '.join(MODULES)}")
    functions: Mapping[str, Function] = importlib.import_module(f"benchmarks.gradbench.{module}").FUNCTIONS
    return functions


def _define(module: str) -> dict[str, Any]:
    try:
        functions_of(module)
    except Exception:
        return {"success": False, "error": traceback.format_exc()}
    return {"success": True}


def _evaluate(message: Message) -> dict[str, Any]:
    try:
        function = functions_of(message["module"])[message["function"]]
        output, times = _timed(function, message["input"])
    except Exception:
        return {"success": False, "error": traceback.format_exc()}
    timings = [{"name": name, "nanoseconds": n} for name, durations in times.items() for n in durations]
    return {"success": True, "output": _as_json(output), "timings": timings}


def _timed(function: Function, given: Any) -> tuple[Any, dict[str, list[int]]]:
    """The function's result, and how long each part of the work took."""
    clock = time.perf_counter_ns
    compute = function.compute
    # Evaluations that want repetition say how much of it in an input that is then a dictionary.
    runs, seconds = (given.get("min_runs", 1), given.get("min_seconds", 0)) if isinstance(given, dict) else (1, 0)
    start = clock()
    arguments = function.prepare(given)
    prepared = clock()
    output = compute(*arguments)
    compiled = clock()
    durations: list[int] = []
    left = seconds * 1e9
    processor = time.process_time_ns()
    while len(durations) < runs or left > 0:
        before = clock()
        output = compute(*arguments)
        duration = clock() - before
        durations.append(duration)
        left -= duration
    times = {"prepare": [prepared - start], "compile": [compiled - prepared], "evaluate": durations}
    return output, times | {"processor": [time.process_time_ns() - processor]}


def _as_json(x: Any) -> Any:
    if isinstance(x, dict):
        return {key: _as_json(item) for key, item in x.items()}
    return x.tolist() if isinstance(x, (np.ndarray, np.generic)) else x
