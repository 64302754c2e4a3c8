"""The `gategrad` command: an expression and its values in, the circuit with its gradients out."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

__all__ = ["main"]

_UNUSABLE, _INTERRUPTED, _PIPE_CLOSED = 2, 130, 141  # the last two as shells count: 128 + SIGINT, 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0, 1 if a check fails, 2 if the input cannot be used.

    >>> main(["(x + y) * z", "x=-2", "y=5"])
    2
    """
    from gategrad.cli.command import run
    from gategrad.cli.refusal import Refusal

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Unicode gets question marks, not a traceback
    try:
        code = run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()  # here, where a closed pipe can still be noticed quietly
    except Refusal as refusal:
        print(refusal.report(), file=sys.stderr)
        return _UNUSABLE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # the interpreter flushes once more on its way out
        return _PIPE_CLOSED
    return code
