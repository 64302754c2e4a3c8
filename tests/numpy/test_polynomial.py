"""`gategrad.numpy.polynomial`: the functions are NumPy's of plain values, and have gradients of variables."""

import types

import numpy as np
import pytest

import gategrad as gg
import gategrad.numpy as gnp
from gategrad.errors import NoRuleError

FAMILIES = {
    "polynomial": "poly", "chebyshev": "cheb", "legendre": "leg", "hermite": "herm", "hermite_e": "herme", "laguerre": "lag",
}  # fmt: skip
X = np.array([-0.7, 0.1, 0.4])
C = np.array([[0.5, -1.2], [0.3, 0.8], [0.2, -0.4]])


@pytest.fixture(params=FAMILIES)
def family(request):
    ours, theirs = getattr(gnp.polynomial, request.param), getattr(np.polynomial, request.param)
    return ours, theirs, FAMILIES[request.param]


def test_every_name_is_there(family):
    ours, theirs, _ = family
    assert isinstance(ours, types.ModuleType) and {*theirs.__all__} <= {*vars(ours)}
    assert {*np.polynomial.__all__} <= {*vars(gnp.polynomial)}


def test_of_plain_values_they_are_numpys(family):
    ours, theirs, prefix = family
    for name, args in {
        "val": ([0.3], [1, 2]),
        "mul": ([1, 2], [0, 0]),
        "der": ([1, 2, 3],),
        "roots": ([1, 3, 2],),
    }.items():
        np.testing.assert_array_equal(getattr(ours, prefix + name)(*args), getattr(theirs, prefix + name)(*args))


@pytest.mark.parametrize("x", [0.3, X, X.reshape(1, 3, 1)], ids=["number", "row", "box"])
@pytest.mark.parametrize("c", [C[:1, 0], C[:2, 0], C[:, 0], C], ids=["constant", "line", "parabola", "two"])
@pytest.mark.parametrize("tensor", [True, False])
def test_values_have_numpys_shapes(family, x, c, tensor):
    """Also where NumPy's own function would take a variable for a number, and broadcast it otherwise."""
    ours, theirs, prefix = family
    if not tensor and c is C and x is X:
        x = X[:2]
    expected = getattr(theirs, prefix + "val")(x, c, tensor)
    for arguments in ((gg.variable(x), c), (x, gg.variable(c))):
        found = getattr(ours, prefix + "val")(*arguments, tensor)
        np.testing.assert_allclose(found.value, expected, rtol=1e-13, atol=1e-14)
        assert found.shape == np.shape(expected)


@pytest.mark.parametrize("options", [{"m": 0}, {"m": 5}, {"m": 2, "k": [1.0, 2.0]}, {"m": 1, "k": 0.5, "lbnd": 0.2}])
def test_derivatives_and_integrals(family, options):
    ours, theirs, prefix = family
    name = prefix + ("int" if "k" in options else "der")
    found = getattr(ours, name)(gg.variable(C), **options)
    np.testing.assert_allclose(found.value, getattr(theirs, name)(C, **options), atol=1e-14)


def test_constants_of_integration_have_gradients():
    of = gg.grad(lambda k: np.sum(gnp.polynomial.chebyshev.chebint(np.ones(2), m=2, k=k)))(np.ones(2))
    np.testing.assert_allclose(of, [1.0, 1.0])  # x + 1, at which all polynomials are 1 where x is: k₀ x + k₁


def test_lists_of_variables_are_coefficients(family):
    ours, _, prefix = family
    slope = gg.grad(lambda a: getattr(ours, prefix + "val")(0.3, [1.0, a]))(2.0)
    first = {"poly": 0.3, "cheb": 0.3, "leg": 0.3, "herm": 0.6, "herme": 0.3, "lag": 0.7}
    assert slope == pytest.approx(first[prefix])


def test_powers(family):
    ours, theirs, prefix = family
    c = C[:, 0]
    for power in (0, 1, 3):
        found = getattr(ours, prefix + "pow")(gg.variable(c), power)
        np.testing.assert_allclose(found.value, getattr(theirs, prefix + "pow")(c, power), rtol=1e-12)
    with pytest.raises(ValueError, match="the power is an integer from 0 to 16, not -1"):
        getattr(ours, prefix + "pow")(gg.variable(c), -1)


def test_what_has_no_rule_says_what_to_use(family):
    ours, _, prefix = family
    for name in ("roots", "fromroots", "companion"):
        with pytest.raises(
            NoRuleError, match=rf"{prefix}{name} of a variable has no rule: change the basis .* use np\.roots"
        ):
            getattr(ours, prefix + name)(gg.variable(C[:, 0]))
