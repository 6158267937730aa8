"""The language of a report, as the arguments of the verbs name it."""

from clearcnn.errors import SpecError
from clearcnn.language import CODES, Language, choose_language, join, say


def find_language(code: str | None) -> Language:
    """Find the language of a report.

    Args:
      code: "en" or "ko"; None takes that of the locale.
    Raises:
      SpecError: there is no such language.
    """
    if code is not None and code not in CODES:
        either = say(" or ")
        raise SpecError(
            say(
                "language is {code!r}; reports are written in {codes}.",
                code=code,
                codes=join(either, CODES),
            ),
            remedy=say('Give "en" or "ko", or None for the language of your locale.'),
        )
    return choose_language(code)
