"""Messages recognised in plain text: translated as if they had never been written to a file."""

import json

import pytest

from clearcnn.language import Message, load_language, say, say_count
from clearcnn.language.recall import recall

KOREAN = load_language("ko")

ADVICE = [
    say(
        "More training images: the model gets {fitted} % of its {train} right, but "
        "{validated} % of the validation images.",
        fitted="99.0",
        train=say_count("{number:,} training image", "{number:,} training images", number),
        validated="70.5",
    )
    for number in (1, 1234)
] + [
    say(
        "More images of {name}: it is recognised in {number:,} of {support}, and has {images}.",
        name="고양이 and: dogs",
        number=3,
        support=say_count("{number:,} test image", "{number:,} test images", 10),
        images=say_count("{number:,} training image", "{number:,} training images", 1),
    )
]


@pytest.mark.parametrize("message", ADVICE)
def test_a_sentence_from_a_file_is_translated_like_its_message(message):
    text = json.loads(json.dumps(message))
    assert not isinstance(text, Message)
    translated = KOREAN.translate(recall(text, "ko"))
    assert translated == KOREAN.translate(message) != message


OTHER = [
    "",
    "cat",
    "a: b.",
    "Nobody has ever written this sentence.",
    "1.5 training images",  # No count.
    "Training needs two classes; there are more.",
]


@pytest.mark.parametrize("text", OTHER)
def test_other_text_stays(text):
    assert KOREAN.translate(recall(text, "ko")) == text


def test_recalled_text_is_the_english_text():
    for message in ADVICE:
        assert recall(str.__str__(message), "ko") == message
