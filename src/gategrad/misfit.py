"""Shapes that do not fit together: what must equal what, and what was probably meant."""

from __future__ import annotations

from collections.abc import Sequence

from gategrad.errors import ShapeError

__all__ = ["broadcast_misfit", "product_misfit"]

Shape = tuple[int, ...]


def product_misfit(one: Shape, other: Shape) -> ShapeError | None:
    """Why x @ y has no value for these shapes; None if it has.

    >>> print(product_misfit((2, 3), (2, 3)))
    matmul: x is (2, 3), y is (2, 3); x's last axis (3) must equal y's second-to-last (2). Did you mean x @ y.T?
    """
    shapes = f"matmul: x is {one}, y is {other}; "
    if not one or not other:
        scalar = "x" if not one else "y"
        return ShapeError(
            f"{shapes}{scalar} is a single number, which has no axis to multiply along. Did you mean x * y?"
        )
    inner = other[-2] if len(other) > 1 else other[0]
    if one[-1] == inner:
        if len(one) < 2 or len(other) < 2 or _common(one[:-2], other[:-2]):
            return None
        return ShapeError(f"{shapes}the leading axes {one[:-2]} and {other[:-2]} do not broadcast against each other.")
    which = "second-to-last" if len(other) > 1 else "only axis"
    return ShapeError(f"{shapes}x's last axis ({one[-1]}) must equal y's {which} ({inner}).{_transposed(one, other)}")


def _transposed(one: Shape, other: Shape) -> str:
    """A transpose that would make the product fit, if there is one."""
    x_turned = "x.T" if len(one) == 2 else "np.swapaxes(x, -1, -2)"
    y_turned = "y.T" if len(other) == 2 else "np.swapaxes(y, -1, -2)"
    if len(other) > 1 and one[-1] == other[-1]:
        return f" Did you mean x @ {y_turned}?"
    if len(one) > 1 and one[-2] == (other[-2] if len(other) > 1 else other[0]):
        return f" Did you mean {x_turned} @ y?"
    if len(one) > 1 and len(other) > 1 and one[-2] == other[-1]:
        return f" Did you mean {'y @ x' if len(one) == len(other) == 2 else f'{x_turned} @ {y_turned}'}?"
    return ""


def broadcast_misfit(name: str, shapes: Sequence[Shape]) -> ShapeError | None:
    """Why the inputs of an elementwise function have no common shape; None if they have.

    >>> print(broadcast_misfit("add", [(32, 10), (32,)]))
    add: x is (32, 10), y is (32,); counted from the last, axes must be of one length, or of length 1, but 10 meets 32. Did you mean y[:, None]?
    """
    for axis in range(1, 1 + max(map(len, shapes), default=0)):
        lengths = dict.fromkeys(shape[-axis] for shape in shapes if len(shape) >= axis and shape[-axis] != 1)
        if len(lengths) > 1:
            listed = ", ".join(f"{letter} is {shape}" for letter, shape in zip("xyzuvw", shapes, strict=False))
            meet = " meets ".join(map(str, lengths))
            return ShapeError(
                f"{name}: {listed}; counted from the last, axes must be of one length, or of length 1, but {meet}."
                f"{_lengthened(shapes)}"
            )
    return None


def _lengthened(shapes: Sequence[Shape]) -> str:
    """A further axis at the end of one of two inputs that would make them fit, if there is one."""
    if len(shapes) != 2:
        return ""
    for letter, short, long in zip("xy", shapes, reversed(shapes), strict=True):
        missing = len(long) - len(short)
        if short and missing > 0 and _common((*short, *[1] * missing), long):
            return f" Did you mean {letter}[{'...' if len(short) > 1 else ':'}{', None' * missing}]?"
    return ""


def _common(one: Shape, other: Shape) -> bool:
    """Whether arrays of these shapes broadcast against each other."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return all(m == n or 1 in (m, n) for m, n in pairs)
