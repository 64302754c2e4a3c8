"""A tool for GradBench: reads messages from standard input, answers on standard output."""

from __future__ import annotations

import sys

from benchmarks.threads import one_thread

one_thread()  # before anything that reads it is imported

from benchmarks.gradbench.protocol import serve  # noqa: E402

if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
