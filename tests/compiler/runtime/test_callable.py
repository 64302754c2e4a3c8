"""Function objects: what they share with any Python object, and what happens when their code changes."""

from __future__ import annotations

import copy
import ctypes
import functools
import gc
import pickle
import sys
import threading
import weakref

import numpy as np
import pytest

from gategrad.compiler.codegen.entry.signature import Array, Fixed, Scalar, Signature, dict_of, tuple_of
from gategrad.compiler.runtime import callable as callable_module
from gategrad.compiler.runtime import engine, layout
from gategrad.compiler.runtime.callable import Callable, install, installed, native_type
from gategrad.compiler.runtime.link import link
from gategrad.compiler.runtime.table import Table

from ..codegen.entry.test_entry import UNLOCKED
from ..programs import GRADIENT, Base, Function, calling, gradient


class Named(Callable):
    """Has a constructor, attributes and a pickle of its own."""

    def __init__(self, name):
        self.name = name

    def slow(self, /, *args, **kwargs):
        return self.name, args, kwargs

    def __repr__(self):
        return f"<{self.name}>"

    def __reduce__(self):
        return make_named, (self.name,)


NativeNamed = native_type(Named)


def make_named(name):
    return NativeNamed(name)


@pytest.fixture
def f():
    f = Function()
    install(f, link(gradient(), GRADIENT))
    return f


def test_without_code_calls_go_to_slow():
    f = Function()
    assert installed(f) is None
    assert f(1.0, 2, k=3) == ("slow", (1.0, 2), {"k": 3})
    assert f() == ("slow", (), {})
    assert f(*range(300), **{f"k{k}": k for k in range(300)})[1] == tuple(range(300))
    with pytest.raises(NotImplementedError):
        native_type(Callable)()()


def test_code_can_be_installed_replaced_and_removed(f):
    assert f(-2.0, 5.0, -4.0) == (-4.0, -4.0, 3.0)
    install(f, link(gradient(2.0), GRADIENT))
    assert f(-2.0, 5.0, -4.0) == (-8.0, -8.0, 6.0)
    install(f, None)
    assert f(-2.0, 5.0, -4.0) == ("slow", (-2.0, 5.0, -4.0), {})
    install(f, None)
    assert installed(f) is None


def test_two_functions_have_two_codes(f):
    g = Function()
    install(g, link(gradient(10.0), GRADIENT))
    assert (f(-2.0, 5.0, -4.0)[2], g(-2.0, 5.0, -4.0)[2]) == (3.0, 30.0)


def test_all_ways_to_call(f):
    args = (-2.0, 5.0, -4.0)
    want = (-4.0, -4.0, 3.0)
    assert f(*args) == f.__call__(*args) == functools.partial(f, -2.0)(5.0, -4.0) == want
    assert list(map(f, *([x] for x in args))) == [want]
    assert functools.reduce(lambda _, x: f(*x), [args], None) == want
    assert callable(f)


@pytest.mark.parametrize("args", [(1,), (1, 2, 3, 4), tuple(range(1000))])
def test_slow_gets_the_arguments_however_they_were_passed(f, args):
    # With and without room before the arguments; with and without names.
    assert f(*args) == ("slow", args, {})
    assert f(*args, k=1, j=2) == ("slow", args, {"k": 1, "j": 2})
    assert functools.partial(f, *args)() == ("slow", args, {})
    assert functools.partial(f, *args, k=1)(j=2) == ("slow", args, {"k": 1, "j": 2})


def test_an_exception_in_slow_comes_through(f):
    class Loud(Callable):
        def slow(self, /, *args, **kwargs):
            raise ZeroDivisionError("loud")

    g = native_type(Loud)()
    install(g, link(gradient(), GRADIENT))
    with pytest.raises(ZeroDivisionError, match="loud"):
        g(1)
    with pytest.raises(ZeroDivisionError, match="loud"):
        functools.partial(g, 1)()


