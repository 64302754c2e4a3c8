"""A tool for GradBench: reads messages from standard input, answers on standard output."""

from __future__ import annotations

import os
import sys

# One thread, set before anything that reads it is imported.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "GATEGRAD_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from benchmarks.gradbench.protocol import serve  # noqa: E402

if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
