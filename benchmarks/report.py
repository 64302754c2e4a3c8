"""How outcomes are printed: a table for people, JSON lines for programs, Markdown for the README."""

from __future__ import annotations

import datetime as dt
import os
import platform
from pathlib import Path

from benchmarks.harness import Benchmark, Outcome

__all__ = ["circumstances", "heading", "insert", "markdown", "row"]

_BEGIN, _END = "<!-- benchmarks:", "<!-- end of benchmarks -->"


def heading(benchmark: Benchmark) -> str:
    """What is measured, in a sentence."""
    return f"{benchmark.name}: {benchmark.work}"


def row(outcome: Outcome) -> str:
    """One variant: our time, then a line for each peer with the ratio, and whether the goal was met."""
    if outcome.error is not None:
        return f"  {outcome.variant}\n    RESULTS DIFFER  {outcome.error}"
    lines = [f"  {outcome.variant}", f"    {'ours':<12} {_time(outcome.ours_ms)}"]
    for peer, ratio in outcome.ratio.items():
        lines.append(f"    {peer:<12} {_time(outcome.peers[peer])}   {_verdict(ratio)}{_goal(outcome, peer)}")
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
            times = f"{_time(outcome.ours_ms).strip()} | {peer} | {_time(outcome.peers[peer]).strip()}"
            lines.append(f"| {title} | {times} | {ratio:.2f} | {mark} |")
        lines += [f"| {title} | | {peer} | not installed | | |" for peer in outcome.missing]
        lines += [f"| {title} | | {peer} | failed | | |" for peer in outcome.failed]
    return "\n".join(lines)


def circumstances(outcomes: list[Outcome]) -> str:
    """When and where the outcomes were measured, and with which versions."""
    versions = {name: version for outcome in outcomes for name, version in outcome.versions.items()}
    listed = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    day = dt.datetime.now(dt.UTC).date().isoformat()
    return f"{day}, {_processor()}, {os.cpu_count()} cores of which one is used, {platform.system()}; {listed}."


def _processor() -> str:
    """The processor's name: Linux keeps it in a file."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def insert(table: str, page: str) -> str:
    """The page with the table between its two benchmark comments, in place of what was there.

    Raises `ValueError` if the page has no such place.
    """
    before, begin, rest = page.partition(_BEGIN)
    comment, _, rest = rest.partition("\n")
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"the page needs two lines, {_BEGIN} … --> and {_END}, with the table between them")
    return f"{before}{begin}{comment}\n\n{table}\n\n{end}{after}"


def _verdict(ratio: float) -> str:
    return f"we are {ratio:.2f}× faster" if ratio >= 1 else f"we are {1 / ratio:.2f}× SLOWER"


def _goal(outcome: Outcome, peer: str) -> str:
    goal = outcome.goal.get(peer)
    if goal is None:
        return ""
    return f"   goal {goal:g}: {'met' if outcome.ratio[peer] >= goal else 'MISSED'}"


def _time(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "-"
    for unit, factor in (("ns", 1e6), ("µs", 1e3), ("ms", 1.0)):
        if milliseconds * factor < 1000:
            return f"{milliseconds * factor:8.2f} {unit}"
    return f"{milliseconds / 1e3:8.2f} s"
