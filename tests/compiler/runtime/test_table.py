"""The table of addresses."""

from __future__ import annotations

import ctypes
import pickle
import sys

import numpy as np
import pytest

from gategrad.compiler.runtime.table import Table, python_function


def filled(table):
    words = (ctypes.c_size_t * len(table))()
    table.fill(ctypes.addressof(words))
    return list(words)


def test_the_same_thing_has_one_slot():
    table = Table()
    thing = object()
    first = table.object(thing), table.function("PyTuple_New"), table.address("key", lambda: 5)
    assert first == (table.object(thing), table.function("PyTuple_New"), table.address("key", lambda: 6))
    assert first[1] == "getelementptr inbounds (ptr, ptr @gg_table, i64 1)"
    assert table.definition() == "@gg_table = dso_local global [3 x ptr] zeroinitializer, align 64"
    assert filled(table) == [id(thing), python_function("PyTuple_New"), 5]


def test_objects_live_as_long_as_the_table():
    table = Table()
    thing = object()
    before = sys.getrefcount(thing)
    table.object(thing)
    table.object(thing)
    assert table.objects == [thing]
    del table
    assert sys.getrefcount(thing) == before


def test_equal_objects_are_different_objects():
    table = Table()
    assert table.object([]) != table.object([])


def test_keys_are_bound_late_or_not_at_all():
    table = Table()
    table.address("workspace")
    table.bind("workspace", lambda: 64)
    table.bind("never asked for", lambda: 1 // 0)
    assert filled(table) == [64]


def test_the_text_depends_on_no_address():
    texts = []
    for value in (1.0, "a"):
        table = Table()
        texts.append((table.object(value), table.definition()))
    assert texts[0] == texts[1]


def test_functions_of_numpy_are_found():
    scalar = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)
    table = Table()
    table.function("PyArray_Scalar")
    (address,) = filled(table)
    assert scalar(address)(ctypes.addressof(ctypes.c_double(2.5)), np.dtype(np.float64), None) == np.float64(2.5)


def test_a_table_is_made_again_from_its_recipe():
    table, thing, array = Table(), object(), np.arange(3.0)
    table.function("PyTuple_New"), table.object(thing), table.object(float), table.elements(array)
    table.address("workspace")
    recipe = pickle.loads(pickle.dumps(table.recipe([float, thing])))
    other = object()
    again = Table.made(recipe, [int, other])
    again.bind("workspace", lambda: 64)
    function, first, second, elements, workspace = filled(again)
    assert (function, first, second, workspace) == (python_function("PyTuple_New"), id(other), id(int), 64)
    assert [*(ctypes.c_double * 3).from_address(elements)] == [0.0, 1.0, 2.0]
    assert again.definition() == table.definition()


def test_a_recipe_holds_what_nobody_gives():
    table = Table()
    table.object(IndexError)
    assert filled(Table.made(pickle.loads(pickle.dumps(table.recipe([]))), [])) == [id(IndexError)]
    table.address("workspace")
    with pytest.raises(LookupError, match="nothing was bound to the table slot 'workspace'"):
        filled(Table.made(pickle.loads(pickle.dumps(table.recipe([]))), []))
    with pytest.raises(LookupError, match="the object 0 of a recipe was not given"):
        [find() for _, find in table.recipe([IndexError])]
