"""Expressions: what is accepted means what NumPy means by it; everything else is refused with its place."""

import ast
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gategrad as gg
from gategrad.cli.parse import parse
from gategrad.cli.refusal import Refusal
from gategrad.gate import ufuncs

VALUES = {"x": 0.7, "y": -1.3, "z": 2.5, "v": np.array([1.0, -2.0, 3.0]), "W": np.array([[1.0, 2.0], [3.0, 4.0]])}


def refusal(text, values=VALUES):
    with pytest.raises(Refusal) as caught:
        parse(text)(values)
    return caught.value.report()


# --- accepted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + y", 0.7 - 1.3),
        ("x - y * z", 0.7 + 1.3 * 2.5),
        ("(x - y) * z", 2.0 * 2.5),
        ("-x ** 2", -(0.7**2)),
        ("2 ** 3 ** 2", 512.0),
        ("2 ** -1", 0.5),
        ("1 / 2", 0.5),
        ("+x", 0.7),
        ("- -x", 0.7),
        ("1e-3 + .5 + 1_000", 1000.501),
        ("0x10", 16.0),
        ("exp(x)", np.exp(0.7)),
        ("abs(y) + absolute(y)", 2.6),
        ("asin(x) - arcsin(x)", 0.0),
        ("maximum(x, y)", 0.7),
        ("where(x > y, 1, 2)", 1.0),
        ("where(x <= y, 1, 2)", 2.0),
        ("sigmoid(0) + relu(-1)", 0.5),
        ("pi + e", np.pi + np.e),
        ("log(0)", -np.inf),
        ("1 / 0", np.inf),
        ("-inf", -np.inf),
        ("9 ** 9 ** 9", np.inf),
        ("x\n  + y", -0.6),
        ("\tx+\ty ", -0.6),
        ("x · y × z ÷ 2 − 1", 0.7 * -1.3 * 2.5 / 2 - 1),
    ],
)
def test_numbers(text, expected):
    with np.errstate(all="ignore"):
        assert parse(text)(VALUES) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v * 2", [2.0, -4.0, 6.0]),
        ("[1, 2, 3] + v", [2.0, 0.0, 6.0]),
        ("[[1, 2], [3, 4]] - W", np.zeros((2, 2))),
        ("[x, 2*x]", [0.7, 1.4]),
        ("v[0]", 1.0),
        ("v[-1]", 3.0),
        ("v[1:]", [-2.0, 3.0]),
        ("v[::-1]", [3.0, -2.0, 1.0]),
        ("v[[0, 2]]", [1.0, 3.0]),
        ("v[v > 0]", [1.0, 3.0]),
        ("W[0, 1]", 2.0),
        ("W[0][1]", 2.0),
        ("W[:, 0]", [1.0, 3.0]),
        ("W[..., None][1, 1]", [4.0]),
        ("W @ W", [[7.0, 10.0], [15.0, 22.0]]),
    ],
)
def test_arrays(text, expected):
    np.testing.assert_allclose(parse(text)(VALUES), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum(v)", 2.0),
        ("sum(W, axis=0)", [4.0, 6.0]),
        ("sum(W, 0)", [4.0, 6.0]),
        ("sum(W, axis=(0, 1), keepdims=True)", [[10.0]]),
        ("mean(v, axis=-1)", 2.0 / 3.0),
        ("reshape(W, (4, 1))", [[1.0], [2.0], [3.0], [4.0]]),
        ("transpose(W)", [[1.0, 3.0], [2.0, 4.0]]),
        ("einsum('ij,jk->ik', W, W)", [[7.0, 10.0], [15.0, 22.0]]),
        ("concatenate([v, v[:1]])", [1.0, -2.0, 3.0, 1.0]),
        ("concatenate((v, v[:1]))", [1.0, -2.0, 3.0, 1.0]),
        ("stack([v, v])", [[1.0, -2.0, 3.0], [1.0, -2.0, 3.0]]),
        ("dot(v, [1, 1, 1])", 2.0),
        ("logsumexp([0, 0])", np.log(2.0)),
    ],
)
def test_functions_of_arrays(text, expected):
    np.testing.assert_allclose(parse(text)(VALUES), expected)
    variables = {name: gg.variable(value) for name, value in VALUES.items()}
    np.testing.assert_allclose(getattr(parse(text)(variables), "value", expected), expected)


def test_names_in_order_of_appearance():
    assert parse("b * a + exp(b) - c").names == ("b", "a", "c")


def test_a_value_comes_before_a_constant():
    assert parse("e * pi")({"e": 2.0, "pi": 3.0}) == 6.0


def test_names_of_other_scripts_keep_their_columns():
    assert parse("λ * größe")({"λ": 2.0, "größe": 3.0}) == 6.0
    assert refusal("λ + größe", {"λ": 1.0}).splitlines()[-1] == "        ^^^^^"


