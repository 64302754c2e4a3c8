"""The entry: what it takes, what it leaves to `slow`, what it returns, and that no reference is lost or kept."""

from __future__ import annotations

import copy
import ctypes
import gc
import pickle
import signal
import sys
import threading
from collections import OrderedDict

import numpy as np
import pytest

from gategrad.compiler.codegen.entry.entry import FAILED
from gategrad.compiler.codegen.entry.signature import Array, Fixed, Same, Scalar, Signature, dict_of, list_of, tuple_of
from gategrad.compiler.runtime import layout
from gategrad.compiler.runtime import link as link_module
from gategrad.compiler.runtime.callable import install
from gategrad.compiler.runtime.link import link
from gategrad.compiler.runtime.python_call import PythonCall
from gategrad.compiler.runtime.table import Table
from gategrad.errors import UndecidedError

from ... import programs
from ...programs import F64, GRADIENT, Base, Function, calling, copies, gradient


@pytest.fixture(params=["native", "python"], autouse=True)
def path(request, monkeypatch):
    """Everything here holds for the native entry and for the call through Python."""
    if request.param == "python":
        monkeypatch.setattr(link_module, "obstacle", lambda: "a test")
    elif layout.obstacle() is not None:
        pytest.skip(layout.obstacle())
    return request.param


native_alone = pytest.mark.parametrize("path", ["native"], indirect=True)


def function(program, signature, table=None):
    f = Function()
    install(f, link(program, signature, table))
    return f


def is_slow(answer):
    return type(answer) is tuple and answer[:1] == ("slow",)


def floats(signature):
    """A program for any signature: each output number is the input number in the same place, plus one."""
    kinds = {"f64": "double", "f32": "float"}
    inputs = [f"{kinds[leaf.kind]} %x{k}" for k, leaf in enumerate(signature.flat_inputs)]
    outputs = [f"ptr %z{k}" for k in range(len(signature.flat_outputs))]
    body = [
        f"  %s{k} = fadd {kinds[leaf.kind]} %x{k}, 1.0\n  store {kinds[leaf.kind]} %s{k}, ptr %z{k}"
        for k, leaf in enumerate(signature.flat_outputs)
    ]
    head = ", ".join([*inputs, *outputs, "ptr %workspace"])
    return "\n".join([f"define i32 @gg_program({head}) {{", *body, "  ret i32 0", "}"])


# --- numbers -------------------------------------------------------------------------------------------


def test_floats_go_in_and_out():
    f = function(gradient(), GRADIENT)
    assert f(-2.0, 5.0, -4.0) == (-4.0, -4.0, 3.0)
    assert [type(z) for z in f(np.float64(-2.0), 5.0, -4.0)] == [float] * 3


@pytest.mark.parametrize(
    "args",
    [
        (1, 2.0, 3.0),
        (True, 2.0, 3.0),
        (np.float32(1), 2.0, 3.0),
        ("1", 2.0, 3.0),
        (None, 2.0, 3.0),
        (1.0, 2.0),
        (1.0, 2.0, 3.0, 4.0),
        (),
        (np.array(1.0), 2.0, 3.0),
        (type("F", (float,), {})(1.0), 2.0, 3.0),
    ],
)
def test_other_arguments_are_left_to_slow_untouched(args):
    f = function(gradient(), GRADIENT)
    answer = f(*args)
    assert is_slow(answer)
    assert all(mine is given for mine, given in zip(answer[1], args, strict=True))


def test_a_call_by_keyword_is_slow_unless_compiled_for():
    f = function(gradient(), GRADIENT)
    assert f(1.0, 2.0, z=3.0) == ("slow", (1.0, 2.0), {"z": 3.0})
    f = function(gradient(), Signature(GRADIENT.inputs, GRADIENT.output, keywords=("y", "z")))
    assert f(-2.0, y=5.0, z=-4.0) == (-4.0, -4.0, 3.0)
    assert is_slow(f(-2.0, z=5.0, y=-4.0))
    assert is_slow(f(-2.0, 5.0, -4.0))
    assert is_slow(f(-2.0, 5.0, z=-4.0))
    assert is_slow(f(-2.0, y=5.0))


