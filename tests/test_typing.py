"""Users' typed code passes mypy in strict mode, on the types that the package brings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE.parent / "src"


def test_the_package_says_that_it_is_typed():
    assert (SOURCE / "gategrad" / "py.typed").exists()


def test_typed_code_of_users():
    api = pytest.importorskip("mypy.api")
    path, mypypath = list(sys.path), os.environ.get("MYPYPATH")
    os.environ["MYPYPATH"] = str(SOURCE)
    try:
        out, err, status = api.run(
            [
                "--strict",
                "--no-error-summary",
                "--follow-imports=silent",
                f"--cache-dir={HERE.parent / '.mypy_cache'}",
                "--config-file=",
                str(HERE / "typing" / "usage.py"),
            ]
        )
    finally:
        sys.path[:] = path
        os.environ.pop("MYPYPATH") if mypypath is None else os.environ.update(MYPYPATH=mypypath)
    assert status == 0, out + err
