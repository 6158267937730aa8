"""A reader under attack."""

import atexit
import importlib
import pkgutil
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from clearcnn.errors import ClearCNNError


@dataclass(frozen=True)
class Target:
    """One reader.

    Attributes:
      seeds: gives contents that it reads.
      read: reads any content and asserts that what comes out makes sense; raises ClearCNNError
        where the content is refused.
    """

    seeds: Callable[[], Sequence[bytes]]
    read: Callable[[bytes], Any]

    def attack(self, content: bytes) -> bool:
        """Read a content.

        Returns:
          Whether it was taken; False where it was refused as it should be.
        Raises:
          Exception: anything else happened.
        """
        try:
            self.read(content)
        except ClearCNNError as error:
            check_message(error)
            return False
        return True


def check_message(error: ClearCNNError) -> None:
    """Assert that an error is one message for people: of bounded length, and of full sentences."""
    assert 0 < len(str(error)) <= 20_000, f"{len(str(error)):,} letters: {str(error)[:200]}"
    assert error.problem.rstrip()[-1] in ".?!…", error.problem
    assert error.remedy.rstrip()[-1] in ".?!…", error.remedy


def find_names() -> list[str]:
    """The names of all targets."""
    from fuzz import targets

    return sorted(module.name for module in pkgutil.iter_modules(targets.__path__))


@cache
def find_target(name: str) -> Target:
    """The target of that name."""
    target: Target = importlib.import_module(f"fuzz.targets.{name}").TARGET
    return target


@cache
def scratch() -> Path:
    """A folder of this process, removed at its end."""
    folder = Path(tempfile.mkdtemp(prefix="clearcnn-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def put(name: str, content: bytes) -> Path:
    """Write a file into the scratch folder, over what is there."""
    path = scratch() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
