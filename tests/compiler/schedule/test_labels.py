"""One element of each row: fused where it pays, the same numbers and the same errors as indexing."""

import numpy as np
import pytest

from gategrad.compiler import compile as compiler
from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Builder, Constant
from gategrad.compiler.schedule.labels import fuse_labels
from tests.compiler.checking import check

pytest.importorskip("llvmlite")

ROWS, COLUMNS = 6, 19
X = np.sin(np.arange(ROWS * COLUMNS * 1.0)).reshape(ROWS, COLUMNS)


def chosen(x, labels):
    return (np.exp(x)[np.arange(ROWS), labels],)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_labels_also_from_the_end(dtype):
    check(chosen, [X.astype(dtype), np.array([0, 18, -1, -19, 7, 3])])


@pytest.mark.parametrize("label", [COLUMNS, -COLUMNS - 1])
def test_labels_out_of_range(label):
    labels = np.zeros(ROWS, int)
    labels[4] = label
    with pytest.raises(IndexError, match=f"index {label} is out of bounds for axis . with size {COLUMNS}"):
        compiler.compile(chosen)(X, labels)


def scattering(rows):
    builder = Builder()
    dz, labels = builder.input(np.float64, (ROWS,), "dz"), builder.input(np.int64, (ROWS,), "labels")
    first = builder.emit("constant", (), value=Constant(rows))
    z = builder.emit("scatter_add", [dz, first, labels], shape=(ROWS, COLUMNS))
    return Program(builder.inputs, [z])


def test_the_transpose_is_a_map():
    program = scattering(np.arange(ROWS))
    fused = fuse_labels(program)
    assert "scatter_add" not in {v.op.name for v in fused.values}
    inputs = np.arange(1.0, ROWS + 1), np.array([0, 18, -1, -19, 7, 3])
    np.testing.assert_array_equal(fused(*inputs)[0], program(*inputs)[0])


def test_rows_in_another_order_stay_as_they_are():
    assert "scatter_add" in {v.op.name for v in fuse_labels(scattering(np.arange(ROWS)[::-1])).values}


def test_a_matrix_that_is_in_memory_is_read_in_place():
    """Looking at one element of each row is cheaper than reading all of an input."""
    program = compiler.compile(lambda x, labels: x[np.arange(ROWS), labels]).program(X, np.zeros(ROWS, int))
    assert {v.op.name for v in fuse_labels(program).values} >= {"gather"}
