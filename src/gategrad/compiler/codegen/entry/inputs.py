"""The first half of the entry: are these the arguments for which the program was compiled? If so, read them."""

from __future__ import annotations

import numpy as np

from gategrad.compiler.codegen.entry.signature import (
    Array,
    Container,
    Fixed,
    Same,
    Scalar,
    Signature,
    Structure,
    leaves,
    runs,
)
from gategrad.compiler.codegen.entry.writer import Writer
from gategrad.compiler.runtime.layout import LIST_ITEMS, OBJECT_TYPE, SCALAR_VALUE, SIZE, TUPLE_ITEMS, Ndarray

__all__ = ["Inputs", "check_inputs", "llvm_type"]

ARGUMENTS_MASK = (1 << 63) - 1  # the highest bit of nargsf says that args[-1] may be overwritten


class Inputs:
    """The flat inputs, once checked: a number or data pointer for each, and the Python object it was read from."""

    def __init__(self, write: Writer, signature: Signature) -> None:
        self.write = write
        self.leaves = signature.flat_inputs
        self.values: list[str] = []
        self.objects: list[str] = []
        self.looks_up = False  # are there dicts, whose items may be missing?
        self._returned = {leaf.index for leaf in leaves(signature.output) if isinstance(leaf, Same)}
        self._held: list[str] = []
        self._late: list[tuple[int, str, str]] = []

    def add(self, value: str, pointer: str, *, nested: bool) -> None:
        """Take in the next flat input. What lies in a container might be taken out of it during the call."""
        index = len(self.values)
        if (nested and llvm_type(self.leaves[index]) == "ptr") or index in self._returned:
            self._held.append(pointer)
        self.values.append(value)
        self.objects.append(pointer)

    def add_run(self, leaf: Scalar | Array, first: str, count: int, *, nested: bool) -> None:
        """Take in equal flat inputs that lie side by side in memory, checked by a loop."""
        write, kind = self.write, llvm_type(leaf)
        values = write.alloca(f"[{count} x {kind}]")
        with write.loop(count) as index:
            value = _read(write, leaf, write.value(f"load ptr, ptr {write.item(first, index)}"))
            write(f"store {kind} {value}, ptr {write.item(values, index, kind)}")
        for k in range(count):
            place, pointer = write.item(values, k, kind), write.field("ptr", first, 8 * k)
            if isinstance(leaf, Scalar):
                self._late.append((len(self.values), kind, place))
                self.add("", pointer, nested=nested)
            else:
                self.add(write.value(f"load ptr, ptr {place}"), pointer, nested=nested)

    def settle(self) -> None:
        """Load the numbers that loops have left in memory: late, or they would block registers meanwhile."""
        for index, kind, place in self._late:
            self.values[index] = self.write.value(f"load {kind}, ptr {place}")

    def hold(self) -> None:
        """Own the objects that somebody else could release while the program runs."""
        for pointer in self._held:
            self.write.call("Py_IncRef", "void", f"ptr {pointer}")

    def release(self) -> None:
        """Give back what `hold` took."""
        for pointer in self._held:
            self.write.call("Py_DecRef", "void", f"ptr {pointer}")


def check_inputs(write: Writer, signature: Signature) -> Inputs:
    """Compare the arguments with the signature and read them; go to the block `slow` at the first difference."""
    inputs = Inputs(write, signature)
    named = len(signature.keywords)
    count = write.value(f"and i64 %nargsf, {ARGUMENTS_MASK}")
    _expect_equal(write, "i64", count, str(len(signature.inputs) - named))
    _check_keywords(write, signature.keywords)
    _check_items(write, signature.inputs, "%args", inputs, nested=False)
    return inputs


def _check_items(write: Writer, items: tuple[Structure, ...], first: str, inputs: Inputs, *, nested: bool) -> None:
    for position, count, item in runs(items):
        if count > 1 and isinstance(item, (Scalar, Array)):
            inputs.add_run(item, write.at(first, 8 * position), count, nested=nested)
        else:
            _check(write, item, write.field("ptr", first, 8 * position), inputs, nested=nested)


def _check_keywords(write: Writer, keywords: tuple[str, ...]) -> None:
    if not keywords:
        _expect_equal(write, "ptr", "%kwnames", "null")
        return
    write.expect_object("%kwnames", "slow")
    _expect_equal(write, "i64", write.field("i64", "%kwnames", SIZE), str(len(keywords)))
    for position, name in enumerate(keywords):
        _expect_object(write, write.field("ptr", "%kwnames", TUPLE_ITEMS + 8 * position), name)


