"""The command as its users meet it: what it prints, what it refuses, and the codes it exits with."""

import json
import os
import pty
import select
import shlex
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gategrad.cli.command
from gategrad.cli import main

CIRCUIT = ("(x + y) * z", "x=-2", "y=5", "z=-4")
NEURON = ("w0=2", "x0=-1", "w1=-3", "x1=-2", "w2=-3")

NOTEBOOK = """\
  f = (x + y) * z = -12

  x ── -2.00 ──┐
       -4.00   ├─( + )── 3.00 ──┐
  y ──  5.00 ──┘        -4.00   ├─( × )── -12.00  f
       -4.00                    │           1.00
  z ── -4.00 ───────────────────┘
        3.00

  forward   each gate computes its value
    + adds         v1 = x + y = −2 + 5 = 3
    × multiplies   f = v1 · z = 3 · −4 = −12

  backward   the chain rule, from f to the variables: local gradient · upstream gradient
    × switches      df/dv1 = z · df/df = −4 · 1 = −4
                    df/dz = v1 · df/df = 3 · 1 = 3
    + distributes   df/dx = df/dv1 = −4
                    df/dy = df/dv1 = −4

  gradients
    df/dx  -4
    df/dy  -4
    df/dz   3
"""


# --- the notebook


def test_the_circuit_of_the_notebook(gategrad):
    answer = gategrad(*CIRCUIT)
    assert (answer.code, answer.out, answer.err) == (0, NOTEBOOK, "")


@pytest.mark.parametrize("text", ["1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))", "sigmoid(w0*x0 + w1*x1 + w2)"])
def test_the_neuron_of_the_notebook(gategrad, text):
    answer = gategrad(text, *NEURON)
    assert answer.code == 0
    assert answer.out.startswith(f"  f = {text} = 0.731059\n")
    assert answer.out.endswith(
        "  gradients\n"
        "    df/dw0  -0.196612\n"
        "    df/dx0   0.393224\n"
        "    df/dw1  -0.393224\n"
        "    df/dx1  -0.589836\n"
        "    df/dw2   0.196612\n"
    )


def test_the_gates_of_the_neuron(gategrad):
    gates = json.loads(gategrad("1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))", *NEURON, "--json").out)["gates"]
    assert [gate["symbol"] for gate in gates] == ["×", "×", "+", "+", "−", "exp", "+", "÷"]
    values = [-2.0, 6.0, 4.0, 1.0, -1.0, 0.37, 1.37, 0.73]
    assert [round(gate["output"]["value"], 2) for gate in gates] == values
    gradients = [0.20, 0.20, 0.20, 0.20, -0.20, -0.53, -0.53, 1.0]
    assert [round(gate["output"]["gradient"], 2) for gate in gates] == gradients


def test_arrays(gategrad):
    answer = gategrad("sum((W @ x) ** 2)", "W=[[1,2],[3,4]]", "x=[1,-1]", "--check")
    assert answer.code == 0
    assert "    df/dW  [[-2.  2.]\n            [-2.  2.]]\n    df/dx  [ -8. -12.]\n" in answer.out
    assert "    df/dx[1]           -12           -12 " in answer.out


def test_the_order_of_arguments_does_not_matter(gategrad):
    assert gategrad("y=5", "--no-color", "x=-2", "(x + y) * z", "z=-4").out == NOTEBOOK


def test_an_expression_may_begin_with_a_sign(gategrad):
    assert gategrad("-x*y", "x=2", "y=3").out.startswith("  f = -x*y = -6\n")


def test_a_variable_alone(gategrad):
    answer = gategrad("x", "x=3", "--check")
    assert answer.code == 0
    assert "    dx/dx  1\n" in answer.out


def test_a_value_that_is_only_compared(gategrad):
    answer = gategrad("(x > 0) * y", "x=3", "y=4", "--nudge", "x=0.5")
    assert "    df/dx  0   no gradient reaches this value\n" in answer.out
    assert "    x has force 0: f should not move; it stays where it is\n" in answer.out


def test_a_gradient_of_zero_is_a_gradient(gategrad):
    assert gategrad("x ** 2", "x=0").out.endswith("    df/dx  0\n")


def test_infinities_are_shown(gategrad):
    answer = gategrad("log(x)", "x=0", "--check")
    assert (answer.code, answer.err) == (0, "")
    assert "f = log(x) = -inf" in answer.out
    assert "cannot tell: the result is not finite on both sides" in answer.out


