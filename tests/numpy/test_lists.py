"""`gategrad.numpy` takes nested lists of variables wherever NumPy takes lists of numbers for an array."""

import functools
import inspect
import pickle

import numpy as np
import pytest

import gategrad as gg
import gategrad.numpy as gnp

from ..coverage.cases import is_differentiable, subjects

CASES = [
    case
    for subject in subjects()
    for case in subject.cases
    if case.name.startswith("np.")
    and isinstance(case.call, functools.partial)
    and not case.elsewhere
    and any(isinstance(x, np.ndarray) and x.size for x in case.floats)
]
FIRST = {case.name: case for case in reversed(CASES)}
OF_ARRAYS = {"np.lib.stride_tricks.sliding_window_view"}  # has no name in the namespace


def ours(name):
    found = gnp
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    return found


def as_lists(x):
    """Nested lists of variables, one for each number."""
    return [as_lists(row) for row in x] if np.ndim(x) else gg.variable(x.item() if hasattr(x, "item") else x)


def plain(z):
    if isinstance(z, (tuple, list)):
        return [plain(part) for part in z]
    return z.value if isinstance(z, gg.Variable) else z


def takes_lists(case):
    """Lists of complex variables are stacked as others are, and `np.emath` is NumPy's own."""
    is_complex = any(np.asarray(x).dtype.kind == "c" for x in case.floats)
    return not is_complex and not case.name.startswith("np.emath") and case.name not in OF_ARRAYS


@pytest.mark.parametrize("name", sorted(name for name, case in FIRST.items() if takes_lists(case)))
def test_lists_of_variables(name):
    case = FIRST[name]
    expected = case.call(*case.inputs)
    found = ours(name)(*[as_lists(x) if is_differentiable(x) else x for x in case.inputs], **case.call.keywords)
    for z, numpys in (
        zip(np.atleast_1d(plain(found)), np.atleast_1d(expected), strict=True)
        if not isinstance(expected, (tuple, list))
        else zip(plain(found), expected, strict=True)
    ):
        np.testing.assert_allclose(z, numpys, rtol=1e-9, atol=1e-12)


def test_there_are_many():
    assert len(FIRST) > 150


def test_gradients_go_to_each():
    def f(x, y):
        z = gnp.sum([x, y * y]) + gnp.max([[x, y], [1.0, x * y]]) * gnp.exp((x, y))[1]
        z = z + gnp.linalg.solve([[x, 1.0], [0.0, y]], [1.0, x])[0] + gnp.add.reduce([x, y, x])
        return z + gnp.concatenate([[x, y], [x]])[2] + gnp.mean(a=[x, y]) + gnp.real(gnp.fft.fft([x, y]))[0]

    assert gg.check_gradients(f, 1.5, 2.0, order=2)
    pytest.importorskip("llvmlite")
    assert gg.compile(gg.grad(f))(1.5, 2.0) == pytest.approx(gg.grad(f)(1.5, 2.0))


def test_everything_else_is_numpys():
    assert inspect.signature(gnp.sum) == inspect.signature(np.sum) and gnp.sum.__doc__ == np.sum.__doc__
    assert gnp.add.nin == 2 and gnp.add.identity == 0 and gnp.add.outer([1, 2], [3]).tolist() == [[4], [5]]
    for name in ("sum", "abs", "add", "concatenate"):
        function = getattr(gnp, name)
        assert pickle.loads(pickle.dumps(function)) is function
    assert gnp.sum([1, 2]) == 3 and gnp.stack([[1], [2]]).shape == (2, 1)
    assert gnp.exp([0.0], np.zeros(1)).tolist() == [1.0] and gnp.maximum([1, 2], 2, dtype=float).tolist() == [2.0, 2.0]
    assert gnp.pad([1], (1, 1)).tolist() == [0, 1, 0]
