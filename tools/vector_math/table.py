"""Measures every vector function and writes docs/vector_math.md.

    PYTHONPATH=src python -m tools.vector_math.table [--points 30000]

Takes a minute. Accuracy is against mpmath at random and hard points; speed is the best of interleaved runs over
4,096 elements in cache, beside NumPy (SciPy for erf, erfc and the sigmoid).
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm
import numpy as np
import scipy

from gategrad.compiler.codegen.vector_math import names
from gategrad.compiler.codegen.vector_math.builder import DType
from tools.vector_math import oracle
from tools.vector_math.loop import Loop, host_features

TARGET = Path("docs/vector_math.md")
SIZE = 4096
HEADER = """# Vector math: accuracy and speed

Elementary functions as the compiler emits them (`src/gategrad/compiler/codegen/vector_math`). Written by

    PYTHONPATH=src python -m tools.vector_math.table

- **ulp**: the largest and the mean error against mpmath, in units of the last place of the exact value, over {points:,}
  points or more: numbers of every exponent, numbers of the usual size, and the neighbours of hard ones (thresholds of overflow
  and of subnormal results, multiples of π/2, branch points). Where `logaddexp` cancels, as
  NumPy's does too, it is measured in ulp of the terms of its sum. Every function is required to stay within {accuracy:g} ulp.
- **ns**: per element, over {size:,} elements in cache, one vector at a time ({lanes}); **×2**: two vectors at a time,
  which hides the latency of the longer functions. **NumPy**: the same loop in NumPy or SciPy (erf, erfc, sigmoid).
- Special values (±0, ±inf, NaN, subnormal numbers, the whole table of pow) are NumPy's.
- But for NaNs, the bits are the same at every vector width and on every processor, with and without a fused multiply-add (without, LLVM
  calls the C library's `fma`, which is slow but exact).
- `sin`, `cos` and `tan` take a guarded branch for vectors that hold an angle beyond 2³⁰: about 10 ns for each lane of it.
- The sign and payload of a NaN are not specified, as in IEEE 754. `pow` is bound by the latency of its long chain of double-double
  steps; x², √x and small integer powers deserve their own instructions.

The text of any of them can be read:

```python
>>> from gategrad.compiler.codegen.vector_math import define, names
>>> "tanh" in names()
True
>>> print(define("sigmoid", "f32", 16).text.splitlines()[0])
define internal <16 x float> @gg_sigmoid_v16f32(<16 x float> %x) alwaysinline nounwind {{

```

Measured on {machine}, LLVM {llvm}, llvmlite {llvmlite}, NumPy {numpy}, SciPy {scipy}, one thread.

| function | dtype | ulp max | ulp mean | ns | ns ×2 | NumPy ns |
|---|---|---:|---:|---:|---:|---:|
"""


def native_lanes(dtype: DType) -> int:
    bits = 512 if "+avx512f" in host_features() else 256 if "+avx2" in host_features() else 128
    return bits // int(dtype[1:])


def timing_inputs(name: str, dtype: DType) -> list[np.ndarray]:
    """Numbers of the usual size, none of them on a rare path."""
    rng = np.random.default_rng(0)
    subject = oracle.SUBJECTS[name]
    low, high = subject.usual
    inset = (high - low) * 0.01
    return [rng.uniform(low + inset, high - inset, SIZE).astype(oracle.FLOATS[dtype]) for _ in range(subject.inputs)]


def interleaved(runs: list[Callable[[], object]], rounds: int = 15, calls: int = 60) -> list[float]:
    """The best time of each, in nanoseconds per element."""
    best = [float("inf")] * len(runs)
    for _ in range(rounds):
        for i, run in enumerate(runs):
            start = time.perf_counter()
            for _ in range(calls):
                run()
            best[i] = min(best[i], (time.perf_counter() - start) / calls / SIZE * 1e9)
    return best


def row(name: str, dtype: DType, count: int) -> str:
    lanes = native_lanes(dtype)
    points = oracle.points(name, dtype, count, seed=3)
    errors = oracle.errors(name, dtype, points, Loop(name, dtype, lanes)(*points))
    inputs = timing_inputs(name, dtype)
    runs = [Loop(name, dtype, wide).bound(*inputs) for wide in (lanes, 2 * lanes)]
    runs.append(partial(oracle.SUBJECTS[name].rival, *inputs))
    with np.errstate(all="ignore"):
        one, two, library = interleaved(runs)
    worst, mean = errors.max(), errors.mean()
    return f"| {name} | {dtype} | {worst:.2f} | {mean:.2f} | {one:.2f} | {two:.2f} | {library:.2f} |\n"


def page(count: int) -> str:
    text = HEADER.format(
        points=count * 4 // 5,
        accuracy=oracle.ACCURACY,
        size=SIZE,
        lanes=", ".join(f"{native_lanes(dtype)} lanes of {dtype}" for dtype in ("f64", "f32")),
        machine=f"{llvm.get_host_cpu_name()} ({platform.system()} {platform.machine()})",
        llvm=".".join(map(str, llvm.llvm_version_info)),
        llvmlite=llvmlite.__version__,
        numpy=np.__version__,
        scipy=scipy.__version__,
    )
    return text + "".join(row(name, dtype, count) for name in names() for dtype in ("f64", "f32"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=30_000)
    TARGET.write_text(page(parser.parse_args().points))