def test_a_single_number_needs_no_container():
    f = function(floats(s := Signature((Scalar(),), Scalar())), s)
    assert f(2.0) == 3.0


def test_float32_scalars():
    f = function(floats(s := Signature((Scalar("f32"),), tuple_of(Scalar("f32")))), s)
    (z,) = f(np.float32(2.5))
    assert type(z) is np.float32
    assert z == np.float32(3.5)
    assert is_slow(f(2.5))
    assert is_slow(f(np.float64(2.5)))


@pytest.mark.parametrize("kind", ["c128", "c64"])
def test_complex_scalars_go_by_their_address(kind):
    """Alone, and so many in a list that they are read and made by loops."""
    number = Scalar(kind).dtype.type
    s = Signature((list_of(*[Scalar(kind)] * 20), Scalar(kind)), tuple_of(*[Scalar(kind)] * 20, Same(20), Scalar(kind)))
    f = function(copies(21, number().itemsize), s)
    given, last = [number(complex(n, -n)) for n in range(20)], number(2.5j)
    *found, same, z = f(given, last)
    assert found == given
    assert same is last
    assert z == last
    assert {type(x) for x in (*found, z)} == {number}
    assert is_slow(f([*given[1:], 1.0], last))


@pytest.mark.parametrize("kind", ["f64", "c128"])
def test_numbers_of_python_of_numpy_or_of_either(kind):
    python = 2.0 if kind == "f64" else 2j
    numpy = np.float64(2.0) if kind == "f64" else np.complex128(2j)
    double = copies(1, 16) if kind == "c128" else floats(Signature((Scalar(),), Scalar()))
    for which, takes in ((None, (python, numpy)), (True, (python,)), (False, (numpy,))):
        f = function(double, Signature((Scalar(kind, is_python=which),), Scalar(kind)))
        for given in (python, numpy):
            assert is_slow(f(given)) == all(given is not x for x in takes)
        assert is_slow(f(np.float32(2.0)))


# --- containers ----------------------------------------------------------------------------------------

NESTED = dict_of(
    {"w": tuple_of(Scalar(), list_of(Scalar(), dict_of({}))), 3: Scalar("f32"), ("a", 1): list_of(), "e": tuple_of()}
)


def nested(a=1.0, b=2.0, c=3.0):
    return {"w": (a, [b, {}]), 3: np.float32(c), ("a", 1): [], "e": ()}


def test_nested_containers_are_checked_and_built():
    f = function(floats(s := Signature((NESTED,), NESTED)), s)
    z = f(nested())
    assert z == {"w": (2.0, [3.0, {}]), 3: np.float32(4.0), ("a", 1): [], "e": ()}
    assert list(z) == ["w", 3, ("a", 1), "e"]
    assert f(nested()) is not z
    assert f(nested())["w"][1] is not z["w"][1]


def test_the_order_of_a_dict_does_not_matter():
    f = function(floats(s := Signature((NESTED,), NESTED)), s)
    assert f(dict(reversed(nested().items()))) == f(nested())
    key = chr(119)
    assert f({**nested(), key: (1.0, [2.0, {}])}) == f(nested())


@pytest.mark.parametrize(
    "change",
    [
        {"w": [1.0, [2.0, {}]]},
        {"w": (1.0, (2.0, {}))},
        {"w": (1.0, [2.0, {"a": 1.0}])},
        {"w": (1.0, [2.0, {}, 3.0])},
        {"w": (1.0,)},
        {"e": []},
        {"e": None},
        {3: 1.0},
        {"more": 1.0},
    ],
)
def test_another_structure_is_slow(change):
    f = function(floats(s := Signature((NESTED,), NESTED)), s)
    assert is_slow(f({**nested(), **change}))
    assert is_slow(f(OrderedDict(nested())))
    renamed = nested()
    renamed["v"] = renamed.pop("w")
    assert is_slow(f(renamed))


