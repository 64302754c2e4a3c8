"""All passes of a Jacobian at once: the same numbers, in a program whose length does not depend on how many there are."""

import numpy as np
import pytest
from optree import tree_leaves

import gategrad as gg
import gategrad.numpy as gnp
import gategrad.scipy.linalg
from gategrad.compiler.passes import optimise
from gategrad.compiler.trace import jacobian as together
from gategrad.compiler.trace.tracing import trace
from gategrad.values import spec_of
from tests.compiler.test_every_gate_compiled import CASES, example

RNG = np.random.default_rng(5)
A, B = RNG.normal(size=(9, 9)), RNG.normal(size=(3, 4))
ORDER = RNG.permutation(9)


def traced(f, *args):
    specs = [spec_of(x) for x in args]
    program, rebuild = trace(f, lambda symbols: (symbols, {}), specs, [f"x{n}" for n in range(len(args))], "f")
    optimised = optimise(program)
    return optimised, lambda *given: rebuild(optimised(*given))


def smooth(x):
    return np.tanh(A @ x) * x + np.sum(x**3)


FUNCTIONS = {
    "products with a vector": smooth,
    "products from the left": lambda x: np.sin(x) @ A @ np.reshape(x, (9, 1)),
    "products of two that move": lambda x: np.reshape(np.outer(x, np.exp(x)) @ np.outer(x, x), (81,))[:12],
    "products of stacks": lambda x: np.reshape(
        np.reshape(x, (3, 1, 3)) @ np.reshape(np.sin(x), (3, 3, 1)) @ B[:, None], (12,)
    ),
    "rows of a table": lambda x: np.sum(np.reshape(x, (3, 3)) * np.exp(np.reshape(x, (3, 3))[:, :1]), axis=1) * x[:3],
    "transposed": lambda x: (np.reshape(x, (3, 3)).T @ B[:, :3] * np.reshape(x, (3, 3)))[1:],
    "broadcast": lambda x: x[:, None] * x[None, :4] + x[3],
    "parts": lambda x: np.concatenate([x[::2] ** 2, np.ones(2), x[5:2:-1] * x[0], np.zeros(3)]),
    "side by side": lambda x: gnp.stack([x * x[1], np.cos(x)], axis=1),
    "gathered": lambda x: x[ORDER] * x[ORDER[::-1]] + x[[0] * 9],
    "gathered across": lambda x: np.reshape(x, (3, 3))[[0, 2, 2], [1, 1, 0]] * x[:3],
    "sorted": lambda x: np.sort(x * x) * x,
    "the largest": lambda x: np.max(np.reshape(x, (3, 3)), axis=0) * x[:3] + np.min(x) + np.prod(x),
    "cumulative": lambda x: np.cumsum(np.exp(x)) * np.cumprod(x),
    "chosen": lambda x: np.where(x > 0, x * x, np.sin(x)),
    "solved": lambda x: np.linalg.solve(A + np.diag(x), np.cos(x)),
    "solved for the same matrix": lambda x: np.linalg.solve(A, x**2),
    "determinant": lambda x: np.linalg.det(A + np.outer(x, x)) * x,
    "factor": lambda x: np.linalg.cholesky(np.outer(x, x) + 9 * np.eye(9))[2],
    "transformed": lambda x: np.abs(np.fft.fft(x**2))[:5],
    "on the host": lambda x: gategrad.scipy.linalg.expm(np.reshape(x, (3, 3)) * 0.1),
    "constant in parts": lambda x: {"a": np.ones(3), "b": x * x},
    "a number": lambda x: np.sum(x**4),
}


@pytest.fixture
def x():
    return RNG.normal(size=9)


