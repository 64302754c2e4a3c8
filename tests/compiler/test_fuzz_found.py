"""Programs that once came out wrong, as the fuzzer shrank them."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler import compile as compiler
from gategrad.gates.indexing import Scatter
from tests.compiler.checking import check
from tests.compiler.random_programs import CALLS

pytest.importorskip("llvmlite")


def test_a_fold_of_length_1_between_others():
    check(
        lambda x: (CALLS["min"](x, axis=0), CALLS["max"](x, axis=0, keepdims=True)), [np.array([[[0.5]]], np.float32)]
    )


def test_a_fold_of_a_fold_of_length_1():
    check(lambda x: (np.sum(np.mean(x, axis=0), axis=0, keepdims=True),), [np.array([[-0.25]])])


def test_logsumexp_over_an_axis_of_length_1():
    x = np.linspace(-1, 1, 14).reshape(7, 2, 1)
    check(lambda x: (CALLS["logsumexp"](np.arctan(x), axis=-1),), [x])


def test_the_largest_truth_value():
    x = np.arange(24).reshape(4, 6) % 5 == 0
    check(lambda x: (np.max(x, axis=0), np.min(x, axis=1), np.max(x)), [x])


def test_truth_values_count_up_from_false():
    x = np.arange(16) % 3 == 0
    check(lambda x: (np.argmax(x, axis=0), x < x[::-1], x + x[::-1], x * x[::-1]), [x])


@pytest.mark.parametrize("dtype", [np.int64, np.int32])
def test_extremes_of_integers(dtype):
    x = np.array([5, -3, 7, 0, -9, 2, 2], dtype)
    check(lambda x: (np.maximum(x, x[::-1]), np.minimum(x, x[::-1]), np.max(x), np.min(x), -x), [x])


@pytest.mark.parametrize("rows", [1, 3, 4, 5, 8, 11])
def test_columns_folded_several_rows_at_a_time(rows):
    x = np.sin(np.arange(rows * 21.0)).reshape(rows, 21)
    check(lambda x: (np.sum(x * x, axis=0), np.max(x, axis=0), np.prod(x, axis=0), np.exp(x)), [x])


def test_numbers_from_the_host_keep_their_places_to_the_end():
    check(lambda x: (np.spacing(x[0]), np.spacing(2.0 * x[0]), np.spacing(4.0 * x[0])), [np.array([0.5])])


def test_rows_of_no_elements():
    def f(x):
        total = np.sum(x, axis=1)
        return total, total + 1.0, np.sum(np.exp(total))

    check(f, [np.ones((5, 0))])
    check(f, [np.ones((0, 5))])


def test_values_that_vary_along_a_part_of_a_row():
    """They were stored in whole vectors, beyond the end of their buffer, and their sums were taken of every copy."""

    def f(x, y):
        row = np.sum(x, axis=(1, 2), keepdims=True)
        part = np.exp(y) * row
        return part, np.sum(part, axis=0), np.sum(part), x - row, np.sum(x * part, axis=2)

    rng = np.random.default_rng(0)
    check(f, [rng.normal(size=(5, 4, 7)), rng.normal(size=(5, 4, 1))])
    check(f, [rng.normal(size=(5, 4, 1)), rng.normal(size=(5, 4, 1))])


@pytest.mark.parametrize("length", [1, 21])
def test_truths_and_integers_that_meet_where_an_index_is_read_twice(length):
    places = np.array([0, 2, 0, 0, 2])
    truths = np.arange(5 * length).reshape(5, length) % 4 != 1
    for x in (truths, truths.astype(np.int64) + 1):
        compiled = compiler.compile(lambda x: Scatter(places, (4, length))(x))
        expected = np.zeros((4, length), x.dtype)
        np.add.at(expected, places, x)
        found = compiled(x)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


AXES = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]


@pytest.mark.parametrize("shape", [(1, 5, 20), (3, 4, 7)])
@pytest.mark.parametrize("first", AXES)
def test_sums_over_parts_of_each_others_axes(shape, first):
    """Of a row over (1, 2), sums over one of them folded a part; and four rows of what is folded along another axis were one."""
    x = np.sin(np.arange(np.prod(shape))).reshape(shape)
    for axes in AXES:
        check(lambda x: (np.sum(x * x, axis=first), np.sum(x * x * x, axis=axes), np.sum(x, axis=(1,))), [x])  # noqa: B023


@pytest.mark.parametrize("axes", [(1, 2, 0), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
@pytest.mark.parametrize("axis", [0, 1, 2, (0, 1), (1, 2)])
def test_sums_of_what_is_computed_and_turned(axes, axis):
    """Totals that vary along the last axis of the domain, but lie in another order, were written as if they lay in a row."""

    def f(x):
        turned = np.transpose(np.sin(x) - np.sum(x, axis=-1, keepdims=True), axes)
        return np.sum(turned, axis=axis), np.max(turned, axis=axis, keepdims=True) - turned

    check(f, [np.cos(np.arange(320.0)).reshape(8, 2, 20)])


def test_a_masked_constant_for_a_number_in_single_precision():
    """The gradient was a Python float behind a mask of the program, which has no astype."""

    def f(x, s):
        return np.sum(np.where(x > s, x, s * 2) / (2 + x * x))

    def bent(x, s):
        dx, ds = gg.grad(f, (0, 1))(x, s)
        return np.sum(dx) + ds

    point = np.float64(0.3), np.float32(0.5)
    for argnums in (0, 1):
        second = gg.grad(bent, argnums)
        np.testing.assert_allclose(compiler.compile(second)(*point), second(*point), rtol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_places_along_an_axis_that_are_the_same_in_all_others(axis):
    """Indices of shape (3, 1) were read beside the first column alone."""
    x = np.sin(np.arange(20.0)).reshape(4, 5)
    places = np.array([2, 0, 2]).reshape([3 if n == axis % 2 else 1 for n in range(2)])
    assert np.take_along_axis(gg.variable(x), places, axis).shape == np.take_along_axis(x, places, axis).shape
    check(lambda x: (np.take_along_axis(x, places, axis),), [x])
    assert gg.check_gradients(lambda x: np.sum(np.take_along_axis(x, places, axis) ** 2), x)


def test_places_along_an_axis_of_another_number_of_axes():
    with pytest.raises(ValueError, match="same number of dimensions"):
        np.take_along_axis(gg.variable(np.ones((2, 3))), np.zeros(3, int), 0)


@pytest.mark.parametrize("keep", [np.tril, np.triu])
def test_the_triangle_of_a_row(keep):
    x = np.array([1.0, -2.0, 3.0])
    check(lambda x: (keep(x), keep(x, 1)), [x])
    np.testing.assert_array_equal(keep(gg.variable(x), -1).value, keep(x, -1))
    assert gg.check_gradients(lambda x: np.sum(keep(x) ** 2), x)


def test_differences_of_truths():
    check(lambda x: (np.diff(x), np.diff(x, 2)), [np.array([True, True, False, True])])


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_the_median_of_nothing():
    check(lambda x: (np.median(x, axis=0), np.median(x, axis=1)), [np.ones((0, 3))])
    assert np.isnan(np.median(gg.variable(np.ones((2, 0))), axis=1).value).all()


def test_integers_of_pythons_beyond_those_of_an_array():
    """-1 became 255: a bound that nothing could fall below, and a number that compared as one."""
    x = np.array([3, 200], np.uint8)
    check(lambda x: (x > -1, x == -1, x < 300, np.clip(x, -1, 100), np.clip(x, 5, 300), np.clip(x, -1, 300)), [x])
    for f in (lambda x: x + -1, lambda x: 300 * x, lambda x: np.maximum(x, -1)):
        with pytest.raises(OverflowError, match="out of bounds for uint8"):
            gg.compile(f)(x)


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64, np.uint8])
def test_integers_that_would_wrap_around(dtype):
    x = np.array([100, 127, 1, 0, 17, 15], dtype)
    y = np.array([1, 127, 2, 1], dtype)
    check(lambda x: (np.linalg.norm(x), np.gradient(x), np.round(x, -1), np.nan_to_num(x), np.reciprocal(x | 1)), [x])
    check(lambda x: (np.reciprocal(x),), [y])


def test_nothing_is_left_of_infinity():
    x = np.array([np.inf, -np.inf, 2.5, np.nan])
    check(lambda x: np.modf(x), [x])
    np.testing.assert_array_equal(np.modf(gg.variable(x))[0].value, np.modf(x)[0])
