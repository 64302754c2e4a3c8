"""How things are measured: results compared first, then interleaved repetitions in one process, and medians.

A machine's speed wanders: clocks, caches, neighbours. Runs that are interleaved (ours, peer, peer, ours, …) wander
together, so their ratio is steadier than either. The garbage collector is left as users have it, since the garbage
that a library makes is part of what it costs. So that a library that has found more threads than the others does not
go unnoticed, each run's time on the processors is taken, too.
"""

from __future__ import annotations

import importlib.metadata
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Benchmark", "MismatchError", "Outcome", "Variant", "Work", "numbers", "outcomes"]

Run = Callable[[], Any]
"""One piece of work; returns the numbers it computed, in any nesting of tuples and lists."""

Work = Callable[[Any], Any]
"""The same as a function of its inputs."""

_SAMPLE_SECONDS = 0.002  # a sample repeats a short piece of work until it is long beside the clock's resolution
_LEAST_ROUNDS = 15


@dataclass(frozen=True)
class Variant:
    """One size or form of the work, done by us and by each peer."""

    name: str
    ours: Run
    peers: Mapping[str, Callable[[], Run]]
    """A function for each peer that imports it and prepares its run: a peer that is not installed raises there."""
    rtol: float = 1e-9
    goal: Mapping[str, float] | None = None
    """The ratios wanted of this variant, where they are not those of its benchmark."""
    rounds: int | None = None
    """So many rounds, for runs of many seconds; else as many as there is time for."""

    @classmethod
    def at(cls, name: str, inputs: Any, ours: Work, peers: Mapping[str, Callable[[], Work]]) -> Variant:
        """Ours and every peer on the same inputs."""

        def prepare(make: Callable[[], Work]) -> Run:
            return partial(make(), inputs)

        return cls(name, partial(ours, inputs), {peer: partial(prepare, make) for peer, make in peers.items()})


@dataclass(frozen=True)
class Benchmark:
    """A name, what is done in a sentence, the variants, and the ratio to each peer that we want to reach."""

    name: str
    work: str
    variants: Callable[[], Iterator[Variant]]
    goal: Mapping[str, float]


@dataclass
class Outcome:
    """What came out for one variant: milliseconds per run, or why there are none."""

    name: str
    variant: str
    goal: Mapping[str, float]
    ours_ms: float | None = None
    peers: dict[str, float] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)  # peers that raised, and what they said
    error: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    rounds: int = 0
    cores: dict[str, float] = field(default_factory=dict)
    """How many processors each run kept busy while it was timed: the process's time on them, by that on the clock."""

    @property
    def ratio(self) -> dict[str, float]:
        """The peer's time divided by ours: above 1 means that we are faster."""
        return {peer: ms / self.ours_ms for peer, ms in self.peers.items()} if self.ours_ms else {}

    def as_json(self) -> dict[str, Any]:
        """The outcome as a dictionary of plain values, one line of JSON."""
        fields: dict[str, Any] = {
            "name": self.name,
            "variant": self.variant,
            "ours_ms": self.ours_ms,
            "peers": self.peers,
            "ratio": self.ratio,
            "goal": dict(self.goal),
            "missing": self.missing,
            "failed": self.failed,
            "rounds": self.rounds,
            "cores": {who: round(cores, 2) for who, cores in self.cores.items()},
            "versions": self.versions,
        }
        return fields if self.error is None else fields | {"error": self.error}


class MismatchError(Exception):
    """Ours and a peer's results differ: there is nothing to time."""


def outcomes(benchmark: Benchmark, seconds: float) -> Iterator[Outcome]:
    """Measure each variant of a benchmark for about so many seconds."""
    for variant in benchmark.variants():
        goal = benchmark.goal if variant.goal is None else variant.goal
        outcome = Outcome(benchmark.name, variant.name, goal)
        runs = {"ours": variant.ours, **_installed(variant, outcome)}
        outcome.versions = _versions(runs)
        _drop_failing(runs, outcome)
        try:
            _compare(runs, variant.rtol)
        except MismatchError as mismatch:
            outcome.error = str(mismatch)
        else:
            samples = _interleave(runs, seconds, variant.rounds)
            outcome.rounds = len(samples["ours"])
            outcome.cores = {who: _cores(taken) for who, taken in samples.items()}
            outcome.peers = {who: statistics.median(s.seconds for s in taken) * 1e3 for who, taken in samples.items()}
            outcome.ours_ms = outcome.peers.pop("ours")
        yield outcome


