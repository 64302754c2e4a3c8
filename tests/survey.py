"""What the engine says in a few hundred common and uncommon cases, a line each: run in both forms, and compared."""

import random
import sys

import numpy as np

import gategrad as gg
from gategrad import native

np.set_printoptions(floatmode="unique")  # every bit
sys.stdout.write("native\n" if native.in_use else "python\n")


class Sloppy(gg.Gate):
    """A user's gate that answers as its option says."""

    def __init__(self, answer):
        self.answer = answer

    def forward(self, x):
        self.x = x
        return x * 2.0

    def backward(self, dz):
        return self.answer(dz)


class Halves(gg.Gate):
    def forward(self, x):
        return x / 2, x * 3

    def backward(self, dz):
        a, b = dz
        return (0.0 if a is None else a / 2) + (0.0 if b is None else b * 3)


class Loud(gg.Elementwise):
    def forward(self, x):
        raise ValueError("no shape fits")

    def backward(self, dz):
        return dz


def told(name, function, *args):
    try:
        with np.errstate(all="ignore"):
            answer = function(*args)
    except Exception as error:
        cause = type(error.__cause__).__name__
        answer = f"{type(error).__name__}: {error} (from {cause}, in {type(error.__context__).__name__})"
    sys.stdout.write(f"{name}: {answer!r}\n")


def gradients(function, *values, **options):
    leaves = [gg.variable(v) for v in values]
    z = function(*leaves)
    z.backward(None if z.shape == () else np.ones(z.shape), **options)
    return z.value, [x.grad for x in leaves]


draw = random.Random(7)
binaries = [lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / y]
unaries = [
    np.exp,
    np.sin,
    np.tanh,
    lambda x: -x,
    abs,
    lambda x: x * x,
    lambda x: 2 - x,
    lambda x: 3 / x,
    lambda x: x**2,
]
unaries += [gg.relu, lambda x: np.maximum(x, 0.5), lambda x: np.where(x > 0, x, 2.0), lambda x: x * 2, lambda x: 2**x]
kinds = [lambda: draw.uniform(-2, 2), lambda: np.array([draw.uniform(-2, 2) for _ in range(3)])]
kinds += [lambda: np.array([[draw.uniform(-2, 2)], [1.5]], np.float32), lambda: np.array(draw.uniform(-2, 2))]


def circuit(steps, *xs):
    xs = list(xs)
    for join, bend, i, j in steps:
        xs.append(bend(join(xs[i % len(xs)], xs[j % len(xs)])))
    return xs[-1] + np.sum(xs[-2])


def once(steps, *values):
    return gradients(lambda *xs: circuit(steps, *xs), *values)


def twice_over(steps, *values):
    slope = gg.grad(lambda *xs: np.sum(circuit(steps, *xs)))
    return gg.grad(lambda *xs: np.sum(slope(*xs) ** 2))(*values)


for n in range(150):
    values = [draw.choice(kinds if n % 2 else kinds[:1])() for _ in range(3)]
    steps = [(draw.choice(binaries), draw.choice(unaries), draw.randrange(8), draw.randrange(8)) for _ in range(8)]
    told(f"circuit {n}", once, steps, *values)
    told(f"its second derivative {n}", twice_over, steps, *values)

