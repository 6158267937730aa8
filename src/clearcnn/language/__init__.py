"""Messages that remember how they were made, and the languages that they can be read in.

`say("{path} holds no images.", path=path)` is the English sentence, a `str`, for JSON, logs and
programs; `Language.translate` renders it for a person.
"""

from clearcnn.language.choice import choose_language
from clearcnn.language.languages import CODES, ENGLISH, Language, load_language
from clearcnn.language.message import Message, join, say, say_count

__all__ = [
    "CODES",
    "ENGLISH",
    "Language",
    "Message",
    "choose_language",
    "join",
    "load_language",
    "say",
    "say_count",
]