def test_every_ufunc_with_a_gate_can_be_called():
    for ufunc in ufuncs:
        if ufunc.nin == 1 and getattr(np, ufunc.__name__, None) is ufunc:
            with np.errstate(all="ignore"):
                np.testing.assert_equal(parse(f"{ufunc.__name__}(x)")({"x": 0.3}), float(ufunc(0.3)))


def test_a_gate_of_the_users_is_known_at_once(monkeypatch):
    monkeypatch.setitem(ufuncs, np.spacing, None)
    assert parse("spacing(x)")({"x": 1.0}) == np.spacing(1.0)


# --- against NumPy, by chance

LEAVES = st.sampled_from(["x", "y", "z", "N(2)", "N(0.5)", "N(3)"])


def _compound(parts):
    binary = st.tuples(st.sampled_from(["+", "-", "*", "/", "**"]), parts, parts).map(
        lambda t: f"({t[1]} {t[0]} {t[2]})"
    )
    negative = parts.map(lambda a: f"-{a}")
    unary = st.tuples(st.sampled_from(["exp", "sin", "tanh", "sqrt", "abs", "square"]), parts).map(
        lambda t: f"{t[0]}({t[1]})"
    )
    chosen = st.tuples(parts, st.sampled_from(["<", ">", "<=", ">=", "==", "!="]), parts).map(
        lambda t: f"where({t[0]} {t[1]} {t[2]}, {t[0]}, {t[2]})"
    )
    return binary | negative | unary | chosen


EXPRESSIONS = st.recursive(LEAVES, _compound, max_leaves=12)


@settings(max_examples=150, deadline=None, derandomize=True)  # a chance cancellation would magnify the last place
@given(EXPRESSIONS, st.tuples(*[st.floats(-4, 4)] * 3))
def test_random_expressions_agree_with_numpy(text, numbers):
    values = dict(zip("xyz", numbers, strict=True))
    with np.errstate(all="ignore"):
        ours = parse(text.replace("N(", "("))(values)
        theirs = eval(
            text, {**vars(np), "N": np.float64, **{name: np.float64(value) for name, value in values.items()}}
        )
    np.testing.assert_allclose(float(ours), float(theirs), rtol=1e-12)  # pow of floats and of doubles: 1 ulp apart


GARBAGE = st.text() | st.text(alphabet="xyzef0123456789.+-*/%()[]{}@,=<>:'\"#&|~^!?\\ \t\n_λ·−", max_size=30)


@settings(max_examples=500, deadline=None)
@given(GARBAGE)
def test_garbage_is_refused_and_never_raises_anything_else(text):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error")
        try:
            parse(text)({"x": 1.0, "y": np.array([1.0, 2.0])})
        except Refusal as refusal:
            report = refusal.report()
            assert report.startswith("gategrad: ")
            assert all(line.isprintable() for line in report.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "x" + ")" * 10_000,
        "-" * 100_000 + "x",
        "x" + " + x" * 100_000,
        "x" + " ** x" * 50_000,
        "[" * 10_000,
        "x" + "[0]" * 100_000,
        "exp(" * 10_000 + "x" + ")" * 10_000,
    ],
    ids=["parentheses", "signs", "sums", "powers", "lists", "indices", "calls"],
)
def test_deep_nesting(text):
    assert refusal(text) == "gategrad: the expression is nested too deeply to read\n  split it into smaller expressions"


# --- refused: the message, the mark, the advice


def marked(text, mark, message, *advice):
    """The whole report on a text, of which `mark` is at fault."""
    start = text.index(mark)
    lines = [
        f"gategrad: {message}",
        f"    {text}",
        " " * (4 + start) + "^" * len(mark),
        *(f"  {line}" for line in advice),
    ]
    return "\n".join(lines)


CANNOT = "cannot be part of an expression"


