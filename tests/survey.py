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
told("empty", lambda: object.__new__(gg.Variable) + 1)
told("confused levels", lambda: gg.grad(lambda x: x * gg.grad(lambda y: x + y)(1.0))(2.0))
