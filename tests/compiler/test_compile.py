"""gg.compile: what goes in and comes out, derivatives through it, what it says when it cannot."""

import copy
import dataclasses
import math
import pickle
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.runtime import engine
from gategrad.errors import DtypeError, NotScalarError, NotTraceableError, ShapeError, TraceError

Point = namedtuple("Point", "x y")


@dataclasses.dataclass
class Layer:
    w: object
    b: object


@pytest.fixture(params=["native", "interpreted"], autouse=True)
def backend(request, monkeypatch):
    """Every test runs with native code, and with the interpreter that answers where there is no LLVM."""
    if request.param == "native":
        pytest.importorskip("llvmlite")
    else:
        monkeypatch.setattr(engine, "available", lambda: False)
    return request.param


@gg.compile
def twice(x):
    """Two times x."""
    return 2.0 * x


def same(found, expected):
    assert type(found) is type(expected)
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            same(a, b)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key, value in expected.items():
            same(found[key], value)
    elif dataclasses.is_dataclass(expected):
        same(vars(found), vars(expected))
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    else:
        assert found == pytest.approx(expected)


ARRAY = np.arange(6.0).reshape(2, 3)


class TestInputs:
    @pytest.mark.parametrize(
        "x",
        [
            3.0,
            np.float32(1.5),
            ARRAY,
            ARRAY.astype(np.float32),
            ARRAY[:, ::2],
            ARRAY.T,
            np.asfortranarray(ARRAY),
            ARRAY[::-1],
            np.broadcast_to(np.arange(3.0), (2, 3)),
            np.zeros((0, 3)),
            np.zeros((2, 0)),
            (1.0, [2.0, ARRAY]),
            {"b": 1.0, "a": ARRAY},
            [],
        ],
        ids=repr,
    )
    def test_answers_as_the_function_itself(self, x):
        def f(x):
            if isinstance(x, dict):
                return {key: f(item) for key, item in x.items()}
            return type(x)([f(item) for item in x]) if isinstance(x, (tuple, list)) else x * 2 + 1

        compiled = gg.compile(f)
        same(compiled(x), f(x))
        same(compiled(x), f(x))

    def test_unaligned_and_byte_swapped_arrays(self):
        buffer = np.zeros(1 + 6 * 8, np.uint8)
        unaligned = buffer[1:].view(np.float64)
        unaligned[:] = np.arange(6.0)
        for x in (unaligned, np.arange(6.0).astype(">f8")):
            np.testing.assert_array_equal(gg.compile(lambda x: x + 1)(x), np.arange(6.0) + 1)

    def test_read_only_arrays_stay_as_they_are(self):
        x = np.arange(3.0)
        x.flags.writeable = False
        np.testing.assert_array_equal(gg.compile(lambda x: x + 1)(x), [1, 2, 3])
        np.testing.assert_array_equal(x, [0, 1, 2])

    def test_single_numbers_in_arrays(self):
        assert gg.compile(lambda x: x + 1)(np.array(2.0)) == 3.0
        assert gg.compile(lambda x: x + 1)(np.array(2.0, np.float32)) == 3.0
        assert gg.compile(lambda x, i: x[i])(np.arange(3.0), np.int64(2)) == 2.0

    def test_a_python_integer_is_a_float(self):
        assert gg.compile(lambda x: x / 2)(3) == 1.5

    def test_integers_and_truths_in_arrays(self):
        f = gg.compile(lambda x, i, m: np.where(m, x[i], 0.0))
        x, i, m = np.arange(3.0), np.array([2, 0]), np.array([True, False])
        np.testing.assert_array_equal(f(x, i, m), [2.0, 0.0])
        with pytest.raises(IndexError):
            f(x, np.array([3, 0]), m)

    def test_a_python_truth_is_a_switch(self):
        f = gg.compile(lambda x, training: x * 2 if training else x)
        assert (f(3.0, True), f(3.0, False), f(3.0, training=True)) == (6.0, 3.0, 6.0)

    def test_keywords_in_any_order(self):
        f = gg.compile(lambda x, y, z=1.0: x - y * z)
        assert f(3.0, y=2.0) == 1.0
        assert f(y=2.0, x=3.0) == 1.0
        assert f(z=2.0, y=2.0, x=3.0) == -1.0

    def test_named_tuples_dataclasses_and_ordered_dicts(self):
        f = gg.compile(lambda p: type(p)(p.y, p.x * 2))
        same(f(Point(1.0, ARRAY)), Point(ARRAY, 2.0))
        g = gg.compile(lambda layer: Layer(layer.w * 2, layer.b))
        same(g(Layer(ARRAY, 1.0)), Layer(ARRAY * 2, 1.0))
        h = gg.compile(lambda d: d["b"] - d["a"])
        assert h(OrderedDict(a=1.0, b=3.0)) == 2.0
        assert h({"a": 1.0, "b": 3.0}) == 2.0

    @pytest.mark.parametrize("x", ["text", {1, 2}, np.zeros(2, np.float16), object()], ids=lambda x: type(x).__name__)
    def test_other_things_are_refused(self, x):
        with pytest.raises(DtypeError, match="a compiled function was given"):
            gg.compile(lambda x: x)(x)


