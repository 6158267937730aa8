"""Files of forms, as clients write them and as attackers do."""

import random
import time

import httpx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clearcnn.web.http_errors import Refusal
from clearcnn.web.multipart import read_files

KIND = "multipart/form-data; boundary=B"
FILE = b"--B\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\nx\r\n"


def form(disposition: str, content: bytes = b"abc") -> bytes:
    head = f"--B\r\nContent-Disposition: {disposition}\r\nContent-Type: image/png\r\n\r\n"
    return head.encode() + content + b"\r\n--B--\r\n"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('form-data; name="files"; filename="a b.png"', "a b.png"),
        ('form-data; name="files"; filename="고양이.png"', "고양이.png"),
        ("form-data; name=files; filename=x.png", "x.png"),
        ('FORM-DATA; NAME="files"; FileName="x.png"', "x.png"),
        (r'form-data; name="files"; filename="a\"b.png"', 'a"b.png'),
        (r'form-data; name="files"; filename="C:\dir\x.png"', "x.png"),
        ('form-data; name="files"; filename="c;d=e.png"', "c;d=e.png"),
        ("form-data; name=\"files\"; filename*=UTF-8''%EA%B3%A0.png", "고.png"),
        ('form-data; name="files"; filename=""', "files"),
    ],
)
def test_names_are_read_as_clients_write_them(disposition: str, name: str) -> None:
    assert read_files(form(disposition), KIND, 3) == [(name, b"abc")]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1),
            st.binary(max_size=200),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_what_httpx_writes_is_read_back(files: list[tuple[str, bytes]]) -> None:
    named = [(name.replace("\\", "/"), content) for name, content in files]
    request = httpx.Request("POST", "http://localhost", files=[("files", each) for each in named])
    found = read_files(request.read(), request.headers["content-type"], len(files))
    assert [content for _, content in found] == [content for _, content in named]
    # HTML's rules, which httpx follows, write these as percent signs and numbers.
    assert [name for name, _ in found] == [name.replace('"', "%22") for name, _ in named]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=4), st.integers(0, 2**32))
def test_whole_bodies_are_cut_where_they_were_joined(contents: list[bytes], seed: int) -> None:
    """With bits of boundaries in them, and white space and text where RFC 2046 allows it."""
    chance = random.Random(seed)
    bits = (b"\r\n", b"--B", b"\r\n--", b"\r\n-B", b"\n--B", b"-")
    contents = [
        content + b"".join(chance.choices(bits, k=chance.randint(0, 4))) for content in contents
    ]
    # Content must not contain the boundary.
    assume(not any(b"\r\n--B" in b"\r\n" + content for content in contents))
    parts = [
        b'Content-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + content
        for content in contents
    ]
    space = chance.choice((b"", b" ", b"\t "))
    body = chance.choice((b"", b"\r\n")) + b"--B\r\n"
    body += (b"\r\n--B" + space + b"\r\n").join(parts)
    body += b"\r\n--B--" + chance.choice((b"", b"\r\n", b"\r\nafter"))
    found = [content for _, content in read_files(body, KIND, 4)]
    assert found == contents


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_damaged_forms_are_refused_or_read_but_never_fail(seed: int) -> None:
    chance = random.Random(seed)
    body = bytearray(form('form-data; name="f"; filename="a"') * 2)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(body))
        body[place : place + chance.randint(0, 3)] = chance.choice(
            (b"", b"\r\n", b"--B", b"\r\n--B\r\n", b"--", b'"', b";", b"\x00", b"\xff")
        )
    try:
        found = read_files(bytes(body), KIND, 4)
    except Refusal as refusal:
        assert refusal.status == 400
    else:
        assert len(found) <= 4
        assert all(content in body for _, content in found)


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"", KIND, "last boundary"),
        (b"--B", KIND, "last boundary"),
        (form("form-data; name=f; filename=a")[:-6], KIND, "last boundary"),
        (b"--B\r\n\r\nx\r\n--B--", KIND, "which field"),
        (b"--B\r\n\r\n\r\nx\r\n--B--", KIND, "which field"),
        (b"--Bx\r\n\r\nx\r\n--B--", KIND, "end of boundary"),
        (b"--B\r\nno head\r\n--B--", KIND, "invalid character"),
        (form("attachment; name=f; filename=a"), KIND, "which field"),
        (form('form-data; name="note"'), KIND, "'note' is not a file"),
        (form("form-data; filename=a"), KIND, "which field"),
        (b"--B\r\n" + b"X: y\r\n" * 1000 + b"\r\n--B--", KIND, "header count"),
        (form("form-data; name=f; filename=a"), "multipart/form-data", "no boundary"),
        (form("form-data; name=f; filename=a"), "multipart/form-data; boundary=", "no boundary"),
        (FILE * 4 + b"--B--", KIND, "more than 3 parts"),
        (FILE * 200_000 + b"--B--", KIND, "more than 3 parts"),
        (b"--B\r\n" * 100_000 + b"--B--", KIND, "header size"),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, kind: str, words: str) -> None:
    with pytest.raises(Refusal, match=words) as caught:
        read_files(body, kind, 3)
    assert caught.value.status == 400


@pytest.mark.parametrize("almost", [b"\r\n--BBBBBB", b"\r\n--", b"\r", b"--BBBBBBB", b"B"])
def test_almost_a_boundary_everywhere_takes_no_longer(almost: bytes) -> None:
    content = almost * (8_000_000 // len(almost))
    body = FILE.replace(b"--B", b"--BBBBBBBB").replace(b"x\r\n", content + b"\r\n--BBBBBBBB--")
    start = time.process_time()
    assert read_files(body, KIND + "BBBBBBB", 3) == [("a", content)]
    assert time.process_time() - start < 1
