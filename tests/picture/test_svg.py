"""The SVG: well-formed, complete, escaped, without overlaps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import gategrad as gg
from gategrad.picture.fold import fold
from gategrad.picture.heat import heat_map, heat_size
from gategrad.picture.layout import Cell, arrange
from gategrad.picture.numbers import spread

SVG = "{http://www.w3.org/2000/svg}"
CIRCUITS = ["simple", "neuron", "net", "shared"]


@pytest.fixture(params=CIRCUITS)
def any_circuit(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def texts(svg: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for element in ET.fromstring(svg).iter(f"{SVG}text"):
        found.setdefault(element.get("class", ""), []).append("".join(element.itertext()))
    return found


def test_every_wire_has_its_value_and_its_gradient(any_circuit: Any) -> None:
    shown = texts(any_circuit.svg())
    for wire in any_circuit.model.wires:
        if wire.kind != "constant":
            assert spread(wire.value) in shown["gg-value"]
            assert spread(wire.gradient) in shown["gg-gradient"]
            assert wire.label in [*shown["gg-name"], *shown.get("gg-made-up", [])]


def test_every_gate_has_a_box_and_tells_of_itself(simple: Any) -> None:
    root = ET.fromstring(simple.svg())
    titles = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert len(titles) == 2
    assert "Multiply, a switcher" in titles[1] and "df/dq = −4" in titles[1] and "dx = y * dz" in titles[1]


def test_light_and_dark_and_no_network(any_circuit: Any) -> None:
    svg = any_circuit.svg()
    assert "prefers-color-scheme: dark" in svg
    assert re.findall(r"https?://[^\"' ]+", svg) == ["http://www.w3.org/2000/svg"]


def test_names_are_escaped() -> None:
    svg = gg.circuit(gg.variable(1.0, name="<script>&\"'") * 2.0).svg()
    assert "<script" not in svg
    assert "<script>&\"'" in texts(svg)["gg-name"]


def test_nothing_overlaps(any_circuit: Any) -> None:
    boxes = fold(any_circuit.model)

    def measure(cell: Cell) -> None:
        cell.width, cell.above, cell.below = (0.0, 5.0, 5.0) if cell.passing else (80.0, 20.0, 20.0)

    layout = arrange(any_circuit.model, boxes, measure, lambda box, index: 0.0, channel=30.0)
    for cell in layout.cells:
        for other in layout.cells:
            if cell is not other and cell.layer == other.layer and cell.y <= other.y:
                assert other.y - cell.y >= cell.below + other.above - 1e-6
            if cell.layer < other.layer:
                assert cell.x + cell.width + 30 <= other.x + 1e-6
        assert cell.y - cell.above >= -1e-6 and cell.y + cell.below <= layout.height + 1e-6


def test_wires_lead_forward_to_the_boxes_that_use_them(shared: Any) -> None:
    boxes = fold(shared.model)
    layout = arrange(shared.model, boxes, lambda cell: None, lambda box, index: 0.0, channel=30.0)
    assert len(layout.routes) == sum(len(box.inputs) for box in boxes)
    for route in layout.routes:
        layers = [cell.layer for cell in route.cells]
        assert layers == list(range(layers[0], layers[-1] + 1))
        end = route.cells[-1].box
        assert end is not None and end.inputs[route.port] is route.cells[0].wire


def test_a_chain_is_drawn_in_a_straight_line() -> None:
    x = gg.variable(0.5)
    c = gg.circuit(np.exp(np.sin(np.cos(x))))
    layout = arrange(c.model, fold(c.model), lambda cell: None, lambda box, index: 0.0, channel=30.0)
    assert len({round(cell.y, 6) for cell in layout.cells}) == 1


def test_heat_maps_are_small_whatever_the_array() -> None:
    rng = np.random.default_rng(0)
    for shape in ((1000, 3), (3, 1000), (5,), (4, 5, 6)):
        width, height = heat_size(rng.normal(size=shape))
        assert 0 < width <= 72 and 0 < height <= 30
        assert len(heat_map(rng.normal(size=shape), 0, 0, "gg-value")) < 12_000
    assert heat_size(3.0) == heat_size(np.zeros((0, 3))) == heat_size(None) == (0.0, 0.0)


def test_heat_maps_tell_signs_apart_and_leave_zero_empty() -> None:
    drawn = heat_map(np.array([1.0, 0.0, -1.0, np.nan, np.inf]), 0, 0, "gg-value")
    assert drawn.count("gg-up") == 1 and drawn.count("gg-down") == 1
    cells = dict(re.findall(r'class="(gg-\w+) .*? d="(.*?)"', drawn))
    assert cells["gg-up"].count("M") == 2 and cells["gg-down"].count("M") == 2


def test_a_file_is_written_and_a_notebook_shows_it(simple: Any, tmp_path: Path) -> None:
    written = simple.svg(tmp_path / "f.svg")
    assert (tmp_path / "f.svg").read_text(encoding="utf-8") == written
    bundle = simple._repr_mimebundle_()
    assert bundle == {"text/plain": repr(simple), "image/svg+xml": written}
    assert simple._repr_svg_() == written
