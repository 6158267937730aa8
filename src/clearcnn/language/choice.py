"""Which language a person reads: what they asked for, otherwise that of their locale."""

import locale
import os
from collections.abc import Mapping

from clearcnn.language.languages import CODES, ENGLISH, Language, load_language

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
_WINDOWS_NAMES = {"korean": "ko"}


def choose_language(
    asked: str | None = None, environment: Mapping[str, str] | None = None
) -> Language:
    """Choose the language for the messages of this process.

    Args:
      asked: "en" or "ko"; None takes the locale.
      environment: None is that of the process.
    Returns:
      The language; English if the locale's is not there.
    """
    if asked is not None:
        return load_language(asked)
    variables = os.environ if environment is None else environment
    name = next((variables[key] for key in _VARIABLES if variables.get(key)), None)
    if name is None:
        # Windows has none of these; its names are such as "Korean_Korea".
        name = locale.getlocale()[0] or ""
    code = name.replace("-", "_").partition("_")[0].partition(".")[0].lower()
    code = _WINDOWS_NAMES.get(code, code)
    return load_language(code) if code in CODES else ENGLISH
