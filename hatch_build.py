"""Builds the engine's short ways in C (src/gategrad/native.c) as part of the wheel, where there is a C compiler.

Without one the package is the same, and its Python does all the work: a note says so, and nothing fails.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("src/gategrad/native.c")


class NativeBuildHook(BuildHookInterface[Any]):
    """Compiles beside the source for an editable install, and into the wheel for any other."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and tell hatchling what to take along."""
        self.folder = Path(tempfile.mkdtemp())
        reason = why_not()
        if reason is None:
            try:
                library = build(Path(self.root) / SOURCE, self.folder)
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
        if reason is not None:
            self.app.display_warning(f"gategrad is built without its short ways in C, in Python alone ({reason})")
        elif version == "editable":
            shutil.copy(library, Path(self.root) / SOURCE.parent)
        else:
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["force_include"][str(library)] = f"gategrad/{library.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """The wheel is written: clear away what it was made from."""
        shutil.rmtree(self.folder, ignore_errors=True)


def why_not() -> str | None:
    """The reason not to try at all."""
    if os.environ.get("GATEGRAD_PURE_PYTHON", "0") not in ("", "0"):
        return "GATEGRAD_PURE_PYTHON is set"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "they rely on the global lock, which this Python does without"
    if sys.implementation.name != "cpython":
        return "they are written for CPython"
    return None


def build(source: Path, folder: Path) -> Path:
    """Compile the source into an extension module in this folder; raise whatever the compiler raises."""
    from setuptools import Distribution, Extension

    digest = hashlib.sha256(source.read_bytes()).hexdigest()  # tests ask the module of which text it was built
    optimised = ["-O3"] if os.name == "posix" else []  # also where CFLAGS asks for something else
    extension = Extension("_native", [str(source)], define_macros=[("SOURCE", digest)], extra_compile_args=optimised)
    command: Any = Distribution({"ext_modules": [extension]}).get_command_obj("build_ext")
    command.build_lib = str(folder)
    command.build_temp = str(folder / "objects")
    command.ensure_finalized()
    command.run()
    return folder / command.get_ext_filename("_native")
