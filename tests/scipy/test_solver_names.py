"""gategrad.scipy.signal, integrate and optimize: every name of SciPy's is there, and none loses a gradient."""

import ast
import importlib
import inspect
import types

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import EscapeError

NEWER = {
    "ShortTimeFFT", "closest_STFT_dual_window", "envelope", "freqz_sos", "firwin_2d", "cubature", "tanhsinh", "nsum",
    "lebedev_rule", "isotonic_regression", "elementwise",
}  # fmt: skip
"""Names that the oldest SciPy that we support has not."""

NAMES = ["signal", "integrate", "optimize"]


def modules(name):
    return importlib.import_module(f"gategrad.scipy.{name}"), importlib.import_module(f"scipy.{name}")


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_there(name):
    ours, theirs = modules(name)
    public = {n for n in theirs.__all__ if n == "windows" or not isinstance(getattr(theirs, n), types.ModuleType)}
    assert {n for n in public if not hasattr(ours, n)} <= NEWER


@pytest.mark.parametrize("name", NAMES)
def test_they_re_export_and_do_nothing_else(name):
    tree = ast.parse(inspect.getsource(modules(name)[0]))
    assert all(isinstance(node, (ast.ImportFrom, ast.Expr)) for node in tree.body)


OURS = [
    pytest.param(function, getattr(modules(name)[1], key), id=f"{name}.{key}")
    for name in NAMES
    for key, function in vars(modules(name)[0]).items()
    if inspect.isfunction(function)
    and function.__module__.startswith("gategrad")
    and "of a variable it" not in function.__doc__
]


@pytest.mark.parametrize(("ours", "theirs"), OURS)
def test_options_have_scipys_names(ours, theirs):
    """A call that SciPy takes is one that we take: by place and, but for what is handed through, by keyword."""
    taken = inspect.signature(ours).parameters
    wanted = inspect.signature(theirs).parameters
    rest = {p.kind for p in taken.values()}
    if inspect.Parameter.VAR_KEYWORD not in rest:
        assert {n for n in wanted if not n.startswith("overwrite_")} <= set(taken)
    shared = [n for n in taken if n in wanted]
    assert shared == [n for n in wanted if n in shared], "in SciPy's order"


@pytest.mark.parametrize(
    "call",
    [
        lambda signal, integrate, optimize, v: signal.medfilt(v),
        lambda signal, integrate, optimize, v: signal.filtfilt([1.0], [1.0, 0.5], v),
        lambda signal, integrate, optimize, v: integrate.quad_vec(lambda x: x * v, 0.0, 1.0),
    ],
)
def test_scipys_own_functions_lose_no_gradient(call):
    """They compute with plain numbers; a variable says so, and says where there is something for it."""
    signal, integrate, optimize = (modules(name)[0] for name in NAMES)
    with pytest.raises(EscapeError, match="silently lose its gradient"):
        call(signal, integrate, optimize, gg.variable([1.0, 2.0, 3.0]))


def test_nor_do_its_optimisers():
    v = gg.variable([1.0, 2.0, 3.0])
    optimize, _ = modules("optimize")
    for call in (
        lambda: optimize.fmin(lambda x: np.sum((x - v) ** 2), np.zeros(3), disp=False),
        lambda: optimize.differential_evolution(lambda x: np.sum((x - v) ** 2), [(0, 1)] * 3),
    ):
        with pytest.raises((ValueError, RuntimeError)):
            call()
