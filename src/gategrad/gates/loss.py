"""Softmax, and the losses that networks are trained with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gategrad.errors import DtypeError, ShapeError, describe
from gategrad.gate import Gate
from gategrad.gates.axes import add_reduce, as_input, maximum_reduce
from gategrad.kinds import Example
from gategrad.recording import plain

__all__ = ["CrossEntropy", "LogSoftmax", "Softmax", "cross_entropy", "log_softmax", "mean_squared_error", "softmax"]


class Softmax(Gate):
    """z = exp x / Σ exp x along an axis. A router: what an element receives above the average of z · dz, times z."""

    pattern, symbol = "router", "softmax"

    def __init__(self, axis: int | tuple[int, ...] | None = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        e = np.exp(x - maximum_reduce(plain(x), axis=self.axis, keepdims=True))
        self.z = z = e / add_reduce(e, axis=self.axis, keepdims=True)
        return z

    def backward(self, dz: Any) -> Any:
        weighted = self.z * dz
        return weighted - self.z * add_reduce(weighted, axis=self.axis, keepdims=True)

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Along each axis, two, all."""
        for axis in (-1, 0, 1, (0, 2), None):
            yield cls(axis=axis), (rng.uniform(-2.0, 2.0, (2, 3, 4)),)
        yield cls(), (rng.uniform(-2.0, 2.0, 4),)


