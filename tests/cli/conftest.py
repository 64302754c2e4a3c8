"""How the tests call the command."""

from dataclasses import dataclass

import pytest

from gategrad.cli import main


@dataclass
class Answer:
    """What one call of the command gave."""

    code: int
    out: str
    err: str


@pytest.fixture
def gategrad(capsys):
    """The command as a function of its arguments."""

    def call(*arguments):
        code = main(arguments)
        return Answer(code, *capsys.readouterr())

    return call
