"""GATEGRAD_NUM_THREADS and the threads of BLAS."""

import os
import subprocess
import sys

import pytest

from gategrad.compiler.runtime import blas_threads
from gategrad.compiler.runtime.blas_threads import limit_blas_threads

PROGRAM = """
import numpy as np, gategrad as gg
from gategrad.compiler.codegen.calls.fortran import address_of
from gategrad.compiler.runtime.blas_threads import blas_threads
before = blas_threads()
address_of("blas", "dgemm")
print(before, blas_threads())
"""


def threads_of_blas(**variables):
    """How many threads BLAS has before and after the first program that wants it."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    command = [sys.executable, "-c", PROGRAM]
    answer = subprocess.run(
        command, env={**environment, **variables}, capture_output=True, text=True, check=True, timeout=60
    )
    if "None" in answer.stdout:
        pytest.skip("SciPy's BLAS is not OpenBLAS here")
    return tuple(map(int, answer.stdout.split()))


def test_blas_is_held_to_the_number_of_threads():
    # OpenBLAS itself takes no more than there are processors: with one, there is nothing to hold it to.
    before, after = threads_of_blas(GATEGRAD_NUM_THREADS="1")
    assert (before, after) == (before, 1)


def test_blas_is_left_alone_without_the_variable_and_never_given_more():
    before, after = threads_of_blas()
    assert before == after
    assert threads_of_blas(GATEGRAD_NUM_THREADS="64", OPENBLAS_NUM_THREADS="1") == (1, 1)


class Library:
    """What stands for the two functions of BLAS."""

    def __init__(self, count):
        self.count = count

    def get(self):
        return self.count

    def set(self, count):
        self.count = count


@pytest.mark.parametrize(("variable", "before", "after"), [("3", 8, 3), ("3", 2, 2), ("", 8, 8)])
def test_the_number_is_lowered_only(monkeypatch, variable, before, after):
    library = Library(before)
    monkeypatch.setattr(blas_threads, "_functions", lambda: (library.get, library.set))
    monkeypatch.setenv("GATEGRAD_NUM_THREADS", variable)
    limit_blas_threads()
    assert library.count == after


def test_an_unknown_blas_is_left_alone(monkeypatch):
    monkeypatch.setattr(blas_threads, "_functions", lambda: None)
    monkeypatch.setenv("GATEGRAD_NUM_THREADS", "1")
    limit_blas_threads()
    assert blas_threads.blas_threads() is None
