"""`python -m benchmarks NAME [--json]`; without a name, the names."""

from __future__ import annotations

import argparse
import json
import os
import sys

# One thread for everybody, set before anything that reads it is imported.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "GATEGRAD_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from benchmarks import report  # noqa: E402
from benchmarks.catalogue import NAMES, load  # noqa: E402
from benchmarks.harness import Outcome, outcomes  # noqa: E402

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for; the exit status is 1 if results differ, 0 otherwise, goals missed included."""
    options = _parser().parse_args(arguments)
    if not options.name:
        print("\n".join(report.heading(load(name)) for name in NAMES))
        return 0
    done: list[Outcome] = []
    for name in NAMES if options.name == "all" else (options.name,):
        benchmark = load(name)
        if not (options.json or options.markdown):
            print(report.heading(benchmark))
        for outcome in outcomes(benchmark, options.seconds):
            done.append(outcome)
            if options.json:
                print(json.dumps(outcome.as_json()), flush=True)
            elif not options.markdown:
                print(report.row(outcome), flush=True)
    if options.markdown:
        print(report.markdown(done))
    for outcome in done:
        if outcome.error is not None:
            print(f"{outcome.name}, {outcome.variant}: results differ: {outcome.error}", file=sys.stderr)
    return 1 if any(outcome.error is not None for outcome in done) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Compare gategrad with others: results first, then time."
    )
    parser.add_argument("name", nargs="?", choices=(*NAMES, "all"), help="which benchmark; without it, they are listed")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object per line and variant")
    form.add_argument("--markdown", action="store_true", help="one table, as in the README")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to measure each variant (default: 3)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
