"""Random programs: lists of NumPy calls that can be run, shrunk, and printed as the test they should become."""

import dataclasses
import functools
import warnings

import numpy as np

import gategrad as gg
from gategrad.gates.indexing import Scatter
from tests.compiler.random_calls import KINKED_CALLS, SMOOTH_CALLS

__all__ = ["CALLS", "Random", "Step", "draw", "draw_anything", "draw_folds", "draw_product", "draw_sums", "shrunk"]

LARGEST = 3000
"""The most elements a value may have: every path through a loop is taken long before."""


DTYPES = (np.float64, np.float32, np.int64, np.bool_)
ANY_DTYPES = (*DTYPES, np.complex128, np.complex64, np.int32, np.uint8)


@dataclasses.dataclass(frozen=True)
class Step:
    """One call: what, of which earlier values, with which options."""

    name: str
    operands: tuple[int, ...]
    options: tuple[tuple[str, object], ...] = ()

    def __str__(self):
        operands = [f"v{n}" for n in self.operands]
        options = [f"{name}={value!r}" for name, value in self.options]
        return f"CALLS[{self.name!r}]({', '.join(operands + options)})"


@dataclasses.dataclass(frozen=True)
class Random:
    """A program: arrays that it is given, calls, and which values are its results."""

    inputs: tuple[object, ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    def __call__(self, *inputs):
        values = list(inputs)
        for step in self.steps:
            values.append(run(step, values))
        return tuple(values[n] for n in self.outputs)

    def __str__(self):
        count = len(self.inputs)
        given = [f"    v{n} = {_written(x)}" for n, x in enumerate(self.inputs)]
        body = [f"        v{count + n} = {step}" for n, step in enumerate(self.steps)]
        names = ", ".join(f"v{n}" for n in range(count))
        results = ", ".join(f"v{n}" for n in self.outputs)
        head = ["def test_found():", *given, "", f"    def f({names}):"]
        return "\n".join([*head, *body, f"        return ({results},)", "", f"    check(f, [{names}])"])


def run(step, values):
    """The result of a call."""
    return CALLS[step.name](*[values[n] for n in step.operands], **dict(step.options))


def _written(x):
    if isinstance(x, float):
        return repr(x)
    return f"np.array({x.ravel().tolist()}, '{x.dtype}').reshape({x.shape})"


# --- the calls ----------------------------------------------------------------------------------------------------


def _filtered(x):
    """Through a spectrum and back, along the last axis if there is one."""
    return np.real(np.fft.ifft(np.fft.fft(x) * (0.5 + 0.5j))) if np.ndim(x) and np.shape(x)[-1] else x * 0.5


UNARY = {name: getattr(np, name) for name in ("tanh", "sin", "cos", "arctan", "negative", "square")}
UNARY |= {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "exp": lambda x: np.exp(np.sin(x)),
    "log": lambda x: np.log(1 + x * x),
    "sqrt": lambda x: np.sqrt(1 + x * x),
    "half": lambda x: x * 0.5 + 0.25,
    "turned": lambda x: np.real(np.exp(0.5j * x) * (x - 0.5j)),
    "modulus": lambda x: np.abs(x + (0.5 + 1j)),
    "filtered": _filtered,
}
KINKED = {name: getattr(np, name) for name in ("absolute", "sign")}
KINKED |= {"relu": lambda x: np.maximum(x, 0.0)}
BINARY = {name: getattr(np, name) for name in ("add", "subtract", "multiply")}
BINARY |= {"divide": lambda x, y: x / (1.5 + y * y), "mix": lambda x, y: x * y - x}
KINKED_BINARY = {name: getattr(np, name) for name in ("maximum", "minimum")}
COMPARISON = {name: getattr(np, name) for name in ("less", "greater_equal", "not_equal")}
FOLDS = {name: getattr(np, name) for name in ("sum", "mean", "var")}
KINKED_FOLDS = {name: getattr(np, name) for name in ("max", "min")}


def _softmax(x, axis):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def _normalise(x, axis):
    centred = x - np.mean(x, axis=axis, keepdims=True)
    return centred / np.sqrt(np.mean(centred * centred, axis=axis, keepdims=True) + 0.1)


def _logsumexp(x, axis):
    top = np.max(x, axis=axis, keepdims=True)
    return np.squeeze(top + np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)), axis)


