"""The fast path for plain files, against Pillow's own opening of the same files."""

import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from clearcnn.data import decode_image
from clearcnn.data.decode_image import decode
from clearcnn.data.plain_images import decode_plain

PLAIN = {
    "JPEG": ("JPEG", {}),
    "optimized JPEG": ("JPEG", {"optimize": True}),
    "JPEG without subsampling": ("JPEG", {"subsampling": 0, "quality": 100}),
    "JPEG with a comment": ("JPEG", {"comment": "a flower"}),
    "PNG": ("PNG", {}),
    "PNG with a resolution": ("PNG", {"dpi": (72, 72)}),
}


def _text() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", "x")
    return info


# Whatever may change the pixels, or is rare, is left to Pillow.
OTHERS = {
    "progressive": ("JPEG", "RGB", {"progressive": True}),
    "restart markers": ("JPEG", "RGB", {"restart_marker_rows": 1}),
    "inks": ("JPEG", "CMYK", {}),
    "orientation": ("JPEG", "RGB", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}),
    "colour profile": ("JPEG", "RGB", {"icc_profile": b"x" * 40}),
    "palette": ("PNG", "P", {}),
    "transparency": ("PNG", "RGBA", {}),
    "one transparent value": ("PNG", "L", {"transparency": 3}),
    "one bit": ("PNG", "1", {}),
    "text": ("PNG", "L", {"pnginfo": _text()}),
    "bitmap": ("BMP", "RGB", {}),
}


def _picture(mode: str, seed: int = 0, size: tuple[int, int] = (31, 20)) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (9, 9, 4), np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).convert(mode)


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("size", [(31, 20), (1, 1), (64, 300)])
def test_plain_files_are_decoded_as_by_pillow(name: str, mode: str, size: tuple[int, int]) -> None:
    kind, options = PLAIN[name]
    content = _saved(_picture(mode, size=size), kind, **options)
    plain = decode_plain(content)
    assert plain is not None
    with Image.open(io.BytesIO(content)) as image:
        np.testing.assert_array_equal(plain.pixels, np.asarray(image).reshape(plain.pixels.shape))
    assert not plain.was_color


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_left_to_pillow(name: str) -> None:
    kind, mode, options = OTHERS[name]
    assert decode_plain(_saved(_picture(mode), kind, **options)) is None
    assert decode_plain(_saved(_picture("L", size=(1025, 2)), "PNG")) is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_file_that_is_cut_anywhere_is_left_to_pillow(kind: str) -> None:
    whole = _saved(_picture("RGB"), kind)
    for length in range(len(whole)):
        assert decode_plain(whole[:length]) is None


def test_a_jpeg_that_is_cut_and_closed_again_is_left_to_pillow() -> None:
    whole = _saved(_picture("RGB"), "JPEG")
    end = b"\xff\xd9"
    # The last byte may have nothing but padding.
    for length in range(len(whole) - len(end) - 1):
        assert decode_plain(whole[:length] + end) is None


def test_a_png_with_a_wrong_checksum_is_left_to_pillow() -> None:
    whole = _saved(_picture("L"), "PNG")
    for place in (20, 45, len(whole) - 1):
        changed = bytearray(whole)
        changed[place] ^= 1
        assert decode_plain(bytes(changed)) is None


def test_both_paths_agree_on_every_kind_of_file(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [
        _saved(_picture(mode, seed), kind, **options)
        for seed, (kind, options) in enumerate(PLAIN.values())
        for mode in ("L", "RGB")
    ]
    files.append(_saved(_picture("L").convert("RGB"), "PNG"))  # grey, stored in colour
    fast = [decode(content, "x") for content in files]
    monkeypatch.setattr(decode_image, "decode_plain", lambda _: None)
    for content, quick in zip(files, fast, strict=True):
        slow = decode(content, "x")
        np.testing.assert_array_equal(quick.pixels, slow.pixels)
        assert (quick.size, quick.notes) == (slow.size, slow.notes)


def test_an_image_above_a_limit_is_only_measured() -> None:
    content = _saved(_picture("L"), "PNG")
    assert decode(content, "x", measure_above=30).pixels is None
    assert decode(content, "x", measure_above=31).pixels is not None
