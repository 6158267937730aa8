"""The report's style for a notebook: limited to one element, with the notebook's light or dark."""

import re
from functools import cache

from clearcnn.errors import SpecError
from clearcnn.report.templates import read_page

# Named three times, so that it counts for more than the notebook's own rules for tables.
_SCOPE = ".clearcnn-view" * 3
# JupyterLab and Notebook 7, Colab, and VS Code.
_DARK = ('body[data-jp-theme-light="false"]', 'html[theme="dark"]', "body.vscode-dark")
_LIGHT = ('body[data-jp-theme-light="true"]', 'html[theme="light"]', "body.vscode-light")


@cache
def make_notebook_style() -> str:
    """Make the style of every view in a notebook.

    Light and dark follow the notebook's theme where it is known, and the system's elsewhere.

    Returns:
      CSS with nested rules, which browsers know since 2023. It fetches nothing.
    """
    sheet = read_page("style.css")
    palettes = re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)
    if len(palettes) < 2:
        raise SpecError(
            "style.css has no light and dark colours.", remedy="Install clearcnn again."
        )
    light, dark = palettes[:2]
    screen = sheet.partition("@media print")[0]
    nested = re.sub(r"^( *)(?::root|body) \{", r"\1& {", screen, flags=re.MULTILINE)
    nested = re.sub(r"^html \{.*\}\n", "", nested, flags=re.MULTILINE)
    return (
        f"{_SCOPE} {{\n{nested}{read_page('notebook.css')}}}\n"
        f"{_list_selectors(_LIGHT)} {{{light} color-scheme: light; }}\n"
        f"{_list_selectors(_DARK)} {{{dark} color-scheme: dark; }}\n"
    )


def _list_selectors(themes: tuple[str, ...]) -> str:
    return ", ".join(f"{theme} {_SCOPE}" for theme in themes)
