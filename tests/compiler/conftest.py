import pytest

pytest.importorskip("llvmlite")
