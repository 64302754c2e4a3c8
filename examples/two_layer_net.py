"""A two-layer network written by hand on the tape: it learns two interleaved half-moons.

Run: python examples/two_layer_net.py
"""

from __future__ import annotations

import numpy as np

import gategrad as gg

RATE = 1.0
HIDDEN = 16


def moons(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (count, 2) on two half-moons, with a little noise, and which moon each belongs to."""
    angle = rng.uniform(0, np.pi, count)
    moon = rng.integers(0, 2, count)
    x = np.where(moon == 0, np.cos(angle), 1 - np.cos(angle))
    y = np.where(moon == 0, np.sin(angle), 0.5 - np.sin(angle))
    return np.stack([x, y], axis=1) + rng.normal(scale=0.1, size=(count, 2)), moon


def network(rng: np.random.Generator) -> list[gg.Variable]:
    """Weights and biases of both layers."""
    return [
        gg.variable(rng.normal(size=(2, HIDDEN)), name="W1"),
        gg.variable(np.zeros(HIDDEN), name="b1"),
        gg.variable(rng.normal(size=HIDDEN) / np.sqrt(HIDDEN), name="W2"),
        gg.variable(0.0, name="b2"),
    ]


def forward(parameters: list[gg.Variable], x: np.ndarray) -> gg.Variable:
    """The logit of each point: positive for the second moon."""
    w1, b1, w2, b2 = parameters
    hidden = np.tanh(x @ w1 + b1)
    return hidden @ w2 + b2


def loss_of(logit: gg.Variable, moon: np.ndarray) -> gg.Variable:
    """−log of the probability given to what is right, on average: log(1 + exp(∓logit))."""
    return np.mean(np.logaddexp(0.0, np.where(moon == 1, -logit, logit)))


def train(steps: int = 300, seed: int = 0) -> tuple[list[float], float]:
    """Descend along the gradient; return the loss at each step and the accuracy on fresh points."""
    rng = np.random.default_rng(seed)
    x, moon = moons(rng, 400)
    parameters = network(rng)
    losses = []
    for _ in range(steps):
        loss = loss_of(forward(parameters, x), moon)
        loss.backward()
        for p in parameters:
            p.value = p.value - RATE * p.grad
            p.grad = None
        losses.append(loss.item())
    x, moon = moons(rng, 1000)
    with gg.no_grad():
        guess = forward(parameters, x) > 0
    return losses, float(np.mean(guess == (moon == 1)))


def main() -> None:
    losses, accuracy = train()
    for step in range(0, len(losses), 50):
        print(f"step {step:4d}  loss {losses[step]:.4f}")
    print(f"step {len(losses):4d}  loss {losses[-1]:.4f}  accuracy on fresh points {accuracy:.1%}")


if __name__ == "__main__":
    main()
