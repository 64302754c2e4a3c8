"""Functions of NumPy's with any shape, axis, option and dtype: reductions, shaping, indexing, joining, products.

What is linear is compared with NumPy itself: ⟨dz, f(dx)⟩ must be ⟨pullback(dz), dx⟩, without a difference quotient. What is
not is compared with central differences along dx. Forward mode must say the same as both, to rounding.
"""

from __future__ import annotations

import math
import string

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gategrad as gg

STEP = 1e-6
bounded = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=3)
hollow = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3)
seeds = st.integers(0, 2**16)
dtypes = st.sampled_from([np.float64, np.float64, np.float32])


def draw_array(rng, shape, dtype=np.float64):
    """Numbers far enough from each other and from zero that no kink is near."""
    size = math.prod(shape)
    return (rng.permutation(np.linspace(0.5, 2.0, size)) if size else np.zeros(0)).reshape(shape).astype(dtype)


def check(f, *xs, seed, linear):
    """Gradients and tangents of f at xs, a function of arrays, against NumPy's own answers."""
    rng = np.random.default_rng(seed)
    dxs = tuple(np.asarray(rng.normal(size=x.shape), x.dtype)[()] for x in xs)
    expected = np.asarray(f(*xs))
    z, pullback = gg.vjp(f, *xs)
    assert np.shape(z) == expected.shape and np.asarray(z).dtype == expected.dtype
    np.testing.assert_allclose(z, expected, rtol=1e-5 if expected.dtype == np.float32 else 1e-13)
    dz = np.asarray(rng.normal(size=expected.shape), expected.dtype)
    gradients = pullback(dz)
    for x, dx in zip(xs, gradients, strict=True):
        assert np.shape(dx) == x.shape and np.asarray(dx).dtype == x.dtype
    tangent = gg.jvp(f, xs, dxs)[1]
    assert np.shape(tangent) == expected.shape
    single = any(x.dtype == np.float32 for x in xs)
    size = 1.0 + sum(float(np.sum(np.abs(np.multiply(g, d)))) for g, d in zip(gradients, dxs, strict=True))
    backward = sum(float(np.sum(np.multiply(g, d, dtype=float))) for g, d in zip(gradients, dxs, strict=True))
    forward = float(np.sum(np.multiply(tangent, dz, dtype=float)))
    assert abs(forward - backward) < (3e-5 if single else 1e-10) * size
    if linear:
        along = np.asarray(f(*dxs))
    else:
        sides = [f(*[x.astype(float) + step * dx for x, dx in zip(xs, dxs, strict=True)]) for step in (STEP, -STEP)]
        along = (sides[0] - sides[1]) / (2 * STEP)
    exact = float(np.sum(np.multiply(along, dz, dtype=float)))
    assert abs(exact - backward) < (1e-4 if single else 1e-10 if linear else 1e-5) * size


def axes_of(data, shape, *, several=True):
    """None, one axis counted from either end, or a few of them."""
    if not shape:
        return None
    one = st.integers(-len(shape), len(shape) - 1)
    some = st.lists(one, min_size=1, unique_by=lambda n: n % len(shape)).map(tuple)
    return data.draw(st.one_of(st.none(), one, some) if several else one, label="axis")


REDUCTIONS = {
    "sum": (np.sum, True),
    "mean": (np.mean, True),
    "prod": (np.prod, False),
    "max": (np.max, False),
    "min": (np.min, False),
    "var": (np.var, False),
    "std": (np.std, False),
    "nanmean": (np.nanmean, True),
    "ptp": (np.ptp, False),
    "median": (np.median, False),
    "logsumexp": (gg.logsumexp, False),
}


@pytest.mark.parametrize("name", REDUCTIONS)
@bounded
@given(data=st.data(), shape=shapes, keepdims=st.booleans(), dtype=dtypes, seed=seeds)
def test_reductions(name, data, shape, keepdims, dtype, seed):
    f, linear = REDUCTIONS[name]
    axis = axes_of(data, shape)
    folded = math.prod(shape) if axis is None else math.prod(shape[n] for n in np.atleast_1d(axis))
    assume(name not in ("std", "ptp") or folded > 1)  # of one element alone both have a kink
    x = draw_array(np.random.default_rng(seed), shape, dtype)
    check(lambda x: f(x, axis=axis, keepdims=keepdims), x, seed=seed, linear=linear)


@bounded
@given(data=st.data(), shape=hollow, keepdims=st.booleans())
def test_sums_and_products_of_nothing(data, shape, keepdims):
    axis = axes_of(data, shape)
    x = draw_array(np.random.default_rng(0), shape)
    check(lambda x: np.sum(x, axis=axis, keepdims=keepdims), x, seed=1, linear=True)
    check(lambda x: np.prod(x, axis=axis, keepdims=keepdims), x, seed=1, linear=False)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "diff", "flip", "roll", "repeat", "sort", "expand_dims"])
@bounded
@given(data=st.data(), shape=shapes.filter(bool), dtype=dtypes, seed=seeds)
def test_along_an_axis(name, data, shape, dtype, seed):
    axis = axes_of(data, shape, several=False)
    count = data.draw(st.integers(0, 3), label="count")
    f = {
        "diff": lambda x: np.diff(x, n=min(count, shape[axis]), axis=axis),
        "roll": lambda x: np.roll(x, count, axis=axis),
        "repeat": lambda x: np.repeat(x, count, axis=axis),
    }.get(name, lambda x: getattr(np, name)(x, axis=axis))
    x = draw_array(np.random.default_rng(seed), shape, dtype)
    check(f, x, seed=seed, linear=name not in ("cumprod", "sort"))


