"""Write docs/coverage.md anew: python -m tests.coverage."""

from pathlib import Path

from .cases import tables
from .page import page

(Path(__file__).parents[2] / "docs" / "coverage.md").write_text(page(tables()), encoding="utf-8")