@pytest.mark.parametrize(
    ("text", "mark", "message", "advice"),
    [
        ("x ^ 2", "^", "the operator '^' has no gate", ["powers are written **"]),
        ("x // (2)", "//", "the operator '//' has no gate", ["division is written /"]),
        ("(x) % y", "%", "the operator '%' has no gate", []),
        ("x << 2", "<<", "the operator '<<' has no gate", []),
        ("np.exp(x)", "np.exp", "only a function's name can be called", ["write exp without np."]),
        ("v.sum()", "v.sum", "only a function's name can be called", ["write a function: sum(x) rather than x.sum()"]),
        ("W.T", "W.T", f"a name with a dot {CANNOT}", ["write transpose(...)"]),
        ("x if y else z", "x if y else z", f"if ... else {CANNOT}", ["write where(condition, then, otherwise)"]),
        ("x and y", "x and y", f"and/or {CANNOT}", ["write where(condition, then, otherwise), one inside the other"]),
        ("not x", "not x", f"'not' or '~' {CANNOT}", []),
        ("0 < x < 1", "0 < x < 1", f"a chain of comparisons {CANNOT}", []),
        ("exp(lambda: 1)", "lambda: 1", f"lambda {CANNOT}", []),
        ("exp((x := 2))", "x := 2", f"an assignment {CANNOT}", ["values are arguments of their own, as in x=2"]),
        ("x + {1: 2}", "{1: 2}", f"this {CANNOT}", []),
        ("x + [a for a in y]", "[a for a in y]", f"this {CANNOT}", []),
        ("x, y", "x, y", f"a tuple {CANNOT}", []),
        ("x + f'{y}'", "f'{y}'", f"a text {CANNOT}", []),
        ("exp(*x)", "*x", f"* {CANNOT}", []),
        ("exp(**v)", "v", f"** {CANNOT}", []),
        ("x # y", "#", f"the character '#' {CANNOT}", []),
        ("x + '1'", "x + '1'", "+ takes numbers and arrays, not '1'", []),
        ("2j * x", "2j", "2j is not a number", []),
        ("exp(None)", "exp(None)", "exp takes numbers and arrays, not None", []),
        ("1e999 * x", "1e999", "this number is too large", ["the largest is 1.8e308; or write inf"]),
        ("x[i]", "i", "an index is made of integers, as in x[0] or x[1:3]", []),
        ("exp(x, y)", "exp(x, y)", "exp takes 1 value, but here are 2", []),
        ("where(x > 0, out=y)", "y", "an option is a number or a word", []),
        ("(x", "(", "'(' was never closed", []),
        ("x)", ")", "unmatched ')'", []),
        ("2x", "2", "the expression cannot be read from here on", ["write the multiplication: 2*x"]),
        ("x y", "y", "the expression cannot be read from here on", ["is an operator missing, as in x * y?"]),
        (
            "x = 3",
            "=",
            "the expression cannot be read from here on",
            ["an expression has no '=': values are arguments of their own, as in x=2"],
        ),
        ("lambda * x", "lambda", "'lambda' is a reserved word: use another name", []),
        ("x[5]", "x[5]", "a single number has no elements to choose from", []),
    ],
)
def test_refused(text, mark, message, advice):
    assert refusal(text) == marked(text, mark, message, *advice)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__",
        "open('f')",
        "eval('1')",
        "x.__class__",
        "exec('')",
        "print(x)",
    ],
)
def test_nothing_of_python_is_within_reach(text):
    assert refusal(text).startswith(
        ("gategrad: only a function's name can be called", "gategrad: unknown", "gategrad: a name")
    )


def test_unknown_function():
    lines = refusal("foo(x) + 1").splitlines()
    assert lines[:4] == ["gategrad: unknown function 'foo'", "    foo(x) + 1", "    ^^^", "  did you mean 'floor'?"]
    assert lines[4].startswith("  known: abs, ")
    assert refusal("x(y)").splitlines()[3] == "  to multiply, write x*(...)"
    assert refusal("qqqqqqq(y)").splitlines()[3].startswith("  known: ")


def test_missing_values():
    assert refusal("(x + a) * b + a") == (
        "gategrad: a and b have no value: add a=... b=...\n    (x + a) * b + a\n         ^    ^"
    )
    assert refusal("a") == "gategrad: a has no value: add a=...\n    a\n    ^"


def test_too_early():
    assert refusal("x +") == "gategrad: the expression ends too early\n    x +\n       ^"


def test_empty():
    assert refusal("  ") == ("gategrad: the expression is empty\n  for example: gategrad '(x + y) * z' x=-2 y=5 z=-4")


def test_shapes_that_do_not_fit():
    assert refusal("x + v * W") == (
        "gategrad: the shapes do not fit: v is (3,) and W is (2, 2)\n    x + v * W\n        ^^^^^"
    )


def test_rows_of_different_length():
    assert refusal("x + [[1, 2], [3]]") == marked(
        "x + [[1, 2], [3]]", "[[1, 2], [3]]", "the rows of this list differ in length"
    )


def test_index_out_of_range():
    assert "out of bounds" in refusal("v[7]")


def test_long_texts_are_shown_around_the_mark():
    lines = refusal("x + " * 50 + "foo(x)" + " + x" * 50).splitlines()
    assert len(lines[1]) < 90
    start, end = lines[2].index("^"), lines[2].rindex("^") + 1
    assert lines[1][start:end] == "foo"


def test_python_is_asked_for_its_grammar_only(monkeypatch):
    """The text reaches `ast.parse` and nothing that could run it."""
    seen = []
    original = ast.parse
    monkeypatch.setattr(ast, "parse", lambda *a, **k: seen.append((a, k)) or original(*a, **k))
    parse("x + 1")
    assert seen == [(("x + 1",), {"mode": "eval"})]
