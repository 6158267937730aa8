"""The picture reader against a PNG decoder written from the specification, and Pillow's files."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearcnn.data import tiles
from clearcnn.data.decode_image import LARGEST_PIXELS, decode
from clearcnn.data.resize import resize
from clearcnn.errors import DataError

ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))
ADAM7 += ((1, 0, 2, 1),)
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def _unfilter(data: bytes, height: int, row_bytes: int, step: int) -> np.ndarray:
    rows = np.zeros((height + 1, row_bytes + step), int)  # one row above, one pixel to the left
    for y in range(1, height + 1):
        start = (y - 1) * (row_bytes + 1)
        kind, line = data[start], data[start + 1 : start + 1 + row_bytes]
        for x, value in enumerate(line, step):
            a, b, c = rows[y, x - step], rows[y - 1, x], rows[y - 1, x - step]
            distances = (abs(b - c), abs(a - c), abs(a + b - 2 * c))
            paeth = (a, b, c)[distances.index(min(distances))]
            rows[y, x] = (value + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
    return rows[1:, step:]


def _samples(rows: np.ndarray, width: int, channels: int, depth: int) -> np.ndarray:
    if depth == 16:
        wide = rows.reshape(len(rows), -1, 2)
        flat = wide[..., 0] * 256 + wide[..., 1]
    else:
        bits = np.unpackbits(rows.astype(np.uint8), axis=1).reshape(len(rows), -1, depth)
        flat = bits @ (1 << np.arange(depth)[::-1])
    return flat[:, : width * channels].reshape(len(rows), width, channels)


def _reference(content: bytes) -> np.ndarray:
    """Pixels on white: uint16 for 16-bit greys, otherwise 8 bits, grey if all is grey."""
    chunks: dict[bytes, bytes] = {}
    place = 8
    while place < len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        chunks[kind] = chunks.get(kind, b"") + content[place + 8 : place + 8 + length]
        place += 12 + length
    width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    data = zlib.decompress(chunks[b"IDAT"])
    channels = CHANNELS[color]
    step = max(1, channels * depth // 8)
    samples = np.zeros((height, width, channels), int)
    for top, left, down, across in ADAM7 if interlaced else ((0, 0, 1, 1),):
        part = samples[top::down, left::across]
        row_bytes = (part.shape[1] * channels * depth + 7) // 8
        if part.size:
            rows = _unfilter(data, part.shape[0], row_bytes, step)
            part[:] = _samples(rows, part.shape[1], channels, depth)
            data = data[part.shape[0] * (row_bytes + 1) :]

    alpha = np.full((height, width), 255)
    trns = chunks.get(b"tRNS")
    if color == 3:
        alphas = np.full(256, 255)
        alphas[: len(trns or b"")] = list(trns or b"")
        alpha = alphas[samples[..., 0]]
        samples = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)[samples[..., 0]]
    elif trns is not None:
        alpha = np.where((samples == struct.unpack(f">{channels}H", trns)).all(axis=-1), 0, 255)
    if color == 0 and depth == 16:
        return np.where(alpha[..., np.newaxis] == 0, 65535, samples).astype(np.uint16)
    if color != 3:
        samples = samples >> 8 if depth == 16 else samples * 255 // (2**depth - 1)
    if color in (4, 6):
        samples, alpha = samples[..., :-1], samples[..., -1]
    share = alpha[..., np.newaxis] / 255
    pixels = np.rint(samples * share + 255 * (1 - share)).astype(np.uint8)
    return pixels[..., :1] if np.all(pixels == pixels[..., :1]) else pixels


def test_pngsuites_good_files_are_read_as_the_specification_says(pngsuite_folder):
    good = [path for path in sorted(pngsuite_folder.glob("*.png")) if path.name[0] != "x"]
    assert len(good) == 175 - 14
    for path in good:
        expected = _reference(path.read_bytes())
        picture = decode(path.read_bytes(), path.name)
        assert picture.pixels is not None
        assert picture.pixels.dtype == expected.dtype, path.name
        assert picture.pixels.shape == expected.shape, path.name
        difference = np.abs(picture.pixels.astype(int) - expected.astype(int)).max()
        assert difference <= (1 if "transparent" in picture.notes else 0), path.name


def test_pngsuites_broken_files_are_all_refused(pngsuite_folder):
    broken = sorted(pngsuite_folder.glob("x*.png"))
    assert len(broken) == 14
    for path in broken:
        with pytest.raises(DataError, match=f"{path.name} cannot be read as an image"):
            decode(path.read_bytes(), path.name)


def test_the_wrong_checksum_that_pillow_accepts_is_named(pngsuite_folder):
    content = (pngsuite_folder / "xcsn0g01.png").read_bytes()
    with Image.open(BytesIO(content)) as image:
        image.load()
    with pytest.raises(DataError, match="checksum of its IDAT chunk"):
        decode(content, "xcsn0g01.png")


def _png(samples: np.ndarray, depth: int, color: int, transparent: tuple[int, ...]) -> bytes:
    """A PNG of samples (h, w, channels), one of which is declared transparent."""
    height, width = samples.shape[:2]
    if depth == 16:
        rows = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    else:
        bits = np.unpackbits(samples.astype(np.uint8)[..., np.newaxis], axis=-1)[..., 8 - depth :]
        rows = np.packbits(bits.reshape(height, -1), axis=1)
    data = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes()
    chunks = [
        b"IHDR" + struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0),
        b"tRNS" + struct.pack(f">{len(transparent)}H", *transparent),
        b"IDAT" + zlib.compress(data),
        b"IEND",
    ]
    body = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


@pytest.mark.parametrize(
    ("depth", "color"), [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2)]
)
def test_one_transparent_value_is_found_at_every_depth(depth, color):
    samples = np.random.default_rng(depth).integers(0, 2**depth, (8, 9, CHANNELS[color]))
    for place in ((0, 0), (3, 4)):
        content = _png(samples, depth, color, tuple(samples[place].tolist()))
        picture = decode(content, "x")
        assert picture.notes[-1] == "transparent"
        assert (
            picture.pixels[place] == (65535 if picture.pixels.dtype == np.uint16 else 255)
        ).all()
        np.testing.assert_array_equal(picture.pixels, _reference(content))


def _saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _grey(height: int = 6, width: int = 9) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF", "WEBP"])
def test_lossless_formats_give_their_pixels_back(kind):
    grey = _grey()
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = decode(_saved(Image.fromarray(grey), kind, **options), "x")
    assert picture.size == (6, 9)
    np.testing.assert_array_equal(picture.pixels[..., 0], grey)
    assert picture.pixels.shape[-1] == 1


def test_a_grey_jpeg_stored_in_colour_is_grey():
    colour = Image.fromarray(np.repeat(_grey()[..., None], 3, axis=-1))
    content = _saved(colour, "JPEG", quality=95)
    picture = decode(content, "x")
    assert picture.pixels.shape == (6, 9, 1)
    assert picture.notes == ("greys",)
    with Image.open(BytesIO(content)) as image:
        np.testing.assert_array_equal(picture.pixels[..., 0], np.asarray(image)[..., 0])


def test_one_bit_becomes_0_and_255():
    bits = _grey() > 127
    for kind in ("PNG", "TIFF", "BMP"):
        picture = decode(_saved(Image.fromarray(bits), kind), "x")
        assert picture.pixels.dtype == np.uint8
        np.testing.assert_array_equal(picture.pixels[..., 0], bits * 255)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_greys_are_kept(kind):
    grey = np.random.default_rng(0).integers(0, 65536, (6, 9), np.uint16)
    picture = decode(_saved(Image.fromarray(grey), kind), "x")
    assert picture.pixels.dtype == np.uint16
    np.testing.assert_array_equal(picture.pixels[..., 0], grey)
    assert picture.notes == ()


def test_float_tiffs_are_kept_and_nan_refused():
    values = np.random.default_rng(0).normal(size=(6, 9)).astype(np.float32)
    np.testing.assert_array_equal(
        decode(_saved(Image.fromarray(values), "TIFF"), "x").pixels[..., 0], values
    )
    values[2, 3] = np.nan
    with pytest.raises(DataError, match="NaN"):
        decode(_saved(Image.fromarray(values), "TIFF"), "x")


def test_32_bit_integers_are_read_where_16_bits_hold_them():
    values = np.array([[0, 65535], [7, 256]], np.int32)
    picture = decode(_saved(Image.fromarray(values), "TIFF"), "x")
    assert picture.pixels.dtype == np.uint16
    np.testing.assert_array_equal(picture.pixels[..., 0], values)
    with pytest.raises(DataError, match="-1 to 65535"):
        decode(_saved(Image.fromarray(values - (values == 0)), "TIFF"), "x")


def test_transparency_is_laid_on_white():
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0, :, 0] = 200
    rgba[0, :, 3] = 0, 128, 255
    for kind in ("PNG", "WEBP", "TIFF"):
        picture = decode(_saved(Image.fromarray(rgba), kind, lossless=True), "x")
        expected = [[255, 255, 255], [227, 127, 127], [200, 0, 0]]
        np.testing.assert_allclose(picture.pixels[0], expected, atol=1)
        assert picture.notes == ("transparent",)
    grey = decode(_saved(Image.fromarray(rgba).convert("LA"), "PNG"), "x")
    assert grey.pixels.shape == (1, 3, 1)
    assert grey.pixels[0, 0, 0] == 255


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied(kind, orientation):
    # What each orientation asks a viewer to do. Source: EXIF 2.3, tag 274.
    upright = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.T,
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a, 2).T,
        8: lambda a: np.rot90(a),
    }[orientation]
    stored = np.repeat(np.repeat(np.arange(6, dtype=np.uint8).reshape(2, 3) * 40, 8, 0), 8, 1)
    exif = Image.Exif()
    exif[274] = orientation
    content = _saved(Image.fromarray(stored), kind, exif=exif, lossless=True, quality=100)
    picture = decode(content, "x")
    expected = upright(stored)
    assert picture.size == expected.shape
    assert ("turned" in picture.notes) == (orientation > 1)
    np.testing.assert_allclose(picture.pixels[..., 0].astype(int), expected, atol=3)
    if kind != "PNG":
        assert decode(content, "x", measure_above=5).size == expected.shape


def test_an_orientation_beside_a_tag_of_too_many_numbers_is_left_alone():
    count = 150_000
    directory = struct.pack("<HHHLL", 2, 274, 3, 1, 6) + struct.pack("<HHLL", 34_000, 5, count, 38)
    numbers = b"II*\0" + struct.pack("<L", 8) + directory + bytes(4 + 8 * count)
    whole = _saved(Image.fromarray(_grey()), "PNG")
    kind = b"eXIf" + numbers
    chunk = struct.pack(">L", len(numbers)) + kind + struct.pack(">L", zlib.crc32(kind))
    for place in (33, len(whole) - 12):  # before the pixels, and after them
        picture = decode(whole[:place] + chunk + whole[place:], "x")
        assert picture.notes == ()


def test_only_the_first_frame_of_an_animation_is_read():
    frames = [Image.fromarray(_grey() // 2 + shift) for shift in (0, 100)]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        options = {"lossless": True} if kind == "WEBP" else {}
        content = _saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        picture = decode(content, "x")
        np.testing.assert_array_equal(picture.pixels[..., 0], np.asarray(frames[0]))
        assert "animated" in picture.notes


def test_other_colour_spaces_become_rgb():
    cmyk = Image.new("CMYK", (4, 4), (0, 255, 255, 0))
    picture = decode(_saved(cmyk, "TIFF"), "x")
    np.testing.assert_array_equal(picture.pixels[0, 0], [255, 0, 0])
    assert picture.notes == ("converted",)


def test_16_bit_colours_are_said_to_be_reduced(pngsuite_folder: Path):
    assert "reduced" in decode((pngsuite_folder / "basn2c16.png").read_bytes(), "x").notes
    assert "reduced" not in decode((pngsuite_folder / "basn0g16.png").read_bytes(), "x").notes


def test_large_pictures_are_only_measured_when_asked():
    content = _saved(Image.fromarray(_grey(6, 9)), "JPEG")
    assert decode(content, "x", measure_above=8).pixels is None
    assert decode(content, "x", measure_above=9).pixels is not None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "AVIF", "PPM"])
def test_cut_off_files_are_refused(kind):
    content = _saved(Image.fromarray(_grey(40, 40)), kind)
    for length in (1, 20, len(content) // 2):
        with pytest.raises(DataError, match=r"x cannot be read as an image"):
            decode(content[:length], "x")


def _bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes with right checksums that claims to be huge."""
    chunks = [
        b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0),
        b"IDAT" + zlib.compress(b"\0" * 100),
        b"IEND",
    ]
    body = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