def test_a_key_that_cannot_be_compared_is_a_key_that_differs():
    class Stubborn:
        def __hash__(self):
            return hash("w")

        def __eq__(self, other):
            raise RuntimeError("no")

    s = Signature((dict_of({"w": Scalar()}),), Scalar())
    f = function(floats(s), s)
    stubborn = {Stubborn(): 1.0}
    try:
        assert is_slow(f(stubborn))
    except RuntimeError:  # the call through Python hears of it
        assert link_module.obstacle() is not None


def test_hundreds_of_numbers():
    s = Signature((list_of(*[Scalar()] * 400),), tuple_of(*[Scalar()] * 400))
    f = function(floats(s), s)
    assert f([float(k) for k in range(400)]) == tuple(k + 1.0 for k in range(400))
    assert is_slow(f([*map(float, range(399)), 1]))


def test_fixed_inputs_are_compared_by_identity():
    mode = object()
    s = Signature((Fixed(mode), Scalar(), Fixed(None)), tuple_of(Fixed(mode), Scalar(), Fixed(None), Same(0)))
    f = function(floats(s), s)
    x = 2.0
    assert f(mode, x, None) == (mode, 3.0, None, 2.0)
    assert f(mode, x, None)[3] is x
    assert is_slow(f(object(), x, None))
    assert is_slow(f(mode, x, 0))