x = 1.5
vector = np.array([1.0, 2.0])
told("0 / 0", lambda: gradients(lambda x: x / 0, x))
told("1 / 0.0", lambda: gradients(lambda x: 1 / (x - x), x))
told("overflow", lambda: gradients(lambda x: (x * 1e308) ** 3, x))
told("broken power", lambda: gradients(lambda x: (-x) ** (1 / 3), x))
told("shapes", lambda: gg.variable(np.ones(2)) + gg.variable(np.ones(3)))
told("kind", lambda: gg.variable(1.0) + "a")
told("reflected kind", lambda: None * gg.variable(1.0))
told("matmul of numbers", lambda: gg.variable(1.0) @ gg.variable(2.0))
told("constant array", lambda: gradients(lambda x: np.sum(x * vector), np.ones(2)))
told("outputs", lambda: gradients(lambda x: Halves()(x)[1] * 2, x))
told("loud", lambda: Loud()(gg.variable(np.ones(2))))
for name, answer in {
    "none": lambda dz: None,
    "list": lambda dz: [dz],
    "many": lambda dz: (dz, dz),
    "few": lambda dz: (),
    "text": lambda dz: "dz",
    "int": lambda dz: 3,
    "bool": lambda dz: True,
    "float32": lambda dz: np.float32(2.0),
    "shape": lambda dz: np.ones(3),
    "raise": lambda dz: 1 / 0,
    "other": lambda dz: {}["key"],
    "complex": lambda dz: 1j,
    "write": lambda dz: dz.__imul__(2),
}.items():
    rule = Sloppy(answer)
    told(f"rule: {name}", lambda rule: gradients(lambda x: rule(x * 1.0) + x, x), rule)
    told(f"rule on arrays: {name}", lambda rule: gradients(lambda x: np.sum(rule(x * 1.0) + x), vector), rule)
told("keep", lambda: gradients(lambda x: x * x + x, x, keep=True))


def stale():
    array = np.ones(2)
    z = np.sum(gg.variable(vector) * array)
    array += 1
    z.backward()


def twice():
    z = gg.variable(2.0) * 3
    z.backward()
    z.backward()


def paused():
    v = gg.variable(2.0)
    with gg.no_grad():
        return v * v, -v, np.exp(v), 1 + v, gg.grad(lambda y: y * v)(3.0)


def kept():
    v = gg.variable(2.0)
    z = v * v
    z.backward(retain=True)
    z.backward()
    return v.grad, repr(z.gate), z.gate.inputs, z.gate.needs, z.gate.level, z.gate.users, vars(z.gate), z.gate.options


for function in (stale, twice, paused, kept):
    told(function.__name__, function)


def on_leaf(start, do):
    """What is done to a variable, and what it is afterwards."""
    v = gg.variable(start, name="v")
    np.sum(v * v).backward()
    answer = do(v)
    return answer, v.grad, v.value, type(v.grad), type(v.value)


interior = gg.variable(2.0) * 3.0
for name, do in {
    "left alone": lambda v: None,
    "grad = None": lambda v: setattr(v, "grad", None),
    "grad = int": lambda v: setattr(v, "grad", 3),
    "grad = float": lambda v: setattr(v, "grad", 2.5),
    "grad = array": lambda v: setattr(v, "grad", np.array([1.0, 2.0, 3.0])),
    "grad = text": lambda v: setattr(v, "grad", "steep"),
    "del grad": lambda v: delattr(v, "grad"),
    "zeroed and again": lambda v: (setattr(v, "grad", None), np.sum(v).backward()),
    "again": lambda v: np.sum(v * 3).backward(),
    "of several": lambda v: [np.sum(v * v / n).backward() for n in (1, 2)],
    "value = int": lambda v: setattr(v, "value", 7),
    "value = None": lambda v: setattr(v, "value", None),
    "del value": lambda v: delattr(v, "value"),
    "writes into value": lambda v: v.value.__setitem__(0, 1.0),
    "writes into grad": lambda v: v.grad.__setitem__(0, 1.0),
    "another name": lambda v: v.gradient,
}.items():
    for start in (1.5, vector, vector.astype(np.float32), np.array(2.0), np.array([1 + 2j, 3.0])):
        told(f"{name}, {start!r}", on_leaf, start, do)
told("interior grad", lambda: interior.grad)
told("interior grad = None", lambda: setattr(interior, "grad", None))
told("interior value = 1", lambda: setattr(interior, "value", 1.0))
told("interior value", lambda: interior.value)
told("class attributes", lambda: [gg.Variable.grad.__doc__, gg.Variable.value.__doc__, gg.Gate.__call__.__doc__])
for name in ("grad", "value"):
    told(f"{name} of nothing", lambda name: getattr(object.__new__(gg.Variable), name) or 0, name)

