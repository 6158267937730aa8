"""The template environment of all reports, and the files of `page/`."""

import base64
import hashlib
import re
import unicodedata
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from clearcnn.language import ENGLISH, Language, Message, say, say_count
from clearcnn.report import number_format, terms
from clearcnn.text import printable

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

# Unicode's bidirectional controls: embeddings, overrides and isolates.
_BIDI_CONTROLS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_PAGE = Path(__file__).parent / "page"


@cache
def make_environment(language: Language = ENGLISH) -> "Environment":
    """Make the template environment; everything is escaped.

    In a template, `_("{count:,} images <b>of</b> {name}", count=…, name=…)` is a text in the
    language, of which only the values are escaped, and `_n` one with a plural, as `say_count`.

    Args:
      language: of the page; Messages are rendered in it.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=partial(_finalize, language),
    )
    environment.globals.update(
        _=lambda template, /, **values: _write(language, say(template, **values)),
        _n=lambda one, many, number, /, **values: _write(
            language, say_count(one, many, number, **values)
        ),
        language=language,
    )
    environment.filters.update(
        percent=number_format.percent,
        shape=number_format.shape,
        seconds=number_format.seconds,
        number=number_format.number,
        term=terms.translate_term,
        distortion=terms.translate_distortion,
        share=number_format.share,
        translated=language.translate,
        unbroken=partial(_keep_units, language),
        breakable=partial(_make_breakable, language),
        zip=zip,
    )
    return environment


def _keep_units(language: Language, text: str) -> str:
    """Keep a percent sign beside its number."""
    return language.translate(text).replace(" %", "\u00a0%")


def _make_breakable(language: Language, path: str) -> str:
    """Let a path break after its separators, and only else within a name."""
    from markupsafe import Markup, escape

    safe = str(escape(str(_finalize(language, path))))
    return Markup(re.sub(r"([/\\_])", r"\1<wbr>", safe))


def _write(language: Language, message: str) -> "Markup":
    """A text of a template, with its values translated and escaped."""
    from markupsafe import Markup, escape

    assert isinstance(message, Message)
    fields = {key: escape(_finalize(language, text)) for key, text in message.fields.items()}
    return Markup(language.translate(Message(message.template, fields, message.plural)))


def _finalize(language: Language, value: object) -> object:
    return _without_controls(language.translate(value) if isinstance(value, Message) else value)


def _without_controls(value: object) -> object:
    """Text from outside with bidirectional and control characters escaped."""
    from markupsafe import Markup

    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    # At once for what has none, such as a picture's 100,000 letters of base64.
    if value.isprintable():
        return value
    return "".join(c if c in "\n\t" or not _is_control(c) else printable(c) for c in value)


def _is_control(letter: str) -> bool:
    # Joiners are of category Cf, too, but many scripts need them.
    return unicodedata.category(letter) in ("Cc", "Cs") or letter in _BIDI_CONTROLS


def read_page(name: str) -> str:
    """Read a file of `page/`, such as "style.css"."""
    return (_PAGE / name).read_text(encoding="utf-8")


def embed(png: bytes) -> str:
    """Encode a PNG as a data URI."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def hash_script(script: str) -> str:
    """The source that a Content-Security-Policy allows: this script and no other."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"
