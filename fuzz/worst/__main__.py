"""Say what the worst inputs take: `python -m fuzz.worst [KIND …] [--json]`."""

import importlib
import json
import pkgutil
import sys
from dataclasses import asdict

from fuzz import worst
from fuzz.worst.case import Case, measure


def find_kinds() -> list[str]:
    """The names of the files with cases."""
    return [
        module.name
        for module in pkgutil.iter_modules(worst.__path__)
        if module.name not in ("__main__", "case")
    ]


def main() -> None:
    """Measure every case of the kinds named, or of all."""
    words = sys.argv[1:]
    for kind in [word for word in words if word != "--json"] or find_kinds():
        cases: dict[str, Case] = importlib.import_module(f"fuzz.worst.{kind}").CASES
        for name, case in cases.items():
            found = measure(case)
            if "--json" in words:
                line = json.dumps({"kind": kind, "name": name, **asdict(found)})
            else:
                size = f"{found.seconds:6.2f} s {found.peak_bytes / 2**20:6.0f} MB"
                line = f"{kind:9} {name:45} {size}  {found.said[:110]}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
