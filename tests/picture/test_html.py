"""The page: self-contained, stepping through both passes, safe against what names may contain."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

import gategrad as gg


def story(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="story">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_each_gate_has_a_step_forward_and_one_backward(neuron: Any) -> None:
    steps = story(neuron.html())["steps"]
    gates = len(neuron.model.nodes)
    assert [step["phase"] for step in steps] == ["forward"] * gates + ["backward"] * gates
    assert [step["gate"] for step in steps] == [*range(gates), *reversed(range(gates))]
    assert [step["words"] for step in steps] == neuron.steps()


def test_when_all_steps_are_done_every_number_has_appeared_once(shared: Any) -> None:
    steps = story(shared.html())["steps"]
    for phase in ("forward", "backward"):
        shown = [wire for step in steps if step["phase"] == phase for wire in step["shows"]]
        assert sorted(shown) == list(range(len(shared.model.wires)))


def test_a_gradient_appears_only_when_all_its_branches_have_arrived() -> None:
    c = gg.circuit(lambda x: np.exp(x) * x, 1.0)
    backward = [step for step in story(c.html())["steps"] if step["phase"] == "backward"]
    x = c.model.wires.index(c.model.leaves[0])
    assert [x in step["shows"] for step in backward] == [False, True]


def test_buttons_keys_and_a_voice(simple: Any) -> None:
    page = simple.html()
    for name in ("first", "back", "on", "last"):
        assert f'data-go="{name}"' in page
    for key in ("ArrowLeft", "ArrowRight", "Home", "End"):
        assert key in page
    assert 'aria-live="polite"' in page and page.count('tabindex="0"') == 2
    assert page.count("<button") == page.count("aria-label", page.index("<button"), page.index("<progress"))
    assert "@media print" in page and "prefers-color-scheme: dark" in page


def test_nothing_is_fetched(net: Any) -> None:
    page = net.html()
    assert set(re.findall(r"https?://[^\"' ]+", page)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in page
    assert not re.search(r"<link|\ssrc=|@import|url\(", page)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))


def test_names_are_text_everywhere() -> None:
    nasty = "</script><img onerror=x>"
    page = gg.circuit(gg.variable(1.0, name=nasty) * gg.variable(2.0, name="\"'&")).html()
    tags = Tags()
    tags.feed(page)
    assert [tag for tag, _ in tags.found].count("script") == 2
    assert "img" not in [tag for tag, _ in tags.found]
    assert not any(name.startswith("on") for _, names in tags.found for name in names)
    assert nasty in story(page)["overview"]


def test_the_overview_and_the_title(simple: Any, tmp_path: Path) -> None:
    page = simple.html(tmp_path / "f.html")
    assert (tmp_path / "f.html").read_text(encoding="utf-8") == page
    assert "<title>f(x, y, z)</title>" in page
    assert story(page)["overview"] == "f = −12; df/dx = −4, df/dy = −4, df/dz = 3"
