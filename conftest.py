"""What holds for all tests, doctests in src included."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from threadpoolctl import threadpool_limits

import gategrad  # noqa: F401 (before pytest loads a file of it for its doctests, which would be a second copy otherwise)

collect_ignore = [
    "tests/survey.py",  # a program of its own, which puts a gate of its own in the place of sine
    # NumPy's functions with NumPy's docstrings, the examples of which it tests itself
    *[f"src/gategrad/numpy/{name}.py" for name in ("__init__", "fft", "linalg")],
]


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One cache of machine code for the whole run: equal programs compile once, and the user's own cache stays out of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEGRAD_CACHE_DIR", str(tmp_path_factory.mktemp("cache") / "machine-code"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _verified() -> Iterator[None]:
    """Every program that is compiled is verified after each stage of the compiler."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEGRAD_VERIFY", "1")
        yield


@pytest.fixture(scope="module", autouse=True)
def _one_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """BLAS stays with its caller, but in tests of threads: for matrices of three rows others wait longer than they compute."""
    with nullcontext() if "threads" in request.node.name else threadpool_limits(1, "blas"):
        yield


@pytest.fixture
def unoptimised(monkeypatch: pytest.MonkeyPatch) -> None:
    """LLVM translates what it is given and no more: four times as many programs in the same time."""
    from gategrad.compiler.runtime import engine

    monkeypatch.setattr(engine, "_level", lambda text, level: 0)
