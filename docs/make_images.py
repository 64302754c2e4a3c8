"""Draw the pictures of the README and the pages with the library itself: `python docs/make_images.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import gategrad as gg

IMAGES = Path(__file__).parent / "images"


def product() -> gg.Variable:
    """f = (x + y) · z at (−2, 5, −4)."""
    x, y, z = gg.variable(-2.0, name="x"), gg.variable(5.0, name="y"), gg.variable(-4.0, name="z")
    f = (x + y) * z
    f.backward()
    return f


def neuron() -> gg.Variable:
    """The sigmoid neuron of the notebook, gate by gate."""
    inputs = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}
    w0, x0, w1, x1, w2 = [gg.variable(value, name=name) for name, value in inputs.items()]
    f = 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))
    f.backward()
    return f


def main(folder: Path = IMAGES) -> None:
    """Write each picture into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in {"circuit": product, "neuron": neuron}.items():
        f = make()  # its name labels the output wire
        gg.circuit(f).svg(folder / f"{name}.svg")


if __name__ == "__main__":
    main()
