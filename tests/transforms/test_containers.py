"""flatten: what is a value, what is a container, and the way back."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
import optree
import pytest

import gategrad as gg
from gategrad.errors import DtypeError, EscapeError, ShapeError
from gategrad.transforms.containers import flatten

Pair = collections.namedtuple("Pair", "a b")


@dataclasses.dataclass
class Node:
    left: object
    right: object = None


@pytest.mark.parametrize(
    "x",
    [
        1.0,
        (1.0, [2.0, {"k": 3.0}]),
        Pair(1.0, (2.0,)),
        {"z": 1.0, "a": 2.0},
        collections.OrderedDict(z=1.0, a=2.0),
        Node(1.0, Node([2.0], 3.0)),
        [None, 1.0],
        (),
        {},
    ],
    ids=repr,
)
def test_there_and_back(x):
    values, rebuild = flatten(x)
    again = rebuild(values)
    assert again == x and type(again) is type(x)
    assert rebuild([10 * v for v in values]) != x or not values


def test_values_are_not_opened():
    for x in (np.ones((2, 2)), gg.variable([1.0]), 1, np.float32(1)):
        values, _ = flatten(x)
        assert len(values) == 1 and values[0] is x


def test_dicts_go_in_the_order_of_their_keys():
    assert flatten({"b": 1.0, "a": 2.0})[0] == [2.0, 1.0]


# --- what is no float ---------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Network:
    w: object
    layers: int
    activation: str = dataclasses.field(default="tanh", metadata={"static": True})


def test_integers_become_floats_in_containers_as_they_do_alone():
    assert gg.grad(lambda n: n * n)(3) == 6.0
    assert gg.grad(lambda p: p["n"] * p["n"] * p["x"])({"n": 3, "x": 1.0}) == {"n": 6.0, "x": 9.0}
    gradient = gg.grad(lambda net: net.w * net.layers)(Network(2.0, 3))
    assert gradient == Network(3.0, 2.0) and type(gradient.layers) is float


def test_an_integer_that_counts_is_refused_where_it_is_used():
    with pytest.raises(
        EscapeError,
        match=r"^range\(net\.layers\) would.*\n.*\nAn index or a count carries no gradient: int\(v\.value\)",
    ):
        gg.grad(lambda net: sum(net.w for _ in range(net.layers)))(Network(2.0, 3))


@pytest.mark.parametrize("x", ["tanh", True, np.arange(3), b"", object()], ids=lambda x: type(x).__name__)
def test_what_cannot_have_a_gradient_is_refused_inside_containers(x):
    with pytest.raises(DtypeError, match=r"^argument 0(\['b'\]|\[0\]) is "):
        gg.grad(lambda p: p["a"])({"a": 1.0, "b": x})


@dataclasses.dataclass
class Model:
    w: object
    layers: int = dataclasses.field(metadata={"static": True})
    activation: object = dataclasses.field(metadata={"static": True})


def apply(model, x):
    for _ in range(model.layers):
        x = model.activation(model.w * x)
    return x


@pytest.mark.parametrize("transform", [lambda f: f, gg.compile], ids=["in NumPy", "compiled"])
def test_static_fields_stay_what_they_are(transform):
    model = Model(0.5, 2, np.sin)
    gradient = transform(gg.grad(apply))(model, 0.7)
    assert type(gradient) is Model and gradient.layers == 2 and gradient.activation is np.sin
    inner = np.sin(0.35)
    assert gradient.w == pytest.approx(np.cos(0.5 * inner) * (inner + 0.5 * np.cos(0.35) * 0.7), rel=1e-12)
    assert transform(gg.grad(apply))(Model(0.5, 1, np.cos), 0.7).w == pytest.approx(-np.sin(0.35) * 0.7, rel=1e-12)


def test_tangents_have_the_static_fields_of_their_primals():
    model = Model(0.5, 1, np.sin)
    assert gg.jvp(lambda m: apply(m, 0.7), (model,), (Model(1.0, 1, np.sin),))[1] == gg.grad(apply)(model, 0.7).w
    with pytest.raises(ShapeError, match="built unlike"):
        gg.jvp(lambda m: apply(m, 0.7), (model,), (Model(1.0, 2, np.sin),))


# --- classes that their authors have told optree of -----------------------------------------------------------------


class Labelled:
    """A container whose second half is no value."""

    def __init__(self, x, label):
        self.x, self.label = x, label


class ForEverybody(Labelled):
    pass


class ForUs(Labelled):
    pass


class ForOthers(Labelled):
    pass


GLOBALLY = optree.registry.__GLOBAL_NAMESPACE
for cls, namespace in ((ForEverybody, GLOBALLY), (ForUs, "gategrad"), (ForOthers, "others")):
    optree.register_pytree_node(
        cls, lambda p: ([p.x], p.label), lambda label, xs, cls=cls: cls(*xs, label), namespace=namespace
    )


@pytest.mark.parametrize("cls", [ForEverybody, ForUs])
def test_registered_classes(cls):
    gradient = gg.grad(lambda p: p.x[0] * p.x[1])(cls([2.0, 3.0], "label"))
    assert type(gradient) is cls and gradient.x == [3.0, 2.0] and gradient.label == "label"


def test_a_class_registered_for_others_is_refused_by_name():
    with pytest.raises(DtypeError, match=r"argument 0 is the ForOthers .*containers of them"):
        gg.grad(lambda p: p.x)(ForOthers(2.0, "label"))


@dataclasses.dataclass
class Named:
    a: float
    name: str


@pytest.mark.parametrize(
    ("p", "says"),
    [
        (
            {"a": [1.0, {"n": "relu"}]},
            r"^argument 0\['a'\]\[1\]\['n'\] is the str 'relu'.*What is no parameter is another",
        ),
        (Named(1.0, "x"), r"^argument 0\.name is the str 'x'.* metadata=\{'static': True\}$"),
        ((1.0, np.arange(3)), r"^argument 0\[1\] is an int64 array .*Pass x\.astype\(float\)"),
    ],
)
def test_what_is_no_parameter_is_named_by_its_place(p, says):
    with pytest.raises(gg.errors.DtypeError, match=says):
        gg.grad(lambda p: 1.0)(p)


def test_an_array_of_another_library_is_named():
    class Tensor:
        dtype, shape = "torch.float32", (3,)

    with pytest.raises(gg.errors.DtypeError, match=r"^argument 0 is a torch\.float32 array of shape \(3,\): gradients"):
        gg.grad(np.sum)(Tensor())
