"""SciPy's functions of matrices that variables refuse, and what to use instead; and those that answer of plain values."""

from __future__ import annotations

from gategrad.gates.matrix_functions.meeting import query, refused

__all__ = [
    "bandwidth",
    "cdf2rdf",
    "clarkson_woodruff_transform",
    "cossin",
    "expm_cond",
    "fiedler_companion",
    "hessenberg",
    "ishermitian",
    "issymmetric",
    "matrix_balance",
    "null_space",
    "ordqz",
    "orth",
    "qr_delete",
    "qr_insert",
    "qr_multiply",
    "qr_update",
    "qz",
    "rsf2csf",
    "schur",
    "solve_lyapunov",
]

_BASIS = "has no gradient, since any basis of the space would do:"
_FORM = "has no gradient, since the form is not unique:"
_UPDATE = "has no gate: decompose the changed matrix by gategrad.scipy.linalg.qr"

bandwidth = query("bandwidth")
ishermitian = query("ishermitian")
issymmetric = query("issymmetric")

null_space = refused("null_space", f"{_BASIS} use the projector np.eye(n) - pinv(a) @ a")
orth = refused("orth", f"{_BASIS} use the projector a @ pinv(a), or qr(a, mode='economic')")
schur = refused("schur", f"{_FORM} use expm, logm, sqrtm or eigvals for what it was to serve")
hessenberg = refused("hessenberg", f"{_FORM} use solve or eigvals of the matrix itself")
qz = refused("qz", f"{_FORM} use eigvals(a, b)")
ordqz = refused("ordqz", f"{_FORM} use eigvals(a, b)")
rsf2csf = refused("rsf2csf", f"{_FORM} use expm, logm, sqrtm or eigvals for what it was to serve")
cdf2rdf = refused("cdf2rdf", f"{_FORM} use the complex eigenvalues themselves")
cossin = refused("cossin", f"{_FORM} use svdvals of the blocks for its angles")
matrix_balance = refused("matrix_balance", "has no gradient, since its scales are steps: pass v.value")

expm_cond = refused("expm_cond", "has no gate: use v.value, or the norm of expm_frechet")
fiedler_companion = refused("fiedler_companion", "has no gate: use companion, which has the same eigenvalues")
clarkson_woodruff_transform = refused("clarkson_woodruff_transform", "has no gate: use S @ a with a random matrix S")
solve_lyapunov = refused("solve_lyapunov", "has no gate: use solve_continuous_lyapunov, its newer name")


qr_delete = refused("qr_delete", _UPDATE)
qr_insert = refused("qr_insert", _UPDATE)
qr_update = refused("qr_update", _UPDATE)
qr_multiply = refused("qr_multiply", "has no gate: use q @ c with q, r = qr(a, mode='economic')")