class TestStatic:
    def test_part_of_the_program(self):
        f = gg.compile(lambda x, axis, name: {name: np.sum(x, axis=axis)}, static=("axis", "name"))
        same(f(ARRAY, 0, "sum"), {"sum": ARRAY.sum(0)})
        same(f(ARRAY, axis=1, name="sum"), {"sum": ARRAY.sum(1)})
        same(f(ARRAY, 0, str(np.array(["sum"])[0])), {"sum": ARRAY.sum(0)})

    def test_equal_values_of_different_types_are_different(self):
        f = gg.compile(lambda x, n: x if type(n) is int else 2 * x, static="n")
        assert (f(1.0, 1), f(1.0, 1.0), f(1.0, 1)) == (1.0, 2.0, 1.0)

    def test_what_cannot_be_hashed(self):
        with pytest.raises(DtypeError, match=r"the static argument axes is the list \[0, 1\], which cannot be hashed"):
            gg.compile(lambda x, axes: x, static=("axes",))(ARRAY, [0, 1])

    def test_a_method(self):
        class Model:
            scale = 3.0

            @gg.compile
            def free(self, x):
                return x

            def apply(self, x):
                return x * self.scale

            compiled = gg.compile(apply, static=("self",))

        model = Model()
        assert model.compiled(2.0) == 6.0
        with pytest.raises(DtypeError, match="Name the argument in static="):
            model.free(2.0)


class TestOutputs:
    def test_constants_and_none(self):
        f = gg.compile(lambda x: (x, None, "text", True, 3, {"n": [None, x * 2]}))
        expected = (1.0, None, "text", True, 3, {"n": [None, 2.0]})
        assert f(1.0) == expected
        assert f(1.0) == expected

    def test_auxiliary_output(self):
        def loss(x):
            return np.sum(x * x), {"largest": np.max(x), "note": "text", "place": np.argmax(x)}

        (value, aux), gradient = gg.compile(gg.value_and_grad(loss, has_aux=True))(np.arange(3.0))
        assert (value, aux["largest"], aux["note"], aux["place"]) == (5.0, 2.0, "text", 2)
        np.testing.assert_array_equal(gradient, [0, 2, 4])

    def test_outputs_are_the_callers_own(self):
        f = gg.compile(lambda x: (x, x, np.zeros(2)))
        x = np.ones(2)
        a, b, c = f(x)
        a[0] = b[1] = c[0] = 7.0
        np.testing.assert_array_equal(x, 1.0)
        np.testing.assert_array_equal(f(x)[2], 0.0)

    def test_what_is_no_value(self):
        with pytest.raises(TraceError, match="returned the set .* a compiled function returns numbers, arrays"):
            gg.compile(lambda x: {"n": {1, 2}})(1.0)


