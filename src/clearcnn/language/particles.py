"""Korean particles, whose form depends on the sound before them."""

_FORMS = {
    "은(는)": ("은", "는"),
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "과(와)": ("과", "와"),
}
_TOWARDS = "(으)로"
_FIRST, _LAST, _FINALS = ord("가"), ord("힣"), 28
_RIEUL = 8
# The final consonants of 영 일 이 삼 사 오 육 칠 팔 구: 0 is none, 8 is ㄹ.
_DIGITS = (21, 8, 0, 16, 0, 0, 1, 8, 8, 0)
_CLOSING = "'\"”’)」』]"


def choose_particle(before: str, text: str) -> str:
    """Choose the particle at the beginning of a text by the value before it.

    Args:
      before: the value.
      text: what follows; a translation spells its particle "은(는)", "이(가)", "을(를)",
        "과(와)" or "(으)로", perhaps after closing quotes.
    Returns:
      The text with one form: 은 after a final consonant, 는 after a vowel. After a Latin letter
      or a symbol, whose reading is unknown, both forms stay.
    """
    start = len(text) - len(text.lstrip(_CLOSING))
    final = _find_final(before.rstrip(_CLOSING))
    if final is None:
        return text
    quotes, rest = text[:start], text[start:]
    if rest.startswith(_TOWARDS):
        return quotes + ("로" if final in (0, _RIEUL) else "으로") + rest[len(_TOWARDS) :]
    for both, (closed, opened) in _FORMS.items():
        if rest.startswith(both):
            return quotes + (closed if final else opened) + rest[len(both) :]
    return text


def _find_final(text: str) -> int | None:
    """The number of the last syllable's final consonant, 0 for none; None if it is unknown."""
    last = text[-1:]
    if last in set("0123456789"):
        return _DIGITS[int(last)]
    if last and _FIRST <= ord(last) <= _LAST:
        return (ord(last) - _FIRST) % _FINALS
    return None
