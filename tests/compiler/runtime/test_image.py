"""Images of object code: what runs wherever it is put, and what has to be left to LLVM."""

from __future__ import annotations

import ctypes
import platform
import sys

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.runtime import engine
from gategrad.compiler.runtime.image import image_of

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="no images of such objects"
)

COUNTER = """
@count = internal global i64 40
@zero = internal global [4 x i64] zeroinitializer
@steps = internal constant [2 x i64] [i64 1, i64 2]
define i64 @gg_program(i64 %n) {
  %step = getelementptr i64, ptr @steps, i64 %n
  %a = load i64, ptr @count
  %b = load i64, ptr %step
  %c = add i64 %a, %b
  store i64 %c, ptr @count
  %z = load i64, ptr getelementptr (i64, ptr @zero, i64 3)
  %sum = add i64 %c, %z
  ret i64 %sum
}"""

REMAINDER = """
define double @gg_program(double %x, double %y) {
  %z = frem double %x, %y
  ret double %z
}"""

OTHERS = """
@seen = external global i64
define i64 @gg_program() {
  %z = load i64, ptr @seen
  ret i64 %z
}"""


def image(text):
    return image_of(engine.compile_object(text))


def function(code, result, *inputs):
    return ctypes.CFUNCTYPE(result, *inputs)(code.address("gg_program"))


def test_code_writes_its_own_globals_and_reads_its_constants():
    assert image(COUNTER) is not None
    first, second = engine.load(COUNTER), engine.load(COUNTER)
    count = function(first, ctypes.c_int64, ctypes.c_int64)
    assert [count(1), count(0), count(1)] == [42, 43, 45]
    assert function(second, ctypes.c_int64, ctypes.c_int64)(0) == 41  # each has globals of its own


def test_c_functions_of_the_process_are_called():
    found = image(REMAINDER)
    assert found is not None
    assert list(found.foreign) == ["fmod"]
    assert "fmod" not in found.symbols
    assert function(engine.load(REMAINDER), *[ctypes.c_double] * 3)(7.5, 2.0) == 1.5


def test_what_asks_for_more_is_left_to_llvm():
    assert image(OTHERS) is None  # the address of a global elsewhere
    text = "@own = global i64 5\n" + OTHERS.replace("@seen", "@own").replace("@own = external global i64", "")
    assert image(text) is None  # one that others could replace
    assert function(engine.load(text), ctypes.c_int64)() == 5


def test_what_is_no_object_of_this_kind_has_no_image():
    code = engine.compile_object(COUNTER)
    arm = bytearray(code)
    arm[18] = 183
    for other in (b"", b"\x7fELF", code[:63], b"x" * 200, bytes(arm), b"\xcf\xfa\xed\xfe" + code[4:]):
        assert image_of(other) is None


@pytest.mark.parametrize("text", [COUNTER, REMAINDER])
def test_no_memory_is_writable_and_executable(text):
    code = engine.load(text)
    assert rights(code.address("gg_program")) == "r-xp"
    if text is COUNTER:
        assert rights(code.address("gg_program") + image(text).writable) == "rw-p"


def rights(address):
    with open("/proc/self/maps") as maps:
        for line in maps:
            span, kinds, *_ = line.split()
            start, end = (int(part, 16) for part in span.split("-"))
            if start <= address < end:
                return kinds
    return None


def test_memory_is_given_back():
    code = engine.load(COUNTER)
    address = code.address("gg_program")
    assert rights(address) == "r-xp"
    del code
    assert rights(address) != "r-xp"


def test_llvm_loads_to_the_same_effect(monkeypatch):
    def loss(x, y):
        return np.sum(np.tanh(x @ y) * np.remainder(x, 0.7)[:, :1])

    monkeypatch.setenv("GATEGRAD_CACHE_DIR", "")
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(40, 30)), rng.normal(size=(30, 50))
    ours = gg.compile(gg.grad(loss, (0, 1)))(x, y)
    asked = []
    monkeypatch.setattr(engine, "image_of", asked.append)  # which answers None
    theirs = gg.compile(gg.grad(loss, (0, 1)))(x, y)
    assert asked
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)
