"""The engine: text in, machine code out, and nothing left behind."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading

import pytest

from gategrad.compiler.runtime import engine
from gategrad.compiler.runtime.callable import install
from gategrad.compiler.runtime.link import link

from ..programs import GRADIENT, Function, gradient

LOOP = """
define void @gg_program(ptr %x, i64 %count) {
enter:
  br label %loop
loop:
  %i = phi i64 [ 0, %enter ], [ %j, %loop ]
  %at = getelementptr float, ptr %x, i64 %i
  %a = load float, ptr %at
  %b = fmul float %a, 2.0
  store float %b, ptr %at
  %j = add i64 %i, 1
  %more = icmp ult i64 %j, %count
  br i1 %more, label %loop, label %done
done:
  ret void
}"""


def test_loops_are_vectorised_for_this_processor():
    assert "x float>" in engine.optimised(LOOP)
    assert "x float>" not in engine.optimised(LOOP, level=1)
    assert "gg_program:" in engine.assembly(LOOP)


def test_only_the_root_is_visible():
    text = (
        "define i32 @helper() {\n  ret i32 3\n}\ndefine i32 @gg_program() {\n  %a = call i32 @helper()\n  ret i32 %a\n}"
    )
    assert "helper" not in engine.optimised(text)
    code = engine.load(text)
    assert code.address("gg_program") > 0
    with pytest.raises(KeyError, match="helper"):
        code.address("helper")


def test_text_that_is_no_ir_is_refused():
    with pytest.raises(RuntimeError, match="expected"):
        engine.load("define i32 @gg_program( {")
    with pytest.raises(RuntimeError):
        engine.load("define i32 @gg_program(i64 %x) {\n  ret i64 %x\n}")


def test_object_code_is_the_same_each_time():
    assert engine.compile_object(gradient()) == engine.compile_object(gradient())


def test_huge_programs_get_less_optimisation():
    assert engine._level("\n" * 10, 3) == 3
    assert engine._level("\n" * 1_000_000, 3) < 2


def test_engines_are_loaded_from_many_threads():
    answers = {}

    def run(k):
        f = Function()
        install(f, link(gradient(float(k)), GRADIENT))
        answers[k] = f(0.0, 1.0, 2.0)[2]

    threads = [threading.Thread(target=run, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {k: float(k) for k in range(8)}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_recompilation_leaves_no_dead_code():
    f = Function()
    code = engine.compile_object(big())

    def recompile(times):
        for _ in range(times):
            install(f, None)
            loaded = engine.load_object(code)
            assert loaded.address("gg_program")
        gc.collect()
        return resident()

    recompile(60)
    before = recompile(60)
    assert recompile(600) - before < 600 * 16_000  # each has 64 KiB of constants


def big():
    return f'@constants = global [65536 x i8] c"{"x" * 65536}"\ndefine ptr @gg_program() {{\n  ret ptr @constants\n}}'


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


def test_an_llvm_that_is_too_old_is_as_good_as_none(monkeypatch):
    from llvmlite import binding

    assert engine.available()
    monkeypatch.setattr(binding, "llvm_version_info", (15, 0, 7))
    assert not engine.available()
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    assert not engine.available()


AT_EXIT = """
import atexit, ctypes, sys, threading, time

@atexit.register  # before the engine registers its own handler, so it runs after that
def compile_late():
    install(g, link(gradient(3.0), GRADIENT))
    assert g(-2.0, 5.0, -4.0) == (-12.0, -12.0, 9.0)

sys.path.insert(0, {root!r})
from gategrad.compiler.codegen.entry.signature import Signature, tuple_of
from gategrad.compiler.runtime.callable import install
from gategrad.compiler.runtime.link import link
from gategrad.compiler.runtime.table import Table
from tests.compiler.programs import GRADIENT, Function, calling, gradient

sleep = ctypes.CDLL(None).usleep
table = Table()
slot = table.address("sleep", lambda: ctypes.cast(sleep, ctypes.c_void_p).value)
f, g = Function(), Function()
# usleep(the low bits of an address): up to seconds, again and again
install(f, link(calling(slot), Signature((), tuple_of(), releases_gil=True), table))
install(g, link(gradient(), GRADIENT))
g.me = g
threading.Thread(target=lambda: [f() for _ in range(1000)], daemon=True).start()
time.sleep(0.1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="calls usleep")
def test_a_process_ends_well_whatever_is_loaded_or_running():
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
    command = [sys.executable, "-c", AT_EXIT.format(root=root)]
    done = subprocess.run(command, timeout=60, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_importing_does_not_import_llvm():
    names = ["callable", "disk_cache", "engine", "layout", "link", "python_call", "table"]
    imports = ", ".join(f"gategrad.compiler.runtime.{name}" for name in names)
    program = f"import sys, {imports}; assert 'llvmlite' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_finalizer_that_comes_after_the_module_was_emptied(monkeypatch):
    """As the interpreter does at its end, with engines that something else has kept until then."""
    monkeypatch.setattr(engine, "_is_running", None)
    engine.Engine.__new__(engine.Engine).__del__()