CALLS = {
    **UNARY, **KINKED, **BINARY, **KINKED_BINARY, **COMPARISON, **FOLDS, **KINKED_FOLDS,
    "softmax": _softmax, "normalise": _normalise, "logsumexp": _logsumexp,
    "where": np.where, "any": np.any, "all": np.all, "prod": lambda x, **options: np.prod(np.cos(x), **options),
    "cumsum": np.cumsum, "argmax": np.argmax,
    "reshape": np.reshape, "transpose": np.transpose, "flip": np.flip, "concatenate": lambda *xs, axis: np.concatenate(xs, axis),
    "broadcast": lambda x, shape: np.broadcast_to(x, shape), "expand": lambda x, axis: np.expand_dims(x, axis),
    "slice": lambda x, parts: x[tuple(slice(*part) for part in parts)],
    "pick": lambda x, index: x[index],
    "gather": lambda x, indices: x[np.array(indices, dtype=np.intp)],
    "columns": lambda x, indices: x[:, np.array(indices, dtype=np.intp)],
    "scatter": lambda x, indices, length: Scatter(np.array(indices, dtype=np.intp), (length, *np.shape(x)[1:]))(x),
    "matmul": np.matmul, "scaled": lambda x, by: by * x,
    "float32": lambda x: x.astype(np.float32), "float64": lambda x: x.astype(np.float64),
    "gradient": lambda x, y: gg.grad(lambda t: np.sum(np.tanh(t * y) * t))(x),
}  # fmt: skip
OTHER_CALLS = {f"np.{name}": call for name, call in (SMOOTH_CALLS | KINKED_CALLS).items()}
CALLS |= {name: call.function for name, call in OTHER_CALLS.items()}


# --- drawing ---------------------------------------------------------------------------------------------------------

LENGTHS = [0, 1, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33]
FOLDED = [0, 1, 1, 2, 3, 4, 5, 8, 11, 20]


def draw(seed, smooth=False):
    """The program of a seed; a smooth one has derivatives everywhere and is made of floats alone."""
    rng = np.random.default_rng(seed)
    base = tuple(int(rng.choice(LENGTHS[1 if smooth else 0 :])) for _ in range(rng.integers(1, 4)))
    while np.prod(base) > 600:
        base = base[:-1]
    inputs = [_input(rng, base, smooth) for _ in range(rng.integers(2, 5))]
    return _extended(rng, inputs, [], smooth) or draw(seed + 1_000_003, smooth)


def draw_product(seed, smooth=False):
    """The program of a seed that begins with a product of matrices, lying either way, and goes on with what is like it."""
    rng = np.random.default_rng(seed)
    rows, inner, columns = (int(rng.choice(lengths)) for lengths in ((9, 33, 50, 61), (1, 3, 17, 70), (32, 33, 47)))
    others = [_input(rng, (rows, columns), smooth) for _ in range(int(rng.integers(1, 3)))]
    inputs, steps = [*others, rng.normal(size=columns)], []
    factors = []
    for shape in ((rows, inner), (inner, columns)):
        factors.append(len(inputs))
        inputs.append(rng.normal(size=shape if rng.random() < 0.5 else shape[::-1]) / np.sqrt(inner))
    turned = [
        n for n, shape in zip(factors, ((rows, inner), (inner, columns)), strict=True) if inputs[n].shape != shape
    ]
    for n in turned:
        factors[factors.index(n)] = len(inputs) + len(steps)
        steps.append(Step("transpose", (n,), (("axes", (1, 0)),)))
    steps.append(Step("matmul", tuple(factors)))
    return _extended(rng, inputs, steps, smooth) or draw_product(seed + 1_000_003, smooth)


