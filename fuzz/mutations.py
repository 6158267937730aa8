"""Valid contents, broken in every way: a strategy of Hypothesis."""

from collections.abc import Sequence

from hypothesis import strategies as st

# Sizes and counts that programs stumble over, in every width.
_SIZES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1]
_SIZES += [2**40, 2**60, 2**63 - 1, 2**63, 2**64 - 1]
_WORDS = [b"", b"\0", b"\n", b"\r\n", b'"', b",", b"[" * 40, b"{" * 40, b"-1", b"1e999", b"NaN"]
_WORDS += [b"\xff\xfe", b"\xef\xbb\xbf", "한글".encode(), b"\x1b[31m", b"../../etc/passwd", b"/"]
_WORDS += [b"9" * 30, b"9" * 5000, b"true", b"null", b"[]", b"{}", b"1_0", b"\\ud800", b"\\u0000"]


@st.composite
def broken(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """Bytes made of a valid content by one to five changes, or nothing but noise."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=300))
    content = bytearray(draw(st.sampled_from(list(seeds))))
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, min(64, len(content) - place)))
        match draw(st.integers(0, 7)):
            case 0 if place < len(content):
                content[place] ^= draw(st.integers(1, 255))
            case 1:
                del content[place:]
            case 2:
                del content[place : place + length]
            case 3:
                content[place:place] = content[place : place + length] * draw(st.integers(1, 9))
            case 4:
                other = draw(st.sampled_from(list(seeds)))
                start = draw(st.integers(0, len(other)))
                content[place:] = other[start:]
            case 5:
                width, order = draw(st.sampled_from([1, 2, 4, 8])), draw(st.booleans())
                size = draw(st.sampled_from(_SIZES)) % 256**width
                content[place : place + width] = size.to_bytes(width, "big" if order else "little")
            case 6:
                content[place : place + length] = draw(st.sampled_from(_WORDS))
            case _:
                content += draw(st.binary(max_size=64))
    return bytes(content)