def _installed(variant: Variant, outcome: Outcome) -> dict[str, Run]:
    runs = {}
    for peer, prepare in variant.peers.items():
        try:
            runs[peer] = prepare()
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] == "gategrad":
                raise
            outcome.missing.append(peer)
    return runs


def _drop_failing(runs: dict[str, Run], outcome: Outcome) -> None:
    """Run each peer once; one that raises is reported, and the others are measured all the same."""
    for peer in [who for who in runs if who != "ours"]:
        try:
            runs[peer]()
        except Exception as error:
            del runs[peer]
            outcome.failed[peer] = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def _compare(runs: Mapping[str, Run], rtol: float) -> None:
    """Every run must give the numbers that ours gives, twice: a run that spoils its own inputs is noticed."""
    ours = numbers(runs["ours"]())
    for who, run in [*runs.items(), *runs.items()]:
        theirs = numbers(run())
        if ours.shape != theirs.shape:
            raise MismatchError(f"ours gives {ours.size} numbers, {who} gives {theirs.size}")
        if not np.allclose(theirs, ours, rtol=rtol, atol=rtol):
            worst = int(np.argmax(np.abs(theirs - ours)))
            raise MismatchError(
                f"number {worst}: ours gives {float(ours[worst])!r}, {who} gives {float(theirs[worst])!r}"
            )


def numbers(result: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """All numbers of a result in one row, whoever computed it; a gradient of None, where nothing arrived, is zero.

    >>> numbers((1.0, [np.array([2.0, 3.0])]))
    array([1., 2., 3.])
    """
    if isinstance(result, (tuple, list)):
        return np.concatenate([numbers(part) for part in result])
    if result is None:
        return np.zeros(1)
    detach = getattr(result, "detach", None)  # PyTorch's tensors; the others are read by NumPy
    return np.ravel(np.asarray(detach() if detach is not None else result, dtype=np.float64))


class _Sample(NamedTuple):
    """One sample of a run: seconds per repetition on the clock, and of all threads on the processors."""

    seconds: float
    processor: float


def _interleave(runs: Mapping[str, Run], seconds: float, most: int | None) -> dict[str, list[_Sample]]:
    """So many samples of each run; without a number, as many as fit in about so many seconds."""
    least = _LEAST_ROUNDS if most is None else most
    repeats = {who: _repeats(run) for who, run in runs.items()}
    samples: dict[str, list[_Sample]] = {who: [] for who in runs}
    order = list(runs)
    rounds = 0
    end = time.perf_counter() + seconds
    while rounds < least or (most is None and time.perf_counter() < end):
        for who in order:
            samples[who].append(_sample(runs[who], repeats[who]))
        order.append(order.pop(0))  # nobody always comes after the same neighbour
        rounds += 1
    return samples


def _repeats(run: Run) -> int:
    """How often to repeat a run so that a sample takes long enough; finding out warms it up, too."""
    repeats = 1
    while _sample(run, repeats).seconds * repeats < _SAMPLE_SECONDS:
        repeats *= 2
    return repeats


def _sample(run: Run, repeats: int) -> _Sample:
    """One sample of so many repetitions."""
    processor = time.process_time()
    start = time.perf_counter()
    for _ in repeat(None, repeats):
        run()
    seconds = time.perf_counter() - start
    return _Sample(seconds / repeats, (time.process_time() - processor) / repeats)


def _cores(samples: Sequence[_Sample]) -> float:
    return sum(s.processor for s in samples) / sum(s.seconds for s in samples)


def _versions(runs: Mapping[str, Run]) -> dict[str, str]:
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    for who in runs:
        package = "gategrad" if who == "ours" else who.partition("_")[0]
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue  # a peer that is no package, such as finite_differences; or a checkout that is not installed
    return versions
