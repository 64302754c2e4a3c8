"""Escapes from a circuit: what is said to somebody whose line would turn a tracked variable into a plain number.

Python and C ask a variable for its number without saying what for. The line that was being run tells: it is quoted,
and what to write instead depends on it. All of this happens on the way to an error, and costs nothing before.
"""

from __future__ import annotations

import ast
import dis
import itertools
import linecache
import sys
import types
from typing import Any, NamedTuple

import numpy as np

from gategrad.call_site import CallSite, call_site
from gategrad.errors import EscapeError

__all__ = ["AS_INDEX", "compared", "escape", "formatted", "suggestion", "unhidden"]

MAKERS = (
    "arange", "array", "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray", "asfortranarray", "fromiter",
    "frompyfunc", "full", "linspace", "polyval", "vectorize",
)  # fmt: skip
"""Functions of NumPy's that no variable can reach, and that gategrad.numpy has for them."""

SCIPYS = ("integrate", "linalg", "optimize", "signal", "special", "stats")
"""Parts of SciPy that gategrad.scipy has for variables."""

AS_INDEX = "using v as an index"
_DRAWS = (
    "exponential",
    "gamma",
    "laplace",
    "logistic",
    "lognormal",
    "multivariate_normal",
    "normal",
    "poisson",
    "uniform",
)
_OTHERWISE = "Use NumPy's functions (np.sin(v) rather than math.sin(v)), or v.value if you want a constant"
_FOR_MATH = {
    "fsum": "np.sum", "pow": "np.power", "dist": "np.linalg.norm(x - y)", "sumprod": "np.dot", "ldexp": "x * 2.0**i",
    "comb": "gategrad.scipy.special.comb", "perm": "gategrad.scipy.special.perm", "factorial": "scipy.special.gamma(x + 1)",
    "lgamma": "scipy.special.gammaln", "gamma": "scipy.special.gamma", "erf": "scipy.special.erf",
    "erfc": "scipy.special.erfc",
}  # fmt: skip


class _Line(NamedTuple):
    """What the user's code was doing: where, the text of the expression that was being computed, and the step."""

    site: CallSite
    text: str
    step: str
    part: str  # the part of SciPy, or numpy.polynomial, that was called meanwhile; "" if it was none
    library: str  # any other package that was


def escape(what: str, becomes: str) -> str:
    """Why something may not turn a variable into a constant, the line that would, and what to write instead.

    `what` names the way out as Python knows it, for when the line does not tell more.
    """
    line = _line()
    if line is None:
        return f"{what} would turn a tracked variable into {becomes} and silently lose its gradient. {_OTHERWISE}"
    stored = line.step.startswith("STORE_S")
    subject = f"{line.text} = …" if stored else line.text if 0 < len(line.text) <= 60 else what
    return f"{subject} would turn a tracked variable into {becomes} and silently lose its gradient{line.site}{_remedy(line, what)}"


def unhidden(error: ValueError) -> ValueError | EscapeError:
    """NumPy's "setting an array element with a sequence" of y[i] = v, as what it made that of: why v may not go there."""
    return error.__cause__ if isinstance(error.__cause__, EscapeError) else error


def formatted() -> bool:
    """Whether a number is wanted for `"%.3f" % v`, which makes a text: in no other way would % ask for a float."""
    frame: Any = sys._getframe(2)  # of who asked the variable
    step, argument = frame.f_code.co_code[frame.f_lasti : frame.f_lasti + 2]
    return dis.opname[step] == "BINARY_OP" and argument in _REMAINDERS


_REMAINDERS = (6, 19)  # of % and of %=: which operation BINARY_OP is to do, the same since it exists


def compared() -> bool:
    """Whether an array is wanted by numpy.testing: what compares has no gradient to lose."""
    frame: Any = sys._getframe(2)
    return bool(frame.f_globals.get("__name__", "").startswith("numpy.testing"))


def _line() -> _Line | None:
    site = call_site()
    if site is None:
        return None
    step = dis.opname[site.frame.f_code.co_code[site.frame.f_lasti]]
    return _Line(site, _text(site.frame), step, *_called(site))


def _called(site: CallSite) -> tuple[str, str]:
    """What the user's code called that led here: a part of SciPy, or numpy.polynomial, and any other package."""
    part = library = ""
    for frame in site.within:
        package, _, rest = frame.f_globals.get("__name__", "").partition(".")
        of = rest.partition(".")[0]
        if package == "scipy":
            part = (part or _wrapped(frame)) if of.startswith("_") else of
        elif package == "numpy" and of == "polynomial":
            part = of
        elif package not in ("gategrad", "numpy", *sys.stdlib_module_names):
            library = package
    return part, library


def _wrapped(frame: Any) -> str:
    """The part of SciPy that a function belongs to which a frame is about to call, with its arguments made arrays; "" if none."""
    module = getattr(frame.f_locals.get("f"), "__module__", None) or ""
    package, _, rest = module.partition(".")
    return rest.partition(".")[0] if package == "scipy" else ""


