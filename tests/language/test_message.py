import copy
import gettext
import io
import json
import pickle

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo

from clearcnn.language import Language, Message, join, say, say_count
from clearcnn.language.particles import choose_particle
from clearcnn.text import printable


def korean(translations: dict[str | tuple[str, str], str]) -> Language:
    """A language with these translations, through a real `.mo`."""
    catalogue = Catalog(locale="ko")
    for english, text in translations.items():
        catalogue.add(english, (text,) if isinstance(english, tuple) else text)
    file = io.BytesIO()
    write_mo(file, catalogue)
    file.seek(0)
    return Language("ko", gettext.GNUTranslations(file), choose_particle)


KOREAN = korean(
    {
        "{path} holds no images: {reason}.": "{path}에 이미지가 없습니다. {reason}.",
        "it is empty": "비어 있습니다",
        ("{number:,} image", "{number:,} images"): "이미지 {number:,}장",
        "{name} and {{braces}}": "{name}과(와) {{중괄호}}",
    }
)


def test_a_message_is_its_english_text() -> None:
    message = say("{share:.1f} % of {name!r}, {{as is}}", share=12.34, name="a")
    assert message == "12.3 % of 'a', {as is}"
    assert json.loads(json.dumps([message])) == ["12.3 % of 'a', {as is}"]
    assert type(message.english) is str
    assert f"{message}!" == "12.3 % of 'a', {as is}!"


def test_a_message_is_translated_with_the_messages_in_it() -> None:
    message = say("{path} holds no images: {reason}.", path="a b", reason=say("it is empty"))
    assert message == "a b holds no images: it is empty."
    assert KOREAN.translate(message) == "a b에 이미지가 없습니다. 비어 있습니다."


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1 image"), (0, "0 images"), (2000, "2,000 images")]
)
def test_the_number_chooses_the_form(number: int, text: str) -> None:
    message = say_count("{number:,} image", "{number:,} images", number)
    assert message == text
    assert KOREAN.translate(message) == f"이미지 {number:,}장"


def test_a_value_that_looks_like_a_field_stays_as_it_is() -> None:
    message = say("{path} holds no images: {reason}.", path="{reason}", reason="{path}")
    assert message == "{reason} holds no images: {path}."
    assert KOREAN.translate(message) == "{reason}에 이미지가 없습니다. {path}."


def test_sums_and_joined_messages_stay_translatable() -> None:
    empty = say("it is empty")
    assert KOREAN.translate("(" + empty + ")") == "(비어 있습니다)"
    assert KOREAN.translate(empty + "; " + empty) == "비어 있습니다; 비어 있습니다"
    joined = join(", ", ["a", empty, "{0}"])
    assert joined == "a, it is empty, {0}"
    assert KOREAN.translate(joined) == "a, 비어 있습니다, {0}"
    assert type(join(", ", ["a", "b"])) is str


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))]
)
def test_a_message_survives_copies_and_other_processes(duplicate) -> None:
    message = say("{path} holds no images: {reason}.", path="a", reason=say("it is empty"))
    again = duplicate(message)
    assert again == message
    assert KOREAN.translate(again) == KOREAN.translate(message)


def test_an_exception_keeps_its_message() -> None:
    assert KOREAN.translate(str(ValueError(say("it is empty")))) == "비어 있습니다"


def test_only_the_values_are_escaped() -> None:
    message = printable(say("{path} holds no images: {reason}.", path="a\x1bb", reason="c\nd"))
    assert message == "a\\x1bb holds no images: c\\nd."
    assert isinstance(message, Message)
    assert KOREAN.translate(message) == "a\\x1bb에 이미지가 없습니다. c\\nd."


@pytest.mark.parametrize(
    ("name", "text"),
    [("고양이", "고양이와"), ("말", "말과"), ("1", "1과"), ("2", "2와"), ("cat", "cat과(와)")],
)
def test_a_particle_follows_the_sound_before_it(name: str, text: str) -> None:
    message = say("{name} and {{braces}}", name=name)
    assert KOREAN.translate(message) == text + " {중괄호}"


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("서울", "(으)로 갑니다", "로 갑니다"),
        ("집", "(으)로 갑니다", "으로 갑니다"),
        ("바다", "(으)로", "로"),
        ("말", "’을(를)", "’을"),
        ("‘개’", "이(가)", "가"),
        ("", "은(는)", "은(는)"),
        ("말", " 말을(를)", " 말을(를)"),
    ],
)
def test_every_particle_has_its_forms(before: str, after: str, text: str) -> None:
    assert choose_particle(before, after) == text


def test_a_text_without_a_translation_stays_english() -> None:
    assert KOREAN.translate(say("{count} epochs", count=3)) == "3 epochs"
    assert KOREAN.translate(say("")) == ""
    assert KOREAN.translate("it is empty") == "it is empty"
