"""Every public function of NumPy is in a table, answers of plain values, or refuses with advice: none is forgotten."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import EscapeError, NoRuleError
from gategrad.refusals import ADVICE

from .cases import subjects
from .page import asks_only

TABLED = {case.name.removeprefix("np.") for subject in subjects() for case in subject.cases}

ELSEWHERE = {
    **dict.fromkeys(
        (
            "array", "asarray", "asanyarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray", "arange", "full",
            "fromiter", "frompyfunc", "vectorize", "r_", "c_",
        ),
        "of variables in `gategrad.numpy`",
    ),
    **dict.fromkeys(
        (
            "zeros", "ones", "empty", "eye", "identity", "tri", "indices", "fromfunction", "bartlett", "blackman", "hamming",
            "hanning", "kaiser", "diag_indices", "tril_indices", "triu_indices", "mask_indices", "broadcast_shapes",
            "index_exp", "s_", "mgrid", "ogrid", "nested_iters",
        ),
        "makes arrays of shapes and numbers",
    ),
    **dict.fromkeys(
        (
            "frombuffer", "from_dlpack", "fromfile", "fromregex", "fromstring", "genfromtxt", "load", "loadtxt",
        ),
        "makes arrays of bytes and text",
    ),
    **dict.fromkeys(
        (
            "base_repr", "binary_repr", "format_float_positional", "format_float_scientific", "get_printoptions",
            "set_printoptions", "printoptions", "getbufsize", "setbufsize", "geterr", "seterr", "geterrcall", "seterrcall",
            "get_include", "info", "isdtype", "isfortran", "isscalar", "issubdtype", "iterable", "mintypecode",
            "promote_types", "datetime_data", "require", "row_stack", "typename", "show_config", "show_runtime", "test",
            "asmatrix", "bmat",
        ),
        "is about types, settings and texts",
    ),
    **dict.fromkeys(("histogram2d", "histogramdd"), "counts the plain values"),
}  # fmt: skip


def named_functions():
    """What `numpy.__all__` has that can be called with an array."""
    for name in sorted(np.__all__):  # NumPy's own order changes from process to process
        value = getattr(np, name, None)
        if callable(value) and not isinstance(value, type):
            yield name, value


FUNCTIONS = list(named_functions())
ADVISED = [(name, f) for name, f in FUNCTIONS if getattr(f, "__name__", "") in ADVICE]


@pytest.mark.parametrize(("name", "function"), FUNCTIONS, ids=[name for name, _ in FUNCTIONS])
def test_every_function_has_its_place(name, function):
    places = [
        name in TABLED,
        asks_only(function),
        getattr(function, "__name__", "") in ADVICE,
        name in ELSEWHERE,
    ]
    assert any(places), f"np.{name}: add a case to a table, or advice to refusals.ADVICE"


@pytest.mark.parametrize(("name", "function"), ADVISED, ids=[name for name, _ in ADVISED])
def test_what_is_refused_says_what_to_do(name, function):
    assert name not in TABLED
    v = gg.variable([1.0, 2.0])
    arguments = {
        "save": ("x", v), "savetxt": ("x", v), "savez": ("x", v),
        "savez_compressed": ("x", v), "unravel_index": (v, (2,)),
        "ravel_multi_index": ((v, v), (2, 2)), "busday_count": (v, v), "busday_offset": (v, 1),
    }.get(name, (v,) * getattr(function, "nin", 1))  # fmt: skip
    with pytest.raises((NoRuleError, EscapeError), match=r"use |pass v\.value|convert v\.value"):
        function(*arguments)


QUERIES = [(name, f) for name, f in FUNCTIONS if asks_only(f) and name not in TABLED]
X, Y = np.array([0.5, np.nan, -2.0]), np.array([0.5, 1.0, 3.0])
ASKED = {
    "digitize": (X[::2], Y), "searchsorted": (Y, X[::2]), "can_cast": (np.float32, "f8"), "einsum_path": ("i,i", X, Y),
    "isin": (X, Y), "may_share_memory": (X, Y), "shares_memory": (X, Y), "argpartition": (X, 1), "nanargmax": (X,),
    "lexsort": ((X, Y),), "tril_indices_from": (np.ones((2, 2)),),
    "triu_indices_from": (np.ones((2, 2)),), "diag_indices_from": (np.ones((2, 2)),), "common_type": (X,),
    "array_equal": (X, Y), "array_equiv": (X, Y), "allclose": (X, Y), "isclose": (X, Y), "histogram": (Y,),
}  # fmt: skip


@pytest.mark.parametrize(("name", "function"), QUERIES, ids=[name for name, _ in QUERIES])
def test_a_query_answers_of_the_plain_values(name, function):
    arguments = ASKED.get(name, (X, Y) if getattr(function, "nin", 1) == 2 else (X,))

    def on(lift):
        return function(*[lift(x) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in arguments])

    expected, found = on(lambda x: x), on(gg.variable)
    assert not isinstance(found, gg.Variable)
    if name not in ("einsum_path", "may_share_memory"):
        np.testing.assert_equal(found, expected)


@pytest.mark.parametrize("name", ["integrate", "linalg", "optimize", "signal", "special", "stats"])
def test_every_function_of_ours_under_scipys_names_has_its_row(name):
    """Those that look at their arguments themselves, and so are ours; SciPy's ufuncs are rows by the gates that they have."""
    module = importlib.import_module(f"gategrad.scipy.{name}")
    missing = {
        key
        for key, value in vars(module).items()
        if getattr(value, "__module__", type(value).__module__).startswith(("gategrad.gates.", "gategrad.solvers."))
        and "plain values" not in (value.__doc__ or "")  # what is refused, and what answers of the plain values
        and f"scipy.{name}.{key}" not in TABLED
    }
    assert missing - {"lambertw"} == set(), "add a case to a table"
