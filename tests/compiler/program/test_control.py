"""Programs inside of operations: loops and choices are verified, printed, interpreted, optimised and told apart as all others."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.passes import optimise
from gategrad.compiler.program.control import CONTROL
from gategrad.compiler.program.fingerprint import fingerprint
from gategrad.compiler.program.program import Program, SubProgram
from gategrad.compiler.program.value import Builder
from gategrad.compiler.program.verify import verify
from gategrad.compiler.trace.symbol import Symbol
from gategrad.errors import ProgramError

F64 = np.dtype(np.float64)


def step(scale=0.5, name="step"):
    """carry, row, bias -> carry · scale + row + bias, and its square."""
    b = Builder()
    carry, row, bias = (b.input(F64, (2,), n) for n in ("carry", "row", "bias"))
    once = b.emit("multiply", [carry, b.constant(np.full(2, scale))])
    kept = b.emit("add", [b.emit("add", [once, row]), bias])
    return SubProgram(Program(b.inputs, [kept, b.emit("multiply", [kept, kept])], name))


def recurrence(carry, rows, bias, scale=0.5):
    states = []
    for row in rows:
        carry = carry * scale + row + bias
        states.append(carry)
    return carry, np.array(states).reshape(-1, 2) ** 2


def scan(b, carry, rows, bias, part, body=None):
    options = {"body": body or step(), "carries": 1, "rows": 1, "length": rows.shape[0], "part": part}
    return b.emit("scan", [carry, rows, bias], **options)


def halving():
    """Heron's steps towards the root of a, as long as they are far from it."""
    b = Builder()
    x, a = b.input(F64, (), "x"), b.input(F64, (), "a")
    far = b.emit("absolute", [b.emit("subtract", [b.emit("multiply", [x, x]), a])])
    condition = SubProgram(Program(b.inputs, [b.emit("greater", [far, b.constant(1e-12)])], "is_far"))
    mean = b.emit("multiply", [b.emit("add", [x, b.emit("divide", [a, x])]), b.constant(0.5)])
    return {"condition": condition, "body": SubProgram(Program(b.inputs, [mean], "better")), "carries": 1, "part": 0}


def branch(op, name):
    b = Builder()
    x = b.input(F64, (3,), "x")
    return SubProgram(Program(b.inputs, [b.emit(op, [x])], name))


def programs(length=4):
    b = Builder()
    carry, rows, bias = b.input(F64, (2,), "carry"), b.input(F64, (length, 2), "rows"), b.input(F64, (2,), "bias")
    return Program(b.inputs, [scan(b, carry, rows, bias, part) for part in (0, 1)], "recurrence")


@pytest.mark.parametrize("length", [0, 1, 5])
def test_scan(length):
    rng = np.random.default_rng(0)
    program = programs(length)
    verify(program)
    carry, rows, bias = rng.normal(size=2), rng.normal(size=(length, 2)), rng.normal(size=2)
    for found, right in zip(program(carry, rows, bias), recurrence(carry, rows, bias), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-15)


def test_while():
    b = Builder()
    x, a = b.input(F64, (), "x"), b.input(F64, (), "a")
    program = Program(b.inputs, [b.emit("while", [x, a], **halving())])
    verify(program)
    assert program(1.0, 2.0) == [pytest.approx(np.sqrt(2.0), rel=1e-12)]
    assert program(3.0, 9.0) == [3.0]  # not once


def test_cond():
    b = Builder()
    truth, x = b.input(np.dtype(bool), (), "truth"), b.input(F64, (3,), "x")
    options = {"then": branch("exp", "grow"), "otherwise": branch("negative", "turn"), "part": 0}
    program = Program(b.inputs, [b.emit("cond", [truth, x], **options)])
    verify(program)
    at = np.arange(3.0)
    np.testing.assert_array_equal(program(np.True_, at)[0], np.exp(at))
    np.testing.assert_array_equal(program(np.False_, at)[0], -at)


def test_native_programs_leave_them_to_numpy():
    def f(carry, rows, bias):
        b = carry.builder
        parts = [Symbol(scan(b, carry.value, (rows + 1.0).value, bias.value, part), b) for part in (0, 1)]
        return np.tanh(parts[0]), np.sum(parts[1], axis=0)

    rng = np.random.default_rng(0)
    given = rng.normal(size=2), rng.normal(size=(3, 2)), rng.normal(size=2)
    compiled = gg.compile(f)
    kept, squares = recurrence(given[0], given[1] + 1.0, given[2])
    for found in (compiled(*given), compiled.program(*given)(*given)):
        np.testing.assert_allclose(found[0], np.tanh(kept), rtol=1e-14)
        np.testing.assert_allclose(found[1], np.sum(squares, axis=0), rtol=1e-14)
    assert compiled.report(*given).callbacks == ("scan (float64[2])", "scan (float64[3, 2])")


