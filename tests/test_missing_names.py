"""Names that other libraries have: what `gg.NAME` says, and what completion offers."""

import pytest

import gategrad as gg


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("tensor", r"gg\.variable\(x\) makes"),
        ("jit", r"gg\.compile makes a native function"),
        ("sin", r"NumPy's own functions take variables, np\.sin\(v\)"),
        ("jacrev", r"gg\.jacobian"),
        ("custom_vjp", r"class F\(gg\.Gate\) with forward and backward"),
        ("numpy", r"import gategrad\.numpy"),
        ("check_gradient", r"did you mean gg\.check_gradients\?"),
    ],
)
def test_a_missing_name_says_what_stands_for_it(name, hint):
    if name in vars(gg):
        pytest.skip("another test has imported that package")
    with pytest.raises(AttributeError, match=rf"module 'gategrad' has no attribute '{name}': .*{hint}"):
        getattr(gg, name)


def test_what_nobody_has_is_just_not_there():
    with pytest.raises(AttributeError, match=r"^module 'gategrad' has no attribute 'qwertz'$"):
        gg.qwertz
    assert not hasattr(gg, "__wrapped__")


def test_completion_offers_the_public_names_alone():
    names = dir(gg)
    assert {"grad", "circuit", "compile", "errors", "variable"} <= set(names)
    assert not {"tape", "gates", "careful", "_native"} & set(names)
    assert all(getattr(gg, name) is not None for name in names)
