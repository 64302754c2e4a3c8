"""Reductions, running sums and products."""

import numpy as np

from ..cases import case

rng = np.random.default_rng(1)
ROW = rng.uniform(0.5, 2.0, 5)
GRID = rng.uniform(0.5, 2.0, (3, 4))
BOX = rng.uniform(0.5, 2.0, (2, 3, 4))

CASES = [
    case("np.sum", BOX),
    case("np.sum", BOX, axis=(0, -1), keepdims=True),
]
