"""The virtual environments of the other libraries, created when first needed.

Each engine has its own environment under `.venvs/`, so that the packages of one cannot affect
another, and none becomes a dependency of clearcnn.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]

Device = Literal["cpu", "gpu"]

# For every contender: the digits and their split.
_BASE = ("numpy==2.4.6", "scikit-learn==1.9.1")
_KERAS = (*_BASE, "keras==3.15.1")
_ON_LINUX_X86 = "sys_platform == 'linux' and platform_machine == 'x86_64'"
_ELSEWHERE = "sys_platform != 'linux' or platform_machine != 'x86_64'"

# Environment → what is installed, for a CPU and for a GPU. The pins are those of
# constraints.txt where both name a package. Where pip is configured to find a CPU build of
# PyTorch, it takes it; PyTorch's ordinary build is larger and computes the same on a CPU.
PINS: dict[str, dict[Device, tuple[str, ...]]] = {
    "keras-tensorflow": {
        "cpu": (
            *_KERAS,
            f"tensorflow-cpu==2.21.0; {_ON_LINUX_X86}",
            f"tensorflow==2.21.0; {_ELSEWHERE}",
        ),
        "gpu": (*_KERAS, "tensorflow[and-cuda]==2.21.0"),
    },
    "keras-jax": {
        "cpu": (*_KERAS, "jax==0.10.2"),
        "gpu": (*_KERAS, "jax[cuda12]==0.10.2"),
    },
    "torch": {
        "cpu": (*_KERAS, "torch==2.13.0"),
        "gpu": (*_KERAS, "torch==2.13.0"),
    },
    # Ours: on a CPU it is the environment that runs this.
    "clearcnn": {
        "cpu": (),
        "gpu": (f"--editable={ROOT}", *_KERAS, "jax[cuda12]==0.10.2"),
    },
}

# Environment → the module that it must have.
_ENGINES = {
    "keras-tensorflow": "tensorflow",
    "keras-jax": "jax",
    "torch": "torch",
    "clearcnn": "clearcnn",
}


class EnvironmentMissingError(Exception):
    """An environment could not be created; the message says why, in one sentence."""


@dataclass(frozen=True)
class Environments:
    """Finds or creates the Python of each environment.

    Attributes:
      folder: where they are created.
      device: "cpu" or "gpu".
      here: create none; run every contender in the current environment.
    """

    folder: Path = ROOT / ".venvs"
    device: Device = "cpu"
    here: bool = False

    def python(self, name: str) -> Path:
        """Return the environment's Python; create the environment if it is missing or outdated.

        Raises:
          EnvironmentMissingError: something could not be installed.
        """
        pins = PINS[name][self.device]
        if self.here and not find_spec(_ENGINES[name]):
            raise EnvironmentMissingError(f"{_ENGINES[name]} is not installed here")
        if self.here or not pins:
            return Path(sys.executable)
        folder = self.folder / f"{name}-{self.device}"
        stamp = folder / "installed.txt"
        python = folder / "bin" / "python"
        wanted = "\n".join((f"Python {sys.version}", *pins))
        if not (stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted):
            print(f"Installing {', '.join(pins)} into {folder.name} …", flush=True)
            try:
                _install(folder, python, pins)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            stamp.write_text(wanted, encoding="utf-8")
        return python


def _install(folder: Path, python: Path, pins: tuple[str, ...]) -> None:
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    for command in ([sys.executable, "-m", "venv", "--clear", str(folder)], [*pip, *pins]):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
            raise EnvironmentMissingError(last.removeprefix("ERROR: ").rstrip("."))
