"""docs/kinks.md: its table is what the library answers, eagerly and compiled, in both dtypes; no NaN but one."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import gategrad as gg

PATH = Path(__file__).parents[1] / "docs" / "make_kinks.py"
SPEC = importlib.util.spec_from_file_location("make_kinks", PATH)
make_kinks = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_kinks)

every_row = pytest.mark.parametrize("row", make_kinks.ROWS, ids=lambda row: row.name)


def test_the_page_is_current():
    page = make_kinks.PAGE.read_text(encoding="utf-8")
    assert make_kinks.written(page) == page, "run python docs/make_kinks.py"


def test_a_wrong_number_is_noticed():
    page = make_kinks.PAGE.read_text(encoding="utf-8")
    assert "| ½ ½ 0 |" in page
    assert make_kinks.written(page.replace("| ½ ½ 0 |", "| 1 0 0 |")) == page


@every_row
def test_float32_answers_the_same(row):
    for found, expected in zip(make_kinks.answers(row, np.float32), make_kinks.answers(row), strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@every_row
def test_compiled_answers_the_same(row):
    for found, expected in zip(make_kinks.answers(row, wrap=gg.compile), make_kinks.answers(row), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@every_row
def test_no_gradient_is_nan(row):
    assert not np.isnan(make_kinks.answers(row)[0]).any()
