"""Messages recognised in plain text: translated as if they had never been written to a file."""

import json
import re

import pytest

from clearcnn.language import Message, load_language, say, say_count
from clearcnn.language.recall import recall
from clearcnn.web.page_language import translate_sentences
from clearcnn.workflows.fitting.budget import say_seconds

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


COUNTS_WITHOUT_NUMBER = [
    ("No image of the class a was scored: the score says nothing about it.", 1),
    ("No image of the classes a, b was scored: the score says nothing about them.", 2),
    ("x: 1 image in the class a; at least 2 are needed to train and to test.", 1),
    ("x.csv: a, b are not named after classes. Name them so.", 2),
]


@pytest.mark.parametrize(("text", "number"), COUNTS_WITHOUT_NUMBER)
def test_the_form_that_fits_tells_the_number_where_none_is_written(text, number):
    message = recall(text, "ko")
    assert isinstance(message, Message) and message.plural.number == number
    assert message == text and re.search("[가-힣]", KOREAN.translate(message))


def test_a_path_that_begins_like_a_message_stays_in_its_sentence():
    told = translate_sentences(
        {"problem": "class 1/a.png cannot be read: it is truncated."}, KOREAN
    )
    assert told["problem"].startswith("class 1/a.png")
    assert re.search("[가-힣]", told["problem"])


def test_a_text_that_nearly_fits_in_very_many_ways_stays():
    """Trying each way that the eight fields could be would take longer than anybody waits."""
    begin = "labels, probabilities and indices have shapes "
    end = " were expected, with at least 1 image and 2 classes."
    text = f"{begin}{200 * 'a, a and a; for a names and a classes, '}a{end}!"
    assert recall(text, "ko") == text


@pytest.mark.parametrize("text", [5_000 * "it is ", 5_000 * "9" + " training images"])
def test_a_text_without_end_stays_as_it_is(text):
    assert recall(text, "ko") == text


WORK = say(
    "{epochs} epochs of {num_train:,} images, about {time}",
    epochs=40,
    num_train=1234,
    time=say_seconds(10.2),
)
SMALLER = say(
    "{work}; --size {size} would take about {percent:.0f} % of it", work=WORK, size="48", percent=27
)


@pytest.mark.parametrize("message", [WORK, SMALLER, say_seconds(10.2), say_seconds(300)])
def test_measures_are_translated_wherever_they_stand(message):
    text = json.loads(json.dumps(message))
    translated = KOREAN.translate(recall(text, "ko"))
    assert translated == KOREAN.translate(message)
    assert not re.search(r"[a-z]{2}| s\b", translated.replace("--size", ""))


@pytest.mark.parametrize("text", ["cat s", "pet 1 s", "s", "10 cats", "ten s"])
def test_what_only_resembles_a_measure_stays(text):
    assert recall(text, "ko") is text
