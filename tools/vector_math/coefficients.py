"""Derives the polynomials of gategrad.compiler.codegen.vector_math and writes them to its coefficients.py.

    python -m tools.vector_math.coefficients
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mpmath import mp, mpf

from tools.vector_math.remez import Real, shortest

TARGET = Path("src/gategrad/compiler/codegen/vector_math/coefficients.py")
HEADER = '''"""Minimax polynomials (lowest coefficient first) and constants (as sums of floats). Written by `python -m tools.vector_math.coefficients`."""

from __future__ import annotations

from collections.abc import Mapping

'''


@dataclass(frozen=True)
class Approximation:
    """P(t) ≈ f(t) on an interval, |weight·(P − f)| within 2**-bits of each dtype."""

    formula: str
    f: Real
    weight: Real
    low: mpf
    high: mpf
    bits: tuple[int, int] = (58, 29)

    def solve(self) -> dict[str, list[mpf]]:
        goals = zip(("f64", "f32"), self.bits, strict=True)
        return {dtype: shortest(self.f, self.weight, self.low, self.high, mpf(2) ** -bits) for dtype, bits in goals}


def series(terms: Callable[[int], mpf]) -> Real:
    """The power series Σ terms(i)·tⁱ, for functions whose closed form cancels near zero."""
    coefficients = [terms(i) for i in range(200)]

    def f(t: mpf) -> mpf:
        total, power = mpf(0), mpf(1)
        for c in coefficients:
            step = c * power
            total += step
            if abs(step) < mpf(2) ** -(mp.prec + 10):
                break
            power *= t
        return total

    return f


def approximations() -> dict[str, Approximation]:
    half_ln2 = mp.log(2) / 2 * mpf("1.001")
    octave = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mpf("1.001")
    eighth_turn = (mp.pi / 4) ** 2 * mpf("1.001")
    return {
        "exp": Approximation(
            "exp(t) = 1 + t + t² P(t)", series(lambda i: 1 / mp.factorial(i + 2)), abs, -half_ln2, half_ln2
        ),
        "log": Approximation(
            "2 artanh(s) = 2s + s³ P(s²)", series(lambda i: mpf(2) / (2 * i + 3)), lambda t: t / 2, mpf(0), octave
        ),
    }


def parts(value: mpf, bits: int, first: int | None = None, count: int = 3) -> list[mpf]:
    """A sum of floats of the given number of bits (the first may be shorter) that equals the value."""
    found: list[mpf] = []
    for width in [first or bits] + [bits] * (count - 1):
        with mp.workprec(width):
            part = +value
        found.append(part)
        value = value - part
    return found


def constants() -> dict[str, dict[str, list[mpf]]]:
    full = {"ln2": mp.log(2), "log2e": 1 / mp.log(2)}
    table = {name: {"f64": parts(value, 53), "f32": parts(value, 24)} for name, value in full.items()}
    # A first part so short that its product with any exponent is exact.
    table["ln2_short"] = {"f64": parts(mp.log(2), 53, first=41), "f32": parts(mp.log(2), 24, first=15)}
    return table


def tuples(table: dict[str, list[mpf]]) -> str:
    text = ""
    for dtype, numbers in table.items():
        text += f"        {dtype!r}: (\n"
        text += "".join(f"            {float(number)!r},\n" for number in numbers)
        text += "        ),\n"
    return text


def write() -> str:
    text = HEADER + "POLYNOMIALS: Mapping[str, Mapping[str, tuple[float, ...]]] = {\n"
    for name, approximation in approximations().items():
        text += f"    # {approximation.formula}\n    {name!r}: {{\n{tuples(approximation.solve())}    }},\n"
    text += "}\n\nCONSTANTS: Mapping[str, Mapping[str, tuple[float, ...]]] = {\n"
    for name, table in constants().items():
        text += f"    {name!r}: {{\n{tuples(table)}    }},\n"
    return (text + "}\n").replace("'", '"')


if __name__ == "__main__":
    mp.prec = 200
    TARGET.write_text(write())