# --- arrays --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "u1", "?"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 4), (1, 2, 3, 4)])
def test_arrays_of_every_dtype_and_shape(dtype, shape):
    leaf = Array(np.dtype(dtype), shape)
    f = function(copies(1, leaf.nbytes), Signature((leaf,), leaf))
    x = np.arange(leaf.nbytes // leaf.dtype.itemsize).reshape(shape).astype(dtype)
    z = f(x)
    assert type(z) is np.ndarray
    assert (z.dtype, z.shape) == (x.dtype, x.shape)
    assert z is not x
    np.testing.assert_array_equal(z, x)
    assert z.flags.writeable
    assert z.flags.owndata
    assert z.flags.c_contiguous


def test_arrays_that_differ_in_any_way_are_slow():
    leaf = Array(np.dtype(np.float64), (2, 3))
    f = function(copies(1, 48), Signature((leaf,), leaf))
    x = np.arange(6.0).reshape(2, 3)
    unaligned = np.frombuffer(b"x" + x.tobytes(), np.uint8)[1:].view(np.float64).reshape(2, 3)
    assert not unaligned.flags.aligned
    odd = [x.T, x.astype("f4"), x.astype(">f8"), x.astype(np.int64), x[:1], x.ravel(), x[None], x.tolist(), 1.0]
    odd += [
        np.asfortranarray(x),
        np.zeros((2, 6))[:, ::2],
        unaligned,
        np.ma.array(x),
        x.view(type("A", (np.ndarray,), {})),
    ]
    for other in odd:
        answer = f(other)
        assert is_slow(answer)
        assert answer[1][0] is other


def test_read_only_arrays_and_arrays_with_a_dtype_of_their_own_are_welcome():
    f = function(copies(1, 24), Signature((F64,), F64))
    x = np.arange(3.0)
    frozen = x.copy()
    frozen.flags.writeable = False
    for same in (frozen, pickle.loads(pickle.dumps(x)), copy.deepcopy(x), np.arange(6.0)[3:] - 3.0):
        np.testing.assert_array_equal(f(same), x)


def test_arrays_in_containers():
    tree = dict_of({"w": list_of(F64, F64), "b": F64})
    f = function(copies(3, 24), Signature((tree,), tree))
    z = f({"w": [np.ones(3), np.zeros(3)], "b": np.full(3, 5.0)})
    np.testing.assert_array_equal([*z["w"], z["b"]], [[1, 1, 1], [0, 0, 0], [5, 5, 5]])
    assert list(z) == ["w", "b"]


def test_an_output_can_be_the_object_that_came_in():
    f = function(copies(0, 0).replace("ptr %workspace", "ptr %x, ptr %workspace").replace("(, , ", "("),
                 Signature((F64,), tuple_of(Same(0), list_of(Same(0)))))  # fmt: skip
    x = np.ones(3)
    before = sys.getrefcount(x)
    z = f(x)
    assert z[0] is x
    assert z[1][0] is x
    assert sys.getrefcount(x) == before + 2


# --- writing over an input -----------------------------------------------------------------------------

OVER = Signature((list_of(F64, F64),), list_of(Array(F64.dtype, (3,), over=1), F64))


def test_an_output_is_written_over_its_input():
    f = function(copies(2, 24), OVER)
    x, y = np.ones(3), np.zeros(3)
    z = f([x, y])
    assert z[0] is y
    np.testing.assert_array_equal(y, [1, 1, 1])
    assert z[1] is not x


def test_what_is_read_only_or_shares_memory_is_not_written_over():
    f = function(copies(2, 24), OVER)
    memory = np.arange(5.0)
    frozen = np.full(3, 7.0)
    frozen.flags.writeable = False
    for x, y in [(np.ones(3), frozen), (memory[:3], memory[:3]), (memory[:3], memory[2:]), (memory[2:], memory[:3])]:
        before = x.copy(), y.copy()
        z = f([x, y])
        assert z[0] is not y
        np.testing.assert_array_equal(z[0], before[0])
        np.testing.assert_array_equal(y, before[1])
    apart = np.arange(6.0)
    y = apart[3:]
    assert f([apart[:3], y])[0] is y  # neighbours do not overlap


def test_impossible_signatures_are_refused():
    with pytest.raises(ValueError, match="dtype and shape must be the same"):
        Signature((F64,), Array(F64.dtype, (4,), over=0))
    with pytest.raises(ValueError, match="over the same input"):
        Signature((F64,), tuple_of(Array(F64.dtype, (3,), over=0), Array(F64.dtype, (3,), over=0)))


# --- failures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", [tuple_of(), tuple_of(Fixed(None), list_of(dict_of({"a": Fixed(1)})))])
@pytest.mark.parametrize(
    ("code", "error", "text"),
    [
        (1, IndexError, r"^index 7 is out of bounds for axis 0 with size 5$"),
        (2, MemoryError, ""),
        (3, KeyboardInterrupt, ""),
        (4, SystemError, ""),
        (9, SystemError, ""),
    ],
)
def test_a_status_becomes_an_exception(code, error, text, output):
    f = function(programs.status(str(code)), Signature((), output))
    for _ in range(3):
        with pytest.raises(error, match=text or None):
            f()


UNDECIDED, NOTHING = (UndecidedError, "who knows"), (LookupError, "nothing")  # programs do not own what they write down


def ending_with(failure, **options):
    """A program that writes this exception down."""
    table = Table()
    slot = table.object(failure)
    program = f"""define i32 @gg_program(ptr %workspace) {{
  %failure = load ptr, ptr {slot}
  store ptr %failure, ptr %workspace
  ret i32 {FAILED}
}}"""
    return function(program, Signature((), tuple_of(), **options), table)


def test_a_call_that_is_undecided_goes_another_way_and_others_raise():
    assert is_slow(ending_with(UNDECIDED, gives_up=(UndecidedError,))())
    for f, error in (
        (ending_with(UNDECIDED), UndecidedError),
        (ending_with(NOTHING, gives_up=(UndecidedError,)), LookupError),
    ):
        with pytest.raises(error, match="who knows|nothing"):
            f()


def test_an_exception_that_was_written_down_is_raised_as_it_stands():
    table = Table()
    failure = (LookupError, "100 % of nothing")
    slot = table.object(failure)
    program = f"""define i32 @gg_program(ptr %workspace) {{
  %failure = load ptr, ptr {slot}
  store ptr %failure, ptr %workspace
  ret i32 {FAILED}
}}"""
    f = function(program, Signature((), tuple_of()), table)
    with pytest.raises(LookupError, match=r"^'?100 % of nothing'?$"):
        f()
    before = sys.getrefcount(failure), sys.getrefcount(failure[1])
    for _ in range(1000):
        with pytest.raises(LookupError):
            f()
    gc.collect()
    assert (sys.getrefcount(failure), sys.getrefcount(failure[1])) == before


@pytest.mark.parametrize("workspace", [0, 100_000])
def test_a_failed_call_gives_everything_back(workspace):
    leaf = Array(np.dtype(np.float64), (3,))
    signature = Signature(
        (list_of(leaf),), dict_of({"a": leaf, "n": Scalar(), "t": list_of(leaf)}), workspace=workspace
    )
    program = programs.status("1").replace("(ptr %workspace)", "(ptr %x, ptr %a, ptr %n, ptr %t, ptr %workspace)")
    f = function(program, signature)
    x = [np.ones(3)]
    with pytest.raises(IndexError):
        f(x)
    gc.collect()
    before = sys.getrefcount(x[0]), sys.getrefcount(leaf.dtype), allocated()
    for _ in range(1000):
        with pytest.raises(IndexError):
            f(x)
    gc.collect()
    after = sys.getrefcount(x[0]), sys.getrefcount(leaf.dtype), allocated()
    assert after[0] == before[0]
    assert abs(after[1] - before[1]) < 10
    assert after[2] - before[2] < 100


def allocated():
    return sys.getallocatedblocks()


def test_no_reference_is_lost_or_kept_by_successful_and_slow_calls():
    tree = dict_of({"w": list_of(F64, Scalar()), "b": tuple_of(F64, Scalar("f32"), Fixed(None))})
    program = """
define i32 @gg_program(ptr %a, double %b, ptr %c, float %d, ptr %za, ptr %zb, ptr %zc, ptr %zd, ptr %workspace) {
  store double %b, ptr %za
  store double %b, ptr %zb
  store double %b, ptr %zc
  store float %d, ptr %zd
  ret i32 0
}"""
    f = function(program, Signature((tree,), tree))
    x = {"w": [np.ones(3), 2.0], "b": (np.ones(3), np.float32(1), None)}
    f(x), f(1)
    gc.collect()
    watched = [x, x["w"], x["w"][0], x["w"][1], x["b"][0], x["b"][1], F64.dtype, np.ndarray, np.float32]
    before = [sys.getrefcount(one) for one in watched]
    blocks = allocated()
    for _ in range(2000):
        f(x)
        f(1)
        f({**x, "b": (x["b"][0], 1.0, None)})
    gc.collect()
    after = [sys.getrefcount(one) for one in watched]
    assert [a - b for a, b in zip(after, before, strict=True)] == pytest.approx([0] * len(watched), abs=20)
    assert allocated() - blocks < 200


CALLBACK = ctypes.PYFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)
UNLOCKED = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)


