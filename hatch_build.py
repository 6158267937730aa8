"""Builds the compiled CPU kernels into the wheel, or beside their sources for an editable one.

Where they cannot be built, clearcnn is installed without them and says so: everything works then
too, in forms that XLA compiles. CLEARCNN_KERNELS=required makes that an error, CLEARCNN_KERNELS=off
leaves them out.
"""

import importlib.util
import os
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FOLDER = Path("src", "clearcnn", "training", "cpu_kernels", "native")


class KernelBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling before it makes a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the library, and have the wheel be one for this system."""
        asked = os.environ.get("CLEARCNN_KERNELS")
        if self.target_name != "wheel" or asked == "off":
            return
        folder = Path(self.root, _FOLDER)
        build = _load(folder / "build.py")
        try:
            library = build.build_library(
                folder if version == "editable" else Path(self.root, "build", "kernels")
            )
        except build.BuildError as error:
            # What was built before might not fit the sources of today.
            (folder / build.LIBRARY).unlink(missing_ok=True)
            if asked == "required":
                raise
            self.app.display_warning(
                f"clearcnn is installed without compiled CPU kernels: {error}. It works, but "
                "trains more slowly on all but the smallest images."
            )
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        # It is opened by ctypes and knows nothing of Python: one for all its versions.
        build_data["tag"] = f"py3-none-{platform}"
        build_data["pure_python"] = False
        if version != "editable":
            inside = Path(*_FOLDER.parts[1:], library.name)
            build_data["force_include"][str(library)] = inside.as_posix()


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("build_kernels", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