class LogSoftmax(Gate):
    """z = x - log Σ exp x along an axis. A distributor: the gradient less softmax times the sum of all gradients."""

    pattern, symbol = "distributor", "log softmax"

    def __init__(self, axis: int | tuple[int, ...] | None = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        lowered = x - maximum_reduce(plain(x), axis=self.axis, keepdims=True)
        self.z = z = lowered - np.log(add_reduce(np.exp(lowered), axis=self.axis, keepdims=True))
        return z

    def backward(self, dz: Any) -> Any:
        return dz - np.exp(self.z) * add_reduce(dz, axis=self.axis, keepdims=True)

    examples = Softmax.__dict__["examples"]


class CrossEntropy(Gate):
    """z = mean over rows of (log Σ exp x - x[label]). A scaler: the gradient times (softmax - one hot) / rows.

    With rows of probabilities y for labels: z = mean over rows of Σ y (log Σ exp x - x).
    """

    pattern, symbol = "scaler", "cross entropy"

    def forward(self, x: Any, y: Any) -> Any:
        lowered = x - maximum_reduce(plain(x), axis=-1, keepdims=True)
        e = np.exp(lowered)
        total = add_reduce(e, axis=-1, keepdims=True)
        self.e, self.total, self.y = e, total, y
        self.rows = int(np.size(plain(total)))
        if y.dtype.kind in "iu":
            chosen = lowered[_places(y)]
            return (add_reduce(np.log(total), axis=None) - add_reduce(chosen, axis=None)) / self.rows
        self.lowered = lowered if self.needs[1] else None
        weighted = np.where(plain(y) != 0, np.log(total) - lowered, np.zeros_like(plain(lowered))) * y
        return add_reduce(weighted, axis=None) / self.rows

    def backward(self, dz: Any) -> Any:
        need_x, need_y = self.needs
        share = dz / self.rows
        if self.y.dtype.kind in "iu":
            return (self.e / self.total - _one_hot(self.y, self.e)) * share, None
        dx = dy = None
        if need_x:
            weight = add_reduce(self.y, axis=-1, keepdims=True)
            dx = (self.e / self.total * weight - self.y) * share
        if need_y:
            dy = (np.log(self.total) - self.lowered) * share
        return dx, dy

    @classmethod
    def examples(cls, rng: np.random.Generator) -> Iterator[Example]:
        """Labels as integers and as probabilities; one row, several, a batch of several."""
        for shape in ((3,), (4, 3), (2, 4, 3), (4, 1)):
            x = rng.uniform(-2.0, 2.0, shape)
            yield cls(), (x, rng.integers(0, shape[-1], shape[:-1]))
            yield cls(), (x, rng.uniform(0.1, 1.0, shape))


def _places(labels: Any) -> tuple[Any, ...]:
    """The index that picks out of every row the element that its label names."""
    return (*np.ogrid[tuple(slice(n) for n in labels.shape)], labels) if labels.shape else (labels,)


def _one_hot(labels: Any, like: Any) -> Any:
    if not isinstance(labels, (np.ndarray, np.generic)):  # labels that are not known yet (a symbol)
        return np.astype(np.equal(labels[..., None], np.arange(like.shape[-1])), like.dtype)
    hot = np.zeros(like.shape, like.dtype)
    hot[_places(labels)] = 1.0
    return hot


# --- functions ------------------------------------------------------------------------------------------------


def softmax(x: Any, axis: int | tuple[int, ...] | None = -1) -> Any:
    """Exponentials divided by their sum: exp x_i / Σ_j exp x_j, positive numbers that add to 1 along an axis.

    Any shape and floating-point dtype; computed without overflow.

    >>> import numpy as np
    >>> softmax(np.array([0.0, np.log(3.0)]))
    array([0.25, 0.75])
    """
    return Softmax(axis)(as_input(x))


def log_softmax(x: Any, axis: int | tuple[int, ...] | None = -1) -> Any:
    """The logarithm of softmax: x_i - log Σ_j exp x_j along an axis.

    Any shape and floating-point dtype; exact where softmax itself would round to 0.

    >>> import numpy as np
    >>> log_softmax(np.array([0.0, -1000.0]))
    array([    0., -1000.])
    """
    return LogSoftmax(axis)(as_input(x))


def cross_entropy(logits: Any, labels: Any) -> Any:
    """How surprised softmax(logits) is by the labels, in nats: the mean over rows of -log softmax(logits)[label].

    `logits` has shape (..., classes). `labels` is either an integer array of shape (...), the class of each row, or
    a floating-point array of the shape of `logits`, the probabilities wanted: then the mean over rows of
    -Σ labels · log softmax(logits). Computed without overflow; the gradient is (softmax(logits) - one hot) / rows.

    Raises `ShapeError` if the shapes do not fit, `DtypeError` for labels that are neither, `IndexError` for a class
    that does not exist.

    >>> import numpy as np, gategrad as gg
    >>> logits, labels = np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([0, 1])
    >>> bool(cross_entropy(logits, labels) == np.log(2.0))
    True
    >>> gg.grad(cross_entropy)(logits, labels)
    array([[-0.25,  0.25],
           [ 0.25, -0.25]])
    """
    logits = as_input(logits)
    labels = np.asarray(labels) if isinstance(labels, (int, np.integer)) else as_input(labels)
    _check_labels(logits, labels)
    return CrossEntropy()(logits, labels)


def mean_squared_error(prediction: Any, target: Any) -> Any:
    """The mean of squared differences: Σ (prediction - target)² / n over all elements.

    Both of one shape, of any floating-point dtype. Raises `ShapeError` if they are not: rows minus a column would
    broadcast to a matrix of differences that nobody means.

    >>> import numpy as np
    >>> float(mean_squared_error(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """
    prediction, target = as_input(prediction), as_input(target)
    if np.shape(prediction) != np.shape(target):
        raise ShapeError(
            f"mean_squared_error: prediction has shape {np.shape(prediction)}, but target has shape {np.shape(target)}"
        )
    difference = prediction - target
    return np.mean(difference * difference)


def _check_labels(logits: Any, labels: Any) -> None:
    shape = np.shape(logits)
    kind = getattr(labels, "dtype", np.dtype(object)).kind
    if kind not in "fiu":
        raise DtypeError(
            f"cross_entropy: labels is {describe(plain(labels))}: it takes an integer class for each row, "
            "or rows of probabilities"
        )
    if not shape:
        raise ShapeError("cross_entropy: logits is a single number; its last axis must be the classes")
    wanted = shape if kind == "f" else shape[:-1]
    if labels.shape != wanted:
        what = "probabilities, one for each logit" if kind == "f" else "integers, one for each row of logits"
        hint = (
            " For class indices use integers: labels.astype(int)." if kind == "f" and labels.shape == shape[:-1] else ""
        )
        raise ShapeError(
            f"cross_entropy: logits is {shape}, labels is {labels.shape}; labels that are {what}, "
            f"must have shape {wanted}.{hint}"
        )
    if kind in "iu" and type(labels) is np.ndarray and labels.size and (labels.min() < 0 or labels.max() >= shape[-1]):
        worst = labels.min() if labels.min() < 0 else labels.max()
        raise IndexError(
            f"cross_entropy: label {worst} names no class: with {shape[-1]} classes they are 0 to {shape[-1] - 1}"
        )
