"""Random programs: NumPy, the interpreter, native code and central differences agree, and nobody writes beside an array.

The seeds of the normal run are fixed. `pytest -m fuzz tests/compiler/test_fuzz.py` goes on to new ones for an hour, or
for as many seconds as the environment variable FUZZ_SECONDS says, with each kind of drawing. A failure is shrunk and printed as a test; such
tests live in `test_fuzz_found.py`.
"""

import contextlib
import copy
import dataclasses
import functools
import inspect
import itertools
import os
import time
import warnings

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler import compile as compiler
from gategrad.compiler.codegen import blocks, module, movement, scalars
from gategrad.compiler.codegen.loops import kernel, nest, split, streams
from gategrad.compiler.codegen.products import epilogues, panels
from gategrad.compiler.schedule import epilogues as schedule_epilogues
from gategrad.compiler.schedule import joins, kernels
from gategrad.gates import bends
from gategrad.masked import Masked, numbers
from tests.compiler.checking import check, tolerance
from tests.compiler.random_layouts import laid_out, shared
from tests.compiler.random_programs import draw, draw_anything, draw_folds, draw_product, draw_sums, shrunk
from tests.compiler.red_zones import red_zones

pytest.importorskip("llvmlite")

SEEDS = 280
FAST_SEEDS = 100  # the others are in the slow run alone
CALL_SEEDS = 20  # of either kind
LAYOUT_SEEDS = 20
SMOOTH_SEEDS = 100
PRODUCT_SEEDS = 20  # of either kind
FOLD_SEEDS = 40  # of either kind, as loops and in blocks
SUM_SEEDS = 40
BATCH = 20


def check_values(program):
    check(program, program.inputs)


def check_layouts(program, seed):
    """Arrays that lie in memory in some other way are read right and left alone, first results outlive later ones.

    Arguments that are one array, or overlap, are as good as others, and of those that are given up only they are written over.
    """
    rng = np.random.default_rng(seed)
    given = [laid_out(x, rng) for x in program.inputs]
    before = copy.deepcopy(given)
    check(program, given)
    compiled = compiler.compile(program)
    first = compiled(*given)
    kept = copy.deepcopy(first)
    check(program, shared(program.inputs, rng))
    compiled(*[x[::-1] if np.ndim(x) else x for x in given])
    compiled(*program.inputs)
    for x, y in zip((*given, *first), (*before, *kept), strict=True):
        np.testing.assert_array_equal(x, y)
    check_donation(program, given if rng.random() < 0.3 else shared(program.inputs, rng), rng)


def check_gradient_of_layouts(program, seed):
    rng = np.random.default_rng(seed)
    check_gradient(dataclasses.replace(program, inputs=tuple([laid_out(x, rng) for x in program.inputs])))


def check_donation(program, given, rng):
    """A call that is given some of its arguments answers as ever, and writes over no other; an interpreted one the same."""
    names = [f"x{n}" for n in range(len(given))]
    donated = [name for name in names if rng.random() < 0.6]

    def named(*inputs):
        return program(*inputs)

    named.__signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    )
    before = [copy.copy(x) for x in given]
    expected = copy.deepcopy(program(*given))
    found = gg.compile(named, donate=donated)(*given)
    limit = tolerance([*given, *expected])
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=limit, atol=limit)
    for name, x, y in zip(names, given, before, strict=True):
        if name not in donated and not any(
            np.shares_memory(x, z) for n, z in zip(names, given, strict=True) if n in donated
        ):
            np.testing.assert_array_equal(x, y)


def check_gradient(program):
    """The gradient of a weighted sum of all results: native as eager, and along a direction as central differences."""
    places = [n for n, x in enumerate(program.inputs) if np.asarray(x).dtype == np.float64]

    def loss(*moved):
        inputs = list(program.inputs)
        for n, x in zip(places, moved, strict=True):
            inputs[n] = x
        return sum(np.sum(z * weights(z)) for z in program(*inputs))

    point = [program.inputs[n] for n in places]
    derivative = gg.value_and_grad(loss, argnums=tuple(range(len(places))))
    value, gradient = derivative(*point)
    found_value, found = compiler.compile(derivative)(*point)
    limit = tolerance(program.inputs)
    np.testing.assert_allclose(found_value, value, rtol=limit, atol=limit)
    for a, b in zip(found, gradient, strict=True):
        np.testing.assert_allclose(a, b, rtol=limit, atol=limit * scale(gradient))
    direction = [np.cos(np.arange(np.size(x)) + n).reshape(np.shape(x)) for n, x in enumerate(point)]

    def difference(step):
        above, below = (loss(*[x + s * d for x, d in zip(point, direction, strict=True)]) for s in (step, -step))
        return (above - below) / (2 * step)

    expected, coarse = difference(1e-5), difference(2e-5)
    slope = sum(float(np.sum(g * d)) for g, d in zip(found, direction, strict=True))
    size = scale(gradient) * sum(np.size(x) for x in point)
    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-6 * (size + abs(value)) + abs(expected - coarse))


