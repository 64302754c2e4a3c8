"""numpy.linalg: linear algebra."""

import numpy as np

from ..cases import case

L = np.linalg
rng = np.random.default_rng(5)


def matrix(*shape):
    """A well-conditioned matrix or a stack of them."""
    return rng.uniform(-0.5, 0.5, shape) + np.eye(*shape[-2:]) * (1.5 + np.arange(shape[-1]))


def of_symmetric(function):
    """The function of the symmetric part, which may be moved in any direction."""
    return lambda x: function((x + np.swapaxes(x, -1, -2)) / 2)


SQUARE, STACK, TALL, WIDE = matrix(3, 3), matrix(2, 3, 3), matrix(4, 2), matrix(2, 4)
SYMMETRIC = "of Hermitian matrices: the gradient is Hermitian"
FINITE = "finite for singular matrices"
TWINS = "where eigenvalues coincide: exact if the loss does not tell them apart, else `NoGradientError`"
TURNING = SQUARE + 2.0 * (np.eye(3, k=1) - np.eye(3, k=-1))  # with complex eigenvalues
OR_REAL = "where all eigenvalues of a real matrix are real, and so NumPy's answer, a compiled function runs as it is"

CASES = [
    case("np.linalg.inv", STACK),
    case("np.linalg.solve", STACK, matrix(3, 2)),
    case("np.linalg.solve", STACK, SQUARE[0]),
    case("np.linalg.det", STACK, note=FINITE),
    case("np.linalg.slogdet", STACK, call=lambda x: tuple(L.slogdet(x))[1]),
    case("np.linalg.cholesky", STACK, call=of_symmetric(L.cholesky), note=SYMMETRIC),
    case("np.linalg.qr", TALL, call=lambda x: tuple(L.qr(x))),
    case("np.linalg.qr", WIDE, call=lambda x: L.qr(x, "r"), note="mode reduced or r"),
    case("np.linalg.eigh", STACK, call=of_symmetric(lambda x: tuple(L.eigh(x))), note=f"{SYMMETRIC}; {TWINS}"),
    case("np.linalg.eigvalsh", STACK, call=of_symmetric(L.eigvalsh), note=f"{SYMMETRIC}; {TWINS}"),
    case(
        "np.linalg.eig",
        TURNING,
        call=lambda x: (L.eig(x)[0], np.abs(L.eig(x)[1])),
        note=f"{TWINS}; {OR_REAL}",
    ),
    case("np.linalg.eigvals", TURNING, note=f"{TWINS}; {OR_REAL}"),
    *[
        case("np.linalg.svd", x, call=lambda x: tuple(L.svd(x, full_matrices=False)), note="the thin one")
        for x in (TALL, WIDE)
    ],
    case("np.linalg.svdvals", matrix(2, 3, 2)),
    *[case("np.linalg.pinv", x, note="where the rank stays what it is") for x in (TALL, WIDE)],
    case("np.linalg.lstsq", TALL, matrix(4, 3), call=lambda a, b: L.lstsq(a, b)[0]),
    *[case("np.linalg.norm", SQUARE, ord=order) for order in (None, 2, -2, 1, -1, np.inf, "fro", "nuc")],
    *[case("np.linalg.norm", SQUARE, ord=order, axis=-1, note="every order") for order in (1, 3, 0.5, -np.inf)],
    case("np.linalg.vector_norm", STACK, axis=(0, 2), ord=3),
    case("np.linalg.matrix_norm", STACK, keepdims=True, ord=2),
    *[case("np.linalg.cond", STACK, p=p) for p in (None, -2, 1, "fro")],
    *[case("np.linalg.matrix_power", STACK, n=n) for n in (1, 5, -3)],
    case("np.linalg.multi_dot", SQUARE, matrix(3, 2), WIDE, call=lambda *xs: L.multi_dot(xs)),
    case("np.linalg.tensorinv", matrix(6, 6), call=lambda x: L.tensorinv(np.reshape(x, (2, 3, 6)))),
    case(
        "np.linalg.tensorsolve", matrix(6, 6), WIDE[:, :3], call=lambda x, y: L.tensorsolve(np.reshape(x, (2, 3, 6)), y)
    ),
    case("np.linalg.trace", STACK, offset=1),
    case("np.linalg.diagonal", STACK, offset=-1),
    case("np.linalg.cross", SQUARE, STACK[0]),
    case("np.linalg.vecdot", SQUARE, STACK[0]),
    case("np.linalg.outer", SQUARE[0], SQUARE[1]),
    case("np.linalg.matmul", STACK, SQUARE),
    case("np.linalg.tensordot", STACK, SQUARE, axes=1),
    case("np.linalg.matrix_transpose", STACK),
]
