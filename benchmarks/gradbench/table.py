"""A table from GradBench's logs: `python -m benchmarks.gradbench.table OURS.jsonl PEER.jsonl ...`.

GradBench writes one log for each evaluation and tool. Each row is one message: the median time of an evaluation, and
for everyone else the ratio to the first log's tool. A row that the evaluation found wrong is marked so.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Row", "markdown", "read"]

Key = tuple[str, str, str]
"""Module, function, description."""


class Row(NamedTuple):
    """What a tool did with one message."""

    milliseconds: float
    valid: bool


def read(lines: Iterable[str]) -> tuple[str, dict[Key, Row]]:
    """The tool's name, and its rows, from the lines of a log."""
    tool, rows, keys = "", dict[Key, Row](), dict[int, Key]()
    for message, response in _rounds(lines):
        match message["kind"]:
            case "start":
                tool = response.get("tool", "")
            case "evaluate" if response.get("success"):
                key = message["module"], message["function"], message.get("description") or str(message["id"])
                keys[message["id"]] = key
                times = [t["nanoseconds"] / 1e6 for t in response.get("timings", []) if t["name"] == "evaluate"]
                rows[key] = Row(statistics.median(times), valid=False)  # until the analysis has said so
            case "analysis" if message["of"] in keys:
                key = keys[message["of"]]
                rows[key] = rows[key]._replace(valid=message["valid"])
    return tool, rows


def markdown(logs: list[tuple[str, dict[Key, Row]]]) -> str:
    """All logs in one table; a ratio below 1 is a loss."""
    tools = _joined(logs)
    ours, *peers = tools
    lines = [
        f"| evaluation | {ours} | {' | '.join(peers)} | {' | '.join(f'ratio {peer}' for peer in peers)} |",
        f"|---|--:|{'--:|' * (2 * len(peers))}",
    ]
    for key, row in tools[ours].items():
        theirs = [tools[peer].get(key) for peer in peers]
        cells = [_time(row), *[_time(their) for their in theirs], *[_ratio(their, row) for their in theirs]]
        lines.append(f"| {' '.join(key)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _joined(logs: list[tuple[str, dict[Key, Row]]]) -> dict[str, dict[Key, Row]]:
    joined: dict[str, dict[Key, Row]] = {}
    for tool, rows in logs:
        joined.setdefault(tool, {}).update(rows)
    return joined


def _rounds(lines: Iterable[str]) -> Iterator[tuple[Any, Any]]:
    """Each message with its response: they take turns in a log."""
    message = None
    for line in lines:
        entry = json.loads(line)
        if "message" in entry:
            message = entry["message"]
        elif "response" in entry and message is not None:
            yield message, entry["response"]


def _time(row: Row | None) -> str:
    if row is None:
        return ""
    return f"{row.milliseconds:.4g} ms" if row.valid else "**wrong**"


def _ratio(theirs: Row | None, ours: Row) -> str:
    if theirs is None or not (theirs.valid and ours.valid):
        return ""
    ratio = theirs.milliseconds / ours.milliseconds
    return f"{ratio:.2f}" if ratio >= 1 else f"**{ratio:.2f}**"


if __name__ == "__main__":
    print(markdown([read(Path(name).read_text(encoding="utf-8").splitlines()) for name in sys.argv[1:]]))