def callback(run, signature, kind=CALLBACK):
    """A function whose program calls back into Python."""
    native = kind(run)
    table = Table()
    slot = table.address("callback", lambda: ctypes.cast(native, ctypes.c_void_p).value)
    table.object(native)  # the table keeps it alive
    names = "".join(f"ptr %x{k}, " for k in range(len(signature.flat_inputs)))
    return function(calling(slot, names), signature, table)


def test_an_exception_set_by_the_program_comes_through():
    table = Table()
    program = f"""
define i32 @gg_program(ptr %workspace) {{
  %raise = load ptr, ptr {table.function("PyErr_NoMemory")}
  %null = call ptr %raise()
  ret i32 4
}}"""
    f = function(program, Signature((), tuple_of()), table)
    with pytest.raises(MemoryError):
        f()


@native_alone  # between the call and its answer Python runs the handler itself
def test_an_interrupt_runs_the_handler_of_the_user():
    class Stop(Exception):
        pass

    def handler(number, frame):
        raise Stop

    f = function(programs.status("3"), Signature((), tuple_of()))
    previous = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(Stop):
            ctypes.pythonapi.PyErr_SetInterrupt()
            f()
    finally:
        signal.signal(signal.SIGINT, previous)


# --- workspace and threads -----------------------------------------------------------------------------


