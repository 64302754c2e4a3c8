"""What holds for the tests of the tables."""

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """BLAS stays with its caller: for matrices of three rows its threads wait longer than they compute."""
    with threadpool_limits(1, "blas"):
        yield