@bounded
@given(data=st.data(), shape=st.one_of(shapes, hollow), dtype=dtypes, seed=seeds)
def test_shaping(data, shape, dtype, seed):
    rank = len(shape)
    order = data.draw(st.permutations(range(rank)), label="order")
    memory = data.draw(st.sampled_from("CF"), label="memory")
    lengths = data.draw(st.permutations(shape), label="lengths")
    into = data.draw(hnp.broadcastable_shapes(shape, max_dims=rank + 1, max_side=3), label="into")
    assume(np.broadcast_shapes(shape, into) == into)
    widths = data.draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=rank, max_size=rank))
    x = draw_array(np.random.default_rng(seed), shape, dtype)
    for f in (
        lambda x: np.transpose(x, order),
        lambda x: np.reshape(np.transpose(x, order), lengths, order=memory),
        lambda x: np.ravel(x, order=memory),
        lambda x: np.broadcast_to(x, into),
        lambda x: np.squeeze(x),
        lambda x: np.pad(x, widths) if rank else x * 1.0,
        lambda x: np.moveaxis(x, 0, -1) if rank else x * 1.0,
    ):
        check(f, x, seed=seed, linear=True)


@bounded
@given(data=st.data(), shape=shapes.filter(bool), dtype=dtypes, seed=seeds)
def test_indexing(data, shape, dtype, seed):
    x = draw_array(np.random.default_rng(seed), shape, dtype)
    basic = data.draw(hnp.basic_indices(shape, allow_newaxis=True), label="basic")
    fancy = data.draw(hnp.integer_array_indices(shape), label="fancy")
    mask = data.draw(hnp.arrays(bool, shape), label="mask")
    first = data.draw(hnp.integer_array_indices(shape[:1]), label="first")
    for index in (basic, fancy, mask, first, (*first, ...)):
        check(lambda x, index=index: x[index], x, seed=seed, linear=True)
    check(lambda x: np.take(x, first[0], axis=0), x, seed=seed, linear=True)
    check(lambda x: np.where(mask, x, 0.0), x, seed=seed, linear=True)


@bounded
@given(data=st.data(), shape=shapes.filter(bool), count=st.integers(1, 4), dtype=dtypes, seed=seeds)
def test_joining_and_splitting(data, shape, count, dtype, seed):
    axis = axes_of(data, shape, several=False)
    rng = np.random.default_rng(seed)
    lengths = data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count), label="lengths")
    parts = []
    for length in lengths:
        part = list(shape)
        part[axis] = length
        parts.append(draw_array(rng, tuple(part), dtype))
    check(lambda *xs: np.concatenate(xs, axis=axis), *parts, seed=seed, linear=True)
    alike = [draw_array(rng, shape, dtype) for _ in range(count)]
    new_axis = data.draw(st.integers(-len(shape) - 1, len(shape)), label="new axis")
    check(lambda *xs: np.stack(xs, axis=new_axis), *alike, seed=seed, linear=True)
    cuts = sorted(data.draw(st.lists(st.integers(0, shape[axis]), max_size=2), label="cuts"))
    for piece in range(len(cuts) + 1):
        check(lambda x, piece=piece: np.split(x, cuts, axis=axis)[piece] * 1.0, alike[0], seed=seed, linear=True)


# --- products -----------------------------------------------------------------------------------------------------

lengths_of = st.integers(0, 3)


@bounded
@given(data=st.data(), kind=hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2), seed=seeds)
def test_matrix_products(data, kind, seed):
    rng = np.random.default_rng(seed)
    dtype = data.draw(dtypes)
    x, y = (draw_array(rng, shape, dtype) for shape in kind.input_shapes)
    check(np.matmul, x, y, seed=seed, linear=False)
    check(np.vecdot, x, x[..., :1, :] if x.ndim > 1 else x, seed=seed, linear=False)


@bounded
@given(data=st.data(), left=lengths_of, middle=st.lists(lengths_of, max_size=2), right=lengths_of, seed=seeds)
def test_contractions(data, left, middle, right, seed):
    rng = np.random.default_rng(seed)
    x, y = draw_array(rng, (left, *middle)), draw_array(rng, (*middle, right))
    check(lambda x, y: np.tensordot(x, y, axes=len(middle)), x, y, seed=seed, linear=False)
    check(np.outer, x, y, seed=seed, linear=False)
    check(lambda x, y: np.kron(x, y), x, y, seed=seed, linear=False)
    check(np.dot, draw_array(rng, (left, right)), draw_array(rng, (right,)), seed=seed, linear=False)


@settings(bounded, max_examples=80)
@given(data=st.data(), count=st.integers(1, 3), seed=seeds)
def test_einsum(data, count, seed):
    """Any subscripts: repeated letters within an operand, letters summed away, an ellipsis, an implicit output."""
    letters = string.ascii_lowercase[: data.draw(st.integers(1, 4), label="letters")]
    length = {letter: data.draw(st.integers(0 if seed % 5 == 0 else 1, 3), label=letter) for letter in letters}
    operands = [data.draw(st.text(letters, max_size=3), label="operand") for _ in range(count)]
    rest = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=count, min_dims=0, max_dims=1, max_side=3))
    dotted = data.draw(st.booleans(), label="dotted")
    used = sorted(set("".join(operands)))
    out = "".join(data.draw(st.permutations(used), label="out"))[: data.draw(st.integers(0, 3))]
    subscripts = ",".join(operand + "..." * dotted for operand in operands)
    if data.draw(st.booleans(), label="explicit"):
        subscripts += "->" + "..." * dotted + out
    rng = np.random.default_rng(seed)
    xs = [
        draw_array(rng, (*(length[letter] for letter in operand), *(ahead if dotted else ())))
        for operand, ahead in zip(operands, rest.input_shapes, strict=True)
    ]
    check(lambda *xs: np.einsum(subscripts, *xs), *xs, seed=seed, linear=False)
