"""Compiled programs on the disk, found by what they compute: what is found, what is not, and that it is the right one."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler import program_cache
from gategrad.compiler.program import fingerprint as fingerprints
from gategrad.compiler.program.fingerprint import fingerprint
from gategrad.compiler.program.ops import Failure
from gategrad.compiler.program.program import Program
from gategrad.compiler.program.value import Builder
from gategrad.compiler.runtime import disk_cache, engine

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is no disk cache on this system")

X = np.arange(1.0, 7.0).reshape(2, 3)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("GATEGRAD_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def compilations(monkeypatch):
    """The texts that LLVM had to compile, but for those that all programs share."""
    texts = []
    compile_object = engine.compile_object

    def counted(text, **options):
        if "@gg_program" in text:
            texts.append(text)
        return compile_object(text, **options)

    monkeypatch.setattr(engine, "compile_object", counted)
    return texts


def traced(f, *args):
    return gg.compile(f).program(*args)


def weighted(weights):
    return lambda x: np.sum(x * weights)


# --- what is found


def test_a_second_compilation_writes_no_text(compilations):
    def f(p, x):
        return {"z": np.sum(np.tanh(p["w"] * x)), "kept": (x, None, "label", 3)}

    first, second = gg.compile(f), gg.compile(f)
    expected = first({"w": X}, X)
    assert len(compilations) == 1
    found = second({"w": X}, X)
    assert len(compilations) == 1
    assert list(found) == list(expected) and found["kept"][1:] == (None, "label", 3)
    np.testing.assert_array_equal(found["z"], expected["z"])
    (specialisation,) = second._specialisations.values()
    assert "written" not in vars(specialisation) and "program" not in vars(specialisation)
    assert second.report({"w": X}, X).kernels == first.report({"w": X}, X).kernels
    assert str(second.program({"w": X}, X)) == str(first.program({"w": X}, X))
    assert second.llvm({"w": X}, X) == first.llvm({"w": X}, X)
    assert "compiled in" in str(second.report({"w": X}, X))


WARM = """
import sys
import numpy as np, gategrad as gg
from gategrad.compiler.runtime import engine
if sys.argv[1] == "warm":
    def compile_object(*args, **options):
        raise AssertionError("compiled")
    engine.compile_object = compile_object
f = gg.compile(gg.value_and_grad(lambda x, w: np.sum(np.tanh(x @ w) * np.arange(4.0))))
z, dx = f(np.ones((40, 300)), np.full((300, 4), 0.001))
print(z, dx.sum(), "gategrad.compiler.codegen.module" in sys.modules)
"""


def test_a_second_process_neither_writes_nor_compiles():
    def run(mode):
        done = subprocess.run([sys.executable, "-c", WARM, mode], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    cold, warm = run("cold"), run("warm")
    assert cold[:2] == warm[:2] and (cold[2], warm[2]) == ("True", "False")


FAILS = """
import sys
import numpy as np, gategrad as gg
from gategrad.compiler.runtime import engine
if sys.argv[1] == "warm":
    def compile_object(*args, **options):
        raise AssertionError("compiled")
    engine.compile_object = compile_object
f = gg.compile(gg.grad(lambda x: np.sum(np.linalg.eigh(x)[1][:, 0])))
print(f(np.diag([1.0, 2.0]) + 0.1).sum(), "gategrad.compiler.codegen.module" in sys.modules)
try:
    f(np.eye(2))
except Exception as error:
    print(type(error).__module__, type(error).__name__, error)