class TestDerivatives:
    def f(self, x, y):
        return np.sum(np.tanh(x * y["a"]) ** 2) * y["b"]

    def test_inside_and_outside(self):
        x, y = np.linspace(0.1, 1.0, 4), {"a": 2.0, "b": 3.0}
        expected = gg.grad(self.f, (0, 1))(x, y)
        same(gg.compile(gg.grad(self.f, (0, 1)))(x, y), expected)
        same(gg.grad(gg.compile(self.f), (0, 1))(x, y), expected)
        same(gg.compile(gg.grad(gg.compile(self.f), (0, 1)))(x, y), expected)

    def test_every_order(self):
        def f(x):
            return np.sin(x) * x**3

        eager, outside, inside = f, gg.compile(f), f
        for _ in range(3):
            eager, outside, inside = gg.grad(eager), gg.grad(outside), gg.grad(inside)
            assert outside(0.7) == pytest.approx(eager(0.7), rel=1e-12)
            assert gg.compile(inside)(0.7) == pytest.approx(eager(0.7), rel=1e-12)

    def test_vjp_with_several_outputs(self):
        def f(x):
            return x * x, {"s": np.sin(x), "n": np.argmax(x), "none": None}

        x = np.array([0.5, 2.0])
        (_, rest), pullback = gg.vjp(lambda x: (gg.compile(f)(x)[0], gg.compile(f)(x)[1]["s"]), x)
        np.testing.assert_allclose(rest, np.sin(x))
        np.testing.assert_allclose(pullback((np.ones(2), np.array([0.0, 1.0])))[0], 2 * x + [0, np.cos(2.0)])

    def test_the_tape(self):
        f = gg.compile(lambda x, n: (x[n] * x[n], n))
        x = gg.variable([1.0, 2.0, 3.0])
        z, n = f(x, np.array([0, 2]))
        np.testing.assert_array_equal(n, [0, 2])
        np.sum(z).backward()
        np.testing.assert_array_equal(x.grad, [2, 0, 6])

    def test_a_variable_and_a_keyword(self):
        f = gg.compile(lambda x, y: x * y)
        x, y = gg.variable(2.0), gg.variable(5.0)
        f(x, y=y).backward()
        assert (x.grad, y.grad) == (5.0, 2.0)

    def test_the_pullback_is_compiled_once(self):
        f = gg.compile(lambda x: x * x)
        for x in (1.0, 2.0, 3.0):
            assert gg.grad(f)(x) == 2 * x
        assert len(f._derivatives) == 1

    def test_compiled_inside_compiled_is_one_program(self):
        inner = gg.compile(np.sin)
        text = str(gg.compile(lambda x: inner(x) + 1).program(1.0))
        assert "sin(x)" in text
        assert "callback" not in text


class TestComplaints:
    @pytest.mark.parametrize(
        ("f", "wanted"),
        [
            (lambda x: x if x[0] > 0 else -x, "the truth of a value"),
            (lambda x: float(x[0]), "the number behind a value"),
            (lambda x: math.sin(x[0]), "the number behind a value"),
            (lambda x: range(int(x[0])), "the integer behind a value"),
            (lambda x: np.asarray(x), "an array"),
            (lambda x: x.tolist(), "the array behind a value"),
        ],
        ids=["if", "float", "math", "int", "asarray", "tolist"],
    )
    def test_the_line_is_quoted(self, f, wanted):
        with pytest.raises(TraceError, match=r"while it is traced, at .*test_compile.py:\d+\n    .*lambda x") as caught:
            gg.compile(f)(np.ones(2))
        assert wanted in str(caught.value)
        assert "or name the argument in static=" in str(caught.value)

    def test_iteration_over_a_number(self):
        with pytest.raises(TypeError, match="cannot be iterated"):
            gg.compile(lambda x: list(x))(1.0)

    def test_writing_into_an_argument(self):
        def f(x):
            x[0] = 1.0
            return x

        with pytest.raises(
            TraceError,
            match=r"(?s)an argument of a compiled function cannot be written into, at .*py:\d+\n    .*take x = x\.copy",
        ):
            gg.compile(f)(np.ones(2))

    def test_a_mask_that_is_not_known(self):
        with pytest.raises(NotTraceableError, match="the number of elements depends on the values"):
            gg.compile(lambda x: x[x > 0])(np.ones(2))

    def test_an_answer_of_unknown_shape(self):
        with pytest.raises(NotTraceableError, match="np.unique of a value in a compiled function"):
            gg.compile(lambda x: np.unique(x))(np.ones(2))

    def test_shapes_that_do_not_fit(self):
        with pytest.raises(ShapeError, match="matmul"):
            gg.compile(gg.grad(lambda x, y: np.sum(x @ y)))(np.ones((2, 3)), np.ones((2, 3)))


