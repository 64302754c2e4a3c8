"""SciPy's ufuncs that no gate stands for, and what to use instead: the text of the error that a variable meets."""

from __future__ import annotations

from gategrad.refusals import ADVICE

__all__ = ["WITHOUT_GATE"]

_COUNT_INVERSE = "the inverse in a count: solve for the probability instead (bdtri, nbdtri, pdtri)"
_NONCENTRAL = "no gate for noncentral distributions but chndtr: compose a series, or write a gg.Gate with differences"
_SPHEROIDAL = "no formula in known functions exists for its slope: write a gg.Gate with differences"
_MATHIEU = "no gate yet: mathieu_cem and mathieu_sem have one, in their argument"

WITHOUT_GATE: dict[str, str] = {
    **dict.fromkeys(["bdtrik", "bdtrin", "nbdtrik", "nbdtrin", "pdtrik"], _COUNT_INVERSE),
    **dict.fromkeys(
        ["chndtridf", "chndtrinc", "chndtrix", "ncfdtr", "ncfdtri", "ncfdtridfd", "ncfdtridfn"], _NONCENTRAL
    ),
    **dict.fromkeys(["ncfdtrinc", "nctdtr", "nctdtridf", "nctdtrinc", "nctdtrit"], _NONCENTRAL),
    **dict.fromkeys(["obl_ang1", "obl_ang1_cv", "obl_cv", "obl_rad1", "obl_rad1_cv", "obl_rad2"], _SPHEROIDAL),
    **dict.fromkeys(["obl_rad2_cv", "pro_ang1", "pro_ang1_cv", "pro_cv", "pro_rad1", "pro_rad1_cv"], _SPHEROIDAL),
    **dict.fromkeys(["pro_rad2", "pro_rad2_cv"], _SPHEROIDAL),
    **dict.fromkeys(["mathieu_a", "mathieu_b"], _MATHIEU),
    **dict.fromkeys(["mathieu_modcem1", "mathieu_modcem2", "mathieu_modsem1", "mathieu_modsem2"], _MATHIEU),
    "besselpoly": "no gate yet: integrate scipy.special.jv with a quadrature rule",
    "fdtridfd": "the inverse in a parameter: use fdtr, and solve",
    "kelvin": "use ber, bei, ker and kei, which have gates",
    "modfresnelm": "use scipy.special.fresnel, which has a gate",
    "modfresnelp": "use scipy.special.fresnel, which has a gate",
    "nrdtrimn": "use x - std * ndtri(p)",
    "nrdtrisd": "use (x - mn) / ndtri(p)",
    "smirnov": "it is made of pieces: use kolmogorov(np.sqrt(n) * d), its limit",
    "smirnovi": "it is made of pieces: use kolmogi(p) / np.sqrt(n), its limit",
    "tklmbda": "no gate yet: compose the quantile (p**lmbda - (1 - p)**lmbda) / lmbda",
}

for _name, _instead in WITHOUT_GATE.items():
    ADVICE[_name] = f"has no gate, so its gradient is unknown: {_instead}"