def _text(frame: Any) -> str:
    """The source of the expression that a frame is computing, on one line; "" if there is none to be had."""
    code = frame.f_code
    first, last, start, end = next(itertools.islice(code.co_positions(), frame.f_lasti // 2, None))
    if None in (first, last, start, end):
        return ""
    lines = [linecache.getline(code.co_filename, number).encode() for number in range(first, last + 1)]
    lines[-1] = lines[-1][:end]  # before the first, which may be the same one: the end counts from its beginning
    lines[0] = lines[0][start:]
    return b" ".join(line.strip() for line in lines).decode(errors="replace")


def suggestion() -> str:
    """What to write instead of the line that is being run, where that holds for variables and symbols alike; else ""."""
    line = _line()
    return "" if line is None else _for_arrays(line, _call(line))


def _remedy(line: _Line, what: str) -> str:
    call = _call(line)
    found = _for_arrays(line, call)
    if found:
        return found
    subscript = line.text.endswith("]") and not line.text.startswith("[")
    if what == AS_INDEX or (call is None and subscript):
        return "An index or a count carries no gradient: int(v.value) is the plain integer"
    if call is None:
        return _OTHERWISE
    name, owner = call.name, call.owner
    if name in ("float", "int", "complex"):
        return f"Leave it out: a variable is a number already. Or write {name}(v.value) if you want a constant"
    if owner in ("math", "cmath"):
        return f"Use {_FOR_MATH.get(name) or _numpys(name)}, or v.value if you want a constant"
    if owner != "numpy":
        return _OTHERWISE
    if isinstance(getattr(np, name, None), type):
        return f"A variable has a dtype already: v.astype(np.{name}) is the one in another"
    return (
        f"{_OTHERWISE}. A list of variables, as in np.sum([v, w]), becomes one variable by np.stack([v, w]); the "
        "functions of gategrad.numpy take such lists as they are"
    )


class _Call(NamedTuple):
    """A function that the line calls, and whose it is: the package of a function, None of a method."""

    name: str
    owner: str | None
    of: str  # what it is a method of, as it is written
    lists: bool  # whether it is given a list that is written out


def _call(line: _Line) -> _Call | None:
    try:
        node = ast.parse(f"({line.text})", mode="eval").body
    except SyntaxError:
        return None
    if not isinstance(node, ast.Call):
        return None
    function = node.func.func if isinstance(node.func, ast.Call) else node.func  # np.vectorize(f)(v)
    method = isinstance(function, ast.Attribute)
    lists = bool(node.args) and isinstance(node.args[0], (ast.List, ast.Tuple, ast.ListComp, ast.GeneratorExp))
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    of = ast.unparse(function.value) if isinstance(function, ast.Attribute) else ""
    return _Call(name, _module(function, line.site.frame), of if method else "", lists)


def _for_arrays(line: _Line, call: _Call | None) -> str:
    if line.step.startswith("STORE_S"):
        return (
            "A plain array holds numbers alone: make it with np.zeros_like(v) of a variable v (shape=… for another "
            "shape), or fill a list and np.stack it"
        )
    if line.part:
        return _for_part(line.part)
    if line.library:
        return (
            f"{line.library} computes with plain arrays: hand it v.value if you want a constant, or take what it holds as "
            "an array, np.asarray(x), and compute with NumPy's functions"
        )
    if call is None:
        return ""
    if call.name in _DRAWS:
        return "Draw what does not depend on variables and move it: mean + deviation * rng.normal(size=shape)"
    if call.name in MAKERS and call.owner in ("numpy", None):
        if call.lists:
            return f"Write np.stack([v, w]); gategrad.numpy.{call.name} takes lists of variables as they are"
        if call.name.startswith("as"):
            return f"Leave it out: v is an array already. Or take gategrad.numpy.{call.name}, which knows variables"
        return f"Use gategrad.numpy.{call.name}, which knows variables"
    if call.of and call.owner is None and callable(getattr(np, call.name, None)):
        product = f" or {call.of} @ v" if call.name == "dot" else ""
        return f"The method of a plain array takes no variable: write np.{call.name}({call.of}, v){product}"
    return ""


def _module(function: ast.expr, frame: Any) -> str | None:
    """The package whose function is called, None if it is a method of something else."""
    method = isinstance(function, ast.Attribute)
    while isinstance(function, ast.Attribute):
        function = function.value
    if not isinstance(function, ast.Name):
        return None
    owner = frame.f_locals.get(function.id, frame.f_globals.get(function.id))
    if isinstance(owner, types.ModuleType):
        return owner.__name__.partition(".")[0]
    module = None if method else getattr(owner, "__module__", None)  # of from math import sin
    return module.partition(".")[0] if isinstance(module, str) else None


def _numpys(name: str) -> str:
    """NumPy's function for one of `math`."""
    return f"np.{name}" if callable(getattr(np, name, None)) else "NumPy's functions"


def _for_part(part: str) -> str:
    if part == "polynomial":
        return (
            "The functions of gategrad.numpy.polynomial take coefficients and points that are variables (polyval, chebval and "
            "all the others); the classes hold plain numbers"
        )
    if part in SCIPYS:
        return (
            f"Functions of SciPy's that are written in Python or ask for plain arrays are in gategrad.scipy.{part} for "
            "variables; for a constant pass v.value"
        )
    if part == "sparse":
        return (
            "A sparse matrix multiplies plain arrays alone: write a gate whose forward is M @ x and whose backward is "
            "M.T @ dz, or use M.toarray()"
        )
    return (
        f"Of scipy.{part} there is nothing for variables: write a gate (gg.BlackBox takes finite differences), or pass "
        "v.value if you want a constant"
    )
