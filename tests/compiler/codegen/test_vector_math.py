"""The vector functions against mpmath's exact values, NumPy's special values, and themselves at other widths."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("mpmath")

from gategrad.compiler.codegen.vector_math import closure, define, inputs, names
from tools.vector_math import coefficients, oracle
from tools.vector_math.loop import FLOATS, Loop, module_text

compile_loop = cache(Loop)
DTYPES = ("f64", "f32")
everything = pytest.mark.parametrize(("name", "dtype"), [(name, dtype) for name in names() for dtype in DTYPES])


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Bitwise equality, all NaNs counting as one."""
    integers = np.int64 if a.dtype == np.float64 else np.int32
    return bool(np.all((a.view(integers) == b.view(integers)) | (np.isnan(a) & np.isnan(b))))


def trial_points(name: str, dtype: str, count: int = 2000) -> tuple[np.ndarray, ...]:
    """Ordinary, hard and special inputs together."""
    parts = zip(oracle.points(name, dtype, count), oracle.special_points(name, dtype), strict=True)
    return tuple(np.concatenate(part) for part in parts)


def within_two_ulp(name: str, dtype: str, count: int, seed: int) -> None:
    x = oracle.points(name, dtype, count, seed)
    errors = oracle.errors(name, dtype, x, compile_loop(name, dtype, 8)(*x))
    worst = int(errors.argmax())
    at = [part[worst] for part in x]
    assert errors[worst] <= oracle.ACCURACY, f"{name} {dtype} is {errors[worst]:.2f} ulp off at {at}"


def test_every_function_has_an_oracle() -> None:
    assert set(names()) == set(oracle.SUBJECTS)
    assert {name: inputs(name) for name in names()} == {n: s.inputs for n, s in oracle.SUBJECTS.items()}


@everything
def test_accuracy(name: str, dtype: str) -> None:
    within_two_ulp(name, dtype, count=1000, seed=1)


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(2, 12))
@everything
def test_accuracy_densely(name: str, dtype: str, seed: int) -> None:
    within_two_ulp(name, dtype, count=100_000, seed=seed)


@everything
def test_special_values(name: str, dtype: str) -> None:
    """NaN, infinities and the sign of zero are NumPy's; what is finite agrees to a few ulp."""
    x = oracle.special_points(name, dtype)
    z = compile_loop(name, dtype, 8)(*x)
    with np.errstate(all="ignore"):
        expected = oracle.SUBJECTS[name].rival(*x)
    np.testing.assert_array_equal(np.isnan(z), np.isnan(expected))
    np.testing.assert_array_equal(np.signbit(z[~np.isnan(z)]), np.signbit(expected[~np.isnan(z)]))
    exceptional = ~np.isfinite(expected) | (expected == 0)
    np.testing.assert_array_equal(z[exceptional], expected[exceptional])
    info = np.finfo(expected.dtype)
    cancelled = info.eps if name == "logaddexp" else 2 * info.smallest_subnormal
    np.testing.assert_allclose(z, expected, rtol=8 * info.eps, atol=cancelled)


@everything
@pytest.mark.parametrize("lanes", [1, 16])
def test_lanes_do_not_change_the_bits(name: str, dtype: str, lanes: int) -> None:
    x = trial_points(name, dtype)
    assert same_bits(compile_loop(name, dtype, 8)(*x), compile_loop(name, dtype, lanes)(*x))


@pytest.mark.parametrize("lanes", [2, 4, 32])
@pytest.mark.parametrize("name", ["exp", "log", "sin", "pow"])
def test_other_widths_give_the_same_bits(name: str, lanes: int) -> None:
    x = trial_points(name, "f64")
    assert same_bits(compile_loop(name, "f64", 8)(*x), compile_loop(name, "f64", lanes)(*x))


@pytest.mark.parametrize("name", names())
def test_a_processor_without_fused_multiply_add_gives_the_same_bits(name: str) -> None:
    x = trial_points(name, "f64", count=300)
    plain = compile_loop(name, "f64", 4, cpu="", features="")
    assert "vfmadd" not in plain.assembly
    assert same_bits(compile_loop(name, "f64", 8)(*x), plain(*x))


def test_a_huge_angle_in_one_lane_leaves_the_others_alone() -> None:
    x = np.array([0.5, 1e300, -0.0, 2.0, np.inf, 3.0, -1e22, np.nan])
    z = compile_loop("cos", "f64", 8)(*[x])
    np.testing.assert_allclose(z[[0, 2, 3, 5]], np.cos([0.5, 0.0, 2.0, 3.0]), rtol=1e-15)
    np.testing.assert_allclose(z[[1, 6]], [-0.5753861119575491, 0.5232147853951389], rtol=1e-15)
    assert np.isnan(z[[4, 7]]).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["exp", "exp2", "sigmoid"])
