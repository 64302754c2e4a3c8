"""The methods of NumPy's arrays on variables and in programs: every one, with every option, or a reason why not."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import gategrad as gg
from gategrad.array_methods import ArrayMethods
from gategrad.compiler.trace.tracing import trace
from gategrad.errors import NoRuleError, NotTraceableError, TraceError
from gategrad.values import spec_of

X = np.array([[0.5, -1.5, 2.25], [3.0, 0.25, -0.75]])
MASK = X > 0

PUBLIC = [name for name in dir(np.ndarray) if not name.startswith("_")]
METHODS = [name for name in PUBLIC if callable(getattr(np.ndarray, name))]
REFUSED = {name for name in PUBLIC if not hasattr(ArrayMethods, name) and name != "item"}


def test_what_is_left_out_and_why():
    expected = {
        "base", "byteswap", "choose", "ctypes", "data", "device", "dump", "dumps", "flags", "getfield", "resize", "setfield",
        "setflags", "strides", "to_device", "tobytes", "tofile", "tolist", "view",
    }  # fmt: skip
    assert expected == REFUSED
    for name in REFUSED:
        with pytest.raises(AttributeError, match=rf"no attribute '{name}', .*: use "):
            getattr(gg.variable(X), name)


@pytest.mark.parametrize("name", [name for name in METHODS if name not in REFUSED])
def test_signatures_are_numpys(name):
    numpys = inspect.signature(getattr(np.ndarray, name)).parameters
    ours = inspect.signature(getattr(gg.Variable, name)).parameters
    if name == "item":
        return
    named = [p for p in numpys if numpys[p].kind is not inspect.Parameter.VAR_KEYWORD and p != "self"]
    assert [p for p in ours if ours[p].kind is not inspect.Parameter.VAR_KEYWORD and p != "self"][: len(named)] == named
    for p in named:
        assert ours[p].default == numpys[p].default, p
    open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in numpys.values())
    assert any(p.kind is inspect.Parameter.VAR_KEYWORD for p in ours.values()) == open_ended


CALLS = {
    "sum": lambda v: v.sum(0, np.float32, None, True, initial=2.0, where=MASK),
    "prod": lambda v: v.prod(axis=1, keepdims=True, initial=2.0, where=MASK),
    "mean": lambda v: v.mean((0, 1), np.float64, keepdims=True, where=MASK),
    "var": lambda v: v.var(1, None, None, 1, keepdims=True),
    "var of some": lambda v: v.var(axis=1, where=MASK, mean=v.mean(axis=1, keepdims=True, where=MASK)),
    "std": lambda v: v.std(axis=0, ddof=0.5),
    "std of all": lambda v: v.std(),
    "max": lambda v: v.max(axis=1, keepdims=True, initial=0.0, where=MASK),
    "min": lambda v: v.min(0, None, False, initial=9.0),
    "cumsum": lambda v: v.cumsum(1, np.float64),
    "cumprod": lambda v: v.cumprod(axis=0),
    "trace": lambda v: v.trace(1, 0, 1, np.float64),
    "dot": lambda v: v.dot(X.T),
    "argmax": lambda v: v.argmax(1, None, keepdims=True),
    "argmin": lambda v: v.argmin(axis=0),
    "argsort": lambda v: v.argsort(axis=0, stable=True),
    "argpartition": lambda v: v.ravel().argpartition(0, -1)[0],
    "searchsorted": lambda v: v[0, [1, 0, 2]].searchsorted([0.0, 1.0], side="right"),
    "nonzero": lambda v: v.nonzero(),
    "any": lambda v: v.any(axis=1, keepdims=True, where=MASK),
    "all": lambda v: v.all(0),
    "clip": lambda v: v.clip(min=-1.0, max=2.0),
    "clip below": lambda v: v.clip(0.0),
    "round": lambda v: v.round(1),
    "conj": lambda v: v.conj() + v.conjugate(),
    "take": lambda v: v.take([0, 5], axis=1, mode="clip"),
    "compress": lambda v: v.compress([True, False], axis=0),
    "repeat": lambda v: v.repeat([1, 2], axis=0),
    "diagonal": lambda v: v.diagonal(1, 0, 1),
    "reshape": lambda v: v.reshape(3, 2, order="F"),
    "reshape to a tuple": lambda v: v.reshape((3, -1), copy=True),
    "ravel": lambda v: v.ravel("F"),
    "flatten": lambda v: v.flatten(order="F"),
    "squeeze": lambda v: v[:1].squeeze(axis=0),
    "transpose": lambda v: v.transpose(1, 0) + v.transpose((1, 0)) + v.transpose(),
    "swapaxes": lambda v: v.swapaxes(0, -1),
    "astype": lambda v: v.astype(np.float32, "K", "same_kind", True, copy=False),
    "astype to integers": lambda v: v.astype(int),
    "copy": lambda v: v.copy("F"),
    "item": lambda v: np.asarray(v.item(1, 2) + v.item(-1)),
    "contains": lambda v: np.asarray([2.25 in v, 7.0 in v]),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_and_gradients(name):
    call = CALLS[name]
    expected, found = call(X), call(gg.variable(X) * 1.0)
    for z, ours in zip(*[p if isinstance(p, tuple) else (p,) for p in (expected, found)], strict=True):
        np.testing.assert_allclose(ours.value if isinstance(ours, gg.Variable) else ours, z, rtol=1e-6)
        assert ours.dtype == z.dtype
        if isinstance(ours, gg.Variable) and z.dtype == np.float64:
            gg.check_gradients(call, X)


ASKS = ("item", "contains", "nonzero", "compress")  # what a program cannot know


@pytest.mark.parametrize("name", [name for name in CALLS if name not in ASKS])
def test_in_programs(name):
    call = CALLS[name]
    program, rebuild = trace(call, lambda xs: (xs, {}), [spec_of(X)], ["x"], "f")
    np.testing.assert_allclose(rebuild(program(X)), call(X), rtol=1e-6)


@pytest.mark.parametrize("name", ASKS)
def test_what_programs_refuse(name):
    with pytest.raises((TraceError, NotTraceableError)):
        trace(CALLS[name], lambda xs: (xs, {}), [spec_of(X)], ["x"], "f")


def test_out():
    y = gg.variable(X) * 1.0
    total = gg.variable(np.zeros(3)) * 1.0
    assert y.sum(0, out=total) is total
    np.testing.assert_array_equal(total.value, X.sum(0))
    assert y.clip(0.0, 1.0, out=y) is y
    np.testing.assert_array_equal(y.value, X.clip(0.0, 1.0))
    with pytest.raises(NoRuleError, match="out="):
        y.sum(0, out=np.zeros(3))


def test_casting_and_what_is_not_changed_in_place():
    v = gg.variable(X)
    with pytest.raises(TypeError, match="according to the rule 'safe'"):
        v.astype(np.float32, casting="safe")
    with pytest.raises(AttributeError, match=r"shape of a value is not changed in place: write y = np\.reshape"):
        v.shape = (6,)
    with pytest.raises(AttributeError, match=r"dtype of a value is not changed in place: write y = y\.astype"):
        v.dtype = np.float32


def test_flat():
    y = gg.variable(X) * 1.0
    assert len(y.flat) == 6 and [float(x.value) for x in y.flat] == X.ravel().tolist()
    np.testing.assert_array_equal(y.flat.copy().value, X.ravel())
    assert y.flat[3].value == 3.0
    y.flat[1:4] = [7.0, 8.0]
    expected = X.copy()
    expected.flat[1:4] = [7.0, 8.0]
    np.testing.assert_array_equal(y.value, expected)
    with pytest.raises(TypeError, match="single number takes no item assignment"):
        (gg.variable(1.0) * 1.0).flat[0] = 1.0