def check_curvature(program):
    """The derivative of a weighted sum of the gradient: native as eager, and along a direction as central differences.

    Where several elements are the largest there may be none; then native code says so of the same elements.
    """
    places = [n for n, x in enumerate(program.inputs) if np.asarray(x).dtype == np.float64 and np.shape(x)]
    if not places:
        return

    def loss(moved, factor=1.0):
        inputs = list(program.inputs)
        inputs[places[0]] = moved
        return factor * sum(np.sum(z * weights(z)) for z in program(*inputs))

    gradient = gg.grad(loss)

    def bent(factor=1.0):
        return gg.grad(lambda x: np.sum(gradient(x, factor) * weights(x)))

    point = program.inputs[places[0]]
    curvature = bent()(point)
    if _decided_by_rounding(bent, point):
        return
    found = compiler.compile(bent())(point)
    limit = tolerance(program.inputs)
    known = np.isfinite(curvature)
    np.testing.assert_array_equal(np.isfinite(found), known)
    np.testing.assert_allclose(found[known], curvature[known], rtol=limit, atol=limit * scale([curvature[known]]))
    if not known.all():
        return
    step = 1e-5
    above, below = (gradient(point + s * weights(point)) for s in (step, -step))
    np.testing.assert_allclose(
        found, (above - below) / (2 * step), rtol=1e-3, atol=1e-5 * scale([curvature, gradient(point)])
    )


def _decided_by_rounding(bent, point):
    """Whether what arrives at a kink is zero but for rounding, if the same loss is rounded in some other ways.

    The gradient of a softmax that reaches the largest elements is such a zero. If it is one exactly, and elements tie,
    there is no second derivative, else it is finite: chance, which no program need repeat.
    """
    seen = []

    def watching(dz, z, x, here, crowd):
        arrived = np.abs(numbers(dz.value if type(dz) is Masked else dz))
        seen.append(np.any(here & (arrived > 0) & (arrived <= 1e-9 * (1 + np.max(arrived, initial=0.0)))))
        return flat(dz, z, x, here, crowd)

    flat = bends._flat
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bends, "_flat", watching)
        for factor in (1.0, 0.7, 1 / 3, 1.1):
            bent(factor)(point)
    return any(seen)


def weights(z):
    return np.sin(np.arange(np.size(z)) + 1.0).reshape(np.shape(z))


def scale(gradient):
    return 1 + max((float(np.max(np.abs(g))) for g in gradient if np.size(g)), default=0.0)


def run(checks, seed, *, smooth, draw=draw):
    """One program; a failure is reported with the smallest program that fails in the same way."""
    with _quiet():
        program = draw(seed, smooth=smooth)
    failure = failure_of(checks, program)
    if failure is not None:
        small = shrunk(program, lambda candidate: type(failure_of(checks, candidate)) is type(failure))
        pytest.fail(f"seed {seed}: {failure}\n\n{small}")


class WrittenBesideError(Exception):
    """Native code wrote where no array is."""


def failure_of(checks, program):
    with _quiet(), red_zones() as watch:
        before = watch.broken
        try:
            checks(dataclasses.replace(program, inputs=tuple(map(copy.copy, program.inputs))))
        except Exception as failure:
            return failure
        broken = watch.broken - before  # everything that the checks made has died with them
        return WrittenBesideError(f"{broken} arrays have a broken red zone") if broken else None


