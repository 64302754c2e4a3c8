"""A recurrent network reads the Zen of Python letter by letter, and then writes on its own.

The hidden state h ← tanh(W [letter] + U h + b) goes through a plain `for`; the circuit unrolls with it, and the way back runs through time.
The text is the one that `import this` prints. Draws the loss, and how sure the network is of each letter of a line.

Run: python examples/rnn_text.py --out pictures      (needs matplotlib: pip install '.[test]')
"""

from __future__ import annotations

import argparse
import codecs
import contextlib
import io
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

import gategrad as gg

HIDDEN = 64
LENGTH = 24  # letters that the way back runs through
BATCH = 16
STEPS = 500
RATE = 0.02
Parameters = dict[str, Any]


def zen() -> str:
    """The text of `import this`, which Python keeps in a simple cipher."""
    with contextlib.redirect_stdout(io.StringIO()):  # importing it prints it
        import this
    return codecs.decode(this.s, "rot13")


@dataclass
class Reader:
    """The text as numbers, the parameters, and the loss of each step of training."""

    text: str
    parameters: Parameters = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.letters = sorted(set(self.text))
        self.codes = np.array([self.letters.index(letter) for letter in self.text])

    def start(self, rng: np.random.Generator) -> None:
        """Small random weights; U starts near a rotation, so that the state neither dies nor explodes."""
        count = len(self.letters)
        self.parameters = {
            "W": rng.normal(size=(count, HIDDEN)) * 0.3,
            "U": np.linalg.qr(rng.normal(size=(HIDDEN, HIDDEN)))[0],
            "b": np.zeros(HIDDEN),
            "V": rng.normal(size=(HIDDEN, count)) * 0.1,
            "c": np.zeros(count),
        }

    def sample(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Passages of the text, and the same one letter later: both (LENGTH, BATCH)."""
        starts = rng.integers(0, len(self.codes) - LENGTH, BATCH)
        places = starts + np.arange(LENGTH)[:, None]
        return self.codes[places], self.codes[places + 1]

    def write(self, begin: str, count: int) -> str:
        """Go on from a beginning, always with the likeliest letter."""
        p, h = self.parameters, np.zeros(HIDDEN)
        written = begin
        for letter in begin[:-1]:
            h = advance(p, h, self.letters.index(letter))
        for _ in range(count):
            h = advance(p, h, self.letters.index(written[-1]))
            written += self.letters[int(np.argmax(h @ p["V"] + p["c"]))]
        return written

    def certainty(self, line: str) -> np.ndarray:
        """The probability given to each letter of a line before it was read, from the second on."""
        p, h = self.parameters, np.zeros(HIDDEN)
        found = []
        for letter, following in itertools.pairwise(line):
            h = advance(p, h, self.letters.index(letter))
            found.append(gg.softmax(h @ p["V"] + p["c"])[self.letters.index(following)])
        return np.array(found)


def advance(p: Parameters, h: Any, letter: Any) -> Any:
    """One letter further; one row of W for each passage that is read."""
    return np.tanh(p["W"][letter] + h @ p["U"] + p["b"])


def loss(p: Parameters, letters: np.ndarray, following: np.ndarray) -> Any:
    """The mean cross entropy of the following letters."""
    h: Any = np.zeros((letters.shape[1], HIDDEN))
    states = []
    for letter in letters:
        h = advance(p, h, letter)
        states.append(h)
    logits = np.concatenate(states) @ p["V"] + p["c"]
    return gg.cross_entropy(logits, following.ravel())


def train(steps: int = STEPS, seed: int = 0) -> Reader:
    """Adam, on passages drawn at random."""
    rng = np.random.default_rng(seed)
    reader = Reader(zen())
    reader.start(rng)
    value_and_gradient = gg.value_and_grad(loss)
    slow = {name: np.zeros_like(p) for name, p in reader.parameters.items()}
    square = {name: np.zeros_like(p) for name, p in reader.parameters.items()}
    for step in progress(range(1, steps + 1)):
        value, gradients = value_and_gradient(reader.parameters, *reader.sample(rng))
        reader.losses.append(value)
        for name, g in gradients.items():
            slow[name] = 0.9 * slow[name] + 0.1 * g
            square[name] = 0.99 * square[name] + 0.01 * g * g
            change = (slow[name] / (1 - 0.9**step)) / (np.sqrt(square[name] / (1 - 0.99**step)) + 1e-8)
            reader.parameters[name] = reader.parameters[name] - RATE * (1 - step / (steps + 1)) * change
    return reader


def progress(steps: range) -> Iterable[int]:
    """The steps, with a progress bar if rich is installed."""
    try:
        from rich.progress import track
    except ModuleNotFoundError:
        return steps
    return track(steps, description="reading")


def draw(reader: Reader, path: Path) -> None:
    """The loss of each step, and a line of the text with the letters that were no surprise in darker blue."""
    import matplotlib.pyplot as plt

    line = reader.text.splitlines()[2]
    sure = np.concatenate([[0.0], reader.certainty(line)])
    figure, (above, below) = plt.subplots(2, figsize=(8, 4.5), height_ratios=(5, 1), layout="constrained")
    above.plot(reader.losses, linewidth=0.8)
    above.axhline(np.log(len(reader.letters)), color="gray", linestyle=":", label="guessing")
    above.set(xlabel="step", ylabel="cross entropy per letter", title="Learning the Zen of Python", ylim=(0, None))
    above.legend()
    below.imshow(sure[None], cmap="Blues", vmin=0, vmax=1.3, aspect="auto")
    for place, letter in enumerate(line):
        below.text(place, 0, letter, ha="center", va="center", family="monospace")
    below.set(title="darker: expected", yticks=[], xticks=[])
    figure.savefig(path)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> Reader:
    parser = argparse.ArgumentParser(description="Learn a text letter by letter with a recurrent network.")
    parser.add_argument("--out", type=Path, default=Path("rnn_text"), help="folder for the picture (default: rnn_text)")
    parser.add_argument("--steps", type=int, default=STEPS)
    options: Any = parser.parse_args(arguments)
    mpl.use("agg")  # files, no window
    reader = train(options.steps)
    options.out.mkdir(parents=True, exist_ok=True)
    draw(reader, options.out / "reading.png")
    print(reader.write("Beautiful ", 120))
    print(f"loss {np.mean(reader.losses[-20:]):.3f}; picture in {options.out}")
    return reader


if __name__ == "__main__":
    main()
