"""How outcomes are printed: a table for people, JSON lines for programs, Markdown for the README."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.harness import Benchmark, Outcome
from benchmarks.machine import Machine, here

__all__ = ["circumstances", "duration", "heading", "insert", "markdown", "more_than_one_core", "row", "where"]

_ONE_CORE = 1.2
"""A run that keeps more processors busy than this is said to: clocks and a thread that waits are worth less."""

_IDLE = 0.9
"""A single thread that has less of a processor than this shares the machine with something else."""


def heading(benchmark: Benchmark) -> str:
    """What is measured, in a sentence."""
    return f"{benchmark.name}: {benchmark.work}"


def row(outcome: Outcome) -> str:
    """One variant: our time, then a line for each peer with the ratio, and whether the goal was met."""
    if outcome.error is not None:
        return f"  {outcome.variant}\n    RESULTS DIFFER  {outcome.error}"
    lines = [f"  {outcome.variant}", f"    {'ours':<12} {_time(outcome.ours_ms)}{_cores(outcome, 'ours')}"]
    for peer, ratio in outcome.ratio.items():
        time = f"{_time(outcome.peers[peer])}{_cores(outcome, peer)}"
        lines.append(f"    {peer:<12} {time}   {_verdict(ratio)}{_goal(outcome, peer)}")
    lines += [f"    {peer:<12} not installed" for peer in outcome.missing]
    lines += [f"    {peer:<12} failed: {why}" for peer, why in outcome.failed.items()]
    return "\n".join(lines)


def markdown(outcomes: list[Outcome]) -> str:
    """All outcomes as one table; a peer's time is followed by the ratio, and what is below 1 is a loss."""
    lines = ["| benchmark | ours | peer | its time | ratio | goal |", "|---|--:|---|--:|--:|---|"]
    for outcome in outcomes:
        title = f"`{outcome.name}` {outcome.variant}"
        if outcome.error is not None:
            lines.append(f"| {title} | results differ: {outcome.error} | | | | |")
        for peer, ratio in outcome.ratio.items():
            goal = outcome.goal.get(peer)
            mark = "" if goal is None else f"{goal:g} {'met' if ratio >= goal else '**missed**'}"
            ours = f"{duration(outcome.ours_ms)}{_cores(outcome, 'ours')}"
            theirs = f"{duration(outcome.peers[peer])}{_cores(outcome, peer)}"
            lines.append(f"| {title} | {ours} | {peer} | {theirs} | {ratio:.2f} | {mark} |")
        lines += [f"| {title} | | {peer} | not installed | | |" for peer in outcome.missing]
        lines += [f"| {title} | | {peer} | failed | | |" for peer in outcome.failed]
    return "\n".join(lines)


def circumstances(outcomes: list[Outcome]) -> str:
    """When and where the outcomes were measured, with which versions and on how many processors."""
    versions = {name: version for outcome in outcomes for name, version in outcome.versions.items()}
    return where(here(), versions, [cores for outcome in outcomes for cores in outcome.cores.values()])


def where(machine: Machine, versions: Mapping[str, str], used: Sequence[float]) -> str:
    """A sentence of the machine, the versions, and how many processors the runs were found to keep busy."""
    listed = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    cores = "one is used"
    if any(more_than_one_core(each) for each in used):
        cores = f"up to {max(used):.1f} are used, in the rows that say so"
    line = f"{machine.date}, {machine.processor}, {machine.cores} cores of which {cores}, {machine.system}; {listed}."
    if used and (half := statistics.median(used)) < _IDLE:
        line += f" The machine was busy with other work: half of the runs had less than {half:.2f} of a core."
    return line


def more_than_one_core(cores: float) -> bool:
    """Whether a run on so many processors is no run on one thread."""
    return cores > _ONE_CORE


def insert(table: str, page: str, name: str = "benchmarks") -> str:
    """The page with the table between the two comments of this name, in place of what was there.

    Raises `ValueError` if the page has no such place.
    """
    first, last = f"<!-- {name}:", f"<!-- end of {name} -->"
    before, begin, rest = page.partition(first)
    comment, _, rest = rest.partition("\n")
    _, end, after = rest.partition(last)
    if not (begin and end):
        raise ValueError(f"the page needs two lines, {first} … --> and {last}, with the table between them")
    return f"{before}{begin}{comment}\n\n{table}\n\n{end}{after}"


def _verdict(ratio: float) -> str:
    return f"we are {ratio:.2f}× faster" if ratio >= 1 else f"we are {1 / ratio:.2f}× SLOWER"


def _goal(outcome: Outcome, peer: str) -> str:
    goal = outcome.goal.get(peer)
    if goal is None:
        return ""
    return f"   goal {goal:g}: {'met' if outcome.ratio[peer] >= goal else 'MISSED'}"


def _cores(outcome: Outcome, who: str) -> str:
    cores = outcome.cores.get(who, 1.0)
    return f" ({cores:.1f} cores)" if more_than_one_core(cores) else ""


def _time(milliseconds: float | None) -> str:
    """The duration with its points below each other."""
    number, _, unit = duration(milliseconds).partition(" ")
    return f"{number:>8} {unit}" if unit else number


def duration(milliseconds: float | None) -> str:
    """A time in the unit that suits it.

    >>> duration(0.0012)
    '1.20 µs'
    """
    if milliseconds is None:
        return "-"
    for unit, factor in (("ns", 1e6), ("µs", 1e3), ("ms", 1.0)):
        if milliseconds * factor < 1000:
            return f"{milliseconds * factor:.2f} {unit}"
    return f"{milliseconds / 1e3:.2f} s"