def _check(write: Writer, structure: Structure, pointer: str, inputs: Inputs, *, nested: bool) -> None:
    if isinstance(structure, Container):
        _expect_type(write, pointer, structure.kind)
        if structure.kind is dict:
            _check_dict(write, structure, pointer, inputs)
        else:
            _expect_equal(write, "i64", write.field("i64", pointer, SIZE), str(len(structure.items)))
            within = structure.kind is tuple
            first = write.at(pointer, TUPLE_ITEMS) if within else write.field("ptr", pointer, LIST_ITEMS)
            _check_items(write, structure.items, first, inputs, nested=True)
    elif isinstance(structure, (Scalar, Array)):
        inputs.add(_read(write, structure, pointer), pointer, nested=nested)
    elif isinstance(structure, Fixed):
        _expect_object(write, pointer, structure.value)
    else:
        raise TypeError(f"{structure!r} cannot be an input")


def _check_dict(write: Writer, container: Container, pointer: str, inputs: Inputs) -> None:
    inputs.looks_up = True
    size = write.call("PyDict_Size", "i64", f"ptr {pointer}")
    _expect_equal(write, "i64", size, str(len(container.items)))
    for key, item in zip(container.keys, container.items, strict=True):
        _check(write, item, _dict_item(write, pointer, key), inputs, nested=True)


def _dict_item(write: Writer, pointer: str, key: object) -> str:
    name = write.load(write.table.object(key))
    item = write.call("PyDict_GetItemWithError", "ptr", f"ptr {pointer}", f"ptr {name}")
    write.expect_object(item, "no_item")
    return item


_REGISTERS = {"f64": "double", "f32": "float"}


def llvm_type(leaf: Scalar | Array) -> str:
    """The type of the parameter of the program for this leaf."""
    return _REGISTERS.get(leaf.kind, "ptr") if isinstance(leaf, Scalar) else "ptr"


def _read(write: Writer, leaf: Scalar | Array, pointer: str) -> str:
    return _read_scalar(write, leaf, pointer) if isinstance(leaf, Scalar) else _read_array(write, leaf, pointer)


def _read_scalar(write: Writer, scalar: Scalar, pointer: str) -> str:
    first, *others = scalar.types
    if others:
        _expect_either(write, pointer, first, others[0])
    else:
        _expect_type(write, pointer, first)
    if scalar.is_complex:
        return write.at(pointer, SCALAR_VALUE)  # in Python's objects as well
    return write.field(llvm_type(scalar), pointer, SCALAR_VALUE)


def _read_array(write: Writer, array: Array, pointer: str) -> str:
    _expect_type(write, pointer, np.ndarray)
    _expect_equal(write, "i32", write.field("i32", pointer, Ndarray.NDIM), str(len(array.shape)))
    flags = write.value(f"and i32 {write.field('i32', pointer, Ndarray.FLAGS)}, {Ndarray.CARRAY}")
    _expect_equal(write, "i32", flags, str(Ndarray.CARRAY))
    # Compared by content: an array that was pickled or copied deeply has a dtype object of its own.
    descr = write.field("ptr", pointer, Ndarray.DESCR)
    _expect_equal(write, "i32", write.field("i32", descr, Ndarray.DESCR_NUMBER), str(array.dtype.num))
    _expect_equal(write, "i8", write.field("i8", descr, Ndarray.DESCR_BYTEORDER), str(ord(array.dtype.byteorder)))
    if array.shape:
        shape = write.field("ptr", pointer, Ndarray.SHAPE)
        for axis, size in enumerate(array.shape):
            _expect_equal(write, "i64", write.field("i64", shape, 8 * axis), str(size))
    return write.field("ptr", pointer, Ndarray.DATA)


def _expect_type(write: Writer, pointer: str, kind: type) -> None:
    _expect_object(write, write.field("ptr", pointer, OBJECT_TYPE), kind)


def _expect_either(write: Writer, pointer: str, kind: type, other: type) -> None:
    found = write.field("ptr", pointer, OBJECT_TYPE)
    is_kind = write.value(f"icmp eq ptr {found}, {write.load(write.table.object(kind))}")
    matches, maybe = write.label(kind.__name__), write.label(other.__name__)
    write.branch(is_kind, matches, maybe)
    write.block(maybe)
    is_other = write.value(f"icmp eq ptr {found}, {write.load(write.table.object(other))}")
    write.branch(is_other, matches, "slow")
    write.block(matches)


def _expect_object(write: Writer, pointer: str, value: object) -> None:
    _expect_equal(write, "ptr", pointer, write.load(write.table.object(value)))


def _expect_equal(write: Writer, kind: str, left: str, right: str) -> None:
    write.expect(write.value(f"icmp eq {kind} {left}, {right}"), "slow")
