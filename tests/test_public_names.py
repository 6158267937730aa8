"""What `import clearcnn` offers."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import clearcnn


def names_for_type_checkers() -> set[str]:
    tree = ast.parse(Path(clearcnn.__file__).read_text(encoding="utf-8"))
    block = next(
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {name.asname or name.name for node in imports for name in node.names}


def test_type_checkers_see_the_same_names() -> None:
    assert names_for_type_checkers() | {"__version__"} == set(clearcnn.__all__)


def test_dir_lists_the_public_names_and_no_others() -> None:
    assert dir(clearcnn) == sorted(clearcnn.__all__)


@pytest.mark.parametrize("name", sorted(set(clearcnn.__all__) - {"__version__"}))
def test_every_name_loads_from_its_home_and_is_documented(name: str) -> None:
    public = getattr(clearcnn, name)
    home = importlib.import_module(clearcnn._HOMES[name])
    assert public is getattr(home, name)
    assert len(inspect.getdoc(public) or "") > 40


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'clearcnn' has no attribute 'fitt'"):
        clearcnn.__getattr__("fitt")
