"""JSON that somebody else wrote: what it becomes in memory is bounded before it is parsed."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearcnn.bounded_json import MOST_MEMORY, JsonError, estimate_memory, parse_json

pytestmark = pytest.mark.attack

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_json_is_parsed_as_python_does(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert parse_json(text) == parse_json(json.dumps(value).encode()) == json.loads(text)


# Each part is what makes most of fewest bytes; they are repeated to a megabyte.
WORST = {
    "empty objects": "{},",
    "empty arrays": "[],",
    "objects of one key": '{"a":1},',
    "objects of five keys": '{"a":1,"b":1,"c":1,"d":1,"e":1},',
    "objects of six keys": '{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1},',
    "objects in arrays": "[{}],",
    "arrays of one place": "[1],",
    "arrays of five places": "[1,1,1,1,1],",
    "nested arrays": "[[[[[[[[]]]]]]]],",
    "nested objects": '{"a":{"a":{"a":{"a":{}}}}},',
    "floats": "0.5,",
    "integers": "999,",
    "negative integers": "-9,",
    "large integers": "9" * 30 + ",",
    "short texts": '"ab",',
    "texts of Korean": '"가나",',
    "texts with one emoji": f'"{"a" * 50}😀",',
    "texts with an escaped emoji": f'"{"a" * 50}\\ud83d\\ude00",',
    "long texts": f'"{"a" * 1000}",',
}


@pytest.mark.parametrize("kind", [*WORST, "different keys", "different keys of Korean"])
def test_nothing_takes_more_than_the_estimate(kind: str) -> None:
    if kind.startswith("different"):
        letter = "가" if kind.endswith("Korean") else ""
        keys = (f'"{letter}{number}":{number}.5' for number in range(2**16))
        text = "{" + ",".join(keys) + "}"
    else:
        text = "[" + WORST[kind] * (2**20 // len(WORST[kind].encode())) + "0]"
    content = text.encode()
    tracemalloc.start()
    values = parse_json(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert values
    estimate = estimate_memory(content)
    # Not so far above that honest files would be refused.
    assert peak <= estimate <= 25 * peak


@pytest.mark.parametrize(
    "content",
    [b"[{}" + b",{}" * 2**21 + b"]", b"[" + b"[]," * 2**21 + b"0]", b'"' + b"\xf0" * 2**27],
)
def test_what_would_become_too_much_is_never_parsed(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("it was parsed"))
    with pytest.raises(JsonError, match=f"bytes in memory, and at most {MOST_MEMORY:,} are used"):
        parse_json(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is not JSON: Expecting value"),
        (b"{'a': 1}", "it is not JSON"),
        (b"\xff\xfe{}", "it is not JSON"),
        (b"9" * 5_000, "it is not JSON"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b'{"a":' * 100_000, "it is nested too deeply"),
    ],
)
def test_what_is_no_json_is_one_kind_of_error(content: bytes, words: str) -> None:
    with pytest.raises(JsonError, match=words):
        parse_json(content)


def test_constants_are_taken_or_refused() -> None:
    assert parse_json(b"[Infinity]") == [float("inf")]

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no number of JSON")

    with pytest.raises(JsonError, match="NaN is no number of JSON"):
        parse_json(b"[NaN]", refuse_constant=refuse)


def test_a_byte_order_mark_and_names_that_are_no_unicode_are_read() -> None:
    assert parse_json(b'\xef\xbb\xbf["a"]') == ["a"]
    assert parse_json('["\udc80"]') == ["\udc80"]
    assert parse_json(b'["\xed\xb2\x80"]') == ["\udc80"]