def test_long_names(gategrad):
    name = "a_name_that_is_longer_than_any_label"
    answer = gategrad(f"{name} * 2 + {name}s", f"{name}=3", f"{name}s=3", "--nudge", f"{name}=1", "--json")
    assert json.loads(answer.out)["nudges"][0]["actual"] == 2.0


def test_many_gates_are_summarised(gategrad):
    answer = gategrad(" + ".join(["x*y"] * 100), "x=2", "y=3")
    assert answer.code == 0
    assert "    … and 139 more gates (--json lists them all)\n" in answer.out
    assert "    df/dx  300\n" in answer.out


# --- options


def test_check(gategrad):
    answer = gategrad(*CIRCUIT, "--check")
    assert answer.code == 0
    lines = answer.out.split("  check   against central differences\n")[1].splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["df/dx", "df/dy", "df/dz"]
    assert all(line.endswith("   ok") for line in lines[1:])


def test_check_finds_a_wrong_rule(gategrad, monkeypatch):
    from gategrad.gates.arithmetic import Multiply

    monkeypatch.setattr(Multiply, "backward", lambda self, dz: (2 * dz, dz))
    answer = gategrad("x * y", "x=3", "y=4", "--check")
    assert answer.code == 1
    assert answer.out.count("   WRONG\n") == 2
    assert answer.out.endswith("    2 of 2 wrong\n")


def test_check_at_a_kink(gategrad):
    answer = gategrad("relu(x)", "x=0", "--check")
    assert answer.code == 0
    assert "ok  a kink: any number between the slopes 0 and 1 is a gradient" in answer.out


def test_check_of_many_elements_shows_the_furthest(gategrad):
    answer = gategrad("sum(x * x)", f"x={list(range(100))}", "--check")
    assert answer.code == 0
    assert answer.out.endswith("    all 100 agree; these are the 3 that are furthest apart\n")


def test_nudge(gategrad):
    answer = gategrad(*CIRCUIT, "--nudge", "z=0.01", "--nudge", "x=-1")
    assert answer.out.endswith(
        "  nudge\n"
        "    z has force 3: f should rise by 3h = 0.03; it rises by 0.03\n"
        "    x has force −4: f should rise by 4|h| = 4; it rises by 4\n"
    )


def test_step_is_a_plain_listing_without_a_terminal(gategrad):
    answer = gategrad(*CIRCUIT, "--step")
    assert (
        "  3/4 backward ← × switches\n"
        "      df/dv1 = z · df/df = −4 · 1 = −4\n"
        "      df/dz = v1 · df/df = 3 · 1 = 3\n"
        "      in NumPy: dx = y * dz\n"
        "      in NumPy: dy = x * dz\n"
    ) in answer.out


def test_svg_and_html(gategrad, tmp_path):
    svg, html = tmp_path / "f.svg", tmp_path / "f.html"
    answer = gategrad(*CIRCUIT, "--svg", str(svg), "--html", str(html))
    assert (answer.code, answer.out) == (0, NOTEBOOK)
    assert answer.err == f"wrote {svg}\nwrote {html}\n"
    assert svg.read_text(encoding="utf-8").lstrip().startswith("<svg")
    assert "-12.00" in html.read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written(gategrad, tmp_path):
    path = tmp_path / "missing" / "f.svg"
    answer = gategrad(*CIRCUIT, "--svg", str(path))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"gategrad: cannot write {path}: No such file or directory\n"


def test_json(gategrad):
    answer = gategrad(*CIRCUIT, "--json", "--check", "--nudge", "z=0.5")
    content = json.loads(answer.out)
    assert list(content) == [
        "expression", "output", "value", "values", "gradients", "gates", "steps", "notes", "nudges", "check",
    ]  # fmt: skip
    assert content["value"] == -12.0
    assert content["values"] == {"x": -2.0, "y": 5.0, "z": -4.0}
    assert content["gradients"] == {"x": -4.0, "y": -4.0, "z": 3.0}
    multiply = content["gates"][1]
    assert multiply == {
        "number": 2,
        "name": "Multiply",
        "symbol": "×",
        "pattern": "switcher",
        "options": {},
        "inputs": [
            {
                "name": "v1", "kind": "gate", "shape": [], "value": 3.0, "gradient": -4.0,
                "local_gradient": -4.0, "receives": -4.0,
            },
            {
                "name": "z", "kind": "leaf", "shape": [], "value": -4.0, "gradient": 3.0,
                "local_gradient": 3.0, "receives": 3.0,
            },
        ],
        "output": {"name": "f", "kind": "gate", "shape": [], "value": -12.0, "gradient": 1.0},
        "backward": ["dx = y * dz", "dy = x * dz"],
    }  # fmt: skip
    assert [(step["phase"], step["gate"]) for step in content["steps"]] == [
        ("forward", 1), ("forward", 2), ("backward", 2), ("backward", 1),
    ]  # fmt: skip
    assert (
        content["steps"][2]["words"] == "× switches: df/dv1 = z · df/df = −4 · 1 = −4; df/dz = v1 · df/df = 3 · 1 = 3"
    )
    assert content["nudges"] == [
        {
            "name": "z", "h": 0.5, "force": 3.0, "predicted": 1.5, "actual": 1.5,
            "words": "z has force 3: f should rise by 3h = 1.5; it rises by 1.5",
        }
    ]  # fmt: skip
    assert content["check"]["agrees"] is True
    assert [entry["name"] for entry in content["check"]["gradients"]] == ["x", "y", "z"]


