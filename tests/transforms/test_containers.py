"""flatten: what is a value, what is a container, and the way back."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
import pytest

import gategrad as gg
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
