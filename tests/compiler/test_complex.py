"""Complex numbers in compiled functions: NumPy, the interpreter and native code agree, in values and in gradients."""

import re

import numpy as np
import pytest

import gategrad as gg
from gategrad.compiler.program.verify import verify
from gategrad.errors import DtypeError, TraceError

rng = np.random.default_rng(0)
Z = np.array([1.0 + 2.0j, 3.0 - 1.0j])
X = np.array([0.1, 0.2])
GRID = rng.normal(size=(3, 4)) + 1j * rng.normal(size=(3, 4))
DTYPES = [np.complex128, np.complex64]


def parts(z):
    return list(z) if isinstance(z, tuple) else [z]


def assert_same(found, expected, rtol):
    assert len(parts(found)) == len(parts(expected))
    for a, b in zip(parts(found), parts(expected), strict=True):
        assert (np.shape(a), np.asarray(a).dtype) == (np.shape(b), np.asarray(b).dtype)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)


def check(f, *inputs, rtol=1e-13):
    """A function as it is, interpreted, and compiled; its program is right, and goes around nothing. Its report."""
    expected, compiled = f(*inputs), gg.compile(f)
    program = compiled.program(*inputs)
    verify(program)
    assert_same(tuple(program(*inputs)), tuple(parts(expected)), rtol)
    for _ in range(2):  # the first call compiles
        assert_same(compiled(*inputs), expected, rtol)
    return compiled.report(*inputs)


# --- values ---------------------------------------------------------------------------------------------------------


def test_arithmetic_is_native():
    def f(x, y):
        return (
            x + y, x - 2.0, x * y, x / y, -x, 1j * x, x**2, x**-1, 1 / x, abs(x), x.real, x.imag, x.conj(), np.angle(y),
            np.exp(x), np.sqrt(x), np.log(y), np.log2(x), np.log10(x), np.sin(x), np.cos(y), np.sinh(x), np.cosh(y),
            np.sign(x), np.square(x), np.reciprocal(y), np.positive(x), x == y, x != y, np.isnan(x), np.isinf(x),
            np.isfinite(x), np.iscomplex(x), np.isreal(y), np.rint(x), np.logical_not(x), np.where(x.real > 0, x, y),
        )  # fmt: skip

    report = check(f, GRID, GRID[::-1].copy() * 2)
    assert report.callbacks == ()


def test_movement_and_sums_are_native():
    def f(x, w):
        return (
            x.T, x.reshape(-1), x[1:, ::-2], x[[2, 0, 2], 1], np.concatenate([x, 2 * x]), np.stack([x[0], w + 0j]), x.sum(),
            x.sum(axis=0), x.mean(axis=1), np.cumsum(x, axis=1), np.roll(x, 1, 1), np.flip(x), np.tril(x[:, :3]), x @ x.T,
            x @ w, w @ x.T, x.conj().T @ x, np.vdot(x, x[::-1]), np.einsum("ij,kj->ik", x, x), np.outer(x[0], w),
            np.broadcast_to(x, (2, 3, 4)), np.diagonal(x), np.trace(x), np.take(x, [1, 0], axis=1),
        )  # fmt: skip

    report = check(f, GRID, rng.normal(size=4), rtol=1e-12)
    assert report.callbacks == ()


def test_what_has_no_machine_code_is_called_on_the_host_for_itself_alone():
    def f(x):
        return (
            np.tan(x) * 2, np.arcsin(x), x**2.5, np.prod(x), np.cumprod(x[0]), np.max(x), np.argmin(x, 1), x[0] > x[1],
            np.sort(x[0]), np.linalg.inv(x[:, :3]), np.linalg.slogdet(x[:, :3])[1], np.expm1(x),
        )  # fmt: skip

    report = check(f, GRID, rtol=1e-12)
    assert "tan (complex128[3, 4])" in report.callbacks
    assert "numpy.linalg.inv (complex128[3, 3])" in report.callbacks
    assert re.search(r"host calls: .*tan \(complex128\[3, 4\]\), arcsin", str(report))


def test_consecutive_host_calls_are_one():
    def f(x):
        y = np.tan(x)
        return np.linalg.solve(np.arctan(x[:, :3]), np.arcsin(np.tanh(x))), y, np.expm1(y)

    report = check(f, GRID * 0.3, rtol=1e-12)
    assert report.callbacks == (
        "arctan → tanh → arcsin → numpy.linalg.solve (complex128[3, 4])", "tan (complex128[3, 4])", "expm1 (complex128[3, 4])",
    )  # fmt: skip


