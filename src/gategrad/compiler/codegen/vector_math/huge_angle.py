"""The reduction of huge angles by π/2, with as many digits of 2/π as it takes (Payne and Hanek).

|x| = M·2^E with an integer M below 2⁵³. Of the digits of 2/π, those that M·2^E turns into multiples of 4 quarter
turns are skipped; M times the 192 digits after them holds the quarter turns in its top two bits and the fraction below.
One angle at a time: vectors with a huge lane are rare.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

from gategrad.compiler.codegen.vector_math.arithmetic import fast_two_sum, flipped, fma, select
from gategrad.compiler.codegen.vector_math.builder import Body, Definition, Type, Value
from gategrad.compiler.codegen.vector_math.coefficients import TWO_OVER_PI_WORDS
from gategrad.compiler.codegen.vector_math.precision import constant_parts

DOUBLE, WORD, LONG = Type("f", 64), Type("i", 64), Type("i", 128)
PART = 42  # the 126 bits of the fraction are read as three numbers of 42 bits, each of them exact as a double

DIGITS = Definition(
    "@gg_two_over_pi",
    f"@gg_two_over_pi = private unnamed_addr constant [{len(TWO_OVER_PI_WORDS)} x i64] "
    f"[{', '.join(f'i64 {word}' for word in TWO_OVER_PI_WORDS)}]\n",
)


def digits_from(position: Value) -> list[Value]:
    """192 digits of 2/π as three words, starting at a position among the stored ones."""
    body = position.body
    body.require(DIGITS)
    index, shift = position >> 6, position & 63
    words = []
    for i in range(4):
        place = index + i
        pointer = f"getelementptr [{len(TWO_OVER_PI_WORDS)} x i64], ptr {DIGITS.symbol}, i64 0, i64 {place.name}"
        address = body.emit(WORD, pointer)
        words.append(body.emit(WORD, f"load i64, ptr {address.name}, align 8"))
    return [body.intrinsic("fshl", high, low, shift) for high, low in pairwise(words)]


def quarter_turns(x: Value) -> Value:
    """|x|·2/π modulo 4, in units of 2⁻¹²⁶."""
    bits = x.bits()
    exponent = (bits >> 52) & 0x7FF
    fraction = (bits & ((1 << 52) - 1)) | (1 << 52)
    # E = exponent − 1075; the digit of weight 2 in the product is stored E + 62 digits from the start.
    first, second, third = digits_from(exponent + (62 - 1075))
    m, middle, low = (value.convert("zext", LONG) for value in (fraction, second, third))
    carried = m * middle + ((m * low) >> 64)
    high = (fraction * first).convert("zext", LONG)
    return (high << 64) + carried


def fraction_of(turns: Value) -> tuple[Value, Value]:
    """The part of the turns beyond the nearest integer, as a sum of two floats between −½ and ½."""
    body = turns.body
    signed = body.emit(LONG, f"ashr i128 {(turns << 2).name}, 2")
    top = body.emit(LONG, f"ashr i128 {signed.name}, {2 * PART}")
    parts = [top, (signed >> PART) & ((1 << PART) - 1), signed & ((1 << PART) - 1)]
    numbers = []
    for i, part in enumerate(parts, start=1):
        number = part.convert("trunc", WORD).convert("sitofp", DOUBLE)
        numbers.append(number * 2.0 ** (-PART * i))
    high, error = fast_two_sum(numbers[0], numbers[1])
    return fast_two_sum(high, error + numbers[2])


@cache
def scalar_reduction() -> Definition:
    body = Body(goal="f64")
    x = Value(body, DOUBLE, "%x")
    turns = quarter_turns(x)
    high, low = fraction_of(turns)
    first, second, _ = constant_parts("half_pi", x)
    r = high * first
    r_low = fma(high, first, -r) + fma(high, second, low * first)
    count = ((turns + (1 << 125)) >> 126).convert("trunc", WORD)
    below = x < 0.0
    results = (flipped(r, below), select(below, 0 - count, count), flipped(r_low, below))
    name, lines = "undef", body.lines
    for i, value in enumerate(results):
        lines.append(f"  %s{i} = insertvalue {STRUCT} {name}, {value.type.text} {value.name}, {i}")
        name = f"%s{i}"
    symbol = "@gg_reduced_huge"
    text = "\n".join(
        (
            f"define internal {STRUCT} {symbol}(double %x) noinline cold nounwind {{",
            *lines,
            f"  ret {STRUCT} {name}\n}}\n",
        )
    )
    return Definition(symbol, text, tuple(body.needs.values()))


STRUCT = "{ double, i64, double }"


def reduced_huge(x: Value) -> list[Value]:
    """r, the quarter turns and r_low of every lane, for 1 ≤ |x| < inf."""
    body, lanes = x.body, x.type.lanes
    reduction = scalar_reduction()
    body.require(reduction)
    types = (x.type, x.type.of("i", 64), x.type)
    vectors = ["poison"] * 3
    for lane in range(lanes):
        one = x.name if lanes == 1 else body.emit(DOUBLE, f"extractelement {x.type.text} {x.name}, i32 {lane}").name
        result = body.emit(DOUBLE, f"call {STRUCT} {reduction.symbol}(double {one})")
        for i, type in enumerate(types):
            item = body.emit(Type(type.kind, 64), f"extractvalue {STRUCT} {result.name}, {i}")
            if lanes > 1:
                insertion = f"insertelement {type.text} {vectors[i]}, {type.element} {item.name}, i32 {lane}"
                item = body.emit(type, insertion)
            vectors[i] = item.name
    return [Value(body, type, name) for type, name in zip(types, vectors, strict=True)]
