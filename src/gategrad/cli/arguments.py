"""What may stand on the command line, and the help."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from gategrad.cli.refusal import Refusal

__all__ = ["parser_of", "read_arguments"]

_DESCRIPTION = "Show an expression as a circuit: values forward, gradients backward, the chain rule gate by gate."

_EXAMPLES = """\
examples:
  values in blue, gradients in red:
    gategrad "(x + y) * z" x=-2 y=5 z=-4
  gate by gate, forward and backward:
    gategrad "1 / (1 + exp(-(w*x + b)))" w=2 x=-1 b=-3 --step
  arrays; gradients against differences:
    gategrad "sum((W @ x) ** 2)" "W=[[1,2],[3,4]]" "x=[1,-1]" --check
  what a gradient predicts, and what happens:
    gategrad "x * y" x=3 y=-4 --nudge x=0.01
  a page for the browser, to step through:
    gategrad "maximum(x, y)" x=4 y=2 --html max.html
  everything, for programs:
    gategrad "x * y" x=3 y=-4 --json

Put the expression in quotes. A value is a number or a list of numbers:
x=-2, x=1e-3, x=pi/4, "x=[1,2,3]", "x=[[1,2],[3,4]]" (some shells read brackets unless quoted).

exit codes: 0 done; 1 --check found a wrong gradient; 2 the input cannot be used
"""

_HINT = "\nfor colour, install rich: pip install 'gategrad[cli]'\n"


class _Parser(argparse.ArgumentParser):
    """argparse, whose complaints look like all others of the command."""

    def error(self, message: str) -> NoReturn:
        raise Refusal(message, advice=["gategrad --help shows what there is"])


def parser_of(formatter: Any = argparse.RawDescriptionHelpFormatter, hint: str = "") -> argparse.ArgumentParser:
    """The command line's grammar."""
    parser = _Parser(
        prog="gategrad",
        usage="gategrad EXPRESSION [NAME=VALUE ...] [options]",
        description=_DESCRIPTION,
        epilog=_EXAMPLES + hint,
        formatter_class=formatter,
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="EXPRESSION NAME=VALUE",
        help="arithmetic (+ - * / ** @), comparisons, numbers, names, x[0], and functions such as exp or sum; "
        "then a value for each name",
    )
    show = parser.add_argument_group("what to show")
    show.add_argument("--step", action="store_true", help="go through the circuit step by step; Enter for the next")
    show.add_argument("--check", action="store_true", help="compare the gradients with central differences")
    show.add_argument(
        "--nudge",
        metavar="NAME=H",
        action="append",
        default=[],
        help="let a value grow by H: what the gradient predicts, and what really happens",
    )
    write = parser.add_argument_group("what to write")
    write.add_argument("--svg", metavar="FILE", help="write the circuit as a picture")
    write.add_argument(
        "--html", metavar="FILE", help="write the circuit as one page to step through, without a network"
    )
    write.add_argument("--json", action="store_true", help="print everything as JSON instead")
    write.add_argument(
        "--no-color",
        "--no-colour",
        dest="color",
        action="store_false",
        help="plain text; so does the environment variable NO_COLOR, and a pipe",
    )
    more = parser.add_argument_group("more")
    more.add_argument("--completion", metavar="SHELL", help="print a completion script: bash, zsh, fish or tcsh")
    more.add_argument("--version", action="store_true", help="print the version")
    more.add_argument("-h", "--help", action="store_true", help="print this page")
    return parser


def read_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments of one call; `Refusal` if argparse cannot use them."""
    parser = parser_of()
    return parser.parse_intermixed_args([_shielded(argument, parser) for argument in argv])


def _shielded(argument: str, parser: argparse.ArgumentParser) -> str:
    """Let '-x*y' be an expression: argparse takes words with a blank in them for no option."""
    option = argument.partition("=")[0]
    is_option = option in parser._option_string_actions or option.startswith("--") or argument == "-"
    return f" {argument}" if argument.startswith("-") and not is_option else argument
