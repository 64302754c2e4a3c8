"""Compiles one vector function into a loop over arrays, for measuring it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence

import llvmlite.binding as llvm
import numpy as np

from gategrad.compiler.codegen.vector_math import closure, define, inputs
from gategrad.compiler.codegen.vector_math.builder import DType, Type

NUMPY = {"f64": np.float64, "f32": np.float32}
Loop = Callable[..., np.ndarray]

LOOP = """
define void @loop({pointers}, ptr %z, i64 %count) {{
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
{loads}
  %r = call {type} {symbol}({arguments})
  %pz = getelementptr {element}, ptr %z, i64 %i
  store {type} %r, ptr %pz, align {align}
  %next = add i64 %i, {lanes}
  %more = icmp slt i64 %next, %count
  br i1 %more, label %body, label %done
done:
  ret void
}}
"""


def module_text(name: str, dtype: DType, lanes: int) -> str:
    """A module whose `loop` applies the function to whole arrays, a multiple of `lanes` long."""
    type = Type("f", int(dtype[1:]), lanes)
    function = define(name, dtype, lanes)
    variables = ["x", "y"][: inputs(name)]
    align = type.bits // 8
    loads = "\n".join(
        f"  %p{v} = getelementptr {type.element}, ptr %{v}, i64 %i\n"
        f"  %v{v} = load {type.text}, ptr %p{v}, align {align}"
        for v in variables
    )
    loop = LOOP.format(
        pointers=", ".join(f"ptr %{v}" for v in variables),
        loads=loads,
        type=type.text,
        element=type.element,
        symbol=function.symbol,
        arguments=", ".join(f"{type.text} %v{v}" for v in variables),
        align=align,
        lanes=lanes,
    )
    return "\n".join(definition.text for definition in closure([function])) + loop


def host_features() -> str:
    return llvm.get_host_cpu_features().flatten()


class Compiled:
    """The machine code of a loop, alive as long as this object."""

    def __init__(self, text: str, cpu: str | None = None, features: str | None = None) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        target = llvm.Target.from_default_triple()
        machine = target.create_target_machine(
            cpu=llvm.get_host_cpu_name() if cpu is None else cpu,
            features=host_features() if features is None else features,
            opt=3,
            reloc="pic",
            codemodel="small",
        )
        module = llvm.parse_assembly(text)
        module.verify()
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
        self.assembly = machine.emit_assembly(module)
        self.engine = llvm.create_mcjit_compiler(module, machine)
        self.engine.finalize_object()
        self.address = self.engine.get_function_address("loop")


def compile_loop(
    name: str, dtype: DType, lanes: int, cpu: str | None = None, features: str | None = None
) -> Callable[..., np.ndarray]:
    """The function on arrays of the dtype, through machine code for this host or the CPU named."""
    compiled = Compiled(module_text(name, dtype, lanes), cpu, features)
    count = inputs(name)
    native = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (count + 1), ctypes.c_int64)(compiled.address)

    def apply(*arrays: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        size = arrays[0].size
        padded = [_padded(np.asarray(array, NUMPY[dtype]), lanes) for array in arrays]
        z = np.empty_like(padded[0]) if out is None else out
        native(*(array.ctypes.data for array in padded), z.ctypes.data, padded[0].size)
        return z[:size]

    apply.compiled = compiled  # type: ignore[attr-defined]  # keeps the machine code alive
    return apply


def _padded(array: np.ndarray, lanes: int) -> np.ndarray:
    extra = -array.size % lanes
    if not extra:
        return np.ascontiguousarray(array)
    filling: Sequence[float] = [1.0] * extra
    return np.concatenate([array, np.array(filling, array.dtype)])
