"""Object code as an image that runs wherever it is put, and its place in memory.

Our code needs nothing at a fixed address: it finds what belongs to the process in a table of its own, and its sections
refer to each other by distance. So to load it is to put the sections side by side, to fill in the distances, and to
allow execution. LLVM's own loader takes ten times as long, which was a third of a warm start (measured).

This is done for x86-64 and ELF; the System V ABI and its supplement for that processor say how. Objects of other kinds,
and those that ask for more, have no image: LLVM loads them.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from functools import cache
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Image", "Placed", "image_of"]

_HEAD = struct.Struct("<7s9xHH20xQ10xHH2x")  # identity, type, machine, where the sections are, their size and number
_OURS = (b"\x7fELF\x02\x01\x01", 1, 62)  # 64 bits, little endian; to be linked; x86-64

_SECTION = struct.Struct("<4xIQ8xQQIIQ8x")
_PROGBITS, _SYMTAB, _RELA, _NOBITS = 1, 2, 4, 8
_PASSIVE = (0, _SYMTAB, 3, _RELA, 0x70000001)  # 3: texts; the last: tables for C++ exceptions, which never come by
_WRITE, _ALLOC, _KNOWN = 1, 2, 0x77  # known: written, held, run, merged, merged as texts, with a reference

_SYMBOL = np.dtype([
    ("name", "<u4"), ("kind", "u1"), ("visibility", "u1"), ("section", "<u2"), ("value", "<u8"), ("size", "<u8"),
])  # fmt: skip
_FIXUP = np.dtype([("place", "<u8"), ("kind", "<u4"), ("symbol", "<u4"), ("addend", "<i8")])
_DISTANCES = (2, 4)  # R_X86_64_PC32, R_X86_64_PLT32: from the place to symbol + addend, in 32 bits
_NOWHERE = np.int64(-(2**62))  # of what is not loaded

_JUMP, _TO = struct.Struct("<2si"), b"\xff\x25"  # jump to where the pointer at this distance points
_STEP = 8  # bytes of a jump, and of a pointer


class Image(NamedTuple):
    """What lies in memory: code and constants first, from `writable` on what the code may write."""

    content: bytes
    writable: int
    symbols: dict[str, int]  # where the functions and globals are that others may ask for
    foreign: dict[str, int]  # the C functions that are called, and where the code expects their addresses


def image_of(code: bytes) -> Image | None:
    """The image of an object file; None if it is of another kind, or needs what is not known here."""
    sections = _sections(code)
    tables = [section for section in sections if section.kind == _SYMTAB]
    if len(tables) != 1 or not all(section.is_known for section in sections):
        return None
    return _Linker(code, sections).image(tables[0])


class _Section(NamedTuple):
    kind: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    align: int

    @property
    def is_loaded(self) -> bool:
        return self.kind in (_PROGBITS, _NOBITS) and bool(self.flags & _ALLOC)

    @property
    def is_known(self) -> bool:
        return self.kind in _PASSIVE or (self.kind in (_PROGBITS, _NOBITS) and not self.flags & ~_KNOWN)


def _sections(code: bytes) -> list[_Section]:
    """The sections of an object file; none if it is of another kind."""
    if len(code) < _HEAD.size:
        return []
    *kind, start, each, count = _HEAD.unpack_from(code)
    if tuple(kind) != _OURS or each != _SECTION.size:
        return []
    return [_Section(*_SECTION.unpack_from(code, start + n * each)) for n in range(count)]


class _Linker:
    """The sections of an object file on their way into an image."""

    def __init__(self, code: bytes, sections: list[_Section]) -> None:
        self.code, self.sections = code, sections
        self.content = bytearray()
        self.starts = np.full(len(sections) + 1, _NOWHERE)  # the last is that of symbols without a section

    def image(self, table: _Section) -> Image | None:
        symbols = self._table(table, _SYMBOL)
        names = self._names(symbols, table)
        foreign = [number for number in names if symbols["section"][number] == 0]
        self._lay_out(written=False)
        jumps = self._room(_STEP * len(foreign), _STEP)
        writable = self._room(0, mmap.PAGESIZE)
        slots = self._room(_STEP * len(foreign), _STEP)
        self._lay_out(written=True)
        homes = np.minimum(symbols["section"], len(self.sections))
        places = self.starts[homes] + symbols["value"].astype(np.int64)
        for n, number in enumerate(foreign):
            places[number] = jumps + n * _STEP
            _JUMP.pack_into(self.content, jumps + n * _STEP, _TO, slots - jumps - _JUMP.size)
        if not self._fill_in(places):
            return None
        own = {name: int(places[n]) for n, name in names.items() if places[n] >= 0 and n not in foreign}
        return Image(bytes(self.content), writable, own, {names[n]: slots + k * _STEP for k, n in enumerate(foreign)})

    def _table(self, section: _Section, row: Any) -> np.ndarray[Any, Any]:
        return np.frombuffer(self.code, row, section.size // row.itemsize, section.offset)

    def _names(self, symbols: np.ndarray[Any, Any], table: _Section) -> dict[int, str]:
        """The symbols that are not local by their number; those come behind the local ones."""
        start = self.sections[table.link].offset
        names = {}
        for number, place in enumerate(symbols["name"][table.info :].tolist(), table.info):
            names[number] = self.code[start + place : self.code.index(0, start + place)].decode()
        return names

    def _room(self, size: int, align: int) -> int:
        """Where so many more bytes begin."""
        start = len(self.content) + -len(self.content) % max(align, 1)
        self.content += bytes(start + size - len(self.content))
        return start

    def _lay_out(self, *, written: bool) -> None:
        """Put the sections that are written, or those that are not, behind each other."""
        for number, section in enumerate(self.sections):
            if section.is_loaded and bool(section.flags & _WRITE) is written:
                start = self.starts[number] = self._room(section.size, section.align)
                if section.kind == _PROGBITS:
                    found = self.code[section.offset : section.offset + section.size]
                    self.content[start : start + section.size] = found

    def _fill_in(self, places: np.ndarray[Any, Any]) -> bool:
        """Write the distances; False if something else than a distance is asked for."""
        content = np.frombuffer(self.content, np.uint8)
        for section in self.sections:
            if section.kind != _RELA or self.starts[section.info] < 0:
                continue
            asked = self._table(section, _FIXUP)
            at, to = self.starts[section.info] + asked["place"].astype(np.int64), places[asked["symbol"]]
            if not np.isin(asked["kind"], _DISTANCES).all() or (to < 0).any():
                return False
            distances = (to + asked["addend"] - at).astype("<i4")
            content[at[:, None] + np.arange(4)] = distances.view(np.uint8).reshape(-1, 4)
        return True


class Placed:
    """An image in the memory of this process."""

    def __init__(self, image: Image) -> None:
        self._symbols, self._size = image.symbols, len(image.content)
        system = _system()
        found = {place: _function(name) for name, place in image.foreign.items()}
        own = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        self._base = system.mmap(None, self._size, mmap.PROT_READ | mmap.PROT_WRITE, own, -1, 0)
        if self._base == _FAILED:
            raise MemoryError
        ctypes.memmove(self._base, image.content, self._size)
        for place, address in found.items():
            ctypes.c_size_t.from_address(self._base + place).value = address
        if system.mprotect(self._base, image.writable, mmap.PROT_READ | mmap.PROT_EXEC):
            self.close()
            raise OSError("this system does not let memory be executed that has been written")

    def address(self, symbol: str) -> int:
        """The address of a function or global; 0 if the image does not export it."""
        return self._base + self._symbols[symbol] if symbol in self._symbols else 0

    def close(self) -> None:
        """Give the memory back."""
        _system().munmap(self._base, self._size)


_FAILED = ctypes.c_size_t(-1).value


@cache
def _system() -> Any:
    """The functions of the system that deal with memory; the global lock is held meanwhile, so nobody comes between."""
    system = ctypes.PyDLL(None)
    system.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_ssize_t]
    system.mmap.restype = ctypes.c_size_t
    system.mprotect.argtypes = [ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int]
    system.munmap.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
    return system


def _function(name: str) -> int:
    """The address of a C function of this process."""
    return ctypes.cast(getattr(_system(), name), ctypes.c_void_p).value or 0
