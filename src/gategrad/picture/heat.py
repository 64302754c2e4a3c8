"""A small heat map of an array: positive numbers in the colour of their kind, negative ones grey, zero empty."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["heat_map", "heat_size"]

_MOST_ROWS, _MOST_COLUMNS = 10, 20
_TALLEST, _WIDEST = 30.0, 72.0
_LARGEST_CELL = 8.0
_SHADES = 5


def heat_size(array: Any) -> tuple[float, float]:
    """The width and the height of the heat map of this array; (0, 0) if there is nothing to show."""
    if array is None or isinstance(array, tuple) or np.ndim(array) == 0 or np.size(array) == 0:
        return 0.0, 0.0
    rows, columns = _reduced_shape(_as_matrix(array).shape)
    cell = min(_LARGEST_CELL, _TALLEST / rows, _WIDEST / columns)
    return cell * columns, cell * rows


def heat_map(array: Any, x: float, y: float, role: str) -> str:
    """The heat map as SVG, its upper left corner at (x, y); large arrays are sampled."""
    width, height = heat_size(array)
    if not width:
        return ""
    matrix = _sampled(_as_matrix(array))
    cell = width / matrix.shape[1]
    shades = _shades(matrix)
    parts = []
    for shade in range(-_SHADES, _SHADES + 1):
        places = np.argwhere(shades == shade)
        if shade and len(places):
            path = "".join(
                f"M{x + column * cell:.5g} {y + row * cell:.5g}h{cell:.4g}v{cell:.4g}h-{cell:.4g}z"
                for row, column in places
            )
            sign = "gg-up" if shade > 0 else "gg-down"
            parts.append(f'<path class="{sign} {role}" fill-opacity="{abs(shade) / _SHADES:.1f}" d="{path}"/>')
    frame = f'<rect x="{x:.5g}" y="{y:.5g}" width="{width:.4g}" height="{height:.4g}"/>'
    return f'<g class="gg-heat">{"".join(parts)}{frame}</g>'


def _as_matrix(array: Any) -> Any:
    array = np.asarray(array)
    array = array.real if array.dtype.kind == "c" else array
    return array.reshape(1, -1) if array.ndim < 2 else array.reshape(-1, array.shape[-1])


def _reduced_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    return min(shape[0], _MOST_ROWS), min(shape[1], _MOST_COLUMNS)


def _sampled(matrix: Any) -> Any:
    rows, columns = _reduced_shape(matrix.shape)
    row = np.linspace(0, matrix.shape[0] - 1, rows).round().astype(int)
    column = np.linspace(0, matrix.shape[1] - 1, columns).round().astype(int)
    return matrix[np.ix_(row, column)].astype(float)


def _shades(matrix: Any) -> Any:
    """Each number as one of a few shades of the largest magnitude; what is not finite is the darkest."""
    finite = np.where(np.isfinite(matrix), matrix, 0.0)
    largest = np.abs(finite).max() or 1.0
    shades = np.sign(finite) * np.ceil(np.abs(finite) / largest * _SHADES)
    return np.where(np.isnan(matrix), -_SHADES, np.where(np.isinf(matrix), np.sign(matrix) * _SHADES, shades)).astype(
        int
    )