def draw_folds(seed, smooth=False):
    """The program of a seed that folds several axes of the same arrays, and meets what it found with them again."""
    rng = np.random.default_rng(seed)
    lengths = FOLDED[1 if smooth else 0 :]
    base = tuple(int(rng.choice(lengths)) for _ in range(rng.integers(2, 5)))
    while np.prod(base) > 1000:
        base = base[1:]
    dtype = np.float32 if not smooth and rng.random() < 0.3 else np.float64
    shapes = [base, *(tuple(1 if rng.random() < 0.3 else n for n in base) for _ in range(rng.integers(0, 3)))]
    inputs = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    return _extended(rng, inputs, [], smooth, _fold_or_meet) or draw_folds(seed + 1_000_003, smooth)


def draw_sums(seed, smooth=False):
    """The program of a seed that adds up products of matrices, each way round, scaled, and in other shapes."""
    rng = np.random.default_rng(seed)
    n, m = (int(rng.choice([1, 2, 3, 5, 17, 33, 50])) for _ in range(2))
    stack = (int(rng.choice([1, 2, 3])),) if rng.random() < 0.2 and n * m < 600 else ()
    dtype = np.float32 if not smooth and rng.random() < 0.3 else np.float64
    shapes = [(n, m), (m, n), (n, n), (n, m), (1, m), (n, 1)]
    inputs = [(rng.normal(size=(*stack, *shape)) / np.sqrt(shape[-1])).astype(dtype) for shape in shapes]
    return _extended(rng, inputs, [], smooth, _multiply_or_add) or draw_sums(seed + 1_000_003, smooth)


def draw_anything(seed, smooth=False):
    """The program of a seed that calls more of NumPy, on numbers of more kinds, and returns some values twice, arguments too."""
    rng = np.random.default_rng(seed)
    base = tuple(int(rng.choice(FOLDED[1 if smooth else 0 :])) for _ in range(rng.integers(1, 4)))
    while np.prod(base) > 600:
        base = base[:-1]
    inputs = [_input(rng, base, smooth) for _ in range(rng.integers(1, 5))]
    if not smooth:
        inputs = [x.astype(rng.choice(ANY_DTYPES)) if np.ndim(x) and rng.random() < 0.4 else x for x in inputs]
        inputs = [x + 0.5j * x[::-1] if np.ndim(x) and x.dtype.kind == "c" else x for x in inputs]
        inputs.append(
            np.array(rng.normal()) if rng.random() < 0.2 else rng.normal(size=(0, 3)[: int(rng.integers(2)) + 1])
        )
    program = _extended(rng, inputs, [], smooth, _call_anything, ANY_DTYPES)
    if program is None:
        return draw_anything(seed + 1_000_003, smooth)
    if smooth:
        return program
    count = len(program.inputs)
    again = tuple(int(n) for n in rng.choice([*program.outputs, *range(count)], int(rng.integers(0, 3))))
    return dataclasses.replace(program, outputs=(*program.outputs, *again))


def _call_anything(rng, values, smooth):
    """One of the other calls, of values that it suits more often than not; or any step."""
    deep = [n for n, v in enumerate(values) if np.ndim(v)]
    if not deep or rng.random() < 0.4:
        return _step(rng, values, smooth)
    name = f"np.{_one(rng, SMOOTH_CALLS if smooth else SMOOTH_CALLS | KINKED_CALLS)}"
    call = OTHER_CALLS[name]
    x = int(rng.choice([*deep, *deep[-3:]]))
    operands = [x]
    if call.count == 2:
        wanted = {"np.chosen": "iu", "np.masked": "b", "np.written": "b"}.get(name, "biufc")
        fitting = [n for n, v in enumerate(values) if np.asarray(v).dtype.kind in wanted]
        alike = [n for n in fitting if np.shape(values[n]) == np.shape(values[x])]
        operands.append(int(rng.choice(alike if alike and rng.random() < 0.7 else fitting or deep)))
    return Step(name, tuple(operands), tuple(call.draw(rng, np.shape(values[x])).items()))


