"""Compiled programs on the disk: a second process takes the code of a program as it was traced, and writes no text.

An entry is found by what the program computes, what goes in and comes out, the processor, the versions and the sources
of the compiler. It holds the machine code, what the call needs beside it, and the recipe of the table of addresses. The
recipe is a pickle: whoever could change it could change the machine code in the same file (`runtime/disk_cache.py`
says why nobody can).
"""

from __future__ import annotations

import dataclasses
import pickle
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from gategrad.compiler.codegen.entry.signature import Array, Container, Fixed, Scalar, Signature, Structure
from gategrad.compiler.program.fingerprint import fingerprint
from gategrad.compiler.program.program import Program
from gategrad.compiler.runtime import disk_cache, engine
from gategrad.compiler.runtime.image import Image
from gategrad.compiler.runtime.link import is_native
from gategrad.compiler.runtime.pool import thread_count
from gategrad.compiler.runtime.table import Slot, Table

__all__ = ["Kept", "can_keep", "fetch", "given_of", "keep", "key_of"]

_PLAIN = (type(None), bool, int, float, complex, str, bytes)


@dataclasses.dataclass(frozen=True)
class Kept:
    """What is kept of a compiled program."""

    code: Image | bytes  # the object code, linked where that can be done beforehand
    workspace: int
    releases_gil: bool
    slots: list[Slot]

    def completed(self, signature: Signature) -> Signature:
        """The signature, with what the call has to know of the program."""
        return dataclasses.replace(signature, workspace=self.workspace, releases_gil=self.releases_gil)

    def table(self, signature: Signature) -> Table:
        """The table of addresses, for the objects that this signature names."""
        return Table.made(self.slots, given_of(signature))


def key_of(program: Program, signature: Signature) -> str | None:
    """The name of the entry for such a program; None where another process could not find it again."""
    computed, sources = fingerprint(program), _sources()
    around = _told(signature) if computed is not None and sources else None
    if computed is None or around is None:
        return None
    how = f"{thread_count()} {is_native()}"
    return disk_cache.key_of(computed, around, how, sources, *engine.host(), *engine.versions())


def fetch(key: str) -> Kept | None:
    """What is kept under this key, if anything."""
    content = disk_cache.read(key)
    if content is None:
        return None
    try:
        kept = pickle.loads(content)  # noqa: S301  (from a file that only this user can write, and would execute)
    except Exception:  # whatever a class that has changed since raises: it is as good as absent
        return None
    return kept if type(kept) is Kept else None


def can_keep(kept: Kept) -> bool:
    """Whether it can be found again by other processes: it refers to nothing that only this one has."""
    try:
        pickle.dumps(kept.slots, pickle.HIGHEST_PROTOCOL)
    except Exception:  # every class may have its own reason
        return False
    return True


def keep(key: str, kept: Kept) -> None:
    """Keep it, if possible."""
    disk_cache.write(key, pickle.dumps(kept, pickle.HIGHEST_PROTOCOL))


def given_of(signature: Signature) -> list[object]:
    """The objects that a signature names, in order: those are recognised by what they are, not by what they equal."""
    objects: list[object] = [*signature.keywords]
    stack: list[Structure] = [signature.output, *reversed(signature.inputs)]
    while stack:
        structure = stack.pop()
        if isinstance(structure, Container):
            objects.extend(structure.keys)
            stack.extend(reversed(structure.items))
        elif isinstance(structure, Fixed):
            objects.append(structure.value)
    return objects


def _told(signature: Signature) -> str | None:
    """The signature as text; None if a dictionary has keys that have no text of their own."""
    given = given_of(signature)
    first: dict[int, int] = {}
    for number, value in enumerate(given):
        first.setdefault(id(value), number)  # where the same object comes again, the code has one slot for both
    parts = [_structure(x) for x in (*signature.inputs, signature.output)]
    if None in parts:
        return None
    objects = [f"{first[id(value)]} {_object(value)}" for value in given]
    return f"{signature.keywords} {parts} {objects} {signature.wants_finite} {signature.has_alarm} {signature.gives_up}"


def _structure(structure: Structure) -> str | None:
    if isinstance(structure, Scalar):
        return f"{structure.kind}{structure.is_python}"
    if isinstance(structure, Array):
        return f"{structure.dtype.str}{structure.shape}{structure.over}"
    if isinstance(structure, Container):
        items = [_structure(item) for item in structure.items]
        if None in items or not all(type(key) in _PLAIN for key in structure.keys):
            return None
        return f"{structure.kind.__name__}{items}{[*map(_object, structure.keys)]}"
    return "fixed" if isinstance(structure, Fixed) else repr(structure)


def _object(value: Any) -> str:
    """What may be one with an object that the entry names itself (a type, a dtype) or with a key; others are places."""
    known = type(value) in _PLAIN or isinstance(value, (type, np.dtype))
    return f"{type(value).__name__} {value!r}" if known else "object"


@cache
def _sources() -> str:
    """The state of the compiler's own files; empty if they are not files."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    try:
        states = [(str(file), file.stat()) for file in files]
    except OSError:
        return ""
    return "\n".join([f"{name} {state.st_size} {state.st_mtime_ns}" for name, state in states])