@pytest.mark.parametrize("limit", [None, 1000, 10**9])
def test_bombs_are_refused_in_one_sentence_whatever_the_limit_of_pillow(limit, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    for side in (7100, 10_000, 20_000, 2**31 - 1):
        assert side * side > LARGEST_PIXELS
        with pytest.raises(DataError, match=f"decompresses to {side}×{side} pixels; at most 40,"):
            decode(_bomb(side, side), "bomb.png")
    webp = bytearray(_saved(Image.new("RGBA", (9, 7)), "WEBP", lossless=True))
    assert decode(bytes(webp), "x").size == (7, 9)
    webp[21:25] = (2**28 - 1).to_bytes(4, "little")  # Both sides of 14 bits.
    with pytest.raises(DataError, match="decompresses to 16384×16384 pixels; at most 20,"):
        decode(bytes(webp), "bomb.webp")


def test_formats_outside_the_list_are_refused():
    for kind in ("ICO", "TGA", "JPEG2000"):
        with pytest.raises(DataError, match="not a PNG, JPEG, BMP, GIF, WEBP, TIFF, AVIF, PPM,"):
            decode(_saved(Image.fromarray(_grey(16, 16)), kind), "x")


def test_a_jpeg_of_endless_segments_ends():
    content = _saved(Image.fromarray(_grey()), "JPEG")
    padded = content[:2] + b"\xff\xe0\0\2" * 400_000 + content[2:]
    with pytest.raises(DataError, match=r"it has too many (blocks|segments)"):
        decode(padded, "x")


def test_scans_are_counted_with_the_pixels_that_each_goes_over():
    whole = _saved(Image.new("RGB", (4000, 4000)), "JPEG", progressive=True)
    again = whole[:-2] + whole[whole.rfind(b"\xff\xda") : -2] * 100 + whole[-2:]
    assert decode(whole, "x").pixels is not None
    with pytest.raises(DataError, match="it has 110 scans of 4000×4000 pixels"):
        decode(again, "x")


def test_a_tiff_of_a_million_strips_is_refused_before_they_are_numbers():
    content = bytearray(_saved(Image.fromarray(_grey()), "TIFF"))
    tag = content.find(struct.pack("<HHL", 273, 4, 1))
    content[tag + 4 : tag + 8] = struct.pack("<L", 10**6)
    with pytest.raises(DataError, match="its tag 273 has 1,000,000 numbers"):
        decode(bytes(content), "x")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "1"])