def test_json_of_arrays_and_infinities(gategrad):
    content = json.loads(gategrad("sum(log(x), axis=0)", "x=[0,1]", "--json", "--check").out)
    assert content["value"] == "-inf"
    assert content["gradients"] == {"x": ["inf", 1.0]}
    assert content["gates"][1]["options"]["axis"] == 0


def test_help(gategrad):
    for option in ("--help", "-h"):
        answer = gategrad(option)
        assert (answer.code, answer.err) == (0, "")
        assert answer.out.startswith("usage: gategrad EXPRESSION [NAME=VALUE ...] [options]")
        for word in (
            "--svg",
            "--html",
            "--step",
            "--check",
            "--nudge",
            "--json",
            "--no-color",
            "--version",
            "examples:",
        ):
            assert word in answer.out


def test_the_examples_of_the_help_run(gategrad, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [line for line in gategrad("--help").out.splitlines() if line.startswith("    gategrad ")]
    assert len(lines) == 6
    for line in lines:
        answer = gategrad(*shlex.split(line)[1:])
        assert answer.code == 0, (line, answer.err)


def test_version(gategrad):
    answer = gategrad("--version")
    assert answer.code == 0
    assert answer.out.startswith("gategrad ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(gategrad, shell):
    pytest.importorskip("shtab")
    answer = gategrad("--completion", shell)
    assert answer.code == 0
    assert "nudge" in answer.out


def test_completion_without_shtab(gategrad, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    answer = gategrad("--completion", "bash")
    assert (answer.code, answer.err) == (2, "gategrad: --completion needs shtab\n  pip install 'gategrad[cli]'\n")


# --- refusals: one clear line, exit code 2, nothing on standard output


@pytest.mark.parametrize(
    ("arguments", "report"),
    [
        ((), "there is no expression\n  for example: gategrad '(x + y) * z' x=-2 y=5 z=-4"),
        (
            ("x=3",),
            (
                "there is no expression\n  for example: gategrad '(x + y) * z' x=-2 y=5 z=-4\n"
                "  name=... is the value of a name; an expression has no '='"
            ),
        ),
        (
            ("x", "+", "y", "x=1"),
            (
                "one expression is needed, but here are 3: 'x', '+' and 'y'\n"
                "  put the expression in quotes; values look like x=2, without blanks around the '='"
            ),
        ),
        (("x * y", "x=1"), "y has no value: add y=...\n    x * y\n        ^"),
        (("x", "x=1", "y=2"), "y is given, but the expression does not use it: it has x"),
        (("x", "x=1", "y=2", "z=3"), "y and z are given, but the expression does not use them: it has x"),
        (("1 + 2",), "there is nothing to differentiate: it has no variables\n    1 + 2\n    ^^^^^"),
        (
            ("x > 0", "x=1"),
            "there is nothing to differentiate: comparisons and constants have no gradient\n    x > 0\n    ^^^^^",
        ),
        (
            ("x * 2", "x=[1,2,3]"),
            (
                "the result is a float64 array of shape (3,): a gradient is that of a single number\n"
                "    x * 2\n    ^^^^^\n  reduce it: sum(x * 2) or mean(x * 2)"
            ),
        ),
        (
            ("a * b", "a=[1,2]", "b=[1,2,3]"),
            "the shapes do not fit: a is (2,) and b is (3,)\n    a * b\n    ^^^^^",
        ),
        (
            ("max(a, b)", "a=1", "b=2"),
            (
                "max takes a plain number in one of these places, as an axis is, not a value of the circuit\n"
                "    max(a, b)\n    ^^^^^^^^^\n  the larger of two values is maximum(x, y)"
            ),
        ),
        (("x", "x=1", "--foo"), "unrecognized arguments: --foo\n  gategrad --help shows what there is"),
        (("x", "x=1", "--nudge"), "argument --nudge: expected one argument\n  gategrad --help shows what there is"),
        (("x", "x=1", "--nudge", "y=1"), "--nudge y=1: the expression has no y\n  it has x"),
        (("x", "x=1", "--nudge", "x=[1,2]"), "x=[1,2]: one number is needed here, not an array"),
        (("x", "x=1", "x=2"), "x is given twice\n  keep one of the arguments x=..."),
    ],
)
def test_refused(gategrad, arguments, report):
    answer = gategrad(*arguments)
    assert (answer.code, answer.out, answer.err) == (2, "", f"gategrad: {report}\n")


def test_an_unknown_shell(gategrad):
    pytest.importorskip("shtab")
    assert gategrad("--completion", "ksh").err.startswith("gategrad: no completion for 'ksh'\n")


# --- the world around it


def run(*arguments, **options):
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", **options.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "gategrad", *arguments],
        capture_output=True, encoding="utf-8", env=environment, check=False, **options,
    )  # fmt: skip


def test_as_a_module():
    done = run(*CIRCUIT)
    assert (done.returncode, done.stdout, done.stderr) == (0, NOTEBOOK, "")


def test_a_terminal_without_unicode():
    done = run("x * y", "x=1", "y=2", env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "( ? )" in done.stdout


def test_a_closed_pipe_is_no_news():
    process = subprocess.Popen(
        [sys.executable, "-m", "gategrad", *CIRCUIT], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    with process.stderr as stderr:
        assert stderr.read() == b""
    assert process.wait() == 141


def test_interrupted(monkeypatch, capsys):
    def interrupted(argv):
        raise KeyboardInterrupt

    monkeypatch.setattr(gategrad.cli.command, "run", interrupted)
    assert main(CIRCUIT) == 130
    assert capsys.readouterr() == ("", "")


def test_only_what_is_needed_is_imported():
    script = "import sys; from gategrad.cli import main; main(sys.argv[1:]); print('rich' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script, *CIRCUIT], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert done.stdout.endswith("False False\n")


def on_terminal(*arguments, keys=b"", env=None):
    """What the command writes to a terminal on which somebody types these keys."""
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "gategrad", *arguments],
        stdin=terminal, stdout=terminal, stderr=terminal, env={**environment, "TERM": "xterm", **(env or {})},
    )  # fmt: skip
    os.close(terminal)
    os.write(controller, keys)
    written = b""
    while select.select([controller], [], [], 30)[0]:
        try:
            part = os.read(controller, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        written += part
    os.close(controller)
    return process.wait(), written.decode().replace("\r\n", "\n")


BLUE, RED = "\x1b[94m", "\x1b[91m"


def test_colours_on_a_terminal():
    code, written = on_terminal(*CIRCUIT)
    assert code == 0
    assert f"{BLUE}-2.00\x1b[0m" in written
    assert f"{RED}-4.00\x1b[0m" in written
    assert f"= 3 · −4 ={BLUE} −12\x1b[0m" in written


@pytest.mark.parametrize(("arguments", "env"), [(("--no-color",), {}), ((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb"})])
def test_no_colours_if_the_user_says_so(arguments, env):
    assert on_terminal(*CIRCUIT, *arguments, env=env) == (0, NOTEBOOK)


def test_steps_wait_for_enter_on_a_terminal():
    code, written = on_terminal(*CIRCUIT, "--step", keys=b"\n\n\n")
    assert code == 0
    assert written.count("Enter for the next step") == 3
    assert "4/4 backward" in written


def test_steps_stop_on_request():
    code, written = on_terminal(*CIRCUIT, "--step", keys=b"\nq\n")
    assert code == 0
    assert "2/4 forward" in written
    assert "3/4 backward" not in written
    assert "gradients" in written


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(alphabet="xyf0123.-+*/()[],= ^@'e−", max_size=12), max_size=3))
def test_garbage_is_refused_in_one_breath(capsys, arguments):
    code = main(["x * y", "x=2", *arguments])
    captured = capsys.readouterr()
    assert code in (0, 2)
    assert captured.err.startswith("gategrad: ") is (code == 2)
    assert "Traceback" not in captured.err
