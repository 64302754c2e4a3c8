"""The first half of the entry: are these the arguments for which the program was compiled? If so, read them."""

from __future__ import annotations

import numpy as np

from gategrad.compiler.codegen.signature import Array, Container, Fixed, Same, Scalar, Signature, Structure, leaves
from gategrad.compiler.codegen.writer import Writer
from gategrad.compiler.runtime.layout import LIST_ITEMS, OBJECT_TYPE, SCALAR_VALUE, SIZE, TUPLE_ITEMS, Ndarray

__all__ = ["Inputs", "check_inputs"]

ARGUMENTS_MASK = (1 << 63) - 1  # the highest bit of nargsf says that args[-1] may be overwritten


class Inputs:
    """The flat inputs, once checked: a number or data pointer for each, and the Python object it was read from."""

    def __init__(self, write: Writer, signature: Signature) -> None:
        self.write = write
        self.leaves = signature.flat_inputs
        self.values: list[str] = []
        self.objects: list[str] = []
        self._returned = {leaf.index for leaf in leaves(signature.output) if isinstance(leaf, Same)}
        self._held: list[str] = []

    def add(self, value: str, pointer: str, *, nested: bool) -> None:
        """Take in the next flat input. What lies in a container might be taken out of it during the call."""
        index = len(self.values)
        if (nested and isinstance(self.leaves[index], Array)) or index in self._returned:
            self._held.append(pointer)
        self.values.append(value)
        self.objects.append(pointer)

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
    for position, structure in enumerate(signature.inputs):
        _check(write, structure, write.field("ptr", "%args", 8 * position), inputs, nested=False)
    return inputs


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
        for item, child in zip(_items(write, structure, pointer), structure.items, strict=True):
            _check(write, child, item, inputs, nested=True)
    elif isinstance(structure, Scalar):
        inputs.add(_read_scalar(write, structure, pointer), pointer, nested=nested)
    elif isinstance(structure, Array):
        inputs.add(_read_array(write, structure, pointer), pointer, nested=nested)
    elif isinstance(structure, Fixed):
        _expect_object(write, pointer, structure.value)
    else:
        raise TypeError(f"{structure!r} cannot be an input")


def _items(write: Writer, container: Container, pointer: str) -> list[str]:
    count = len(container.items)
    if container.kind is dict:
        size = write.call("PyDict_Size", "i64", f"ptr {pointer}")
        _expect_equal(write, "i64", size, str(count))
        return [_dict_item(write, pointer, key) for key in container.keys]
    _expect_equal(write, "i64", write.field("i64", pointer, SIZE), str(count))
    if not count:
        return []
    first = write.at(pointer, TUPLE_ITEMS) if container.kind is tuple else write.field("ptr", pointer, LIST_ITEMS)
    return [write.field("ptr", first, 8 * position) for position in range(count)]


def _dict_item(write: Writer, pointer: str, key: object) -> str:
    # PyDict_GetItem swallows errors: a key whose comparison raises is a key that does not match.
    name = write.load(write.table.object(key))
    item = write.call("PyDict_GetItem", "ptr", f"ptr {pointer}", f"ptr {name}")
    write.expect_object(item, "slow")
    return item


def _read_scalar(write: Writer, scalar: Scalar, pointer: str) -> str:
    if scalar.kind == "f32":
        _expect_type(write, pointer, np.float32)
        return write.field("float", pointer, SCALAR_VALUE)
    kind = write.field("ptr", pointer, OBJECT_TYPE)
    python = write.value(f"icmp eq ptr {kind}, {write.load(write.table.object(float))}")
    matches, maybe = write.label("float"), write.label("float64")
    write.branch(python, matches, maybe)
    write.block(maybe)
    numpy = write.value(f"icmp eq ptr {kind}, {write.load(write.table.object(np.float64))}")
    write.branch(numpy, matches, "slow")
    write.block(matches)
    return write.field("double", pointer, SCALAR_VALUE)


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


def _expect_object(write: Writer, pointer: str, value: object) -> None:
    _expect_equal(write, "ptr", pointer, write.load(write.table.object(value)))


def _expect_equal(write: Writer, kind: str, left: str, right: str) -> None:
    write.expect(write.value(f"icmp eq {kind} {left}, {right}"), "slow")