class TestHostCalls:
    def test_a_numpy_function_without_an_operation(self, backend):
        f = gg.compile(lambda x: np.spacing(x) * 2)
        x = np.array([[2.0, 1.0], [0.0, 4.0]])
        np.testing.assert_allclose(f(x), np.spacing(x) * 2)
        if backend == "native":
            assert "spacing (float64[2, 2])" in str(f.report(x))

    def test_a_gate_that_loops_over_values(self):
        class Loop(gg.Gate):
            def forward(self, x):
                self.y = np.array([2.0 if float(v) > 0 else 3.0 for v in np.asarray(x)])
                return self.y * x

            def backward(self, dz):
                return np.array([float(a) * float(b) for a, b in zip(self.y, dz, strict=True)])

        def f(x):
            return np.sum(Loop()(x) ** 2)

        x = np.array([1.0, -1.0, 2.0])
        assert gg.compile(f)(x) == pytest.approx(f(x))
        np.testing.assert_allclose(gg.compile(gg.grad(f))(x), gg.grad(f)(x))

    def test_a_backward_that_loops_over_values(self):
        class Half(gg.Gate):
            def forward(self, x, y):
                self.x, self.y = x, y
                return x * y

            def backward(self, dz):
                dx = np.array([float(a) * float(b) for a, b in zip(np.asarray(self.y), np.asarray(dz), strict=True)])
                return dx, None

        def f(x, y):
            return np.sum(np.sin(Half()(x, y)))

        x, y = np.array([1.0, -1.0]), np.array([2.0, 3.0])
        same(gg.compile(gg.grad(f, (0, 1)))(x, y), gg.grad(f, (0, 1))(x, y))

    def test_second_order_through_the_host(self):
        class Cube(gg.Gate):
            def forward(self, x):
                if x[0] > 100:
                    return x
                self.x = x
                return x * x * x

            def backward(self, dz):
                return 3 * self.x * self.x * dz

        def f(x):
            return np.sum(gg.grad(lambda x: np.sum(Cube()(x)))(x) ** 2)

        x = np.array([1.0, 2.0])
        np.testing.assert_allclose(gg.compile(gg.grad(f))(x), gg.grad(f)(x))

    def test_several_outputs(self):
        class Both(gg.Gate):
            def forward(self, x):
                return np.array([float(v) for v in x]), float(x[0]) * 2

            def backward(self, dz):
                one, other = dz
                dx = np.zeros(3) if one is None else np.array(one)
                return dx + np.array([0.0 if other is None else 2 * float(other), 0, 0])

        def f(x):
            y, z = Both()(x)
            return np.sum(y) * 3 + z

        np.testing.assert_allclose(gg.compile(gg.grad(f))(np.ones(3)), [5, 3, 3])

    def test_a_shape_that_depends_on_values(self):
        class Some(gg.Gate):
            def forward(self, x):
                return np.array([float(v) for v in np.asarray(x) if v > 0.5])

        f = gg.compile(lambda x: Some()(x))
        np.testing.assert_array_equal(f(np.array([1.0, 2.0])), [1.0, 2.0])
        with pytest.raises(ShapeError, match="shapes and dtypes must not depend on values"):
            f(np.array([0.0, 2.0]))

    def test_an_exception_on_the_host(self):
        class Strict(gg.Gate):
            def forward(self, x):
                if float(x) > 5:
                    raise ZeroDivisionError("too large")
                return x

        f = gg.compile(lambda x: Strict()(x))
        assert f(1.0) == 1.0
        with pytest.raises(ZeroDivisionError, match="too large"):
            f(6.0)

    def test_a_gate_in_plain_numpy_needs_none(self):
        class Multiply(gg.Gate):
            def forward(self, x, y):
                self.x, self.y = x, y
                return x * y

            def backward(self, dz):
                return [self.y * dz, self.x * dz]

        program = gg.compile(gg.grad(lambda x, y: Multiply()(x, y), (0, 1))).program(2.0, 3.0)
        assert str(program) == "<lambda>(x: float64, y: float64):\n    return y, x"