SPECIAL = np.array([0.0, -0.0, 1.0, -0.3, 60.0, 720.0, -1e300, 1e-310, 1.5e308, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("dtype", DTYPES)
def test_extremes_mean_what_they_mean_in_numpy(dtype):
    """All pairs of them as the parts of numbers; what is unknown there is unknown here."""
    with np.errstate(all="ignore"):
        part = SPECIAL.astype(np.float32 if dtype is np.complex64 else np.float64)
        z = np.empty((part.size, part.size), dtype)
        z.real, z.imag = part[:, None], part
        unary = [
            np.exp,
            np.sqrt,
            np.log,
            np.log10,
            np.sin,
            np.cos,
            np.sinh,
            np.cosh,
            np.abs,
            np.conj,
            np.isnan,
            np.isinf,
        ]

        def f(z, y):
            return (*[g(z) for g in unary], z * y, z / y)

        calm = part[
            ~(np.isfinite(part) & (np.abs(part) > 1.0))
        ]  # products that overflow do so later where they are fused
        y = np.empty_like(z)
        y.real, y.imag = np.resize(calm, z.shape), np.resize(calm[::-1], z.shape).T
        expected = f(z, y)
    limit = 16 * np.finfo(dtype).eps
    for found, b in zip(gg.compile(f)(z, y), expected, strict=True):
        for one, other in ((1.0 * found.real, 1.0 * b.real), (1.0 * found.imag, 1.0 * b.imag)):
            with np.errstate(all="ignore"):
                near = np.abs(one - other) <= limit * np.abs(b)
            assert np.all(near | (one == other) | (np.isnan(one) & np.isnan(other)))


def test_signs():
    inf, nan = np.inf, np.nan
    z = np.array(
        [3 - 4j, 0j, complex(inf, 1), complex(1, -inf), complex(inf, inf), complex(nan, 1.0), complex(-inf, nan), -2.0]
    )
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(gg.compile(np.sign)(z), np.sign(z))


def test_roots_and_logarithms_are_accurate_everywhere():
    angles = rng.uniform(-np.pi, np.pi, 4000)
    near_one = np.exp(1j * angles) * (1 + 1e-4 * rng.normal(size=4000))
    anywhere = np.exp(1j * angles) * 10.0 ** rng.uniform(-300, 300, 4000)
    for z in (near_one, anywhere):
        for f in (np.sqrt, np.log):
            np.testing.assert_array_less(np.abs(gg.compile(f)(z) / f(z) - 1.0), 4e-16 * 2)


# --- what goes in and comes out ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1 + 2j, np.complex128(1 + 2j), np.complex64(1 + 2j), np.array(1 + 2j)])
def test_single_numbers(number):
    compiled = gg.compile(lambda z: (z * z, abs(z), {"z": z, "list": [z.imag, z.conj()]}))
    dtype = np.asarray(number).dtype
    for _ in range(2):
        square, size, rest = compiled(number)
        assert type(square) is type(rest["list"][1]) is dtype.type
        assert (square, rest["z"], rest["list"][1]) == (-3 + 4j, 1 + 2j, 1 - 2j)
        assert size == pytest.approx(5**0.5, rel=1e-6)


def test_many_single_numbers():
    """So many that the entry reads and makes them in loops."""
    numbers = [complex(n, -n) for n in range(40)]
    compiled = gg.compile(lambda zs: [z + 1j for z in zs])
    for given in (numbers, [np.complex128(z) for z in numbers], [np.complex64(z) for z in numbers]):
        for _ in range(2):
            assert compiled(given) == [z + 1j for z in numbers]


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_however_they_lie(dtype):
    z = GRID.astype(dtype)
    frozen = z.copy()
    frozen.flags.writeable = False
    compiled = gg.compile(lambda z: (z * 2j, np.fft.ifft(z, axis=0)))
    for x in (z.T, z[::-1, ::2], np.asfortranarray(z), frozen, z.astype(z.dtype.newbyteorder()), z[:0], z[:, :0]):
        if x.shape[0] == 0:
            assert gg.compile(lambda z: z * 2j)(x).shape == x.shape
            continue
        assert_same(compiled(x), (x * dtype(2j), np.fft.ifft(x.astype(dtype), axis=0)), 1e-5)
        assert all(found.dtype == dtype for found in compiled(x))


def test_what_no_program_knows():
    with pytest.raises(DtypeError, match=r"complex128, complex64, integers"):
        gg.compile(np.abs)(np.clongdouble(1.0))
    with pytest.raises(TraceError, match="not clongdouble|not complex256"):
        gg.compile(lambda z: z.astype(np.clongdouble))(Z)


def test_dtypes_are_numpys():
    z, x, n = Z.astype(np.complex64), X.astype(np.float32), np.array([2, 3])

    def f(z, x, n):
        return (
            z * x,
            z * 1j,
            x * 1j,
            2.0 * z,
            z * X,
            n * 1j,
            z.astype(np.complex128),
            (z * 0).astype(bool),
            z + n,
            z.real,
        )

    check(f, z, x, n, rtol=1e-6)


def test_donated_arrays_are_written_over():
    def step(z, w):
        return z - 0.5j * w, np.sum(np.abs(z))

    compiled = gg.compile(step, donate="z")
    for _ in range(2):
        z = GRID.copy()
        expected = step(z, GRID)
        new, total = compiled(z, GRID)
        assert new is z
        np.testing.assert_allclose(new, expected[0], rtol=1e-15)
        assert total == pytest.approx(expected[1])


def test_containers_keywords_and_static_arguments():
    @gg.compile
    def f(p, *, scale):
        return {"a": p["z"] * scale, "n": 1.0}

    assert f({"z": 1j}, scale=2.0) == {"a": 2j, "n": 1.0}


def test_a_program_to_read():
    program = gg.compile(lambda x, w: np.abs(np.fft.rfft(w * x)) ** 2).program(np.ones(8), np.ones(8))
    assert str(program) == (
        "<lambda>(x: float64[8], w: float64[8]):\n"
        "    v0 = w * x                             # float64[8]\n"
        "    v1 = rfft(v0, n=8, axis=0, norm=None)  # complex128[5]\n"
        "    v2 = modulus(v1)                       # float64[5]\n"
        "    v3 = v2 * v2                           # float64[5]\n"
        "    return v3"
    )


def test_results_that_only_move_complex_numbers_are_those_numbers():
    """1 times an infinite number is not that number, so nothing is simplified to it."""
    z = np.array([complex(np.inf, 0.0), complex(-0.0, 1.0)])
    with np.errstate(all="ignore"):
        for f in (lambda z: z * 1.0, lambda z: z + 0.0, lambda z: z / 1.0, lambda z: np.negative(np.negative(z))):
            found, expected = gg.compile(f)(z), f(z)
            np.testing.assert_array_equal(found, expected)
            np.testing.assert_array_equal(np.signbit(found.real), np.signbit(expected.real))


# --- gradients ------------------------------------------------------------------------------------------------------


def wave(x):
    return np.real(np.sum(np.exp(1j * x)))


def spectral(x):
    return np.mean((np.abs(np.fft.rfft(x * np.arange(1.0, 7.0))) - 1.0) ** 2)


def mixed(z):
    return np.sum(np.abs(np.fft.ifft(z * np.fft.fft(z))) ** 2) + np.real(np.sum(np.log(z) * np.conj(z)))


LOSSES = [
    (lambda z: np.sum(np.abs(z) ** 2), Z),
    (wave, X),
    (lambda z: np.abs(z) ** 3, 1 + 2j),
    (spectral, rng.normal(size=6)),
    (mixed, GRID[0]),
    (lambda z: np.real(np.linalg.det(z[:, :3])), GRID),
    (lambda z: np.sum(np.linalg.svd(z, compute_uv=False) ** 3), GRID),
    (lambda z: np.real(np.tan(z) ** 1.5).sum(), GRID),
]


@pytest.mark.parametrize(("f", "x"), LOSSES)
def test_value_and_gradients_in_either_order(f, x):
    compiled = gg.compile(f)
    assert compiled(x) == pytest.approx(f(x), rel=1e-13)
    expected = gg.grad(f)(x)
    for gradient in (gg.grad(compiled), gg.compile(gg.grad(f))):
        for _ in range(2):  # the second time from what is remembered
            np.testing.assert_allclose(gradient(x), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("f", "x"), LOSSES)
def test_second_order_in_either_order(f, x):
    def slope(f):
        return lambda x: np.sum(np.abs(gg.grad(f)(x)) ** 2)

    expected = gg.grad(slope(f))(x)
    assert np.any(np.abs(expected) > 1e-3)
    for second in (gg.compile(gg.grad(slope(f))), gg.grad(slope(gg.compile(f)))):
        np.testing.assert_allclose(second(x), expected, rtol=1e-9, atol=1e-10)


def test_the_gradient_is_the_direction_of_steepest_ascent():
    gradient = gg.compile(gg.grad(lambda z: np.sum(np.real(z) * 2 + np.imag(z) * 3)))
    np.testing.assert_array_equal(gradient(Z), np.full(2, 2 + 3j))


@pytest.mark.parametrize("f", [lambda z: z * z * (1 + 1j), lambda z: np.linalg.inv(z), lambda z: np.prod(z, axis=0)])
def test_pullbacks_and_pushforwards_have_the_convention_of_the_eager_ones(f):
    z, dz = GRID[:, :3], GRID[:, 1:]
    upstream = f(dz)
    expected = gg.vjp(f, z)[1](upstream)[0]
    np.testing.assert_allclose(gg.vjp(gg.compile(f), z)[1](upstream)[0], expected, rtol=1e-12)
    pulled = gg.compile(lambda z, dz: gg.vjp(f, z)[1](dz)[0])
    np.testing.assert_allclose(pulled(z, upstream), expected, rtol=1e-12)
    pushed = gg.compile(lambda z, dz: gg.jvp(f, (z,), (dz,))[1])
    np.testing.assert_allclose(pushed(z, dz), gg.jvp(f, (z,), (dz,))[1], rtol=1e-12)


def test_a_compiled_function_among_variables_hands_over_what_its_pullback_reads():
    layer = gg.compile(lambda x, w: np.abs(np.fft.rfft(x * w)))
    x, w = gg.variable(rng.normal(size=8)), gg.variable(rng.normal(size=8))
    np.sum(layer(x, w) ** 3).backward()
    expected = gg.grad(lambda x, w: np.sum(np.abs(np.fft.rfft(x * w)) ** 3), (0, 1))(x.value, w.value)
    np.testing.assert_allclose([x.grad, w.grad], expected, rtol=1e-12)


def test_a_gate_that_only_the_host_can_run():
    class Rotate(gg.Gate):
        takes_complex = True

        def forward(self, z):
            self.turn = np.exp(0.5j) if np.asarray(z).size else 1.0
            return z * self.turn

        def backward(self, dz):
            return dz * self.turn

    f = lambda z: np.sum(np.abs(Rotate()(z) + 1.0) ** 2)
    compiled = gg.compile(gg.value_and_grad(f))
    expected = gg.value_and_grad(f)(Z)
    value, gradient = compiled(Z)
    assert value == pytest.approx(expected[0])
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-14)
    assert compiled.report(Z).callbacks


# --- real where complex numbers were taken for granted ---------------------------------------------------------------


COMPLEX_PAIR, SYMMETRIC = np.array([[0.0, -2.0], [1.0, 0.5]]), np.array([[2.0, 0.3], [0.3, 1.0]])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.abs(np.linalg.eigvals(x)) ** 3),
        lambda x: np.sum(np.abs(np.linalg.eig(x)[1]) ** 3),
        lambda x: np.real(np.sum(np.linalg.eigvals(x) ** 2)),
    ],
)
def test_eigenvalues_of_real_matrices(f):
    compiled, slope = gg.compile(f), gg.compile(gg.grad(f))
    for x in (COMPLEX_PAIR, SYMMETRIC, COMPLEX_PAIR):
        assert_same(compiled(x), f(x), 1e-14)
        np.testing.assert_allclose(slope(x), gg.grad(f)(x), rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(gg.grad(gg.compile(f))(x), gg.grad(f)(x), rtol=1e-12, atol=1e-13)
    assert slope.report(COMPLEX_PAIR).callbacks[0] == "Eig (complex128[6])"


def test_eigenvalues_are_real_where_numpys_are():
    values = gg.compile(np.linalg.eigvals)
    for x in (COMPLEX_PAIR, SYMMETRIC, SYMMETRIC.astype(np.float32), COMPLEX_PAIR * 1j):
        for _ in range(2):
            assert values(x).dtype == np.linalg.eigvals(x).dtype
    interpreted = values.program(COMPLEX_PAIR)
    np.testing.assert_array_equal(interpreted(COMPLEX_PAIR)[0], np.linalg.eigvals(COMPLEX_PAIR))


def test_what_can_be_traced_with_real_numbers_alone_runs_as_it_is():
    f = lambda x: np.max(np.linalg.eigvals(x)) ** 2  # complex numbers have no order
    slope = gg.compile(gg.grad(f))
    for _ in range(2):
        np.testing.assert_array_equal(slope(SYMMETRIC), gg.grad(f)(SYMMETRIC))
    assert re.match(
        r"<lambda>: not compiled, NumPy runs the function itself: Eig gives complex numbers for some values, and perhaps "
        r"real ones for others, and with complex ones: ",
        str(slope.report(SYMMETRIC)),
    )
    with pytest.raises(TraceError, match="not compiled"):
        slope.program(SYMMETRIC)


def test_real_if_close():
    compiled = gg.compile(lambda z: np.real_if_close(z) * 2)
    for z in (Z, Z.real + 0j):
        assert_same(compiled(z), np.real_if_close(z) * 2, 0.0)
    assert "whichever the values say" in str(compiled.report(Z))