for name, function in {
    "np.add(v, 2)": lambda v: np.add(v, 2),
    "np.add(2.5, v)": lambda v: np.add(2.5, v),
    "np.add(v, v)": lambda v: np.add(v, v),
    "array * v": lambda v: vector * v,
    "np.maximum(v, array)": lambda v: np.maximum(v, vector),
    "np.add(v, None)": lambda v: np.add(v, None),
    "np.add(v, 'a')": lambda v: np.add(v, "a"),
    "np.float32 * v": lambda v: np.float32(2.0) * v,
    "np.float64 + v": lambda v: np.float64(2.0) + v,
    "True * v": lambda v: np.multiply(True, v),
    "np.exp, dtype": lambda v: np.exp(v, dtype=np.float32),
    "np.exp, out": lambda v: np.exp(v, out=np.empty(2)),
    "np.exp of an array into v": lambda v: np.exp(vector, out=v),
    "np.add, where": lambda v: np.add(v, v, where=[True, False]),
    "np.add.reduce": lambda v: np.add.reduce(v),
    "np.add.outer": lambda v: np.add.outer(v, v),
    "np.spacing": lambda v: np.spacing(v),
    "np.isfinite": lambda v: np.isfinite(v),
    "np.clip": lambda v: np.clip(v, 0.0, 1.2),
    "np.power of a broken one": lambda v: np.power(-1.0 * v, 0.5),
    "v[0]": lambda v: v[0],
    "v[1:] ** 2": lambda v: v[1:] ** 2,
    "v[[0, 0, 1]]": lambda v: v[[0, 0, 1]],
    "called on another": lambda v: v.__array_ufunc__(np.exp, "__call__", 2.0 * v),
    "called on none": lambda v: v.__array_ufunc__(np.exp, "__call__"),
    "called with a number": lambda v: v.__array_ufunc__(np.exp, "__call__", 1.0),
    "called without a method": lambda v: v.__array_ufunc__(np.exp),
    "called with odd names": lambda v: v.__array_ufunc__(np.exp, "__call__", v, speed=1),
}.items():
    for start in (1.5, vector, vector.astype(np.float32)):
        told(f"{name}, {start!r}", gradients, function, start)
        told(f"{name} of a slope, {start!r}", gg.grad(lambda v, f: np.sum(f(v)), argnums=0), start, function)


class Scaled(gg.Gate):
    """A user's gate with an option, whose call is written over."""

    def __init__(self, by=2.0):
        self.by = by

    def __call__(self, *inputs):
        return super().__call__(*inputs)

    def forward(self, x):
        return x * self.by

    def backward(self, dz):
        return dz * self.by


class Sine(gg.Elementwise):
    """A user's gate that stands for a ufunc which has one already."""

    ufunc = np.sin

    def forward(self, x):
        self.x = x
        return np.sin(x)

    def backward(self, dz):
        return 2 * np.cos(self.x) * dz


def applied(gate, *inputs):
    """A gate applied twice, and what it remembers of it."""
    first = gate(*inputs)
    second = gate(*inputs)
    return first, second, vars(gate), gate.options, gate.needs


relu, total = type(gg.relu(gg.variable(1.0)).gate), type(np.sum(gg.variable(vector)).gate)
index = type(gg.variable(vector)[0].gate)
for name, inputs in {
    "nothing": (),
    "float": (1.5,),
    "int": (2,),
    "bool": (True,),
    "array": (vector,),
    "list": ([1.0, 2.0],),
    "text": ("a",),
    "number": (gg.variable(1.5),),
    "variable": (gg.variable(vector),),
    "untracked": (gg.variable(vector).detach(),),
    "two": (1.0, 2.0),
    "variable and one": (gg.variable(vector), 2.0),
    "four": (1.0, 2.0, 3.0, 4.0),
}.items():
    for make in (relu, total, lambda: total(0, True), lambda: index(0), Scaled, lambda: Scaled(by=3.0)):
        gate = make()
        told(f"{gate!r} of {name}", applied, gate, *inputs)
    gate = relu()
    gate.more = 1
    told(f"a relu with more on it, of {name}", applied, gate, *inputs)
    told(f"a name for {name}", lambda *inputs: relu()(*inputs, x=1.0), *inputs)
