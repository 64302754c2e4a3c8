"""scipy.special.

The ufuncs are tested in `tests/gates/special`, each on the domain that its gate brings; here is what becomes of them when they
are compiled. The functions that are no ufuncs are those of `gategrad.scipy.special`.
"""

from __future__ import annotations

import functools

import numpy as np

import gategrad.gates.special  # noqa: F401  (they would come only when they are used)
from gategrad.gate import all_gates
from gategrad.gates.special.kind import Special
from gategrad.scipy import special

from ..cases import case

rng = np.random.default_rng(9)
X = rng.uniform(0.4, 2.5, (2, 3))


def of_gate(cls):
    """The row of a ufunc, on the arrays that its gate brings."""
    gate, inputs = list(cls.examples(np.random.default_rng(0)))[1]
    constant = {*cls.without_slope, *cls.whole}
    places = [place for place, name in enumerate(cls.arguments) if name not in constant]

    def call(*xs):
        arguments = list(inputs)
        for place, x in zip(places, xs, strict=True):
            arguments[place] = x
        return gate.fresh()(*arguments)

    without = [name for name in cls.arguments if name in constant]
    return case(
        f"scipy.special.{cls.ufunc.__name__}",
        *[inputs[place] for place in places],
        call=call,
        note=f"of {', '.join(cls.arguments)}; no gradient for {', '.join(without)}" if without else "",
        elsewhere=True,
    )


UFUNCS = {
    cls
    for cls in all_gates(Special)
    if cls.__module__.startswith("gategrad.gates.special.")
    and not cls.__subclasses__()
    and cls.ufunc is not None
    and not cls.ufunc.__name__.startswith("_")
}


def row(name, *inputs, **options):
    """A function of ours under SciPy's name."""
    return case(f"scipy.special.{name}", *inputs, call=functools.partial(getattr(special, name), **options))


CASES = [
    *[of_gate(cls) for cls in sorted(UFUNCS, key=lambda cls: cls.__name__)],
    row("logsumexp", X, axis=1),
    case("scipy.special.logsumexp", X, X[0], call=lambda a, b: special.logsumexp(a, axis=0, b=b)),
    row("softmax", X, axis=1),
    row("log_softmax", X),
    row("factorial", X),
    *[case(f"scipy.special.{name}", X + 3.0, X[0] / 2, call=getattr(special, name)) for name in ("comb", "perm")],
    *[
        case(f"scipy.special.{name}", x, call=functools.partial(getattr(special, name), n), note="no gradient for n")
        for name, n, x in (
            ("spherical_jn", 2, X), ("spherical_yn", 1, X), ("spherical_in", 1, X), ("spherical_kn", 1, X), ("polygamma", 2, X),
        )
    ],
    case("scipy.special.multigammaln", X + 1.0, call=lambda a: special.multigammaln(a, 3), note="no gradient for d"),
    row("zeta", X + 1.1, X),
]  # fmt: skip
