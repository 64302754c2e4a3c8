"""Programs: text, interpreter, verifier."""

import numpy as np
import pytest

from gategrad.compiler.program.ops import OPS
from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Builder, Constant
from gategrad.compiler.program.verify import verify
from gategrad.errors import ProgramError


def inputs(builder, *shapes):
    return [builder.input(np.float64, shape, name) for shape, name in zip(shapes, "xyz", strict=False)]


def test_text():
    b = Builder()
    x, y = inputs(b, (2, 3), (3,))
    row = b.emit("broadcast", [y], shape=(2, 3))
    two = b.constant(np.full((2, 3), 2.5))
    z = b.emit("sum", [b.emit("multiply", [b.emit("negative", [row]), two])], axes=(0, 1))
    assert str(Program(b.inputs, [z, x, b.constant(np.zeros(2))], "f")) == (
        "f(x: float64[2, 3], y: float64[3]):\n"
        "    v0 = broadcast(y, shape=(2,3))  # float64[2, 3]\n"
        "    v1 = -v0                        # float64[2, 3]\n"
        "    v2 = v1 * 2.5                   # float64[2, 3]\n"
        "    v3 = sum(v2, axes=(0,1))        # float64\n"
        "    v4 = broadcast(0, shape=(2,))   # float64[2]\n"
        "    return v3, x, v4"
    )


def test_equal_operations_are_one_value():
    b = Builder()
    x, y = inputs(b, (2,), (2,))
    assert b.emit("add", [x, y]) is b.emit("add", [x, y])
    assert b.emit("add", [x, y]) is not b.emit("add", [y, x])
    assert b.constant(np.arange(3.0)) is b.constant(np.arange(3.0))
    assert b.constant(0.0) is not b.constant(-0.0)
    assert Constant(1.0) != Constant(np.float32(1.0))


def test_what_nobody_needs_is_not_there():
    b = Builder()
    x, y = inputs(b, (2,), (2,))
    b.emit("exp", [x])
    z = b.emit("add", [x, y])
    assert [value.op.name for value in Program(b.inputs, [z]).values] == ["input", "input", "add"]


def test_a_long_chain_is_no_recursion():
    b = Builder()
    (z,) = inputs(b, ())
    for _ in range(5000):
        z = b.emit("add", [z, b.constant(1.0)])
    program = Program(b.inputs, [z])
    verify(program)
    assert program(0.0) == [5000.0]


def test_the_interpreter_hands_out_floats_and_own_arrays():
    b = Builder()
    x, y = inputs(b, (), (2,))
    program = Program(b.inputs, [x, y, b.emit("less", [x, x])])
    given = np.ones(2)
    number, array, truth = program(2.0, given)
    assert type(number) is float
    assert array is not given
    assert truth is np.False_ or truth == np.False_


class TestVerifier:
    def broken(self, make, match):
        b = Builder()
        x = b.input(np.float64, (2, 3), "x")
        with pytest.raises(ProgramError, match=match):
            verify(Program(b.inputs, [make(b, x)], "f"))

    def test_shapes_of_maps(self):
        self.broken(lambda b, x: b.emit("add", [x, b.constant(np.arange(3.0))]), "an input has another shape")

    def test_dtypes_of_maps(self):
        self.broken(
            lambda b, x: b.emit("add", [x, b.constant(np.arange(6, dtype=np.float32).reshape(2, 3))]),
            "its inputs differ in dtype",
        )

    def test_masks(self):
        self.broken(lambda b, x: b.emit("select", [x, x, x]), "its mask is not made of truth values")

    @pytest.mark.parametrize("axes", [(), (1, 0), (0, 0), (2,)])
    def test_axes(self, axes):
        self.broken(lambda b, x: b.emit("sum", [x], axes=axes), "are not sorted, distinct and within")

    def test_reshape(self):
        self.broken(lambda b, x: b.emit("reshape", [x], shape=(5,)), "it has 5 elements, its input 6")

    def test_claims(self):
        def make(b, x):
            z = b.emit("negative", [x])
            z.shape = (3, 2)
            return z

        self.broken(make, r"f: <negative float64\[3, 2\]> is wrong: by the rule of its operation it is")

    def test_order(self):
        b = Builder()
        x = b.input(np.float64, (), "x")
        program = Program(b.inputs, [b.emit("negative", [x])])
        program.values = program.values[::-1]
        with pytest.raises(ProgramError, match="is not computed before it"):
            verify(program)


def test_every_operation_has_a_name():
    assert all(repr(op) == name for name, op in OPS.items())
