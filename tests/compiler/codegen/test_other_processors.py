"""The text assumes nothing of the processor that it was written on: it becomes code for others, too."""

import numpy as np
import pytest
from llvmlite import binding as llvm

import gategrad as gg
from gategrad.compiler.codegen import module
from gategrad.compiler.codegen.entry.entry import entry
from gategrad.compiler.codegen.entry.signature import Array, Signature
from gategrad.compiler.codegen.module import write_native
from gategrad.compiler.runtime import engine, interrupts, pool
from gategrad.compiler.runtime.table import Table

TRIPLES = ["aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu"]

X = np.ones((400, 256))
F = np.ones((400, 256), np.float32)
PLACES = np.zeros(2000, np.int64)

FUNCTIONS = {
    "every function": lambda x: np.sum(
        np.exp(x) + np.log(x) * np.tanh(x) + np.sin(x) ** x + np.arctan2(x, np.cosh(x)) + gg.sigmoid(x) + np.tan(x)
    ),
    "softmax": gg.grad(lambda x: np.sum(gg.softmax(x, axis=1) ** 2)),
    "product": lambda x: np.tanh(x @ x.T),
    "scatter": gg.grad(lambda x: np.sum(x[PLACES] ** 2)),
}


@pytest.fixture(params=TRIPLES)
def elsewhere(request, monkeypatch):
    """Another processor, of which nothing is known but its kind."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        llvm.Target.from_triple(request.param)
    except RuntimeError:
        pytest.skip("this LLVM does not know it")
    known = (request.param, "", "")
    monkeypatch.setattr(engine, "host", lambda: known)
    monkeypatch.setattr(module, "host", lambda: known)
    return request.param


@pytest.mark.parametrize(("name", "x"), [*[(name, X) for name in FUNCTIONS], ("every function", F)])
def test_programs_compile_for_others(name, x, elsewhere):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gategrad.compiler.runtime.engine.available", lambda: False)
        program = gg.compile(FUNCTIONS[name]).program(x)
    table = Table()
    written = write_native(program, table)
    leaves = [Array(v.dtype, v.shape) for v in (*program.inputs, *program.outputs)]
    caller = entry(Signature((leaves[0],), leaves[1], workspace=written.workspace, releases_gil=True), table)
    assert "gg_entry" in engine.assembly(f"{written.text}{caller}{table.definition()}", level=2)


def test_the_pool_and_the_clock_compile_for_others(elsewhere, monkeypatch):
    texts = []

    class Stop(Exception):
        pass

    def load(text, **_):
        texts.append(text)
        raise Stop

    for where, make in [(pool, pool._make), (interrupts, interrupts._engine.__wrapped__)]:
        monkeypatch.setattr(where, "load", load)
        with pytest.raises(Stop):
            make()
    for text, name in zip(texts, ("gg_parallel", "gg_poll"), strict=True):
        assert name in engine.assembly(text, level=2)
