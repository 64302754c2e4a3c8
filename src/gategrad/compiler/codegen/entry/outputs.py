"""The second half of the entry: make what the call returns.

Containers and arrays are made before the program runs, which writes into the arrays; single numbers become objects
afterwards. Everything is attached to its container at once, so that the root owns all there is and one release of it
cleans up after any failure.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gategrad.compiler.codegen.entry.inputs import Inputs
from gategrad.compiler.codegen.entry.signature import Array, Container, Fixed, Same, Scalar, Signature, Structure, runs
from gategrad.compiler.codegen.entry.writer import Writer
from gategrad.compiler.runtime.caching_allocator import LARGE, NEW_LARGE, new_large
from gategrad.compiler.runtime.layout import LIST_ITEMS, TUPLE_ITEMS, Ndarray

__all__ = ["Outputs"]

# A loop, since all pairs of a hundred arrays, written out, would keep LLVM busy for a quarter of a minute.
_APART = """
define internal i1 @gg_apart(ptr %spans, i64 %count, i64 %place) noinline nounwind {
enter:
  %first = shl i64 %place, 1
  %second = or i64 %first, 1
  %at.start = getelementptr ptr, ptr %spans, i64 %first
  %at.stop = getelementptr ptr, ptr %spans, i64 %second
  %start = load ptr, ptr %at.start
  %stop = load ptr, ptr %at.stop
  br label %loop
loop:
  %other = phi i64 [ 0, %enter ], [ %following, %next ]
  %same = icmp eq i64 %other, %place
  br i1 %same, label %next, label %compare
compare:
  %third = shl i64 %other, 1
  %fourth = or i64 %third, 1
  %at.begin = getelementptr ptr, ptr %spans, i64 %third
  %at.end = getelementptr ptr, ptr %spans, i64 %fourth
  %begin = load ptr, ptr %at.begin
  %end = load ptr, ptr %at.end
  %before = icmp ule ptr %stop, %begin
  %after = icmp uge ptr %start, %end
  %apart = or i1 %before, %after
  br i1 %apart, label %next, label %overlap
next:
  %following = add i64 %other, 1
  %more = icmp ult i64 %following, %count
  br i1 %more, label %loop, label %free
free:
  ret i1 true
overlap:
  ret i1 false
}"""

# A loop as well: the program in the same module may have declared LLVM's own already.
_COPY = """
define internal void @gg_copy(ptr noalias %target, ptr noalias %source, i64 %count) noinline nounwind {
enter:
  %empty = icmp eq i64 %count, 0
  br i1 %empty, label %done, label %loop
loop:
  %i = phi i64 [ 0, %enter ], [ %following, %loop ]
  %from = getelementptr i8, ptr %source, i64 %i
  %to = getelementptr i8, ptr %target, i64 %i
  %byte = load i8, ptr %from
  store i8 %byte, ptr %to
  %following = add i64 %i, 1
  %more = icmp ult i64 %following, %count
  br i1 %more, label %loop, label %done
done:
  ret void
}"""


class Place(NamedTuple):
    """Where an object belongs: in the container of this kind, at an index or key."""

    container: str
    kind: type
    key: object


class Outputs:
    """The output of one call; `pointers` are what the program writes to, one for each flat output."""

    def __init__(self, write: Writer, signature: Signature, inputs: Inputs) -> None:
        self.write = write
        self.structure = signature.output
        self.leaves = signature.flat_outputs
        self.inputs = inputs
        self.pointers: list[str] = []
        self.root = ""
        self.alarm = ""  # where the program says whether its outputs are to be looked at
        self._has_alarm = signature.has_alarm
        self._numbers: list[tuple[Scalar, str, Place | None]] = []
        self._runs: list[tuple[Scalar, str, Place, int]] = []
        self._listed = ""

    def allocate(self) -> None:
        """Make the containers and arrays."""
        if any(isinstance(leaf, Array) and leaf.over is not None for leaf in self.leaves):
            self._spans()  # here, from where all later blocks can see it
        self._make(self.structure, None)
        if self._has_alarm:
            self.alarm = self.write.alloca("i8")
            self.pointers.append(self.alarm)

    def fill(self) -> None:
        """Make the single numbers that the program has computed."""
        for scalar, pointer, place in self._numbers:
            number = self._number(scalar, pointer)
            self.write.expect_object(number, "fail")
            self._put(number, place)
        for scalar, values, place, count in self._runs:
            with self.write.loop(count) as index:
                number = self._number(scalar, self.write.item(values, index, _memory_type(scalar)))
                self.write.expect_object(number, "fail")
                self.write(f"store ptr {number}, ptr {self.write.item(self._slot(place), index)}")

    def discard(self) -> None:
        """Release all that was made so far, in the block that failures lead to."""
        if not isinstance(self.structure, Scalar):
            self.write.call("Py_DecRef", "void", f"ptr {self.root}")

    def _make(self, structure: Structure, place: Place | None) -> None:
        if isinstance(structure, Scalar):
            pointer = self.write.alloca(_memory_type(structure))
            self.pointers.append(pointer)
            self._numbers.append((structure, pointer, place))
        elif isinstance(structure, Array):
            array = self._array(structure, place)
            self.pointers.append(self.write.field("ptr", array, Ndarray.DATA))
            self._put(array, place)
        elif isinstance(structure, Container):
            container = self._container(structure)
            self.write.expect_object(container, _failure(place))
            self._put(container, place)
            self._make_items(structure, container)
        else:
            self._put(self._existing(structure), place)

    def _make_items(self, structure: Container, container: str) -> None:
        if structure.kind is dict:
            for key, item in zip(structure.keys, structure.items, strict=True):
                self._make(item, Place(container, dict, key))
            return
        for position, count, item in runs(structure.items):
            place = Place(container, structure.kind, position)
            if count > 1 and isinstance(item, Scalar):
                values = self.write.alloca(f"[{count} x {_memory_type(item)}]")
                self.pointers += [self.write.item(values, k, _memory_type(item)) for k in range(count)]
                self._runs.append((item, values, place, count))
            else:
                for k in range(count):
                    self._make(item, place._replace(key=position + k))

    def _put(self, pointer: str, place: Place | None) -> None:
        """Attach an object, which gives up the reference to it."""
        write = self.write
        if place is None:
            self.root = pointer
        elif place.kind is dict:
            key = write.load(write.table.object(place.key))
            status = write.call("PyDict_SetItem", "i32", f"ptr {place.container}", f"ptr {key}", f"ptr {pointer}")
            write.call("Py_DecRef", "void", f"ptr {pointer}")
            write.expect(write.value(f"icmp eq i32 {status}, 0"), "fail")
        else:
            write(f"store ptr {pointer}, ptr {self._slot(place)}")

    def _slot(self, place: Place) -> str:
        assert isinstance(place.key, int)
        if place.kind is tuple:
            return self.write.at(place.container, TUPLE_ITEMS + 8 * place.key)
        return self.write.at(self.write.field("ptr", place.container, LIST_ITEMS), 8 * place.key)

    def _container(self, structure: Container) -> str:
        write = self.write
        if structure.kind is dict:
            # A copy of a dict that has all the keys keeps their order and never has to grow.
            template = write.load(write.table.object(dict.fromkeys(structure.keys)))
            return write.call("PyDict_Copy", "ptr", f"ptr {template}")
        new = "PyTuple_New" if structure.kind is tuple else "PyList_New"
        return write.call(new, "ptr", f"i64 {len(structure.items)}")

    def _existing(self, structure: Fixed | Same) -> str:
        write = self.write
        if isinstance(structure, Same):
            pointer = self.inputs.objects[structure.index]
        else:
            pointer = write.load(write.table.object(structure.value))
        write.call("Py_IncRef", "void", f"ptr {pointer}")
        return pointer

    def _number(self, scalar: Scalar, pointer: str) -> str:
        write = self.write
        if scalar.kind == "f64":
            number = write.value(f"load double, ptr {pointer}")
            return write.call("PyFloat_FromDouble", "ptr", f"double {number}")
        descr = write.load(write.table.object(scalar.dtype))
        return write.call("PyArray_Scalar", "ptr", f"ptr {pointer}", f"ptr {descr}", "ptr null")

    def _array(self, array: Array, place: Place | None) -> str:
        if array.over is None:
            return self._fresh(array, place)
        write = self.write
        reuse, renew, made = write.label("reuse"), write.label("renew"), write.label("made")
        given = self.inputs.objects[array.over]
        write.branch(self._may_overwrite(array.over), reuse, renew)
        write.block(reuse)
        write.call("Py_IncRef", "void", f"ptr {given}")
        write(f"br label %{made}")
        write.block(renew)
        fresh = self._fresh(array, place)
        target, source = write.field("ptr", fresh, Ndarray.DATA), self.inputs.values[array.over]
        write(f"call void @gg_copy(ptr {target}, ptr {source}, i64 {array.nbytes})")
        last = write.current
        write(f"br label %{made}")
        write.block(made)
        return write.value(f"phi ptr [ {given}, %{reuse} ], [ {fresh}, %{last} ]")

    def _may_overwrite(self, index: int) -> str:
        """Is the input writeable, and does it share no memory with another one?"""
        write, inputs = self.write, self.inputs
        flags = write.field("i32", inputs.objects[index], Ndarray.FLAGS)
        allowed = write.value(f"icmp ne i32 {write.value(f'and i32 {flags}, {Ndarray.WRITEABLE}')}, 0")
        spans, count, place = self._spans()
        apart = write.value(f"call i1 @gg_apart(ptr {spans}, i64 {count}, i64 {place[index]})")
        return write.value(f"and i1 {allowed}, {apart}")

    def _spans(self) -> tuple[str, int, dict[int, int]]:
        """Where the data of each array that came in begins and ends: a list in memory, and the place of each in it."""
        arrays = [(n, leaf) for n, leaf in enumerate(self.inputs.leaves) if isinstance(leaf, Array)]
        place = {n: position for position, (n, _) in enumerate(arrays)}
        if not self._listed:
            self.write.globals += [_APART, _COPY]
            self._listed = self.write.alloca(f"[{2 * len(arrays)} x ptr]")
            for position, (n, leaf) in enumerate(arrays):
                start = self.inputs.values[n]
                for k, pointer in enumerate((start, self.write.at(start, leaf.nbytes))):
                    self.write(f"store ptr {pointer}, ptr {self.write.item(self._listed, 2 * position + k)}")
        return self._listed, len(arrays), place

    def _fresh(self, array: Array, place: Place | None) -> str:
        write = self.write
        descr = write.load(write.table.object(array.dtype))
        write.call("Py_IncRef", "void", f"ptr {descr}")  # the call below takes one reference for the array
        rank = len(array.shape)
        shape = self._constant(array.shape) if rank else "null"
        kind = write.load(write.table.object(np.ndarray))
        pointers = ["ptr null", "ptr null", "i32 0", "ptr null"]  # strides, data, flags, base: NumPy's choice
        arguments = [f"ptr {kind}", f"ptr {descr}", f"i32 {rank}", f"ptr {shape}", *pointers]
        if array.nbytes < LARGE:
            fresh = write.call("PyArray_NewFromDescr", "ptr", *arguments)
        else:
            make = write.load(write.table.address(NEW_LARGE, new_large))
            fresh = write.value(f"call ptr {make}({', '.join(arguments)})")
        write.expect_object(fresh, _failure(place))
        return fresh

    def _constant(self, sizes: tuple[int, ...]) -> str:
        name = "@gg_shape." + ".".join(map(str, sizes))
        text = ", ".join(f"i64 {size}" for size in sizes)
        definition = f"{name} = private constant [{len(sizes)} x i64] [{text}]"
        if definition not in self.write.globals:
            self.write.globals.append(definition)
        return name


def _memory_type(scalar: Scalar) -> str:
    """What a single number is in memory: complex ones are two."""
    return {"f64": "double", "f32": "float", "c128": "[2 x double]", "c64": "[2 x float]"}[scalar.kind]


def _failure(place: Place | None) -> str:
    # Before there is a root there is nothing to discard.
    return "fail_early" if place is None else "fail"