def test_slow_can_install_code_and_call_again():
    class Compiling(Callable):
        def slow(self, /, *args, **kwargs):
            install(self, link(gradient(), GRADIENT))
            return self(*args)

    g = native_type(Compiling)()
    assert g(-2.0, 5.0, -4.0) == g(-2.0, 5.0, -4.0) == (-4.0, -4.0, 3.0)


def test_it_is_an_ordinary_object():
    f = NativeNamed("f")
    f.extra = 1
    assert (f.name, f.extra, repr(f), f.__dict__) == ("f", 1, "<f>", {"name": "f", "extra": 1})
    assert isinstance(f, Named)
    assert (NativeNamed.__name__, NativeNamed.__qualname__, NativeNamed.__module__) == ("Named", "Named", __name__)
    assert NativeNamed.__doc__ == Named.__doc__
    assert hash(f) == hash(f)
    assert f != NativeNamed("f")
    assert pickle.loads(pickle.dumps(f)).name == copy.deepcopy(f).name == "f"
    f.__call__ = None  # on the instance it means nothing, as for any object
    assert f(1) == ("f", (1,), {})


def test_it_is_a_method_when_it_lies_on_a_class(f):
    class Owner:
        method = f

    owner = Owner()
    assert owner.method(1.0) == ("slow", (owner, 1.0), {})
    assert owner.method.__self__ is owner
    assert Owner.method is f
    bound = owner.method
    assert bound(1.0, k=2) == ("slow", (owner, 1.0), {"k": 2})
    g = Function()
    install(g, link(gradient(), Signature((Scalar(),) * 3, GRADIENT.output)))
    number = type("Number", (), {"gradient": g})
    assert number.gradient(-2.0, 5.0, -4.0) == (-4.0, -4.0, 3.0)


def test_a_subclass_in_python_runs_the_same_code():
    class Loud(Function):
        def shout(self):
            return "!"

    f = Loud()
    assert f(1.0) == ("slow", (1.0,), {})
    install(f, link(gradient(), GRADIENT))
    assert f(-2.0, 5.0, -4.0) == (-4.0, -4.0, 3.0)
    assert f(1.0) == ("slow", (1.0,), {})
    assert f.shout() == "!"


def test_slots_in_the_base_do_not_collide():
    class Slotted(Callable):
        __slots__ = ("a", "b")

        def slow(self, /, *args, **kwargs):
            return self.a, self.b

    f = native_type(Slotted)()
    f.a, f.b = object(), object()
    install(f, link(gradient(), GRADIENT))
    assert f(-2.0, 5.0, -4.0) == (-4.0, -4.0, 3.0)
    assert f(1) == (f.a, f.b)


# --- memory --------------------------------------------------------------------------------------------


def test_an_instance_dies_with_its_last_reference_and_takes_its_code_along():
    f = Function()
    code = link(gradient(), GRADIENT)
    install(f, code)
    f(-2.0, 5.0, -4.0)
    watched, watched_code = weakref.ref(f), weakref.ref(code)
    del code
    assert watched_code() is not None
    gc.disable()
    try:
        del f
        assert watched() is None
        assert watched_code() is None
    finally:
        gc.enable()


def test_code_dies_when_it_is_replaced(f):
    watched = weakref.ref(installed(f))
    install(f, link(gradient(2.0), GRADIENT))
    assert watched() is None


def test_cycles_are_collected():
    f, g = Function(), Function()
    f.other, g.other = g, f
    install(f, link(gradient(), GRADIENT))
    watched = weakref.ref(f)
    cyclic = weakref.ref(installed(f))
    del f, g
    gc.collect()
    assert watched() is None
    assert cyclic() is None


def test_a_cycle_through_the_code_is_collected():
    f = Function()  # its own static argument
    code = link("define i32 @gg_program(ptr %workspace) {\n  ret i32 0\n}", Signature((Fixed(f),), tuple_of()))
    install(f, code)
    assert f(f) == ()
    watched = weakref.ref(f)
    del f, code
    gc.collect()
    assert watched() is None


