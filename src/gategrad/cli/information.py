"""--help, --version and --completion: what the command says about itself."""

from __future__ import annotations

import argparse
from typing import Any

from gategrad.cli.arguments import parser_of
from gategrad.cli.printer import wants_color
from gategrad.cli.refusal import Refusal

__all__ = ["asked", "inform"]

_HINT = "\nfor colour and completion: pip install 'gategrad[cli]'\n"


def asked(arguments: argparse.Namespace) -> bool:
    """Whether the user asked about the command rather than about an expression."""
    return arguments.help or arguments.version or arguments.completion is not None


def inform(arguments: argparse.Namespace) -> int:
    """Print what was asked for; the exit code."""
    if arguments.help:
        print(_help(arguments.color), end="")
    elif arguments.version:
        print(f"gategrad {_version()}")
    else:
        print(_completion(arguments.completion), end="")
    return 0


def _help(color: bool) -> str:
    hint = "" if _has("rich") and _has("shtab") else _HINT
    if not wants_color(color) or not _has("rich_argparse"):
        return parser_of(hint=hint).format_help()
    from rich_argparse import RawDescriptionRichHelpFormatter

    return parser_of(RawDescriptionRichHelpFormatter, hint).format_help()


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("gategrad")
    except PackageNotFoundError:
        return "(from a source tree that is not installed)"


def _completion(shell: str) -> str:
    try:
        import shtab
    except ImportError:
        raise Refusal("--completion needs shtab", advice=["pip install 'gategrad[cli]'"]) from None
    if shell not in shtab.SUPPORTED_SHELLS:
        raise Refusal(f"no completion for {shell!r}", advice=[f"there is {', '.join(shtab.SUPPORTED_SHELLS)}"])
    script: Any = shtab.complete(parser_of(), shell)
    return f"{script}\n"


def _has(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None