@contextlib.contextmanager
def _quiet():
    """Empty means and overflows are part of the game."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize(
    "first",
    [pytest.param(first, marks=[pytest.mark.slow] if first >= FAST_SEEDS else []) for first in range(0, SEEDS, BATCH)],
)
def test_values(first):
    for seed in range(first, first + BATCH):
        run(check_values, seed, smooth=False)


@pytest.mark.parametrize("first", range(0, SMOOTH_SEEDS, BATCH))
def test_gradients(first):
    for seed in range(first, first + BATCH):
        run(check_gradient, seed, smooth=True)


@pytest.fixture
def small_blocks(monkeypatch):
    """Products of any size are computed with what uses them, a few rows at a time."""
    monkeypatch.setattr(schedule_epilogues, "_LARGE", 0)
    monkeypatch.setattr(epilogues, "_NEAR", 4000)
    for name in ("_LOW", "_HIGH"):
        monkeypatch.setattr(epilogues, name, 12)


@pytest.mark.parametrize("first", range(0, PRODUCT_SEEDS, BATCH))
def test_products(first, small_blocks):
    for seed in range(first, first + BATCH):
        run(check_values, seed, smooth=False, draw=draw_product)
        run(check_gradient, seed, smooth=True, draw=draw_product)


@pytest.fixture
def loops_in_blocks(monkeypatch):
    """Loops of any size are run in blocks."""
    _set(
        monkeypatch,
        {
            blocks: {"THREADED": 0, "_LEAST_WORK": 16, "_MOST": 7},
            split: {"THREADED": 0, "_COLUMNS": 1, "_PARTIAL": 1},
        },
    )


@pytest.fixture
def rare_ways(monkeypatch):
    """What only large arrays and long programs do: stores past the caches, strips, panels, parts of programs as functions."""
    _set(
        monkeypatch,
        {
            streams: {"PAST_CACHES": 256, "STAGED": 64},
            kernels: {"PAST_CACHES": 256},
            nest: {"_STRIP": 4, "_NEAR": 64},
            joins: {"_LARGE": 8},
            movement: {"_NEAR": 64, "_BESIDE": 16},
            kernel: {"_STACK": 512},
            scalars: {"PART": 3},
            module: {"_TOGETHER": 2},
            panels: {"_PANEL": 512, "_ROWS": 2048, "_COLUMNS": 32, "_LAID": 1024},
        },
    )


def _set(monkeypatch, thresholds):
    for module_, names in thresholds.items():
        for name, value in names.items():
            monkeypatch.setattr(module_, name, value)


def check_folds(seed):
    run(check_values, seed, smooth=False, draw=draw_folds)
    run(check_gradient, seed, smooth=True, draw=draw_folds)
    if seed % 4 == 0:
        run(check_curvature, seed, smooth=True, draw=draw_folds)


def check_sums(seed):
    run(check_values, seed, smooth=False, draw=draw_sums)
    run(check_gradient, seed, smooth=True, draw=draw_sums)


def check_anything(seed):
    run(check_values, seed, smooth=False, draw=draw_anything)
    run(check_gradient, seed, smooth=True, draw=draw_anything)


def check_memory(seed):
    """Programs of each kind on arrays of any layout."""
    drawn = (draw, draw_anything, draw_folds, draw_sums)[seed % 4]
    run(functools.partial(check_layouts, seed=seed), seed, smooth=False, draw=drawn)
    run(functools.partial(check_gradient_of_layouts, seed=seed), seed, smooth=True, draw=drawn)


@pytest.mark.parametrize("first", range(0, CALL_SEEDS, BATCH))
def test_calls(first, unoptimised):
    for seed in range(first, first + BATCH):
        check_anything(seed)


@pytest.mark.parametrize("first", range(0, LAYOUT_SEEDS, BATCH))
def test_layouts(first, unoptimised):
    for seed in range(first, first + BATCH):
        check_memory(seed)


@pytest.mark.parametrize("first", range(0, FOLD_SEEDS, BATCH))
def test_folds(first, unoptimised):
    for seed in range(first, first + BATCH):
        check_folds(seed)


@pytest.mark.parametrize("first", range(0, FOLD_SEEDS, BATCH))
def test_folds_in_blocks(first, unoptimised, loops_in_blocks):
    for seed in range(first, first + BATCH):
        check_folds(FOLD_SEEDS + seed)


@pytest.mark.parametrize("first", range(0, SUM_SEEDS, BATCH))
def test_sums(first, unoptimised):
    for seed in range(first, first + BATCH):
        check_sums(seed)


@pytest.mark.fuzz
def test_new_seeds_of_rare_ways(unoptimised, rare_ways):
    new_seeds(check_memory)


@pytest.mark.fuzz
def test_new_calls(unoptimised):
    new_seeds(check_anything)


@pytest.mark.fuzz
def test_new_layouts(unoptimised):
    new_seeds(check_memory)


@pytest.mark.fuzz
def test_new_sums(unoptimised):
    new_seeds(check_sums)


@pytest.mark.fuzz
def test_new_folds(unoptimised):
    new_seeds(check_folds)


@pytest.mark.fuzz
def test_new_folds_in_blocks(unoptimised, loops_in_blocks):
    new_seeds(check_folds)


@pytest.mark.fuzz
def test_new_products(small_blocks):
    def check_both(seed):
        run(check_values, seed, smooth=False, draw=draw_product)
        run(check_gradient, seed, smooth=True, draw=draw_product)

    new_seeds(check_both)


@pytest.mark.fuzz
def test_new_seeds():
    def check_both(seed):
        run(check_values, seed, smooth=False)
        run(check_gradient, seed, smooth=True)

    new_seeds(check_both)


def new_seeds(checked):
    """One seed after the other until the time is over, from one that the clock says, or the environment variable FUZZ_SEED."""
    end = time.monotonic() + float(os.environ.get("FUZZ_SECONDS", "3600"))
    for seed in itertools.count(int(os.environ.get("FUZZ_SEED", int(time.time()) * 1000))):
        if time.monotonic() > end:
            return
        checked(seed)