told("the bare gate", lambda: gg.Gate()(1.0))
told("sine", gradients, np.sin, 0.5)
told("sine of an array", gradients, np.sin, vector)
told("masked", gradients, lambda v: np.sum(gg.relu(v)[0:1] * np.where(v > 1.5, v, 0.0)), vector)
told("empty", lambda: object.__new__(gg.Variable) + 1)
told("confused levels", lambda: gg.grad(lambda x: x * gg.grad(lambda y: x + y)(1.0))(2.0))

matrix = np.arange(1.0, 5.0).reshape(2, 2)
frozen = matrix.copy()
frozen.flags.writeable = False
partners = {
    "a number of NumPy's": np.float64(0.5),
    "single precision": np.float32(0.5),
    "an array": matrix,
    "a frozen array": frozen,
    "a view of a frozen one": frozen[::-1],
    "an array with gaps": np.arange(8.0).reshape(2, 4)[:, ::2],
    "a large array": np.ones((80, 1, 2)),
    "truths": matrix > 2.0,
    "integers": np.arange(2),
    "single precision, several": matrix.astype(np.float32),
    "complex numbers": matrix * 1j,
    "texts": np.array(["a", "b"]),
    "times": np.zeros(2, "M8[s]"),
    "none": np.zeros((0, 2, 2)),
    "no number": None,
}


def chosen(a, b):
    return np.where(a > 1.0, a, b)


for name, y in partners.items():
    for function in (np.add, np.multiply, np.divide, np.matmul, np.maximum, chosen, np.dot):
        for x in (matrix, 2.0, matrix.astype(np.float32)):
            told(f"{function.__name__} with {name}", gradients, lambda v, f=function, y=y: np.real(f(v, y)), x)
            told(f"{function.__name__} of {name}", gradients, lambda v, f=function, y=y: np.real(f(y, v)), x)
told("many inputs", gradients, lambda v: np.concatenate([v] * 12), vector)
told("some inputs", gradients, lambda v: np.concatenate([v, vector, v * 2.0]), vector)


def stale(y, change):
    v = gg.variable(matrix)
    z = np.sum(np.where(matrix > 2.0, v * y, v @ y) + np.maximum(v, y))
    change(y)
    z.backward()
    return v.grad


for name, change in {
    "left alone": lambda y: None,
    "written into": lambda y: y.fill(7.0),
    "written into in one place": lambda y: y.__setitem__((0, 1), 7.0),
    "turned": lambda y: setattr(y, "shape", (1, 4)),
}.items():
    told(f"an array that is {name}", stale, matrix.copy(), change)
    told(f"an array with gaps that is {name}", stale, np.arange(8.0).reshape(2, 4)[:, ::2], change)
told(
    "a gate of ours, paused", lambda: gg.no_grad()(lambda v: np.where(matrix > 2.0, v, v * matrix))(gg.variable(matrix))
)
told(
    "levels and arrays",
    lambda: gg.grad(lambda x: np.sum(matrix * gg.grad(lambda y: np.sum(x * y * matrix))(x)))(matrix),
)
for slope in (1.0, np.inf, np.nan):
    for function in (
        lambda v, s: np.where(v > 2.0, np.tanh(v * s @ matrix), 0.0),
        lambda v, s: np.where(v > 2.0, gg.relu(np.log(v - s)) / v, v),
        lambda v, s: np.where(v > 2.0, np.log(v - 2.0) * s, 0.0) + np.maximum(v[::-1], v),
        lambda v, s: gg.relu(Loud.backward(Loud(), v)) @ (matrix * s),
    ):
        told(f"masks and {slope}", gradients, lambda v, f=function, s=slope: np.sum(f(v, s)), matrix)
