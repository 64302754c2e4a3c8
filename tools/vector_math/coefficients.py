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


def erfc_scaled(x: mpf) -> mpf:
    return mp.erfc(x) * (1 + 2 * x) * mp.exp(x * x)


def tanh_term(n: int) -> mpf:
    """The coefficient of t^(2n − 1) in the power series of tanh(t)."""
    return mpf(4) ** n * (mpf(4) ** n - 1) * mp.bernoulli(2 * n) / mp.factorial(2 * n)


def approximations() -> dict[str, Approximation]:
    half = mpf("0.5005")
    half_ln2 = mp.log(2) / 2 * mpf("1.001")
    octave = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mpf("1.001")
    eighth_turn = (mp.pi / 4) ** 2 * mpf("1.001")
    tanh_tail = series(lambda i: tanh_term(i + 2))
    return {
        "exp": Approximation(
            "exp(t) = 1 + t + t² P(t)", series(lambda i: 1 / mp.factorial(i + 2)), abs, -half_ln2, half_ln2
        ),
        "log": Approximation(
            "2 artanh(s) = 2s + s³ P(s²)", series(lambda i: mpf(2) / (2 * i + 3)), lambda t: t / 2, mpf(0), octave
        ),
        "log_tail": Approximation(
            "2 artanh(s) = 2s + 2s³/3 + s⁵ P(s²)",
            series(lambda i: mpf(2) / (2 * i + 5)),
            lambda t: t * t / 2,
            mpf(0),
            octave,
            bits=(68, 40),
        ),
        "erf": Approximation(
            "erf(t) = t + t P(t²)",
            lambda t: mp.erf(mp.sqrt(t)) / mp.sqrt(t) - 1,
            lambda t: mpf(1),
            mpf("1e-40"),
            mpf(1),
            bits=(56, 29),
        ),
        "log2_erfc": Approximation(
            "erfc(t) = 2^(−P(t))",
            lambda t: -mp.log(mp.erfc(t), 2),
            lambda t: mp.erfc(t),
            mpf(1),
            mpf(6),
            bits=(57, 28),
        ),
        "erfc": Approximation(
            "erfc(x) (1 + 2x) exp(x²) = P((x − 2)/(x + 2))",
            lambda t: erfc_scaled(2 * (1 + t) / (1 - t)),
            lambda t: mpf(1),
            (mpf("0.499") - 2) / (mpf("0.499") + 2),
            mpf(26) / 30,
        ),
        "exp2": Approximation(
            "2^t = 1 + t P(t)",
            series(lambda i: mp.log(2) ** (i + 1) / mp.factorial(i + 1)),
            lambda t: mpf(1) / 2,
            -half,
            half,
            bits=(57, 28),
        ),
        "sin": Approximation(
            "sin(t) = t + t³ P(t²)",
            series(lambda i: (-1) ** (i + 1) / mp.factorial(2 * i + 3)),
            lambda t: t,
            mpf(0),
            eighth_turn,
        ),
        "cos": Approximation(
            "cos(t) = 1 − t²/2 + t⁴ P(t²)",
            series(lambda i: (-1) ** i / mp.factorial(2 * i + 4)),
            lambda t: t * t,
            mpf(0),
            eighth_turn,
        ),
        "sinh": Approximation(
            "sinh(t) = t + t³ P(t²)",
            series(lambda i: 1 / mp.factorial(2 * i + 3)),
            lambda t: t,
            mpf(0),
            half_ln2**2,
        ),
        "cosh": Approximation(
            "cosh(t) = 1 + t² P(t²)",
            series(lambda i: 1 / mp.factorial(2 * i + 2)),
            lambda t: t,
            mpf(0),
            half_ln2**2,
        ),
        "tanh": Approximation(
            "tanh(t) = t + t³ P(t²)", tanh_tail, lambda t: t, mpf(0), mpf("0.551") ** 2, bits=(55, 29)
        ),
        "tanh_near_zero": Approximation(
            "tanh(t) = t + t³ P(t²)", tanh_tail, lambda t: t, mpf(0), (half_ln2 / 2) ** 2, bits=(57, 29)
        ),
        "atan": Approximation(
            "atan(t) = t + t³ P(t²)",
            series(lambda i: mpf((-1) ** (i + 1)) / (2 * i + 3)),
            lambda t: t,
            mpf(0),
            mp.tan(mp.pi / 8) ** 2 * mpf("1.001"),
        ),
        "asin": Approximation(
            "asin(t) = t + t³ P(t²)",
            series(lambda i: mp.binomial(2 * i + 2, i + 1) / mpf(4) ** (i + 1) / (2 * i + 3)),
            lambda t: t,
            mpf(0),
            mpf("0.2501"),
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
    full = {
        "ln2": mp.log(2),
        "log2e": 1 / mp.log(2),
        "log10e": 1 / mp.log(10),
        "two_thirds": mpf(2) / 3,
        "half_pi": mp.pi / 2,
        "quarter_pi": mp.pi / 4,
        "two_over_pi": 2 / mp.pi,
    }
    table = {name: {"f64": parts(value, 53), "f32": parts(value, 24)} for name, value in full.items()}
    # A first part so short that its product with any exponent is exact.
    for name, value in {"ln2_short": mp.log(2), "log10_2_short": mp.log10(2)}.items():
        table[name] = {"f64": parts(value, 53, first=41), "f32": parts(value, 24, first=15)}
    return table


def tuples(table: dict[str, list[mpf]]) -> str:
    text = ""
    for dtype, numbers in table.items():
        text += f"        {dtype!r}: (\n"
        text += "".join(f"            {float(number)!r},\n" for number in numbers)
        text += "        ),\n"
    return text


@mp.workprec(200)
def write() -> str:
    """The whole text of the package's coefficients.py."""
    text = HEADER + "POLYNOMIALS: Mapping[str, Mapping[str, tuple[float, ...]]] = {\n"
    for name, approximation in approximations().items():
        text += f"    # {approximation.formula}\n    {name!r}: {{\n{tuples(approximation.solve())}    }},\n"
    text += "}\n\nCONSTANTS: Mapping[str, Mapping[str, tuple[float, ...]]] = {\n"
    for name, table in constants().items():
        text += f"    {name!r}: {{\n{tuples(table)}    }},\n"
    words = "".join(f"    0x{word:016X},\n" for word in two_over_pi_words())
    text += f"}}\n\n# The binary digits of 2/π behind the point, after 64 zeros.\nTWO_OVER_PI_WORDS: tuple[int, ...] = (\n{words})\n"
    return text.replace("'", '"')


def two_over_pi_words(count: int = 20) -> list[int]:
    """Enough digits for the largest double: its lowest bit weighs 2^971, and 192 digits from there on are read."""
    bits = 64 * (count - 1)
    with mp.workprec(bits + 64):
        digits = int(mp.floor(2 / mp.pi * mpf(2) ** bits))
    return [digits >> (64 * i) & (2**64 - 1) for i in reversed(range(count))]


if __name__ == "__main__":
    TARGET.write_text(write())
