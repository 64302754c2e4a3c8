"""x[mask] where the mask is known when the program runs: the compiled function against the eager one."""

import numpy as np
import pytest

import gategrad as gg
from gategrad.errors import DtypeError, NotTraceableError

Z = np.array([[1.0, -2.0, 3.0], [-0.5, 0.25, -1.0]])


def leaky(z):
    y = z.copy()
    y[y < 0] = 0.1 * y[y < 0]
    return np.sum(y**2)


def in_place(z):
    y = 2 * z
    y[y < 0] *= z[0, 0]
    y[y > 1] += 1
    return np.sum(y**3)


def where_neither_is_defined(z):
    y = z.copy()
    negative = y < 0
    y[negative] = np.exp(y[negative]) - 1
    y[~negative] = np.log(y[~negative])  # NaN where the program must not look
    return np.sum(y**2)


def reduced(z):
    p, n = z[z > 0], z[z < 0]
    return np.mean(p) + n.sum() * np.max(z[z > -1]) + p @ p / p.size + np.linalg.norm(n) + np.std(p) - n.min()


def rows(z):
    y, m = z.copy(), z[:, 0] > 0
    y[m] = y[m] * np.arange(3.0) + np.mean(z[m], axis=0)
    y[m] -= z[1]
    return np.sum(y**3) + np.sum(z[m] - np.mean(z, axis=0))


def of_parts(z):
    y = z.copy()
    m = y < 0
    part = y[m]
    part *= 2.0  # a copy, which y does not see
    y[m] = np.where(part < -1, 1.0, np.clip(part, -0.5, 3.0)).copy()
    return np.sum(y**2) + np.sum(part)


@pytest.mark.parametrize("f", [leaky, in_place, where_neither_is_defined, reduced, rows, of_parts])
def test_as_the_eager_function(f):
    for transformed in (f, gg.grad(f), gg.hessian(f)):
        with np.errstate(all="ignore"):
            expected = transformed(Z)
        np.testing.assert_allclose(gg.compile(transformed)(Z), expected, rtol=1e-12, atol=1e-12)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(gg.grad(gg.compile(f))(Z), gg.grad(f)(Z), rtol=1e-12, atol=1e-12)


def test_a_program_is_for_every_mask():
    f = gg.compile(gg.grad(leaky))
    for z in (Z, -Z, np.abs(Z)):
        np.testing.assert_allclose(f(z), gg.grad(leaky)(z), rtol=1e-15)


def test_single_precision_stays_single():
    def f(z):
        y = z.copy()
        y[y < 0] *= 0.1
        return y

    assert gg.compile(f)(Z.astype(np.float32)).dtype == np.float32


def two_masks(z):
    return np.sum(z[z > 0] * z[z > 1])


def with_a_row(z):
    y = z.copy()
    y[y > 0] = np.arange(3.0)
    return y


@pytest.mark.parametrize(
    ("f", "what"),
    [
        (two_masks, "beside elements that another mask has chosen"),
        (with_a_row, r"beside an array of shape \(3,\)"),
        (lambda z: z[z > 0], "which the function returns"),
        (lambda z: np.median(z[z > 0]), "given to numpy.median"),
        (lambda z: z[z > 0][0], "which is indexed once more"),
        (lambda z: sum(z[z > 0]), "over which a loop runs"),
        (lambda z: len(z[z > 0]) * z, "where its length is wanted"),
        (lambda z: z[z > 0].shape[0] * z, "where its shape is wanted"),
        (lambda z: np.add.reduce(z[z > 0]), "given to np.add"),
        (lambda z: np.sum(z[z > 0], axis=1), "given to np.sum with axis=1"),
        (lambda z: z[z[:, 0] > 0] @ np.ones(3), "given to a product of matrices"),
    ],
)
def test_what_needs_to_know_how_many_says_what_works(f, what):
    for transformed in (f, gg.grad(lambda z: np.sum(f(z)))):
        with pytest.raises(NotTraceableError, match=what) as error:
            gg.compile(transformed)(Z)
        assert "np.where(mask, x, 0)" in str(error.value)
        if what.startswith("which the function"):
            break


def test_complex_values_are_not_written_into_real_ones():
    def f(z):
        y = z.copy()
        y[y > 0] = 1j
        return y

    with pytest.raises(DtypeError, match="complex"):
        gg.compile(f)(Z)