def _multiply_or_add(rng, values, smooth):
    """A product of two matrices that fit, a sum of two that are alike, one of them rearranged or scaled; or any step."""
    shapes = [np.shape(v) for v in values]
    recent = [*range(len(values)), *range(max(0, len(values) - 5), len(values))]
    x = int(rng.choice([n for n in recent if len(shapes[n]) > 1]))
    group = rng.choice(["product"] * 6 + ["sum"] * 6 + ["move"] * 3 + ["scaled", "scaled", "stack", "any"])
    if group == "product":
        fitting = [y for y, shape in enumerate(shapes) if len(shape) > 1 and shape[-2] == shapes[x][-1]]
        return Step("matmul", (x, int(rng.choice(fitting or [x]))))
    if group == "sum":
        alike = [y for y, shape in enumerate(shapes) if shape == shapes[x] and (y > 5 or rng.random() < 0.3)]
        return Step(str(rng.choice(["add", "add", "subtract"])), (x, int(rng.choice(alike or [x]))))
    if group == "move":
        *stack, rows, columns = shapes[x]
        if rng.random() < 0.5:
            axes = (*range(len(stack)), len(stack) + 1, len(stack))
            return Step("transpose", (x,), (("axes", axes),))
        return Step("reshape", (x,), (("shape", (*stack, columns, rows)),))
    if group == "scaled":
        return Step("scaled", (x,), (("by", float(rng.choice([-1.0, 0.5, 2.0]))),))
    if group == "stack":
        return Step("sum", (x,), (("axis", 0),))
    return _step(rng, values, smooth)


def _fold_or_meet(rng, values, smooth):
    """A fold of some axes; or what was found by one with what it was found in, or with another; or any step."""
    shapes = [np.shape(v) for v in values]
    deep = max(len(shape) for shape in shapes)
    full = [n for n, shape in enumerate(shapes) if len(shape) == deep]
    x = int(rng.choice(full[-4:] if rng.random() < 0.6 else full))
    group = rng.choice(["fold", "fold", "meet", "meet", "meet", "unary", "row", "view", "any"])
    if group == "fold":
        folds = FOLDS if smooth else FOLDS | KINKED_FOLDS
        keepdims = bool(rng.random() < 0.6)
        return Step(_one(rng, folds), (x,), (("axis", _axes(rng, shapes[x])), ("keepdims", keepdims)))
    if group == "meet":
        y = int(rng.integers(len(values)))
        lacking = deep - len(shapes[y])
        if lacking:  # give what a fold dropped a place again
            places = tuple(sorted(map(int, rng.choice(deep, lacking, replace=False))))
            return Step("expand", (y,), (("axis", places),))
        return Step(_one(rng, BINARY), (x, y) if rng.random() < 0.7 else (y, x))
    if group == "unary":
        return Step(_one(rng, UNARY), (x,))
    if group == "row":
        name = str(rng.choice(["softmax", "normalise", "logsumexp"]))
        return Step(name, (x,), (("axis", _axes(rng, shapes[x]) or tuple(range(deep))),))
    if group == "view":
        return Step("transpose", (x,), (("axes", tuple(int(n) for n in rng.permutation(deep))),))
    return _step(rng, values, smooth)


def _extended(rng, inputs, steps, smooth, next_step=None, dtypes=DTYPES):
    """A program with further steps; None if it has no result."""
    values, steps = list(inputs), list(steps)
    for step in steps:
        values.append(run(step, values))
    wanted = len(steps) + int(rng.integers(3, 16))
    for _ in range(200):
        if len(steps) == wanted:
            break
        step = (next_step or _step)(rng, values, smooth)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)  # no imaginary part is lost
                z = run(step, values)
        except (
            np.exceptions.ComplexWarning,
            ArithmeticError,
            AttributeError,
            IndexError,
            TypeError,
            ValueError,
            gg.errors.GategradError,
        ):
            continue  # shapes that do not fit: draw again
        if (
            np.asarray(z).dtype in dtypes
            and np.size(z) <= LARGEST
            and np.all(np.isfinite(z))
            and (np.size(z) == 0 or np.max(np.abs(z)) < 1e4)
        ):
            values.append(z)
            steps.append(step)
    count = len(inputs)
    made = [n for n in range(count, len(values)) if not smooth or np.asarray(values[n]).dtype == float]
    if not made:
        return None
    some = rng.choice(made, size=min(len(made), int(rng.integers(1, 4))), replace=False)
    return _without_unused(Random(tuple(inputs), tuple(steps), tuple(sorted({*map(int, some), made[-1]}))))


