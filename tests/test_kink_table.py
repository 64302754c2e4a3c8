"""docs/kinks.md: its table is what the library answers, eagerly and compiled, in both dtypes; no NaN but one."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import gategrad as gg

PATH = Path(__file__).parents[1] / "docs" / "make_kinks.py"
SPEC = importlib.util.spec_from_file_location("make_kinks", PATH)
make_kinks = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_kinks)

make_kinks.table = functools.cache(make_kinks.table)

every_row = pytest.mark.parametrize("row", make_kinks.ROWS, ids=lambda row: row.name)


@functools.cache
def known(name):
    """What a row says eagerly in float64, computed once for all that is compared with it."""
    (row,) = (row for row in make_kinks.ROWS if row.name == name)
    return make_kinks.answers(row)


def test_the_page_is_current():
    page = make_kinks.PAGE.read_text(encoding="utf-8")
    assert make_kinks.written(page) == page, "run python docs/make_kinks.py"


def test_a_wrong_number_is_noticed():
    page = make_kinks.PAGE.read_text(encoding="utf-8")
    assert "| ½ ½ 0 |" in page
    assert make_kinks.written(page.replace("| ½ ½ 0 |", "| 1 0 0 |")) == page


@every_row
def test_float32_answers_the_same(row):
    for found, expected in zip(make_kinks.answers(row, np.float32), known(row.name), strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@every_row
def test_compiled_answers_the_same(row):
    for found, expected in zip(make_kinks.answers(row, wrap=gg.compile), known(row.name), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@every_row
def test_no_gradient_is_nan(row):
    assert not np.isnan(known(row.name)[0]).any()