def flat(z):
    return [*z.values()] if isinstance(z, dict) else [z]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_programs_compute_what_passes_one_by_one_do(name, x):
    f = FUNCTIONS[name]
    _, run = traced(gg.jacobian(f), x)
    for a, b in zip(flat(run(x)), flat(gg.jacobian(f)(x)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
        assert np.asarray(a).shape == np.asarray(b).shape
        assert np.asarray(a).dtype == np.asarray(b).dtype


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in ("on the host", "constant in parts")])
def test_second_derivatives_are_the_same(name, x):
    def f(x):
        return np.sum(FUNCTIONS[name](x) * 0.5)

    _, run = traced(gg.hessian(f), x)
    np.testing.assert_allclose(run(x), gg.hessian(f)(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("transform", "f"),
    [
        (gg.jacobian, lambda x: np.tanh(x[1:] * x[:-1]) * np.sum(x)),
        (gg.jacobian, lambda x: np.append(x * x, np.sin(x))),
        (gg.hessian, lambda x: np.sum(np.exp(np.sin(x) * x[::-1]))),
    ],
)
def test_programs_are_as_long_for_many_inputs_as_for_few(transform, f):
    few, many = (traced(transform(f), RNG.normal(size=n))[0] for n in (10, 40))
    assert len(few.values) == len(many.values)


def test_a_product_with_all_unit_vectors_is_not_computed():
    program, run = traced(gg.jacobian(lambda x: A @ x), A[0])
    assert not any(value.op.name == "matmul" for value in program.values)
    np.testing.assert_array_equal(run(A[0]), A)


def test_several_arguments_and_dtypes(x):
    def f(x, y):
        return x[:, None] * np.exp(y)[None, :] @ B.T.astype(y.dtype)

    y = RNG.normal(size=4).astype(np.float32)
    x = x.astype(np.float32)
    _, run = traced(gg.jacobian(f, argnums=(0, 1)), x, y)
    for a, b in zip(run(x, y), gg.jacobian(f, argnums=(0, 1))(x, y), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        assert a.dtype == b.dtype == np.float32


def test_derivatives_of_a_jacobian_are_those_of_its_passes(x):
    def f(x):
        return np.sum(gg.jacobian(smooth)(x) ** 2)

    _, run = traced(gg.grad(f), x)
    np.testing.assert_allclose(run(x), gg.grad(f)(x), rtol=1e-9)


def test_what_takes_too_much_memory_at_once_is_done_in_passes(x, monkeypatch):
    whole = len(traced(gg.jacobian(smooth), x)[0].values)
    monkeypatch.setattr(together, "_MOST_BYTES", 100)
    program, run = traced(gg.jacobian(smooth), x)
    assert len(program.values) > 2 * whole
    np.testing.assert_allclose(run(x), gg.jacobian(smooth)(x), rtol=1e-12)


def test_few_passes_are_written_out():
    program, run = traced(gg.jacobian(lambda x: x[0] * x), np.ones(3))
    assert not any(value.op.name == "equal" for value in program.values)
    np.testing.assert_allclose(run(np.ones(3)), gg.jacobian(lambda x: x[0] * x)(np.ones(3)))


def test_a_check_in_a_pass_still_fails():
    def f(x):
        return np.linalg.cholesky(np.outer(x, x) - np.eye(9))[0]

    with pytest.raises(np.linalg.LinAlgError):
        gg.compile(gg.jacobian(f))(np.ones(9))


def test_a_doubt_in_any_pass_is_a_doubt_of_the_whole(x):
    def f(x):
        return np.sqrt(x**2) * np.arange(1.0, 10.0)

    at = np.where(np.arange(9) == 4, 0.0, x)
    np.testing.assert_array_equal(gg.compile(gg.jacobian(f))(at), gg.jacobian(f)(at))


NOT_ALONE = {
    "DiscreteRiccati",
    "Eig",
    "FractionalMatrixPower",
    "LDL",
    "Logm",
    "Sqrtm",
}  # not traced with other arguments


@pytest.mark.parametrize(
    ("gate", "number"),
    [
        pytest.param(*case.values, id=case.id, marks=[pytest.mark.slow] if case.values[1] else [])
        for case in CASES
        if case.values[0].__name__ not in NOT_ALONE
    ],
)
def test_gates_have_the_jacobians_of_their_passes(gate, number, monkeypatch):
    monkeypatch.setattr(together, "_LEAST", 1)
    made, inputs = example(gate, number, np.float64)
    moving = [n for n, x in enumerate(inputs) if isinstance(x, np.ndarray) and x.dtype == np.float64 and x.size]
    derivative = gg.jacobian(lambda *xs: made.fresh()(*xs), argnums=moving)
    if moving and not any(type(x) is bool for x in inputs):
        _, run = traced(derivative, *inputs)
        for a, b in zip(tree_leaves(run(*inputs)), tree_leaves(derivative(*inputs)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8)