class TestTheObject:
    def test_specialisations_are_bounded(self, monkeypatch):
        monkeypatch.setattr("gategrad.compiler.compile._MOST", 3)
        f = gg.compile(lambda x: x + 1)
        for n in range(1, 6):
            f(np.zeros(n))
        assert len(f._specialisations) == 3
        np.testing.assert_array_equal(f(np.zeros(1)), [1.0])

    def test_traced_once_for_each_kind_of_argument(self):
        calls = []
        f = gg.compile(lambda x: calls.append(1) or x * 2)
        for x in (1.0, 2.0, np.float64(3.0), ARRAY, ARRAY.copy(), ARRAY.T):
            f(x)
        assert len(calls) == 3

    def test_captured_arrays_are_constants(self):
        captured = np.ones(2)
        f = gg.compile(lambda x: x + captured)
        f(1.0)
        captured[:] = 5.0
        np.testing.assert_array_equal(f(1.0), [2.0, 2.0])

    def test_names_and_repr(self):
        assert twice.__name__ == "twice"
        assert twice.__doc__ == "Two times x."
        assert repr(gg.compile(np.sin)).startswith("<compiled sin, 0 specialisations>")

    def test_pickle_and_copy(self):
        assert pickle.loads(pickle.dumps(twice)) is twice
        assert copy.deepcopy(twice) is twice
        again = pickle.loads(pickle.dumps(gg.compile(same, static=("expected",))))
        assert again._static == ("expected",)

    def test_a_decorator_with_options(self):
        @gg.compile(static=("n",))
        def power(x, n):
            return x**n

        assert power(2.0, 3) == 8.0

    def test_llvm_and_report(self, backend):
        f = gg.compile(lambda x: np.sum(np.exp(x) * 2))
        report, text = f.report(np.ones(1000)), f.llvm(np.ones(1000))
        if backend == "native":
            assert "define" in text
            assert report.kernels
            assert report.bytes_moved >= 8000
            assert "host calls: none" in str(report)
            assert "compiled in" in str(report)
        else:
            assert text == ""
            assert report.kernels == ()
            assert "operations, which NumPy runs one by one" in str(report) and "gategrad[compile]" in str(report)

    def test_nothing_to_compute(self):
        assert gg.compile(lambda: 3.0)() == 3.0
        assert gg.compile(lambda x: None)(1.0) is None


@pytest.mark.parametrize("f", [np.linalg.eigh, np.linalg.slogdet, lambda x: (x, x), lambda x: [np.sum(x)]])
def test_what_has_no_gradient_is_said_as_eagerly(f):
    """Values of a program show what they look like, so a message can quote them."""
    x = np.eye(2)
    with pytest.raises(NotScalarError) as eager:
        gg.grad(f)(x)
    for compiled in (gg.compile(gg.grad(f)), gg.grad(gg.compile(f))):
        with pytest.raises(NotScalarError, match="a single real number; this one returned the") as caught:
            compiled(x)
        assert str(caught.value).partition("variable(")[0] == str(eager.value).partition("variable(")[0]


def test_values_of_programs_as_text():
    said = []

    def f(x):
        said.append(f"{x * 2:.3f}")
        return gg.grad(lambda x: said.append(f"{x * 2}") or np.sum(x))(x)

    gg.compile(f)(np.ones(2))
    assert said == ["symbol(float64[2])", "variable(symbol(float64[2]), gate=Multiply)"]
