"""Passes: what becomes of single operations, of whole gradients, and that no special value is computed otherwise."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.codegen.lowering import LOWERING
from gategrad.compiler.passes import PASSES, optimise
from gategrad.compiler.passes.watch import STAGES
from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Builder
from gategrad.compiler.program.verify import verify
from gategrad.compiler.trace.tracing import trace
from gategrad.errors import ProgramError

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1.5, -2.5, 5e-324, -5e-324, 1e308, -1e308])


def traced(f, *arrays):
    specs = [(np.shape(x), np.asarray(x).dtype) for x in arrays]
    names = list("xyzw"[: len(arrays)])
    return trace(f, lambda values: (values, {}), specs, names, "f")[0]


def bits(x):
    """The bytes of an array, all NaNs alike."""
    x = np.array(x)
    if x.dtype.kind == "f":
        x[np.isnan(x)] = np.nan
    return x.dtype, x.shape, x.tobytes()


def lines(program):
    return [line.partition("#")[0].strip() for line in str(program).splitlines()[1:]]


def optimised(f, *arrays):
    """The lines of the optimised program, which answers bit for bit as the one that was traced."""
    program = traced(f, *arrays)
    verify(program)
    better = program
    for run in PASSES.values():
        better = run(better)
        verify(better)
    with np.errstate(all="ignore"):
        for found, expected in zip(better(*arrays), program(*arrays), strict=True):
            assert bits(found) == bits(expected)
    return lines(better)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * 1.0, lambda x: 1.0 * x, lambda x: x / 1.0, lambda x: x + -0.0, lambda x: -0.0 + x,
        lambda x: x - 0.0, lambda x: np.negative(np.negative(x)), lambda x: x**1.0, lambda x: np.maximum(x, x), lambda x: x.astype(float),
        lambda x: np.where(np.full(13, True), x, 2.0), lambda x: np.where(np.zeros(13, bool), 2.0, x),
        lambda x: np.where(x > 0, x, x), lambda x: np.reshape(np.reshape(x, (13, 1)), 13), lambda x: x[:, None].T[0],
        lambda x: x[:], lambda x: np.concatenate([x, np.zeros(0)]), lambda x: np.max(x[:, None], axis=1),
        lambda x: np.max(np.broadcast_to(x, (4, 13)), axis=0),
    ],
)  # fmt: skip
def test_nothing_is_left(f):
    assert optimised(f, SPECIAL) == ["return x"]


@pytest.mark.parametrize(
    ("f", "line"),
    [
        (lambda x: x + 0.0, "x + 0"),  # turns -0 into 0
        (lambda x: x - -0.0, "x - -0"),  # so does this
        (lambda x: x * 0.0, "x * 0"),  # NaN of infinities
        (lambda x: x - x, "x - x"),
        (lambda x: x / x, "x / x"),
        (lambda x: np.equal(x, x), "x == x"),
        (lambda x: x * -1.0, "-x"),
        (lambda x: x / -1.0, "-x"),
        (lambda x: x / 4.0, "x * 0.25"),
        (lambda x: x / 3.0, "x / 3"),
        (lambda x: x + -np.abs(x), None),
        (lambda x: x**2.0, "x * x"),
        (lambda x: x**-1.0, "1 / x"),
        (lambda x: ~(x == 1.0), "x != 1"),
        (lambda x: ~(x < 1.0), None),
    ],
)
def test_what_is_left(f, line):
    found = optimised(f, SPECIAL)
    if line is None:
        assert len(found) == 3
    else:
        assert found == [f"v0 = {line}", "return v0"]


@pytest.mark.parametrize(("exponent", "count"), [(3.0, 2), (4.0, 2), (-2.0, 2), (0.5, 1), (-0.5, 2), (2.5, 1)])
def test_powers(exponent, count):
    x = np.array([0.3, 1.0, 7.5])
    program = traced(lambda x: x**exponent, x)
    better = optimise(program)
    assert len(lines(better)) == count + 1
    np.testing.assert_allclose(better(x)[0], x**exponent, rtol=4e-16)
    assert ("**" in str(better)) == (exponent == 2.5)


@pytest.mark.parametrize(("length", "left"), [(1, ["return x"]), (4, ["v0 = x * 4", "return v0"])])
def test_sums_of_what_is_repeated(length, left):
    program = traced(lambda x: np.sum(np.broadcast_to(x, (length, 13)), axis=0), SPECIAL)
    better = optimise(program)
    assert lines(better) == left
    with np.errstate(over="ignore"):
        assert np.array_equal(better(SPECIAL)[0], program(SPECIAL)[0], equal_nan=True)


def test_constants_are_folded():
    assert optimised(lambda x: x + np.sin(np.zeros(3)) + (np.arange(3.0) * 0 + 2.0), np.zeros(3))[-1] == "return v1"
    assert optimised(lambda x: np.broadcast_to(np.exp(x * 0 + 1.0), (3,)) * 1.0, 2.0) != []


def test_masks():
    m = np.array([True, False])
    x = np.array([1.0, 2.0])
    assert optimised(lambda m, x: np.where(~m, x, 5.0), m, x) == ["v0 = select(x, 5, y)", "return v0"]
    assert optimised(lambda m, x: np.where(m, np.where(m, x, 3.0), 5.0), m, x) == ["v0 = select(x, y, 5)", "return v0"]
    assert optimised(lambda m, x: m & np.array([True, True]), m, x) == ["return x"]
    assert optimised(lambda m, x: ~~m | m, m, x) == ["return x"]


def test_casts():
    x = np.array([1.5, -0.1], np.float32)
    assert optimised(lambda x: x.astype(np.float64).astype(np.float32), x) == ["return x"]
    assert len(optimised(lambda x: x.astype(np.int32).astype(np.float32), x)) == 3


def test_equal_values_are_computed_once():
    found = optimised(lambda x, y: (np.sin(x + y), np.sin(y + x)), 1.0, 2.0)
    assert found == ["v0 = x + y", "v1 = sin(v0)", "return v1, v1"]


GRADIENT = """\
f(x: float64, y: float64, z: float64):
    v0 = x + y   # float64
    v1 = v0 * z  # float64
    return v1, z, z, v0"""

NEURON = """\
g(w: float64[2], x: float64[2]):
    v0 = w * x                     # float64[2]
    v1 = sum(v0, axes=(0,))        # float64
    v2 = tanh(v1)                  # float64
    v3 = v2 * v2                   # float64
    v4 = 1 - v3                    # float64
    v5 = broadcast(v4, shape=(2,))  # float64[2]
    v6 = x * v5                    # float64[2]
    return v6"""


def test_a_gradient_reads_as_if_a_person_had_written_it():
    def f(x, y, z):
        return (x + y) * z

    assert str(gg.compile(gg.value_and_grad(f, (0, 1, 2))).program(1.0, 2.0, 3.0)) == GRADIENT


def test_the_gradient_of_a_neuron():
    def g(w, x):
        return np.tanh(np.sum(w * x))

    found = str(gg.compile(gg.grad(g)).program(np.ones(2), np.ones(2)))
    assert [line.split("#")[0].split() for line in found.splitlines()] == [
        line.split("#")[0].split() for line in NEURON.splitlines()
    ]


def test_before_and_after_can_be_shown(monkeypatch, capsys):
    monkeypatch.setenv("GATEGRAD_SHOW", "simplify")
    optimise(traced(lambda x: x * 1.0, 2.0))
    shown = capsys.readouterr().out
    before, _, after = shown.partition("--- after simplify")
    assert before.startswith("--- before simplify")
    assert "x * 1" in before
    assert "x * 1" not in after
    assert "merge" not in shown


def test_kernels_and_memory_are_shown_too(monkeypatch, capsys):
    monkeypatch.setenv("GATEGRAD_SHOW", "fuse,plan")

    def f(x, y):
        row = np.sum(x, axis=1)
        return np.sum(x) * y + np.sum(np.cumsum(row)[::-1] * row)

    gg.compile(f)(np.ones((3, 4)), 2.0)
    shown = capsys.readouterr().out
    assert "merge" not in shown
    _, _, shown = shown.partition("--- after fuse\n")
    kernels, _, memory = shown.partition("--- before plan\n")
    assert [line for line in kernels.splitlines() if "#" not in line or "kernel" in line] == [
        "f(x: float64[3, 4], y: float64):",
        "    # kernel 1: over (3, 4)",
        "    # kernel 2: in registers",
        "    # kernel 3: alone",
        "    # kernel 4: over (3,)",
        "    # kernel 5: in registers",
        "    return v7",
    ]
    before, _, after = memory.partition("--- after plan\n")
    assert before == "buffer1: 24 bytes, from kernel 1 to 4\nbuffer2: 24 bytes, from kernel 3 to 4\n"
    assert after == "buffer1: 24 bytes at 64, from kernel 1 to 4\nbuffer2: 24 bytes at 128, from kernel 3 to 4\n"


def test_a_stage_that_there_is_not(monkeypatch):
    monkeypatch.setenv("GATEGRAD_SHOW", "simplify, fuze")
    with pytest.raises(
        ValueError, match="GATEGRAD_SHOW names 'fuze', but the stages of the compiler are merge, simplify, pairs"
    ):
        optimise(traced(lambda x: x * 1.0, 2.0))


def test_the_stages_are_those_that_run():
    assert (*PASSES, *LOWERING, "fuse", "plan") == STAGES


def test_a_pass_that_breaks_a_program_is_noticed(monkeypatch):
    def broken(program):
        builder = Builder()
        x = builder.input(np.float64, (3,), "x")
        return Program([], [builder.emit("negative", [x])])

    monkeypatch.setitem(PASSES, "simplify", broken)
    monkeypatch.setenv("GATEGRAD_VERIFY", "1")
    with pytest.raises(ProgramError, match="it is no input of the program"):
        optimise(traced(lambda x: x * 1.0, 2.0))
