"""What the vector functions should give: exact values from mpmath, special values from NumPy, points worth trying."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from mpmath import mp, mpf
from scipy import special

from gategrad.compiler.codegen.vector_math.builder import DType
from tools.vector_math.loop import FLOATS

Array = np.ndarray
INTEGERS: dict[str, type] = {"f64": np.int64, "f32": np.int32}
ACCURACY = 2.0  # ulp


@dataclass(frozen=True)
class Subject:
    """One function: its exact value, the library function to compare with, and where to try it."""

    exact: Callable[..., mpf]
    rival: Callable[..., Array]
    domain: tuple[float, float] = (-np.inf, np.inf)
    usual: tuple[float, float] = (-3.0, 3.0)
    hard: tuple[float, ...] = ()
    inputs: int = 1


def softplus(x: Array) -> Array:
    return np.logaddexp(np.zeros_like(x), x)


def logaddexp(x: mpf, y: mpf) -> mpf:
    return max(x, y) + mp.log1p(mp.exp(-abs(x - y)))


def quarter_turns() -> tuple[float, ...]:
    """Multiples of π/2 and the two numbers whose distance from one is least for doubles, small and huge."""
    near = [float(k * mp.pi / 2) for k in (*range(1, 30), 2**10 + 1, 2**20 + 1, 2**29 + 1, 10**15)]
    return (*near, 6381956970095103.0 * 2.0**797, 5.319372648326541e255, 1e22, 1e300, 2.0**30, 2.0**128)


EXP_EDGES = (709.782712893384, -745.133219101941, -708.3964185322641, 88.72283935546875, -103.97207, -87.33654)
STEPS = tuple((k + 0.5) * float(mp.log(2)) for k in range(-4, 5))
ROOTS = (0.5**0.5, 2**0.5, 1.0, 2.0, 4.0, 10.0, 1000.0, 0.1)

SUBJECTS: dict[str, Subject] = {
    "exp": Subject(mp.exp, np.exp, hard=EXP_EDGES + STEPS, usual=(-20, 20)),
    "exp2": Subject(lambda x: mp.power(2, x), np.exp2, hard=(1023.9, -1074.5, -1022.0, 127.9, -149.5, 0.5, -0.5)),
    "expm1": Subject(mp.expm1, np.expm1, hard=EXP_EDGES + STEPS + (-37.0, 37.0)),
    "sigmoid": Subject(lambda x: 1 / (1 + mp.exp(-x)), special.expit, hard=(*EXP_EDGES, 36.7, -36.7), usual=(-8, 8)),
    "log": Subject(mp.log, np.log, domain=(0, np.inf), usual=(0, 4), hard=ROOTS),
    "log2": Subject(lambda x: mp.log(x, 2), np.log2, domain=(0, np.inf), usual=(0, 4), hard=ROOTS),
    "log10": Subject(mp.log10, np.log10, domain=(0, np.inf), usual=(0, 4), hard=ROOTS),
    "log1p": Subject(mp.log1p, np.log1p, domain=(-1, np.inf), usual=(-1, 3), hard=tuple(r - 1 for r in ROOTS)),
    "softplus": Subject(lambda x: mp.log1p(mp.exp(x)), softplus, hard=EXP_EDGES, usual=(-8, 8)),
    "tanh": Subject(mp.tanh, np.tanh, hard=(19.06, 9.01, 22.0, 0.1732868), usual=(-4, 4)),
    "sinh": Subject(mp.sinh, np.sinh, hard=(710.4758600739439, 89.4159862922329, *STEPS), usual=(-5, 5)),
    "cosh": Subject(mp.cosh, np.cosh, hard=(710.4758600739439, 89.4159862922329, *STEPS), usual=(-5, 5)),
    "sin": Subject(mp.sin, np.sin, hard=quarter_turns(), usual=(-20, 20)),
    "cos": Subject(mp.cos, np.cos, hard=quarter_turns(), usual=(-20, 20)),
    "tan": Subject(mp.tan, np.tan, hard=quarter_turns(), usual=(-20, 20)),
    "asin": Subject(mp.asin, np.arcsin, domain=(-1, 1), usual=(-1, 1), hard=(0.5, 1.0)),
    "acos": Subject(mp.acos, np.arccos, domain=(-1, 1), usual=(-1, 1), hard=(0.5, 1.0)),
    "atan": Subject(mp.atan, np.arctan, hard=(2**0.5 - 1, 2**0.5 + 1, 1.0, 2.0**60)),
    "asinh": Subject(mp.asinh, np.arcsinh, hard=(1.0, 2.0**60)),
    "acosh": Subject(mp.acosh, np.arccosh, domain=(1, np.inf), usual=(1, 4), hard=(1.0, 2.0**60)),
    "atanh": Subject(mp.atanh, np.arctanh, domain=(-1, 1), usual=(-1, 1), hard=(0.1716, 0.9999999)),
    "erf": Subject(mp.erf, special.erf, hard=(1.0, 5.92, 3.92), usual=(-4, 4)),
    "erfc": Subject(
        lambda x: mp.erfc(min(x, 40)), special.erfc, hard=(0.5, -0.5, 26.54, 27.22, 10.05, -5.9), usual=(-4, 10)
    ),
    "pow": Subject(mp.power, np.power, domain=(0, np.inf), usual=(0, 8), hard=ROOTS, inputs=2),
    "atan2": Subject(mp.atan2, np.arctan2, hard=(2**0.5 - 1, 1.0), inputs=2),
    "hypot": Subject(mp.hypot, np.hypot, hard=(1.0, 2.0**500, 2.0**-400), inputs=2),
    "logaddexp": Subject(logaddexp, np.logaddexp, domain=(-700, 700), usual=(0, 20), inputs=2),
}


def special_values(dtype: DType) -> Array:
    """Zeros, infinities, NaN, ones, the ends of the normal and subnormal numbers, odd and even integers."""
    info = np.finfo(FLOATS[dtype])
    sizes = [0.0, np.inf, 1.0, 0.5, 2.0, 3.0, 4.0, 1.5, info.max, info.tiny, info.smallest_subnormal]
    odd = 2.0 ** (info.nmant + 1) - 1
    sizes += [odd, odd + 1, 1 + info.eps, 1 - info.epsneg]
    return np.array([np.nan, *sizes, *(-size for size in sizes)], FLOATS[dtype])


def special_points(name: str, dtype: DType) -> tuple[Array, ...]:
    """The special values, in every pair for two inputs."""
    values = special_values(dtype)
    if SUBJECTS[name].inputs == 1:
        return (values,)
    return tuple(grid.ravel() for grid in np.meshgrid(values, values, indexing="ij"))


def _line(subject: Subject, dtype: DType, rng: np.random.Generator, count: int) -> Array:
    """Numbers of every exponent, numbers of the usual size, and the neighbours of the hard ones."""
    kind = FLOATS[dtype]
    bits = np.iinfo(INTEGERS[dtype])
    every = rng.integers(bits.min, bits.max, count // 3, INTEGERS[dtype]).view(kind)
    low, high = (max(-700.0, subject.domain[0]), min(700.0, subject.domain[1]))
    usual = [rng.uniform(*subject.usual, count // 3), rng.uniform(low, high, count // 3)]
    hard = np.array([h for h in subject.hard if abs(h) <= np.finfo(kind).max], kind)
    near = [hard + np.spacing(hard) * step for step in range(-3, 4)]
    points = np.concatenate([every, *usual, *near, *(-part for part in near)]).astype(kind)
    return points[np.isfinite(points) & (points >= subject.domain[0]) & (points <= subject.domain[1])]


def points(name: str, dtype: DType, count: int, seed: int = 0) -> tuple[Array, ...]:
    """About `count` inputs inside the domain, hard ones among them."""
    rng = np.random.default_rng(seed)
    subject = SUBJECTS[name]
    with np.errstate(all="ignore"):
        x = _line(subject, dtype, rng, count)
        if subject.inputs == 1:
            return (x,)
        if name == "pow":
            return _powers(x, dtype, rng)
        y = rng.permutation(x)
        nearby = (x * rng.uniform(0.25, 4, x.size)).astype(x.dtype)
        y = np.where(rng.random(x.size) < 0.5, np.where(np.isfinite(nearby), nearby, y), y)
    return x, np.clip(y, *subject.domain).astype(x.dtype)


def _powers(x: Array, dtype: DType, rng: np.random.Generator) -> tuple[Array, ...]:
    """Exponents that spread the results over the whole range, and beyond it a little."""
    x = np.concatenate([x, 1 + rng.normal(size=x.size) * 10.0 ** rng.uniform(-7, -1, x.size)]).astype(x.dtype)
    x = x[x > 0]
    logarithm = np.log(x.astype(np.float64))
    reach = 760.0 if dtype == "f64" else 110.0
    targets = rng.uniform(-reach, reach, x.size)
    y = np.where(logarithm == 0, 1.0, targets / np.where(logarithm == 0, 1.0, logarithm))
    return x, np.clip(y, -np.finfo(x.dtype).max, np.finfo(x.dtype).max).astype(x.dtype)


def ulps(z: float, exact: mpf, dtype: DType) -> float:
    """How far a result is from the exact value, in units of the last place of the exact value."""
    info = np.finfo(FLOATS[dtype])
    top = mpf(2) ** int(info.maxexp)
    exact = max(-top, min(top, exact))
    value = mp.sign(z) * top if np.isinf(z) else mpf(float(z))
    exponent = mp.frexp(exact)[1] - 1 if exact else -100_000
    place = mpf(2) ** (min(max(exponent, int(info.minexp)), int(info.maxexp) - 1) - int(info.nmant))
    return float(abs(value - exact) / place)


def errors(name: str, dtype: DType, inputs: tuple[Array, ...], z: Array) -> Array:
    """The error in ulp at every point; where logaddexp cancels, in ulp of the terms of its sum."""
    with mp.workprec(160):
        exact = [SUBJECTS[name].exact(*(mpf(float(v)) for v in row)) for row in zip(*inputs, strict=True)]
        result = np.array([ulps(value, e, dtype) for value, e in zip(z, exact, strict=True)])
        if name == "logaddexp":
            larger = np.maximum(*inputs)
            terms = np.maximum(np.abs(larger), np.abs(z - larger))
            result *= np.minimum(1.0, np.spacing(np.abs(z)) / np.spacing(terms))
    return result