def _input(rng, base, smooth):
    shape = tuple(1 if rng.random() < 0.15 else n for n in base)
    kind = rng.choice(["f8", "f8", "f8", "f4", "?", "i8", "number"])
    if kind == "number":
        return (float if rng.random() < 0.5 else np.float64)(rng.normal())
    if smooth or kind == "f8":
        return rng.normal(size=shape[int(rng.integers(0, 2)) * (len(shape) > 1) :])
    if kind == "f4":
        return rng.normal(size=shape).astype(np.float32)
    return rng.random(shape) < 0.5 if kind == "?" else rng.integers(-3, 4, shape)


def _step(rng, values, smooth):
    recent = [int(n) for n in range(len(values))] + [int(n) for n in range(max(0, len(values) - 3), len(values))] * 2

    def some():
        return int(rng.choice(recent))

    def like(n):
        """A value of the same shape or a broadcastable one, if there is any."""
        shape = np.shape(values[n])
        same = [m for m in range(len(values)) if np.shape(values[m]) == shape]
        return int(rng.choice(same)) if rng.random() < 0.5 else some()

    x = some()
    shape = np.shape(values[x])
    groups = ["unary", "unary", "binary", "binary", "binary", "fold", "fold", "move", "move", "row", "rare"]
    group = rng.choice(groups if shape else groups[:5])  # what is done along axes needs some
    if group == "unary" and np.asarray(values[x]).dtype != bool:
        return Step(_one(rng, UNARY if smooth else UNARY | KINKED), (x,))
    if group in ("unary", "binary"):
        if smooth or rng.random() < 0.8:
            return Step(_one(rng, BINARY if smooth else BINARY | KINKED_BINARY), (x, like(x)))
        if rng.random() < 0.5:
            return Step(_one(rng, COMPARISON), (x, like(x)))
        masks = [n for n, v in enumerate(values) if np.asarray(v).dtype == bool]
        return Step("where", (int(rng.choice(masks)) if masks else x, x, like(x)))
    if group == "fold":
        options = (("axis", _axes(rng, shape)), ("keepdims", bool(rng.random() < 0.5)))
        folds = FOLDS if smooth else {**FOLDS, **KINKED_FOLDS, "prod": 0, **(
            {"any": 0, "all": 0} if np.asarray(values[x]).dtype == bool else {})}  # fmt: skip
        return Step(_one(rng, folds), (x,), options)
    if group == "row":
        axis = int(rng.integers(0, len(shape))) if shape and rng.random() < 0.3 else -1
        return Step(str(rng.choice(["softmax", "normalise", "logsumexp"])), (x,), (("axis", axis),))
    return _move(rng, x, shape, some, like) if group == "move" else _rare(rng, x, shape, some, like, smooth)


def _one(rng, table):
    return str(rng.choice(list(table)))


def _axes(rng, shape):
    axes = tuple(n for n in range(len(shape)) if rng.random() < 0.5)
    return None if not axes or rng.random() < 0.2 else axes[0] if len(axes) == 1 else axes


