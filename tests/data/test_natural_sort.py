import random

from hypothesis import given
from hypothesis import strategies as st

from clearcnn.data.natural_sort import natural_key, sort_naturally


def test_numbers_in_texts_are_compared_as_numbers():
    assert sort_naturally(["b10", "b2", "a", "B1", "b02"]) == ["a", "B1", "b02", "b2", "b10"]
    assert sort_naturally(["10", "9", "-1", "0"]) == ["-1", "0", "9", "10"]
    assert sort_naturally(["고양이10", "고양이9", "개"]) == ["개", "고양이9", "고양이10"]


@given(st.lists(st.integers(0, 10**30)))
def test_padded_numbers_sort_as_integers(numbers):
    names = [f"image{number:04d}.png" for number in numbers]
    assert sort_naturally(names) == [f"image{number:04d}.png" for number in sorted(numbers)]


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), unique=True), st.randoms())
def test_the_order_does_not_depend_on_the_order_given(texts, rng: random.Random):
    shuffled = texts.copy()
    rng.shuffle(shuffled)
    assert sort_naturally(shuffled) == sort_naturally(texts)
    assert len({natural_key(text) for text in texts}) == len(texts)
