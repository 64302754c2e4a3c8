"""`import gategrad` stays light: what it does not need at once is imported when first used."""

import subprocess
import sys

HEAVY = (
    "optree",
    "scipy",
    "llvmlite",
    "rich",
    "rich_argparse",
    "matplotlib",
    "pandas",
    "hypothesis",
    "xml",
    "ctypes.util",
)


def modules_after(statement: str) -> set[str]:
    script = f"{statement}; import sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_brings_no_heavy_module():
    ours = modules_after("import gategrad") - modules_after("import numpy")
    assert "gategrad" in ours
    assert not {name for name in ours if name.split(".")[0] in HEAVY or name in HEAVY}


def test_import_brings_nothing_but_numpy_and_the_standard_library():
    ours = modules_after("import gategrad") - modules_after("import numpy")
    foreign = {name.split(".")[0] for name in ours} - set(sys.stdlib_module_names) - {"gategrad", "numpy"}
    assert not foreign


def test_drawing_and_gradients_of_numbers_need_no_extra():
    modules = modules_after("import gategrad as gg; gg.grad(lambda x: x * x)(2.0)")
    assert not modules & {"optree", "scipy", "llvmlite", "rich"}


def test_the_namespaces_are_brought_by_those_who_name_them():
    assert not {name for name in modules_after("import gategrad") if name.startswith("gategrad.numpy")}
