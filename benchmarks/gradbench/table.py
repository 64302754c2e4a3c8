"""A table from GradBench's logs: `python -m benchmarks.gradbench.table LOG... [--write PAGE] [--commit COMMIT]`.

GradBench writes one log for each run of a tool through an evaluation. The tool of the first log is compared with all
others. Each row is one message: the median time of an evaluation, of several runs of a tool the quickest, in brackets
the first call where a tool compiles in it; then the fastest of the others, and its time divided by ours.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.machine import Machine
from benchmarks.report import duration, insert, more_than_one_core, where

__all__ = ["Log", "Row", "circumstances", "main", "markdown", "read"]

Key = tuple[str, str, str]
"""Module, function, description; messages without a description are one row."""

_TITLES = {
    "manual": "C++ by hand",
    "enzyme": "Enzyme",
    "tapenade": "Tapenade",
    "adol-c": "ADOL-C",
    "finite": "differences",
    "jax": "JAX",
    "pytorch": "PyTorch",
}  # in the order of their columns; another tool comes last, under its own name

_ENOUGH = 1e7
"""Nanoseconds below which the processors' clock is too coarse to say how many of them were used."""


@dataclass
class Row:
    """What a tool did with the messages of one row."""

    milliseconds: list[float] = field(default_factory=list)
    """The median of each run."""
    first: list[float] = field(default_factory=list)
    """The first calls, in milliseconds, where the tool compiles in them."""
    cores: list[float] = field(default_factory=list)
    checked: int = 0
    asked: int = 0
    failed: bool = False

    @property
    def best(self) -> float | None:
        """The quickest run's median; none if one of its results was not found valid."""
        return None if self.failed or self.checked < self.asked or not self.milliseconds else min(self.milliseconds)


@dataclass
class Log:
    """One run of a tool through an evaluation: the tool's name, what it says of itself, and its rows."""

    tool: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    rows: dict[Key, Row] = field(default_factory=dict)


def read(lines: Iterable[str]) -> Log:
    """The log that these lines are."""
    log = Log()
    keys, times = dict[int, Key](), defaultdict[Key, list[float]](list)
    for message, response in _rounds(lines):
        match message["kind"]:
            case "start":
                log.tool, log.config = response.get("tool", ""), response.get("config") or {}
            case "evaluate":
                key = message["module"], message["function"], message.get("description") or ""
                keys[message["id"]] = key
                row = log.rows.setdefault(key, Row())
                row.asked += 1
                row.failed |= not response.get("success")
                _time(row, times[key], response.get("timings") or [])
            case "analysis" if message["of"] in keys:
                log.rows[keys[message["of"]]].checked += bool(message["valid"])
    for key, row in log.rows.items():
        row.milliseconds = [statistics.median(times[key])] if times[key] else []
    return log


def _time(row: Row, evaluate: list[float], timings: Iterable[Mapping[str, Any]]) -> None:
    named = defaultdict[str, list[float]](list)
    for timing in timings:
        named[timing["name"]].append(timing["nanoseconds"])
    evaluate += [each / 1e6 for each in named["evaluate"]]
    row.first += [each / 1e6 for each in named["compile"]]
    if named["processor"] and sum(named["evaluate"]) >= _ENOUGH:
        row.cores.append(sum(named["processor"]) / sum(named["evaluate"]))


def markdown(logs: list[Log]) -> str:
    """All logs in one table; who is behind is told."""
    tools = _joined(logs)
    ours = logs[0].tool
    heads = [_head(tools, tool) for tool in tools]
    lines = [
        f"| evaluation | {' | '.join(heads)} | fastest peer / {ours} |",
        f"|---|{'--:|' * len(heads)}:--|",
    ]
    for key in _keys(tools):
        cells = [_cell(tools[tool].get(key)) for tool in tools]
        lines.append(f"| {' '.join(key).strip()} | {' | '.join(cells)} | {_verdict(tools, key)} |")
    return "\n".join(lines)


