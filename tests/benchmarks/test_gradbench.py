"""GradBench's protocol on tiny inputs, and each problem against loops in plain Python and central differences."""

import io
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gradbench import inputs
from benchmarks.gradbench.protocol import MODULES, answer, functions_of, serve

pytest.importorskip("llvmlite")

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(17)
SMALL = {
    "hello": 1.5,
    "gmm": inputs.gmm(RNG, d=3, k=4, n=7),
    "lse": inputs.lse(RNG, 11),
    "llsq": inputs.llsq(RNG, 6, m=5),
    "kmeans": inputs.kmeans(RNG, k=3, n=12, d=2),
}


def plain(x):
    """The input as a message holds it."""
    if isinstance(x, dict):
        return {key: plain(item) for key, item in x.items()}
    return x.tolist() if isinstance(x, np.ndarray) else x


def evaluate(module, function, given, **repetition):
    given = {**plain(given), **repetition} if repetition else plain(given)
    return answer({"kind": "evaluate", "module": module, "function": function, "input": given})


def output(module, function, given=None):
    reply = evaluate(module, function, SMALL[module] if given is None else given)
    assert reply["success"], reply.get("error")
    return reply["output"]


def slopes(f, x, step=1e-5):
    """Central differences."""
    x = np.array(x, dtype=float)
    found = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        high, low = x.copy(), x.copy()
        high[place] += step
        low[place] -= step
        found[place] = (f(high) - f(low)) / (2 * step)
    return found


# --- the problems, in loops ------------------------------------------------------------------------------------------


def gmm_in_loops(given):
    d, n, m, gamma = (given[name] for name in ("d", "n", "m", "gamma"))
    factors = []
    for q, l in zip(given["q"], given["l"], strict=True):
        rest = iter(l)
        factor = np.diag(np.exp(q))
        for column in range(d):
            for row in range(column + 1, d):
                factor[row, column] = next(rest)
        factors.append(factor)
    precisions = [factor.T @ factor for factor in factors]
    weights = np.exp(given["alpha"]) / np.sum(np.exp(given["alpha"]))
    total = 0.0
    for x in given["x"]:
        density = 0.0
        for weight, mu, precision in zip(weights, given["mu"], precisions, strict=True):
            scale = math.sqrt(np.linalg.det(precision) / (2 * math.pi) ** d)
            density += weight * scale * math.exp(-0.5 * (x - mu) @ precision @ (x - mu))
        total += math.log(density)
    degrees = d + m + 1
    gammas = d * (d - 1) / 4 * math.log(math.pi) + sum(math.lgamma((degrees - j) / 2) for j in range(d))
    for precision in precisions:
        total += m / 2 * math.log(np.linalg.det(precision)) - gamma**2 / 2 * np.trace(precision)
        total -= degrees * d / 2 * math.log(2) - degrees * d * math.log(gamma) + gammas
    assert n == len(given["x"])
    return total


def llsq_in_loops(x, n):
    total = 0.0
    for i in range(n):
        t = -1 + 2 * i / (n - 1)
        total += (np.sign(t) - sum(c * t**j for j, c in enumerate(x))) ** 2
    return total / 2


def kmeans_in_loops(points, centroids):
    return sum(min(float(np.sum((p - c) ** 2)) for c in centroids) for p in points)


def test_hello():
    assert output("hello", "square") == 2.25
    assert output("hello", "double") == 3.0


def test_lse():
    x = SMALL["lse"]["x"]
    assert output("lse", "primal") == pytest.approx(math.log(math.fsum(np.exp(x))))
    np.testing.assert_allclose(output("lse", "gradient"), np.exp(x) / np.sum(np.exp(x)))
    assert output("lse", "primal", {"x": [1000.0, 1000.0]}) == pytest.approx(1000 + math.log(2))


def test_llsq():
    x, n = SMALL["llsq"]["x"], SMALL["llsq"]["n"]
    assert output("llsq", "primal") == pytest.approx(llsq_in_loops(x, n))
    np.testing.assert_allclose(output("llsq", "gradient"), slopes(lambda x: llsq_in_loops(x, n), x), atol=1e-8)


def test_kmeans():
    points, centroids = SMALL["kmeans"]["points"], SMALL["kmeans"]["centroids"] + 0.01
    given = {"points": points, "centroids": centroids}
    assert output("kmeans", "cost", given) == pytest.approx(kmeans_in_loops(points, centroids))
    gradient = slopes(lambda c: kmeans_in_loops(points, c), centroids)
    nearest = [int(np.argmin([np.sum((p - c) ** 2) for c in centroids])) for p in points]
    sizes = np.bincount(nearest, minlength=3)[:, None]
    np.testing.assert_allclose(output("kmeans", "dir", given), gradient / (2 * sizes), atol=1e-8)