def test_a_finalizer_in_a_cycle_may_still_call():
    answers = []

    class Last:
        def __del__(self):
            answers.append(self.f(-2.0, 5.0, -4.0))

    last = Last()
    last.f = Function()
    install(last.f, link(gradient(), GRADIENT))
    last.f.last = last
    del last
    gc.collect()
    assert answers == [(-4.0, -4.0, 3.0)]


def test_types_do_not_lose_references():
    before = sys.getrefcount(Function)
    functions = [Function() for _ in range(100)]
    assert sys.getrefcount(Function) == before + 100
    functions.clear()
    assert sys.getrefcount(Function) == before


# --- threads -------------------------------------------------------------------------------------------


class Constant:
    """Something that can be watched."""


def test_a_call_finishes_in_code_that_was_replaced_meanwhile():
    if layout.obstacle() is not None:
        pytest.skip(layout.obstacle())
    inside, go_on = threading.Event(), threading.Event()

    def wait(workspace):
        inside.set()
        assert go_on.wait(20)
        return 0

    constant = Constant()
    output = dict_of({"a": Fixed(constant), "b": Array(np.dtype(np.float64), (3,))})
    f = Function()
    table = Table()
    native = UNLOCKED(wait)
    address = ctypes.cast(native, ctypes.c_void_p).value
    table.object(native)
    slot = table.address("wait", lambda: address)
    signature = Signature((), output, workspace=1 << 20, releases_gil=True)
    install(f, link(calling(slot, "ptr %z, "), signature, table))
    watched = weakref.ref(installed(f)._engine), weakref.ref(constant), weakref.ref(table)
    del output, signature, table, native, constant
    answers = []
    thread = threading.Thread(target=lambda: answers.append(f()))
    thread.start()
    assert inside.wait(20)
    install(f, None)
    gc.collect()
    assert watched[0]() is None  # nobody refers to the engine; the call is in its code all the same
    assert watched[2]() is not None  # and needs what is in the table: its workspace, its callbacks
    for _ in range(20):  # memory that was freed would be used again
        install(f, link(gradient(), GRADIENT))
    go_on.set()
    thread.join(20)
    assert list(answers[0]) == ["a", "b"]
    assert answers[0]["a"] is watched[1]()
    answers.clear()
    engine._free_retired()
    assert watched[1]() is watched[2]() is None
    assert not engine._retired


def test_calls_and_replacements_from_many_threads(f):
    stop = threading.Event()
    wrong = []

    def call():
        while not stop.is_set():
            z = f(-2.0, 5.0, -4.0)
            if z not in [(-4.0, -4.0, 3.0), (-8.0, -8.0, 6.0)]:
                wrong.append(z)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    ready = [link(gradient(1.0), GRADIENT), link(gradient(2.0), GRADIENT)]
    for k in range(1000):
        install(f, ready[k % 2])
    install(f, link(gradient(2.0), GRADIENT))  # the former code is freed while others call
    ready.clear()
    install(f, link(gradient(1.0), GRADIENT))
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- without native calls ------------------------------------------------------------------------------


def test_without_native_calls_the_base_does_the_work(monkeypatch):
    monkeypatch.setattr(callable_module, "obstacle", lambda: "a test")
    assert native_type(Base) is Base
    f = Base()
    assert f(1) == ("slow", (1,), {})
    install(f, link(gradient(), GRADIENT))
    assert f(-2.0, 5.0, -4.0) == (-4.0, -4.0, 3.0)
    assert f(1) == ("slow", (1,), {})
    install(f, None)
    assert f(-2.0, 5.0, -4.0) == ("slow", (-2.0, 5.0, -4.0), {})


def test_calling_needs_an_address():
    with pytest.raises(LookupError, match="nothing was bound to the table slot 'blas'"):
        table = Table()
        link(calling(table.address("blas")), Signature((), tuple_of()), table)