def circumstances(logs: list[Log], commit: str = "") -> str:
    """Where the logs come from, how the times were taken, and how the rows went: ahead, behind, wrong."""
    tools = _joined(logs)
    ours = logs[0].tool
    rows = [row for theirs in tools.values() for row in theirs.values()]
    versions = {name: version for log in logs for name, version in log.config.get("versions", {}).items()}
    machine = Machine(*(logs[0].config.get(name, "?") for name in Machine._fields))
    runs = max(len(row.milliseconds) for row in rows)
    ratios = [_fastest(tools, key)[1] for key in _keys(tools)]
    ahead, behind = sum(ratio >= 1 for ratio in ratios), sum(0 < ratio < 1 for ratio in ratios)
    missing = sum(row.best is None for row in rows)
    return (
        f"{where(machine, versions, [cores for row in rows for cores in row.cores])}\n"
        f"GradBench{commit and ' ' + commit}: {_found(missing)}. Medians of a tool's calls"
        f"{f', of {runs} runs the quickest' if runs > 1 else ''}; in brackets the first call, with compilation. "
        f"Of {len(ratios)} rows, {ours} is ahead of every peer in {ahead} and behind the fastest in {behind}."
    )


def _found(missing: int) -> str:
    return (
        f"**{missing} cells below hold no time: what was computed was wrong, or nothing was**"
        if missing
        else "every result valid"
    )


def _joined(logs: list[Log]) -> dict[str, dict[Key, Row]]:
    """The rows of each tool, ours first; those of several runs together."""
    order = {tool: n for n, tool in enumerate(_TITLES)}
    found = {log.tool for log in logs[1:]} - {logs[0].tool}
    names = [logs[0].tool, *sorted(found, key=lambda tool: (order.get(tool, len(order)), tool))]
    joined: dict[str, dict[Key, Row]] = {name: {} for name in names}
    for log in logs:
        for key, row in log.rows.items():
            whole = joined[log.tool].setdefault(key, Row())
            whole.milliseconds += row.milliseconds
            whole.first += row.first
            whole.cores += row.cores
            whole.checked += row.checked
            whole.asked += row.asked
            whole.failed |= row.failed
    return joined


def _keys(tools: Mapping[str, Mapping[Key, Row]]) -> list[Key]:
    return list(dict.fromkeys(key for rows in tools.values() for key in rows))


def _rounds(lines: Iterable[str]) -> Iterator[tuple[Any, Any]]:
    """Each message with its response: they take turns in a log."""
    message = None
    for line in lines:
        entry = json.loads(line)
        if "message" in entry:
            message = entry["message"]
        elif "response" in entry and message is not None:
            yield message, entry["response"]


def _head(tools: Mapping[str, Mapping[Key, Row]], tool: str) -> str:
    compiles = any(row.first for row in tools[tool].values())
    return f"{_TITLES.get(tool, tool)}{' [first call]' if compiles else ''}"


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    if row.best is None:
        return "failed" if row.failed else "**wrong**"
    first = f" [{duration(max(row.first))}]" if row.first else ""
    used = max(row.cores, default=1.0)
    return f"{duration(row.best)}{first}{f' ({used:.1f} cores)' if more_than_one_core(used) else ''}"


def _verdict(tools: Mapping[str, Mapping[Key, Row]], key: Key) -> str:
    fastest, ratio = _fastest(tools, key)
    if not ratio:
        return ""
    return (
        f"{_TITLES.get(fastest, fastest)} {ratio:.2f}"
        if ratio >= 1
        else f"{_TITLES.get(fastest, fastest)} **{ratio:.2f} behind**"
    )


def _fastest(tools: Mapping[str, Mapping[Key, Row]], key: Key) -> tuple[str, float]:
    """The fastest of the others, and its time divided by ours; 0 if there is nothing to compare."""
    first, *others = tools
    ours = tools[first].get(key, Row()).best
    times = {tool: best for tool in others if (best := tools[tool].get(key, Row()).best) is not None}
    if ours is None or not times:
        return "", 0.0
    fastest = min(times, key=times.__getitem__)
    return fastest, times[fastest] / ours


def main(arguments: list[str] | None = None) -> int:
    """Print the table, or write it into a page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gradbench.table", description="A table from GradBench's logs."
    )
    parser.add_argument(
        "logs", nargs="+", type=Path, metavar="LOG", help="a log; the first is of the tool that is compared"
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write the table into this page, as the README's")
    parser.add_argument("--commit", default="", help="which commit of GradBench wrote the logs")
    options = parser.parse_args(arguments)
    logs = [read(path.read_text(encoding="utf-8").splitlines()) for path in options.logs]
    text = f"{circumstances(logs, options.commit)}\n\n{markdown(logs)}"
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        options.write.write_text(insert(text, page, "gradbench"), encoding="utf-8")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