@pytest.mark.parametrize(("m", "gamma"), [(0, 1.0), (2, 0.7)])
def test_gmm(m, gamma):
    given = {**SMALL["gmm"], "m": m, "gamma": gamma}
    assert output("gmm", "objective", given) == pytest.approx(gmm_in_loops(given))
    found = output("gmm", "jacobian", given)
    assert set(found) == {"alpha", "mu", "q", "l"}
    for name, gradient in found.items():
        expected = slopes(lambda x, name=name: gmm_in_loops({**given, name: x}), given[name])
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-6, err_msg=name)


def test_gmm_in_one_dimension_has_nothing_below_the_diagonal():
    given = inputs.gmm(np.random.default_rng(3), d=1, k=2, n=5)
    assert output("gmm", "objective", given) == pytest.approx(gmm_in_loops(given))
    assert output("gmm", "jacobian", given)["l"] == [[], []]


@pytest.mark.parametrize("module", MODULES)
def test_everything_runs_as_native_code_without_calls_of_the_host(module):
    for function in functions_of(module).values():
        arguments = function.prepare(plain(SMALL[module]))
        names = {value.op.name for value in function.compute.program(*arguments).values}
        assert "callback" not in names


# --- the protocol ----------------------------------------------------------------------------------------------------


def test_a_session():
    messages = [
        {"id": 0, "kind": "start", "eval": "lse"},
        {"id": 1, "kind": "define", "module": "lse"},
        {"id": 2, "kind": "evaluate", "module": "lse", "function": "gradient", "input": {"x": [0.5, 0.5]}},
        {"id": 3, "kind": "analysis", "of": 2, "valid": True},
        {"id": 4, "kind": "end"},
    ]
    out = io.StringIO()
    serve([json.dumps(message) for message in messages], out)
    replies = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [reply["id"] for reply in replies] == [0, 1, 2, 3, 4]
    assert replies[0]["tool"] == "gategrad"
    assert {"date", "processor", "cores", "system", "versions"} == set(replies[0]["config"])
    assert replies[1] == {"id": 1, "success": True}
    assert replies[2]["success"]
    assert replies[2]["output"] == [0.5, 0.5]
    assert replies[3] == {"id": 3}


def test_repetition_is_counted_and_compilation_named_apart():
    reply = evaluate("llsq", "gradient", SMALL["llsq"], min_runs=7, min_seconds=0)
    names = [timing["name"] for timing in reply["timings"]]
    assert names == ["prepare", "compile", *["evaluate"] * 7, "processor"]
    assert all(isinstance(timing["nanoseconds"], int) and timing["nanoseconds"] >= 0 for timing in reply["timings"])


def test_a_minimum_of_seconds_is_filled():
    reply = evaluate("lse", "primal", SMALL["lse"], min_runs=1, min_seconds=0.01)
    spent = [timing["nanoseconds"] for timing in reply["timings"] if timing["name"] == "evaluate"]
    assert sum(spent) >= 0.01e9 > sum(spent[:-1])


def test_what_is_not_here_is_refused_in_words():
    reply = answer({"kind": "define", "module": "ode"})
    assert not reply["success"]
    assert "there is no 'ode' here, only hello, gmm, lse, llsq, kmeans" in reply["error"]
    reply = evaluate("lse", "hessian", SMALL["lse"])
    assert not reply["success"]
    assert "hessian" in reply["error"]


def test_an_error_is_an_answer():
    reply = evaluate("gmm", "objective", {**SMALL["gmm"], "mu": [[1.0]]})
    assert not reply["success"]
    assert "reshape" in reply["error"]


def test_the_tool_as_a_process():
    message = {"id": 5, "kind": "evaluate", "module": "hello", "function": "double", "input": 4}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gradbench"],
        input=json.dumps(message) + "\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    reply = json.loads(done.stdout)
    assert (reply["id"], reply["success"], reply["output"]) == (5, True, 8.0)


def test_the_comparison_has_each_problem_at_each_of_its_sizes():
    names = [(module, size) for module, size, _ in inputs.representative(np.random.default_rng(0))]
    assert {module for module, _ in names} == set(MODULES)
    assert len(set(names)) == len(names)