def test_text():
    b = Builder()
    x, a = b.input(F64, (), "x"), b.input(F64, (), "a")
    assert str(Program(b.inputs, [b.emit("while", [x, a], **halving())], "root")) == (
        "root(x: float64, a: float64):\n"
        "    v0 = while(x, a, condition=is_far, body=better, carries=1, part=0)  # float64\n"
        "        is_far(x: float64, a: float64):\n"
        "            v0 = x * x         # float64\n"
        "            v1 = v0 - a        # float64\n"
        "            v2 = absolute(v1)  # float64\n"
        "            v3 = v2 > 1e-12    # bool\n"
        "            return v3\n"
        "        better(x: float64, a: float64):\n"
        "            v0 = a / x     # float64\n"
        "            v1 = x + v0    # float64\n"
        "            v2 = v1 * 0.5  # float64\n"
        "            return v2\n"
        "    return v0"
    )
    assert str(programs()).count("step(carry: float64[2]") == 1  # both parts have the same body


def test_passes_go_inside():
    b = Builder()
    x = b.input(F64, (), "x")
    inside = Builder()
    y = inside.input(F64, (), "y")
    twice = [inside.emit("multiply", [inside.emit("exp", [y]), inside.constant(1.0)]) for _ in range(2)]
    body = SubProgram(Program(inside.inputs, [inside.emit("add", twice)], "body"))
    truth = b.emit("less", [x, b.constant(0.0)])
    better = optimise(Program(b.inputs, [b.emit("cond", [truth, x], then=body, otherwise=body, part=0)]))
    verify(better)
    then = better.values[-1].options["then"].program
    assert sorted(value.op.name for value in then.values) == ["add", "exp", "input"]
    assert better(-1.0) == [2 * np.exp(-1.0)]


def test_equal_programs_are_equal_whatever_their_names():
    assert step() == step(name="other") and hash(step()) == hash(step(name="other"))
    assert step() != step(0.25) and step() != 1
    b = Builder()
    carry, rows, bias = b.input(F64, (2,), "c"), b.input(F64, (4, 2), "r"), b.input(F64, (2,), "b")
    assert scan(b, carry, rows, bias, 0) is scan(b, carry, rows, bias, 0, step(name="other"))
    assert scan(b, carry, rows, bias, 0) is not scan(b, carry, rows, bias, 0, step(0.25))
    told = [
        fingerprint(Program(b.inputs, [scan(b, carry, rows, bias, 0, step(s, n))]))
        for s, n in ((0.5, "a"), (0.5, "b"), (1.5, "a"))
    ]
    assert told[0] == told[1] != told[2]


def test_a_program_that_calls_python_back_has_no_fingerprint_inside_either():
    inside = Builder()
    y = inside.input(F64, (), "y")
    called = inside.emit("callback", [y], function=np.cbrt, dtype=F64, shape=())
    body = SubProgram(Program(inside.inputs, [called], "body"))
    b = Builder()
    truth, x = b.input(np.dtype(bool), (), "t"), b.input(F64, (), "x")
    assert fingerprint(Program(b.inputs, [b.emit("cond", [truth, x], then=body, otherwise=body, part=0)])) is None


class TestVerifier:
    def broken(self, match, op, inputs, **options):
        b = Builder()
        given = [b.input(dtype, shape, f"x{n}") for n, (dtype, shape) in enumerate(inputs)]
        with pytest.raises(ProgramError, match=match):
            verify(Program(b.inputs, [b.emit(op, given, **options)], "f"))

    def scan(self, match, carry=(F64, (2,)), rows=(F64, (4, 2)), bias=(F64, (2,))):
        self.broken(match, "scan", [carry, rows, bias], body=step(), carries=1, rows=1, length=4, part=1)

    def test_what_a_body_takes(self):
        self.scan(
            r"its body takes float64\[2\], float64\[2\], float64\[2\] and is given float64\[2\], float64\[3\], float64\[2\]",
            rows=(F64, (4, 3)),
        )

    def test_rows(self):
        self.scan(r"not all of float64\[5, 2\] have 4 rows", rows=(F64, (5, 2)))

    def test_what_a_body_gives(self):
        options = {"body": branch("isnan", "body"), "carries": 1, "rows": 0, "length": 2, "part": 0}
        self.broken(r"its body gives bool\[3\] where float64\[3\] is wanted", "scan", [(F64, (3,))], **options)

    def test_conditions(self):
        number = [(F64, ()), (F64, ())]
        wrong = {**halving(), "condition": halving()["body"]}
        self.broken("its condition gives float64 where bool is wanted", "while", number, **wrong)

    def test_branches(self):
        truth, x = (np.dtype(bool), ()), (F64, (3,))
        both = {"then": branch("exp", "a"), "otherwise": branch("isnan", "b"), "part": 0}
        self.broken(r"its otherwise gives bool\[3\] where float64\[3\] is wanted", "cond", [truth, x], **both)
        same = {"then": branch("exp", "a"), "otherwise": branch("exp", "b"), "part": 0}
        self.broken("it depends on float64, which is not a single truth value", "cond", [(F64, ()), x], **same)

    def test_programs_inside(self):
        inside = Builder()
        y = inside.input(F64, (3,), "y")
        z = inside.emit("negative", [y])
        body = SubProgram(Program(inside.inputs, [z], "body"))
        z.dtype = np.dtype(np.float32)
        both = {"then": body, "otherwise": body, "part": 0}
        self.broken(r"body: <negative .* is wrong", "cond", [(np.dtype(bool), ()), (F64, (3,))], **both)


def test_all_are_tested():
    assert set(CONTROL) == {"scan", "while", "cond"}