def test_a_lane_that_overflows_or_vanishes_leaves_the_others_alone(name: str, dtype: str) -> None:
    x = np.array([0.5, np.inf, -3.0, -np.inf, np.nan, 2.0, -1e30, 60.0], FLOATS[dtype])
    loop = compile_loop(name, dtype, 8)
    top = 1.0 if name == "sigmoid" else np.inf
    np.testing.assert_array_equal(loop(x)[[1, 3, 4, 6]], [top, 0.0, np.nan, 0.0])
    ordinary = x[[0, 2, 5, 7]]
    assert same_bits(loop(x)[[0, 2, 5, 7]], loop(ordinary))


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_holds_where_its_formula_changes(dtype: str) -> None:
    x = np.float64(0.55).astype(FLOATS[dtype])
    x = x + np.spacing(x) * np.arange(-8, 8, dtype=FLOATS[dtype])
    np.testing.assert_allclose(compile_loop("tanh", dtype, 8)(x), np.tanh(x), rtol=2 * np.finfo(x.dtype).eps)


@pytest.mark.parametrize(
    ("name", "x", "z"),
    [
        ("log", 5e-324, -744.4400719213812),
        ("exp", -745.0, 5e-324),
        ("exp", -740.0, 4.2e-322),
        ("exp", 709.782712893384, 1.7976931348622732e308),
        ("expm1", 5e-324, 5e-324),
        ("sinh", 710.4758600739439, 1.7976931348621744e308),
        ("sigmoid", -744.0, 1e-323),
        ("tanh", -5e-324, -5e-324),
        ("log2", 2.0**-1074, -1074.0),
        ("exp2", -1074.0, 5e-324),
        ("exp2", 52.0, 2.0**52),
        ("log2", 2.0**31, 31.0),
        ("log10", 1000.0, 3.0),
    ],
)
def test_values_at_the_ends_of_the_range_and_exact_ones(name: str, x: float, z: float) -> None:
    assert compile_loop(name, "f64", 1)(np.array([x]))[0] == z


@pytest.mark.parametrize("dtype", DTYPES)
def test_pow_of_a_negative_base(dtype: str) -> None:
    """Even integers give |x|^y, odd ones −|x|^y, everything else NaN."""
    x = np.linspace(0.1, 3.0, 64, dtype=FLOATS[dtype])
    power = compile_loop("pow", dtype, 8)
    for y, sign in ((4.0, 1.0), (-2.0, 1.0), (3.0, -1.0), (-7.0, -1.0), (0.5, np.nan), (-1.5, np.nan)):
        exponent = np.full_like(x, y)
        np.testing.assert_array_equal(power(-x, exponent), sign * power(x, exponent))


@pytest.mark.parametrize("dtype", DTYPES)
def test_log2_and_exp2_are_exact_on_powers_of_two(dtype: str) -> None:
    info = np.finfo(FLOATS[dtype])
    n = np.arange(info.minexp - info.nmant, info.maxexp).astype(info.dtype)
    powers = np.ldexp(info.dtype.type(1), n.astype(int))
    np.testing.assert_array_equal(compile_loop("log2", dtype, 8)(powers), n)
    np.testing.assert_array_equal(compile_loop("exp2", dtype, 8)(n), powers)


@everything
def test_machine_code_calls_nothing_outside(name: str, dtype: str) -> None:
    assembly = compile_loop(name, dtype, 8, cpu="x86-64-v3", features="").assembly
    called = set(re.findall(r"\bcallq?\s+(\S+)", assembly))
    assert all(target.startswith(("gg_", "%")) for target in called)


@everything
def test_text_follows_the_contract(name: str, dtype: str) -> None:
    function = define(name, dtype, 8)
    vector = "<8 x double>" if dtype == "f64" else "<8 x float>"
    assert function.symbol == f"@gg_{name}_v8{dtype}"
    assert function.text.startswith(f"define internal {vector} {function.symbol}({vector} %x")
    assert "alwaysinline nounwind" in function.text
    assert not re.search(r"\b(fast|nnan|ninf|nsz|arcp|contract|afn|reassoc)\b", function.text)
    assert define(name, dtype, 1).symbol == f"@gg_{name}_{dtype}"
    assert define(name, dtype, 8) is function


def test_closure_lists_every_need_once_and_first() -> None:
    symbols = [definition.symbol for definition in closure([define("sin", "f64", 8), define("cos", "f64", 8)])]
    assert len(set(symbols)) == len(symbols)
    assert symbols.index("@gg_two_over_pi") < symbols.index("@gg_reduced_huge") < symbols.index("@gg_sin_v8f64")
    assert module_text("sin", "f64", 8).count("define internal { double, i64, double } @gg_reduced_huge") == 1


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="gamma"):
        define("gamma", "f64", 8)


@pytest.mark.fuzz
def test_coefficients_are_what_their_derivation_gives() -> None:
    assert coefficients.TARGET.read_text() == coefficients.write()
