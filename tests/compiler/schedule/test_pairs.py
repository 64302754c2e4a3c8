"""Programs with complex values, written as programs of real ones."""

import numpy as np

import gategrad as gg
from gategrad.compiler.program.verify import verify
from gategrad.compiler.schedule.pairs import as_pairs

rng = np.random.default_rng(5)
Z = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))
X = rng.normal(size=(3, 3))


def apart(x):
    """The parts of complex numbers side by side, as native code is given them."""
    return np.stack([x.real, x.imag], axis=-1) if np.iscomplexobj(x) else x


def rewritten(f, *inputs):
    """The program without complex values, which is right and computes the same; and what it computes."""
    program = gg.compile(f).program(*inputs)
    pairs = as_pairs(program)
    verify(pairs)
    assert all(value.dtype.kind != "c" for value in pairs.values)
    expected = f(*inputs)
    for found, z in zip(pairs(*map(apart, inputs)), expected, strict=True):
        np.testing.assert_allclose(found, apart(np.asarray(z)), rtol=1e-13, atol=1e-14)
    return pairs


def names(program):
    return {value.op.name for value in program.values}


def test_every_kind_of_rule():
    def f(z, x):
        y = np.exp(z) / (z + 2.0) @ z.T
        return (
            y,
            np.abs(y) + x,
            np.sum(y, axis=1)[::2],
            np.fft.fft(x),
            np.arctan(z * 0.1),
            z == z.T,
            np.where(x > 0, z, 1j),
        )

    assert "callback" in names(rewritten(f, Z, X))


def test_real_programs_are_left_alone():
    program = gg.compile(lambda x: (np.exp(x),)).program(X)
    assert as_pairs(program) is program


def test_products_with_real_matrices_are_two_products():
    def products(f):
        return [value.op.name for value in rewritten(f, Z, X).values].count("matmul")

    assert products(lambda z, x: (z @ z, x)) == 4
    assert products(lambda z, x: (z @ x, x @ x)) == 3
    assert products(lambda z, x: (x.T @ z, x)) == 2


def test_what_is_not_asked_for_is_not_computed():
    program = rewritten(lambda z, x: (np.real(np.exp(z) * x), x), Z, X)
    assert names(program) >= {"exp", "cos", "sin"}
    assert "sin" not in names(rewritten(lambda z, x: (np.real(np.exp(z)), x), Z, X))


def test_the_host_is_given_what_lies_side_by_side_already():
    program = rewritten(lambda z, x: (np.fft.ifft(np.fft.fft(z, axis=0)), x), Z, X)
    assert names(program) == {"input", "callback"}
