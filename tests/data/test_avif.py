import io
import struct

import numpy as np
import pytest
from PIL import Image, features

from clearcnn.data.avif import find_media_kind
from clearcnn.data.decode_image import decode
from clearcnn.errors import DataError


def _box(major: bytes, *brands: bytes) -> bytes:
    return struct.pack(">I", 16 + 4 * len(brands)) + b"ftyp" + major + bytes(4) + b"".join(brands)


def _saved(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "AVIF", **options)
    return buffer.getvalue()


def test_brands_tell_avif_from_heic():
    assert find_media_kind(_box(b"avif", b"mif1")) == "AVIF"
    assert find_media_kind(_box(b"mif1", b"miaf", b"avif")) == "AVIF"
    assert find_media_kind(_box(b"heic", b"mif1", b"heic")) == "HEIC"
    assert find_media_kind(_box(b"mif1", b"heic")) == "HEIC"
    assert find_media_kind(_box(b"isom", b"mp42")) is None
    assert find_media_kind(b"") is None


def test_heic_is_named_with_the_way_out():
    with pytest.raises(DataError, match="it is a HEIC image") as info:
        decode(_box(b"heic", b"mif1", b"heic"), "IMG_1.jpg")
    assert info.value.remedy.startswith("Convert it to JPEG or PNG: on a Mac with sips")


def test_avif_without_its_decoder_is_named(monkeypatch):
    monkeypatch.setattr(features, "check", lambda feature: feature != "avif")
    with pytest.raises(DataError, match="build of Pillow cannot decode AVIF"):
        decode(_box(b"avif"), "x")


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_avif_is_decoded_upright(mode):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 4), np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    exif = Image.Exif()
    exif[274] = 6
    content = _saved(image, exif=exif)
    decoded = decode(content, "x")
    assert decoded.size == (30, 40)
    assert "turned" in decoded.notes
    assert ("transparent" in decoded.notes) == (mode == "RGBA")
    with Image.open(io.BytesIO(_saved(image))) as plain:
        if mode == "RGBA":
            white = Image.new("RGB", plain.size, "white")
            white.paste(plain, mask=plain)
            expected = np.asarray(white)
        else:
            expected = np.asarray(plain.convert("RGB"))
    turned = np.rot90(expected, -1)
    np.testing.assert_array_equal(np.broadcast_to(decoded.pixels, turned.shape), turned)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_a_cut_avif_is_refused_wherever_it_ends():
    content = _saved(Image.fromarray(np.full((16, 16, 3), 77, np.uint8)))
    for length in range(0, len(content), 5):
        with pytest.raises(DataError, match="x cannot be read as an image"):
            decode(content[:length], "x")
