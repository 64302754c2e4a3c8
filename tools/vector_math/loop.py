"""Compiles one vector function into a loop over arrays, for measuring it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import llvmlite.binding as llvm
import numpy as np

from gategrad.compiler.codegen.vector_math import closure, define, inputs
from gategrad.compiler.codegen.vector_math.builder import DType, Type

FLOATS: dict[str, type] = {"f64": np.float64, "f32": np.float32}

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


class Loop:
    """A vector function over arrays, through machine code for this host or the CPU named."""

    def __init__(
        self, name: str, dtype: DType, lanes: int, cpu: str | None = None, features: str | None = None
    ) -> None:
        self.dtype = np.dtype(FLOATS[dtype])
        self.lanes = lanes
        machine = target_machine(cpu, features)
        module = llvm.parse_assembly(module_text(name, dtype, lanes))
        module.verify()
        builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
        builder.getModulePassManager().run(module, builder)
        self.assembly = machine.emit_assembly(module)
        # The engine owns the machine code: it lives as long as this object.
        self._engine = llvm.create_mcjit_compiler(module, machine)
        self._engine.finalize_object()
        pointers = [ctypes.c_void_p] * (inputs(name) + 1)
        prototype = ctypes.CFUNCTYPE(None, *pointers, ctypes.c_int64)
        self._native = prototype(self._engine.get_function_address("loop"))

    def bound(self, *arrays: np.ndarray) -> Callable[[], None]:
        """The call on these arrays (a multiple of the lanes long) with nothing left to do but to run."""
        z = np.empty_like(arrays[0])
        addresses = [array.ctypes.data for array in (*arrays, z)]

        def run(kept: tuple[np.ndarray, ...] = (*arrays, z)) -> None:
            self._native(*addresses, kept[0].size)

        return run

    def __call__(self, *arrays: np.ndarray) -> np.ndarray:
        padded = [self._padded(array) for array in arrays]
        z = np.empty_like(padded[0])
        self._native(*(array.ctypes.data for array in padded), z.ctypes.data, z.size)
        return z[: arrays[0].size]

    def _padded(self, array: np.ndarray) -> np.ndarray:
        filling = np.ones(-array.size % self.lanes, self.dtype)
        return np.concatenate([array.astype(self.dtype), filling])


def target_machine(cpu: str | None, features: str | None) -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name() if cpu is None else cpu,
        features=host_features() if features is None else features,
        opt=3,
        # Constants then fold into the instructions that use them; the large model keeps an address for each.
        reloc="pic",
        codemodel="small",
    )
