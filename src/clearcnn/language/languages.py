"""The languages that messages can be rendered in, and their catalogues."""

import gettext
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from clearcnn.language.message import Message, fill
from clearcnn.language.particles import choose_particle

CODES = ("en", "ko")
CATALOGUES = Path(__file__).parent / "locales"
DOMAIN = "clearcnn"


@dataclass(frozen=True)
class Language:
    """A language to render messages in.

    Attributes:
      code: as in HTML's `lang`: "en" or "ko".
      catalogue: the translations, by the English template.
      follow: as for `fill`; None leaves the text after a value as it is.
    """

    code: str
    catalogue: gettext.NullTranslations
    follow: Callable[[str, str], str] | None = None

    def translate(self, text: str) -> str:
        """Render a Message in this language; other text is returned as it is."""
        if not isinstance(text, Message):
            return text
        if text.plural is not None:
            template = self.catalogue.ngettext(text.template, *text.plural)
        else:
            # The translation of "" is the head of a catalogue.
            template = text.template and self.catalogue.gettext(text.template)
        fields = {key: self.translate(value) for key, value in text.fields.items()}
        return fill(template, fields, self.follow)


ENGLISH = Language("en", gettext.NullTranslations())


@cache
def load_language(code: str) -> Language:
    """Load a language.

    Args:
      code: one of CODES.
    Returns:
      The language, with its catalogue.
    """
    if code == ENGLISH.code:
        return ENGLISH
    return Language(code, gettext.translation(DOMAIN, CATALOGUES, [code]), choose_particle)