def _move(rng, x, shape, some, like):
    kind = str(rng.choice(["reshape", "transpose", "slice", "flip", "concatenate", "expand", "broadcast", "pick"]))
    if kind == "reshape":
        sizes = [n for n in shape if n != 1] or [1]
        whole = int(np.prod(shape))
        choices = [(whole,), (whole, 1), (1, *shape), tuple(reversed(shape)), (sizes[0], whole // max(sizes[0], 1))]
        return Step(kind, (x,), (("shape", choices[int(rng.integers(len(choices)))]),))
    if kind == "transpose":
        return Step(kind, (x,), (("axes", tuple(int(n) for n in rng.permutation(len(shape)))),))
    if kind == "slice":
        return Step(kind, (x,), (("parts", tuple(_part(rng, n) for n in shape)),))
    if kind == "flip":
        return Step(kind, (x,), (("axis", _axes(rng, shape)),))
    if kind == "concatenate":
        axis = int(rng.integers(0, max(len(shape), 1)))
        return Step(kind, tuple(like(x) for _ in range(int(rng.integers(1, 4)))), (("axis", axis),))
    if kind == "expand":
        return Step(kind, (x,), (("axis", int(rng.integers(0, len(shape) + 1))),))
    if kind == "broadcast":
        wanted = tuple(int(rng.integers(1, 6)) if n == 1 else n for n in shape)
        return Step(kind, (x,), (("shape", (int(rng.integers(1, 4)), *wanted) if rng.random() < 0.5 else wanted),))
    return Step("pick", (x,), (("index", int(rng.integers(-3, 3))),))


def _part(rng, length):
    step = int(rng.choice([1, 1, 2, -1, -2, 3]))
    ends = [None if rng.random() < 0.5 else int(rng.integers(-length - 1, length + 1)) for _ in range(2)]
    return (*ends, step)


def _rare(rng, x, shape, some, like, smooth):
    kinds = ["matmul", "matmul", "turned", "gather", "columns", "scatter", "cumsum", "gradient", "argmax", "cast"]
    kind = str(rng.choice(kinds))
    if kind == "matmul":
        return Step(kind, (x, like(x)))
    if kind == "turned":
        return Step("transpose", (x,), (("axes", tuple(reversed(range(len(shape))))),))
    if kind in ("gather", "columns"):
        length = shape[int(kind == "columns")] if len(shape) > int(kind == "columns") else 0
        indices = tuple(int(n) for n in rng.integers(-length, length, int(rng.integers(1, 9)))) if length else ()
        return Step(kind, (x,), (("indices", indices),))
    if kind == "scatter":
        length = int(rng.integers(1, 6))
        indices = tuple(int(n) for n in rng.integers(0, length, shape[0] if shape else 1))
        return Step(kind, (x,), (("indices", indices), ("length", length)))
    if kind in ("cumsum", "argmax"):
        if kind == "argmax" and smooth:
            kind = "cumsum"
        return Step(kind, (x,), (("axis", int(rng.integers(0, max(len(shape), 1)))),))
    if kind == "cast" and not smooth:
        return Step(str(rng.choice(["float32", "float64"])), (x,))
    return Step("gradient", (x, like(x)))


# --- shrinking ----------------------------------------------------------------------------------------------------------


def shrunk(program, fails):
    """The smallest program found that still fails: fewer results, then calls replaced by inputs that hold their results."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(program):
            if fails(candidate):
                program, smaller = candidate, True
                break
    return program


def _smaller(program):
    for n in range(len(program.outputs) if len(program.outputs) > 1 else 0):
        yield _without_unused(dataclasses.replace(program, outputs=program.outputs[:n] + program.outputs[n + 1 :]))
    for n in range(len(program.steps)):
        yield from _frozen(program, n)


def _frozen(program, number):
    """The program with the result of one call as a further input; none if that result is an output."""
    count = len(program.inputs)
    whole = dataclasses.replace(program, outputs=(count + number,))
    (value,) = whole(*program.inputs)
    if count + number in program.outputs or isinstance(value, (np.generic, int)):
        return

    def renamed(n):
        return n if n < count else count if n == count + number else n + (n < count + number)

    steps = [
        dataclasses.replace(step, operands=tuple(map(renamed, step.operands)))
        for n, step in enumerate(program.steps)
        if n != number
    ]
    outputs = tuple(map(renamed, program.outputs))
    yield _without_unused(Random((*program.inputs, value), tuple(steps), outputs))


def _without_unused(program):
    count = len(program.inputs)
    used = set(program.outputs)
    for n in range(len(program.steps) - 1, -1, -1):
        if count + n in used:
            used.update(program.steps[n].operands)
    kept = sorted(used)
    place = {n: position for position, n in enumerate(kept)}
    rename = functools.partial(lambda ns: tuple(place[n] for n in ns))
    inputs = tuple(x for n, x in enumerate(program.inputs) if n in used)
    steps = [
        dataclasses.replace(s, operands=rename(s.operands)) for n, s in enumerate(program.steps) if count + n in used
    ]
    return Random(inputs, tuple(steps), rename(program.outputs))
