"""`python -m benchmarks NAME [--json]`; without a name, the names."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.threads import one_thread

one_thread()  # before anything that reads it is imported

from benchmarks import report  # noqa: E402
from benchmarks.catalogue import NAMES, load  # noqa: E402
from benchmarks.harness import Outcome, outcomes  # noqa: E402

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; the exit status is 1 if results differ, 0 otherwise, goals missed included."""
    parser = _parser()
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in (*NAMES, "all")]
    if unknown:
        parser.error(f"unknown benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}, all")
    if not options.names:
        print("\n".join(report.heading(load(name)) for name in NAMES))
        return 0
    done: list[Outcome] = []
    for name in NAMES if "all" in options.names else options.names:
        benchmark = load(name)
        if not options.json:
            print(report.heading(benchmark))
        for outcome in outcomes(benchmark, options.seconds):
            done.append(outcome)
            if options.json:
                print(json.dumps(outcome.as_json()), flush=True)
            else:
                print(report.row(outcome), flush=True)
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        table = f"{report.circumstances(done)}\n\n{report.markdown(done)}"
        options.write.write_text(report.insert(table, page), encoding="utf-8")
    for outcome in done:
        if outcome.error is not None:
            print(f"{outcome.name}, {outcome.variant}: results differ: {outcome.error}", file=sys.stderr)
    return 1 if any(outcome.error is not None for outcome in done) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Compare gategrad with others: results first, then time."
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"which benchmarks, of {', '.join(NAMES)}, all; without it, they are listed",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line and variant")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="also write a table into this page, as the README's")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to measure each variant (default: 3)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
