"""Lynx and hares: the four constants of a predator–prey model, fitted through the solver of its differential equation.

The data are the furs that the Hudson's Bay Company bought from 1900 to 1920, in thousands, the classic record of two populations
that rise and fall together. The solver is a plain `for` over Runge–Kutta steps on Python floats; compiled with its gradient it becomes
one native function, which an optimiser from SciPy calls. Draws what was counted and what the model says.

Data: C. Elton and M. Nicholson, The ten-year cycle in numbers of the lynx in Canada (1942), as tabulated by
J. M. Mahaffy. Model: A. J. Lotka (1925), V. Volterra (1926).

Run: python examples/ode_fit.py --out pictures      (needs SciPy and matplotlib: pip install '.[test]')
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from scipy.optimize import minimize

import gategrad as gg

HARES = np.array(
    [
        30.0,
        47.2,
        70.2,
        77.4,
        36.3,
        20.6,
        18.1,
        21.4,
        22.0,
        25.4,
        27.1,
        40.3,
        57.0,
        76.6,
        52.3,
        19.5,
        11.2,
        7.6,
        14.6,
        16.2,
        24.7,
    ]
)
LYNXES = np.array(
    [
        4.0,
        6.1,
        9.8,
        35.2,
        59.4,
        41.7,
        19.0,
        13.0,
        8.3,
        9.1,
        7.4,
        8.0,
        12.3,
        19.5,
        45.7,
        51.1,
        29.7,
        15.8,
        9.7,
        10.1,
        8.6,
    ]
)
YEARS = np.arange(1900, 1921)
STEPS_PER_YEAR = 3
START = {"birth": 0.5, "hunting": 0.025, "death": 0.8, "feeding": 0.025, "hares": 30.0, "lynxes": 4.0}


@dataclass
class Fit:
    """The constants found, how often the loss was asked for, and the loss at the start and at the end."""

    constants: dict[str, float]
    calls: int
    losses: tuple[float, float]


def rates(hares: Any, lynxes: Any, p: dict[str, Any]) -> tuple[Any, Any]:
    """Lotka and Volterra: hares are born and hunted, lynxes starve and are fed."""
    return (p["birth"] - p["hunting"] * lynxes) * hares, (p["feeding"] * hares - p["death"]) * lynxes


def step(hares: Any, lynxes: Any, p: dict[str, Any], h: float) -> tuple[Any, Any]:
    """One step of the classic Runge–Kutta method of order 4."""
    a, b = rates(hares, lynxes, p)
    c, d = rates(hares + h / 2 * a, lynxes + h / 2 * b, p)
    e, f = rates(hares + h / 2 * c, lynxes + h / 2 * d, p)
    g, k = rates(hares + h * e, lynxes + h * f, p)
    return hares + h / 6 * (a + 2 * c + 2 * e + g), lynxes + h / 6 * (b + 2 * d + 2 * f + k)


def populations(p: dict[str, Any], years: int = len(YEARS)) -> list[tuple[Any, Any]]:
    """Hares and lynxes at the beginning of each year."""
    state = p["hares"], p["lynxes"]
    found = [state]
    for _ in range(years - 1):
        for _ in range(STEPS_PER_YEAR):
            state = step(*state, p, 1 / STEPS_PER_YEAR)
        found.append(state)
    return found


def loss(logarithms: dict[str, Any]) -> Any:
    """The mean squared error of the logarithms; the constants are positive, so their logarithms are what is fitted."""
    p = {name: np.exp(x) for name, x in logarithms.items()}
    total = 0.0
    for (hares, lynxes), seen_hares, seen_lynxes in zip(populations(p), np.log(HARES), np.log(LYNXES), strict=True):
        total = total + (np.log(hares) - seen_hares) ** 2 + (np.log(lynxes) - seen_lynxes) ** 2
    return total / (2 * len(YEARS))


def fit() -> Fit:
    """Minimise the loss with L-BFGS, from a rough guess."""
    names = list(START)
    value_and_gradient = gg.compile(gg.value_and_grad(loss))

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = value_and_gradient(dict(zip(names, x.tolist(), strict=True)))
        return value, np.array([gradient[name] for name in names])

    start = np.log(list(START.values()))
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    constants = dict(zip(names, np.exp(found.x).tolist(), strict=True))
    return Fit(constants, found.nfev, (objective(start)[0], float(found.fun)))


def draw(result: Fit, path: Path) -> None:
    """What was counted as points, what the model says as lines."""
    import matplotlib.pyplot as plt

    hares, lynxes = np.array(populations(result.constants)).T
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    for name, seen, modelled, colour in (("hares", HARES, hares, "tab:blue"), ("lynxes", LYNXES, lynxes, "tab:red")):
        axes.plot(YEARS, seen, "o", color=colour, label=f"{name}, counted")
        axes.plot(YEARS, modelled, color=colour, label=f"{name}, fitted")
    axes.set(xlabel="year", ylabel="furs, thousands", xticks=YEARS[::5], title="Lotka and Volterra, fitted by gradient")
    axes.legend()
    figure.savefig(path)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> Fit:
    parser = argparse.ArgumentParser(description="Fit a differential equation to real populations.")
    parser.add_argument("--out", type=Path, default=Path("ode_fit"), help="folder for the picture (default: ode_fit)")
    options: Any = parser.parse_args(arguments)
    mpl.use("agg")  # files, no window
    result = fit()
    options.out.mkdir(parents=True, exist_ok=True)
    draw(result, options.out / "populations.png")
    for name, value in result.constants.items():
        print(f"{name:8} {value:8.4f}")
    before, after = result.losses
    print(f"loss {before:.3f} → {after:.3f} in {result.calls} calls; picture in {options.out}")
    return result


if __name__ == "__main__":
    main()
