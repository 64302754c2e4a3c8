"""Real handwritten digits, learnt in less than a minute by a two-layer network on the tape.

The data are the 1,797 scans of 8 × 8 pixels that ship inside scikit-learn. The training part is enlarged by shifting
each digit by a pixel in four directions, since a shifted 3 is a 3. Writes a loss curve and a picture of what the network gets
wrong.

Run: python examples/digits.py --out pictures      (needs scikit-learn and matplotlib: pip install '.[test]')
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import gategrad as gg

HIDDEN = 128
EPOCHS = 30
BATCH = 100
RATE = 0.2
MOMENTUM = 0.9


@dataclass
class Result:
    """What training left behind: the loss of each step, and what was answered for the test images."""

    losses: list[float]
    images: np.ndarray
    labels: np.ndarray
    answers: np.ndarray

    @property
    def accuracy(self) -> float:
        """The part of the test images that was recognised."""
        return float(np.mean(self.answers == self.labels))


def shifted(images: np.ndarray) -> np.ndarray:
    """The images as they are, and moved by one pixel to each side."""
    padded = np.pad(images, [(0, 0), (1, 1), (1, 1)])
    corners = [(1, 1), (0, 1), (2, 1), (1, 0), (1, 2)]
    return np.concatenate([padded[:, i : i + 8, j : j + 8] for i, j in corners])


class Network:
    """64 pixels, a layer of relus, 10 logits; trained by gradient descent with momentum."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.w1 = gg.variable(rng.normal(size=(64, HIDDEN)) * np.sqrt(2 / 64), name="W1")
        self.b1 = gg.variable(np.zeros(HIDDEN), name="b1")
        self.w2 = gg.variable(rng.normal(size=(HIDDEN, 10)) * np.sqrt(2 / HIDDEN), name="W2")
        self.b2 = gg.variable(np.zeros(10), name="b2")
        self.parameters = [self.w1, self.b1, self.w2, self.b2]
        self.velocities = [np.zeros(p.shape) for p in self.parameters]

    def logits(self, images: np.ndarray) -> gg.Variable:
        """(n, 8, 8) → (n, 10)."""
        x = images.reshape(len(images), 64) / 16
        return gg.relu(x @ self.w1 + self.b1) @ self.w2 + self.b2

    def step(self, images: np.ndarray, labels: np.ndarray, rate: float) -> float:
        """One step along the gradient of the cross entropy; return the loss before it."""
        loss = gg.cross_entropy(self.logits(images), labels)
        loss.backward()
        for p, velocity in zip(self.parameters, self.velocities, strict=True):
            velocity *= MOMENTUM
            velocity -= rate * p.grad
            p.value = p.value + velocity
            p.grad = None
        return loss.item()

    def answers(self, images: np.ndarray) -> np.ndarray:
        """The digit that each image is taken for."""
        with gg.no_grad():
            return self.logits(images).argmax(axis=1)


def train(epochs: int = EPOCHS, seed: int = 0) -> Result:
    """Train on three quarters of the digits, and ask about the rest."""
    rng = np.random.default_rng(seed)
    digits = load_digits()
    images, test_images, labels, test_labels = train_test_split(
        digits.images, digits.target, test_size=0.25, stratify=digits.target, random_state=seed
    )
    images, labels = shifted(images), np.tile(labels, 5)
    network = Network(rng)
    losses: list[float] = []
    for epoch in progress(range(epochs)):
        rate = RATE * (1 - epoch / epochs)
        losses.extend(network.step(images[batch], labels[batch], rate) for batch in batches(rng, len(images)))
    return Result(losses, test_images, test_labels, network.answers(test_images))


def batches(rng: np.random.Generator, count: int) -> Iterator[np.ndarray]:
    """The indices of all examples, shuffled, in portions."""
    order = rng.permutation(count)
    return (order[start : start + BATCH] for start in range(0, count, BATCH))


def progress(epochs: range) -> Iterable[int]:
    """The epochs, with a progress bar if rich is installed."""
    try:
        from rich.progress import track
    except ModuleNotFoundError:
        return epochs
    return track(epochs, description="training")


def draw_losses(result: Result, path: Path) -> None:
    """The loss of each step, and its mean over 50 steps."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    axes.semilogy(result.losses, linewidth=0.5, alpha=0.4, label="each step")
    smooth = np.convolve(result.losses, np.ones(50) / 50, mode="valid")
    axes.semilogy(np.arange(len(smooth)) + 49, smooth, label="mean of 50 steps")
    axes.set(xlabel="step", ylabel="cross entropy", title=f"test accuracy {result.accuracy:.1%}")
    axes.legend()
    figure.savefig(path)
    plt.close(figure)


def draw_mistakes(result: Result, path: Path) -> None:
    """Every test image that was taken for another digit, with what it was taken for."""
    import matplotlib.pyplot as plt

    wrong = np.flatnonzero(result.answers != result.labels)
    columns = 6
    rows = max(1, -(-len(wrong) // columns))
    figure, grid = plt.subplots(rows, columns, figsize=(1.6 * columns, 1.9 * rows), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, index in zip(grid.flat, wrong, strict=False):
        axes.imshow(result.images[index], cmap="gray_r")
        axes.set_title(f"{result.labels[index]}, taken for {result.answers[index]}", fontsize=9)
    figure.suptitle(f"{len(wrong)} of {len(result.labels)} wrong")
    figure.savefig(path)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> Result:
    parser = argparse.ArgumentParser(description="Learn handwritten digits with gategrad.")
    parser.add_argument("--out", type=Path, default=Path("digits"), help="folder for the pictures (default: digits)")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options: Any = parser.parse_args(arguments)
    mpl.use("agg")  # files, no window
    result = train(options.epochs)
    options.out.mkdir(parents=True, exist_ok=True)
    draw_losses(result, options.out / "loss.png")
    draw_mistakes(result, options.out / "mistakes.png")
    print(f"test accuracy {result.accuracy:.2%}; pictures in {options.out}")
    return result


if __name__ == "__main__":
    main()