def test_tiles_give_what_the_whole_gives(mode, monkeypatch):
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (37, 53, 4), np.uint8)).convert("RGBA")
    if mode == "I;16":
        image = Image.fromarray(rng.integers(0, 65536, (37, 53), np.uint16))
    elif mode == "F":
        image = Image.fromarray(rng.normal(size=(37, 53)).astype(np.float32))
    else:
        image = image.convert(mode)
    content = _saved(image, "TIFF" if mode in ("CMYK", "F") else "PNG")
    whole = decode(content, "x").pixels
    shrunk = resize(whole, (8, 9))
    monkeypatch.setattr(tiles, "_PIXELS", 40)
    np.testing.assert_array_equal(decode(content, "x").pixels, whole)
    np.testing.assert_array_equal(resize(whole, (8, 9)), shrunk)


def test_a_png_with_colours_that_its_palette_lacks_is_refused():
    samples = np.arange(8, dtype=np.uint8).reshape(2, 4)
    content = _png(samples[..., np.newaxis], 8, 3, ())
    colors = bytes(range(100, 100 + 3 * 8))
    for count in (8, 5):
        kind = b"PLTE" + colors[: 3 * count]
        chunk = struct.pack(">I", 3 * count) + kind + struct.pack(">I", zlib.crc32(kind))
        whole = content[:33] + chunk + content[33:].replace(_transparency(b""), b"")
        if count == 8:
            expected = np.frombuffer(colors, np.uint8).reshape(2, 4, 3)
            np.testing.assert_array_equal(decode(whole, "x").pixels, expected)
            continue
        with pytest.raises(
            DataError, match="a pixel has the palette index 7, but the palette has 5 colours"
        ):
            decode(whole, "x")


def _transparency(values: bytes) -> bytes:
    kind = b"tRNS" + values
    return struct.pack(">I", len(values)) + kind + struct.pack(">I", zlib.crc32(kind))
