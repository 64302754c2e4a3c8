"""The short ways in C: the same answers and the same errors as the Python, to the last bit and the last word."""

import gc
import hashlib
import importlib
import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gategrad as gg
from gategrad import native

SOURCE = Path(native.__file__).with_name("native.c")
SURVEY = Path(__file__).with_name("survey.py")

built = pytest.mark.skipif(not native.in_use, reason="the short ways in C are not in use")


def survey(pure: str) -> list[str]:
    environment = {**os.environ, "GATEGRAD_PURE_PYTHON": pure}
    run = subprocess.run(
        [sys.executable, "-W", "ignore", SURVEY], capture_output=True, text=True, env=environment, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


@built
def test_both_forms_say_the_same():
    first, *python = survey("1")
    second, *in_c = survey("")
    assert (first, second) == ("python", "native")
    assert len(python) > 300
    assert [pair for pair in zip(python, in_c, strict=True) if pair[0] != pair[1]] == []


@built
def test_the_build_is_of_this_source():
    found = importlib.import_module("gategrad._native").source
    assert found == hashlib.sha256(SOURCE.read_bytes()).hexdigest(), "native.c has changed: pip install -e . again"


@built
def test_operators_are_the_native_ones():
    assert type(gg.Variable.__add__).__name__ == "method_descriptor"
    assert gg.Variable.__add__.__doc__ == "numpy.add of this value and another."
    assert type(gg.Gate.__call__).__name__ == type(gg.Variable.__array_ufunc__).__name__ == "method_descriptor"


@built
def test_properties_are_the_native_ones_with_their_texts():
    assert type(gg.Variable.grad).__name__ == type(gg.Variable.value).__name__ == "getset_descriptor"
    assert "assign `None` to start afresh" in gg.Variable.grad.__doc__
    assert str(inspect.signature(gg.Gate.__call__)) == "(self, /, *inputs)"


@built
def test_no_reference_is_lost_or_kept():
    """The same work over and over leaves as many objects as before."""

    def work():
        x, v = gg.variable(1.5), gg.variable(np.ones(3))
        z = gg.relu(x * 2) + np.exp(x) + np.sum(np.maximum(v[1:], v[:-1] ** 2)) + np.add(x, np.float64(2.0))
        z.backward(retain=True)
        z.backward()
        with np.errstate(all="ignore"):  # masked gradients: as numbers, and once with the mask
            np.sum(np.where(v.value > 0, np.log(v - 1.0) + np.exp(v) @ np.ones((3, 3)), np.tanh(v))).backward()
        x.grad, v.grad = None, np.ones(3)
        for wrong in (lambda: np.add(x, "a"), lambda: type(z.gate)()(x, y=1), lambda: delattr(x, "grad"), lambda: v[7]):
            with pytest.raises((TypeError, AttributeError, IndexError)):
                wrong()
        return z.value, x.value, v.grad, type(z.gate)()(1.0, 2.0)

    def left():
        for _ in range(50):
            work()
        gc.collect()
        return sys.getallocatedblocks()

    for _ in range(10):  # the allocator's own stores fill up meanwhile, by ever fewer blocks
        left()
    before = left()
    assert left() - before < 40  # one reference lost in each round were 50


def test_the_python_alone_can_be_asked_for():
    program = "from gategrad import native, tape; print(native.in_use, tape.native_steps)"
    environment = {**os.environ, "GATEGRAD_PURE_PYTHON": "1"}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert run.stdout.split() == ["False", "None"]


def test_without_a_build_there_is_the_python(monkeypatch):
    monkeypatch.delenv("GATEGRAD_PURE_PYTHON", raising=False)
    monkeypatch.setitem(sys.modules, "gategrad._native", None)  # an import of it raises ImportError
    assert native._load() is None


@pytest.mark.parametrize("value", ["", "0"])
def test_an_empty_wish_is_none(monkeypatch, value):
    marker = object()
    monkeypatch.setenv("GATEGRAD_PURE_PYTHON", value)
    monkeypatch.setitem(sys.modules, "gategrad._native", marker)
    assert native._load() is marker


def test_an_interrupt_passes_through_the_walk():
    class Interrupted(gg.Gate):
        def forward(self, x):
            return x * 1.0

        def backward(self, dz):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        (Interrupted()(gg.variable(1.0)) + 1).backward()


def test_a_value_replaced_while_its_gate_computes_is_not_lost():
    """The gate that is running holds on to its input, whoever drops it meanwhile."""
    x = gg.variable(np.ones(1000))

    class Replacing(gg.Gate):
        def forward(self, held):
            x.value = np.zeros(1000)
            return held * 2.0

        def backward(self, dz):
            return 2.0 * dz

    assert np.sum(Replacing()(x)).value == 2000.0
