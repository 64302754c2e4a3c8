"""Write docs/coverage.md anew: python -m tests.coverage."""

from pathlib import Path

from .cases import subjects
from .page import page

(Path(__file__).parents[2] / "docs" / "coverage.md").write_text(page(subjects()), encoding="utf-8")