"""


def test_failures_are_found_on_the_disk_too():
    def run(mode):
        done = subprocess.run([sys.executable, "-c", FAILS, mode], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    cold, warm = run("cold"), run("warm")
    assert len(cold) == 2 and cold[1] == warm[1] and "Error" in cold[1]
    assert cold[0] == warm[0].replace("False", "True") != warm[0]


def test_failures_are_told_apart_by_kind_and_text():
    def failing(kind, text):
        builder = Builder()
        x = builder.input(np.dtype(float), (2,), "x")
        bad = builder.emit("any", [builder.emit("isnan", [x])], axes=(0,))
        return Program([x], [builder.emit("check", [x, bad], failure=Failure(kind, text))])

    told = [fingerprint(failing(*failure)) for failure in ((ValueError, "a"), (ValueError, "b"), (TypeError, "a"))]
    assert None not in told and len(set(told)) == 3
    assert fingerprint(failing(ValueError, "a")) == told[0]


def test_static_objects_are_recognised_in_code_from_the_disk(compilations):
    class Tag:
        pass

    f = lambda x, tag: (x * 2.0, None if isinstance(tag, Tag) else tag)
    for tag in (Tag(), Tag()):
        compiled = gg.compile(f, static="tag")
        assert compiled(3.0, tag) == compiled(3.0, tag) == compiled(3.0, Tag()) == (6.0, None)
    assert len(compilations) == 1
    for tag in (float, np.ndarray, None, 3, True, "x", np.dtype(np.float32)):
        compiled = gg.compile(f, static="tag")
        assert compiled(3.0, tag) == (6.0, tag) == compiled(3.0, tag)


def test_the_same_object_twice_is_not_two_objects():
    f = lambda x, a, b: (a, x + 1.0, b)
    a, b = (1, 2), (3, 4)
    for given in ((a, b), (a, a), (b, a)):
        assert gg.compile(f, static=("a", "b"))(1.0, *given) == (given[0], 2.0, given[1])


def test_keywords_dictionaries_and_donated_arrays(compilations):
    step = lambda params, *, rate: {name: p - rate * p for name, p in params.items()}
    for donate in ((), "params"):
        for _ in range(2):
            params = {"w": X.copy(), "b": X[0].copy()}
            new = gg.compile(step, donate=donate)(params, rate=0.5)
            np.testing.assert_array_equal(new["w"], X / 2)
            assert (new["w"] is params["w"]) == bool(donate)
    assert len(compilations) == 2


def test_a_large_workspace():
    f = lambda x: np.sum(np.sort(np.concatenate([x, x])) * 2.0)
    x = np.arange(10_000.0)
    assert gg.compile(f)(x) == gg.compile(f)(x) == f(x)


# --- what is not found


def test_other_constants_are_other_programs(compilations):
    for weights in (X, X + 1.0, X.astype(np.float32)):
        assert gg.compile(weighted(weights))(X) == np.sum(X * weights)
    assert len(compilations) == 2
    for number in (0.0, -0.0, np.nan, 1.0):
        found = gg.compile(lambda x, c=number: x * np.float64(c))(1.0)
        assert np.array(found).tobytes() == np.array(number).tobytes()


def test_large_constants_are_found_by_the_text(monkeypatch, compilations):
    monkeypatch.setattr(fingerprints, "MOST_BYTES", X.nbytes - 1)
    assert fingerprint(traced(weighted(X), X)) is None
    assert gg.compile(weighted(X))(X) == gg.compile(weighted(X))(X) == np.sum(X * X)
    assert len(compilations) == 1


def test_host_calls_are_those_of_the_function():
    def of(factor):
        class Scale(gg.Gate):
            def forward(self, x):
                return np.array([float(v) * factor for v in np.ravel(x)])

            def backward(self, dz):
                return dz * factor

        return lambda x: np.sum(Scale()(x))

    assert [gg.compile(of(factor))(X[0]) for factor in (1.0, 2.0)] == [6.0, 12.0]
    assert fingerprint(traced(of(1.0), X[0])) is None


def test_names_do_not_matter_and_everything_else_does():
    base = fingerprint(traced(lambda x, y: np.sum(x * y, axis=0), X, X))
    assert fingerprint(traced(lambda a, b: np.sum(a * b, axis=0), X, X)) == base
    others = [
        traced(lambda x, y: np.sum(y * x, axis=1), X, X),
        traced(lambda x, y: np.sum(x * y, axis=0), X[:1], X[:1]),
        traced(lambda x, y: np.sum(x / y, axis=0), X, X),
        traced(lambda x, y: np.sum(y / x, axis=0), X, X),
        traced(lambda x, y: np.sum(x * x, axis=0), X, X),
        traced(lambda x, y: (np.sum(x * y, axis=0), x * y), X, X),
        traced(lambda x, y: (x * y, np.sum(x * y, axis=0)), X, X),
        traced(lambda x, y: np.sum(x * y, axis=0), X.astype(np.float32), X.astype(np.float32)),
    ]
    assert len({base, *map(fingerprint, others)}) == 9


@pytest.mark.parametrize("name", ["thread_count", "is_native", "_sources"])
def test_whatever_decides_the_code_is_part_of_the_key(name, monkeypatch, compilations):
    f = lambda x: x * x + 1.0
    gg.compile(f)(X)
    monkeypatch.setattr(
        program_cache, name, lambda: {"thread_count": 999, "is_native": False, "_sources": "newer"}[name]
    )
    gg.compile(f)(X)
    assert len(compilations) == 2


def test_without_source_files_the_text_decides(monkeypatch, compilations):
    monkeypatch.setattr(program_cache, "_sources", lambda: "")
    f = lambda x: x * x + 1.0
    gg.compile(f)(X)
    gg.compile(f)(X)
    assert len(compilations) == 1


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps("something else"), b"cgategrad.nowhere\nKept\n."])
def test_what_cannot_be_read_is_compiled_again(content, folder, compilations):
    f = lambda x: x * x + 1.0
    gg.compile(f)(X)
    (entry,) = [name for name in os.listdir(folder) if b"Kept" in (folder / name).read_bytes()]
    disk_cache.write(entry, content)
    np.testing.assert_array_equal(gg.compile(f)(X), f(X))
    assert len(compilations) == 2
    gg.compile(f)(X)
    assert len(compilations) == 2


def test_who_watches_the_passes_sees_them(monkeypatch, capsys):
    f = lambda x: x * 1.0
    gg.compile(f)(2.0)
    monkeypatch.setenv("GATEGRAD_SHOW", "simplify")
    gg.compile(f)(2.0)
    assert "--- after simplify" in capsys.readouterr().out