@pytest.mark.parametrize("nbytes", [0, 1, 1000, 16 * 1024, 16 * 1024 + 1, 1_000_000])
def test_the_workspace_is_aligned_and_large_enough(nbytes):
    seen = []

    def look(workspace):
        ctypes.memset(workspace, 255, max(nbytes, 32))
        seen.append(workspace)
        return 0

    f = callback(look, Signature((), tuple_of(), workspace=nbytes))
    for _ in range(3):
        assert f() == ()
    assert len(seen) == 3
    assert all(workspace % 64 == 0 for workspace in seen)


@pytest.mark.parametrize("nbytes", [100, 100_000])
def test_two_calls_at_once_have_a_workspace_each(nbytes):
    seen = []

    def look(workspace):
        seen.append(workspace)
        if len(seen) < 3:
            f()  # a call within the call
        assert ctypes.memset(workspace, 0, nbytes) == workspace
        return 0

    f = callback(look, Signature((), tuple_of(), workspace=nbytes))
    f()
    assert len(set(seen)) == 3
    seen[:] = [0, 0]
    f()
    assert seen[2] != 0


def test_the_workspace_is_free_again_after_a_failure(path):
    seen = []

    def fail(workspace):
        seen.append(workspace)
        return 2

    f = callback(fail, Signature((), tuple_of(), workspace=100_000))
    for _ in range(3):
        with pytest.raises(MemoryError):
            f()
    if path == "native":
        assert len(set(seen)) == 1


def test_a_workspace_that_does_not_fit_is_a_memory_error(path, monkeypatch):
    huge = Signature((), tuple_of(list_of()), workspace=1 << 62)
    with pytest.raises(MemoryError):
        link(programs.status("0"), huge).answer((), {})
    if path == "python":
        return
    monkeypatch.setattr(link_module, "aligned", lambda nbytes: np.empty(64, np.uint8))
    errors = []

    def look(workspace):
        with pytest.raises(MemoryError) as error:
            f()  # the second call has to find memory of its own
        errors.append(error)
        return 0

    f = callback(look, huge)
    assert f() == ([],)
    assert len(errors) == 1


@native_alone  # the call through Python keeps the lock
def test_the_global_lock_is_released_on_request():
    meeting = threading.Barrier(2, timeout=20)

    def meet(workspace):  # both calls are in the program at the same time, or this times out
        meeting.wait()
        return 0

    f = callback(meet, Signature((F64,), tuple_of(Same(0)), workspace=50_000, releases_gil=True), UNLOCKED)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(f(np.ones(3))))
    thread.start()
    answers.append(f(np.zeros(3)))
    thread.join()
    assert sorted(z[0].sum() for z in answers) == [0.0, 3.0]


def test_an_exception_of_a_function_that_took_the_lock_for_it():
    table = Table()
    take, raise_, give = (
        table.function(name) for name in ("PyGILState_Ensure", "PyErr_NoMemory", "PyGILState_Release")
    )
    program = f"""
define i32 @gg_program(ptr %workspace) {{
  %take = load ptr, ptr {take}
  %raise = load ptr, ptr {raise_}
  %give = load ptr, ptr {give}
  %state = call i32 %take()
  %null = call ptr %raise()
  call void %give(i32 %state)
  ret i32 0
}}"""
    f = function(program, Signature((), tuple_of(), releases_gil=True), table)
    for _ in range(3):
        with pytest.raises(MemoryError):
            f()


def test_arrays_taken_out_of_their_container_during_the_call_live_on():
    x = [np.full(3, 4.0)]
    alive = []

    def empty(workspace):
        x.clear()
        gc.collect()
        alive.append(sys.getrefcount(watched[0]))
        return 0

    f = callback(empty, Signature((list_of(F64),), tuple_of(Same(0))))
    watched = [x[0]]
    (z,) = f(x)
    assert z is watched[0]
    assert x == []
    assert alive[0] >= 3  # this list, the argument of getrefcount, and the call


def test_which_path_is_taken(path):
    code = link(gradient(), GRADIENT)
    assert isinstance(code, PythonCall) == (path == "python")
    assert isinstance(Function(), Base)
