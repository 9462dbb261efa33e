"""BMP: every kind that is read, what is written, and what is said of damaged ones."""

import contextlib
import struct

import numpy as np
import pytest
from PIL import Image

from photochrom import io
from photochrom.core.errors import FileError

from .helpers import picture

WIDTH, HEIGHT = 13, 6


def stored(photo):
    """The samples a picture came with, by the definition of the door."""
    parts = [photo.image[0]] if photo.alpha is None else [photo.image[0], photo.alpha[0]]
    return np.round(np.moveaxis(np.concatenate([part.double().numpy() for part in parts]), 0, -1) * 255).astype(int)


def bitmap(bits, rows, *, palette=b"", packing=0, masks=b"", width=WIDTH, height=HEIGHT, size=40, extra=b""):
    """A file by the definition: `rows` as they lie in it."""
    start = 14 + size + len(masks) + len(palette)
    head = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, packing, len(rows), 2835, 2835,
                       len(palette) // 4, 0) + extra
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + head + masks + palette + rows


def palette(count):
    return np.random.default_rng(count).integers(0, 256, (count, 3), np.uint8)


def entries(colours):
    return b"".join(bytes([*colour[::-1].tolist(), 0]) for colour in colours)


def load(tmp_path, data):
    (tmp_path / "a.bmp").write_bytes(data)
    return io.read(tmp_path / "a.bmp")


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palettes(tmp_path, bits, upright):
    colours = palette(1 << bits)
    numbers = np.random.default_rng(1).integers(0, 1 << bits, (HEIGHT, WIDTH), np.uint8)
    single = np.unpackbits(numbers[..., None], axis=-1)[..., 8 - bits:].reshape(HEIGHT, -1)
    packed = np.packbits(single, axis=1)
    packed = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 4)))
    data = bitmap(bits, packed[::1 if upright else -1].tobytes(), palette=entries(colours),
                  height=-HEIGHT if upright else HEIGHT)
    photo = load(tmp_path, data)
    np.testing.assert_array_equal(stored(photo), colours[numbers])
    assert photo.about.density == pytest.approx((72.009, 72.009))
    if bits != 2:   # which Pillow does not know
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.bmp").convert("RGB")), colours[numbers])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_what_pillow_writes(tmp_path, mode):
    given = Image.fromarray(picture()).convert(mode)
    given.save(tmp_path / "a.bmp")
    photo = io.read(tmp_path / "a.bmp")
    expected = np.asarray(given.convert("RGB" if mode in ("P", "RGB") else "L"))
    np.testing.assert_array_equal(stored(photo), expected.reshape(*expected.shape[:2], -1))
    assert photo.about.channels == (3 if mode in ("P", "RGB") else 1)


@pytest.mark.parametrize("alpha", [False, True])
def test_the_fourth_byte_is_opacity_only_where_the_header_says_so(tmp_path, alpha):
    samples = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)
    rows = samples[::-1][..., [2, 1, 0, 3]].tobytes()
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    data = bitmap(32, rows, packing=3, size=108, extra=masks + bytes(52)) if alpha else bitmap(32, rows)
    np.testing.assert_array_equal(stored(load(tmp_path, data)), samples if alpha else samples[..., :3])
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.bmp")), samples if alpha else samples[..., :3])


@pytest.mark.parametrize(("masks", "shifts"), [(None, (10, 5, 0)), ((0xF800, 0x7E0, 0x1F), (11, 5, 0)),
                                               ((0xF, 0xF0, 0xF00), (0, 4, 8))])
def test_colours_in_few_bits(tmp_path, masks, shifts):
    tops = [(mask >> shift) for mask, shift in zip(masks or (0x7C00, 0x3E0, 0x1F), shifts, strict=True)]
    rng = np.random.default_rng(4)
    parts = [rng.integers(0, top + 1, (HEIGHT, WIDTH)) for top in tops]
    words = sum(part << shift for part, shift in zip(parts, shifts, strict=True)).astype("<u2")
    rows = np.pad(words[::-1], ((0, 0), (0, WIDTH % 2))).tobytes()
    data = bitmap(16, rows, packing=3 if masks else 0, masks=struct.pack("<3I", *masks) if masks else b"")
    expected = np.stack([np.rint(part * 255 / top) for part, top in zip(parts, tops, strict=True)], -1)
    np.testing.assert_array_equal(stored(load(tmp_path, data)), expected)


@pytest.mark.parametrize("end", [b"\0\1", b"\0\0\0\1", b""], ids=["end", "line-end", "nothing"])
def test_runs_of_8_bits(tmp_path, end):
    colours = palette(256)
    # From below: a run; a row with values one by one, an odd number; a jump over a row and four pixels.
    rows = [bytes([WIDTH, 9]), bytes([4, 7, 0, 5, 1, 2, 3, 4, 5, 0, 4, 8]), bytes([0, 2, 4, 1]) + bytes([9, 200]),
            bytes([WIDTH, 1]), bytes([WIDTH, 2])]
    numbers = np.zeros((HEIGHT, WIDTH), np.uint8)
    numbers[0], numbers[1, :4], numbers[1, 4:9], numbers[1, 9:] = 9, 7, [1, 2, 3, 4, 5], 8
    numbers[3, 4:], numbers[4], numbers[5] = 200, 1, 2
    data = bitmap(8, b"\0\0".join(rows) + end, palette=entries(colours), packing=1)
    found = stored(load(tmp_path, data))
    np.testing.assert_array_equal(found, colours[numbers[::-1]])
    if end:
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.bmp").convert("RGB")), found)


def test_runs_of_4_bits(tmp_path):
    colours = palette(16)
    row = bytes([5, 0x12, 0, 5, 0x34, 0x56, 0x70, 0, 3, 0xA0, 0, 0])
    numbers = [1, 2, 1, 2, 1, 3, 4, 5, 6, 7, 10, 0, 10]
    data = bitmap(4, row * HEIGHT + b"\0\1", palette=entries(colours), packing=2)
    np.testing.assert_array_equal(stored(load(tmp_path, data)), np.broadcast_to(colours[numbers], (HEIGHT, WIDTH, 3)))


def test_the_oldest_header(tmp_path):
    samples = picture()[:HEIGHT, :WIDTH]
    rows = np.pad(samples[::-1, :, ::-1].reshape(HEIGHT, -1), ((0, 0), (0, -WIDTH * 3 % 4))).tobytes()
    data = b"BM" + struct.pack("<IHHI", 26 + len(rows), 0, 0, 26) + struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, 24)
    np.testing.assert_array_equal(stored(load(tmp_path, data + rows)), samples)


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize("width", [1, 2, 3, 24])
def test_what_is_written_comes_back_and_others_read_it(tmp_path, bands, width):
    samples = np.random.default_rng(5).integers(0, 256, (9, width, bands), np.uint8)
    mode = ("L", "LA", "RGB", "RGBA")[bands - 1]
    Image.fromarray(samples.squeeze(-1) if bands == 1 else samples, mode).save(tmp_path / "a.png")
    io.write(io.read(tmp_path / "a.png"), tmp_path / "b.bmp")
    back = io.read(tmp_path / "b.bmp")
    wide = samples[..., [0, 0, 0, 1]] if bands == 2 else samples
    np.testing.assert_array_equal(stored(back), wide)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "b.bmp")).reshape(wide.shape), wide)
    io.write(back, tmp_path / "c.bmp")
    assert (tmp_path / "c.bmp").read_bytes() == (tmp_path / "b.bmp").read_bytes()


def test_a_large_one_is_read_and_written_in_strips(tmp_path):
    samples = np.random.default_rng(6).integers(0, 256, (700, 2001, 3), np.uint8)
    Image.fromarray(samples).save(tmp_path / "a.bmp")
    io.write(io.read(tmp_path / "a.bmp"), tmp_path / "b.bmp")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "b.bmp")), samples)


def test_what_it_cannot_hold_is_said(tmp_path):
    Image.fromarray(picture().astype(np.uint16)[..., 0] * 257).save(tmp_path / "a.png")
    assert "BMP holds no uint16 samples" in " ".join(io.write(io.read(tmp_path / "a.png"), tmp_path / "b.bmp"))


def test_a_profile_inside_is_used(tmp_path):
    """A header of version 5 with a profile behind the pixels, as GIMP and Photoshop write it."""
    from .helpers import ADOBE, curv, profile

    icc = profile(ADOBE, curv(2.2))
    samples = picture()[:HEIGHT, :WIDTH]
    rows = np.pad(samples[::-1, :, ::-1].reshape(HEIGHT, -1), ((0, 0), (0, -WIDTH * 3 % 4))).tobytes()
    extra = bytearray(84)
    extra[16:20] = b"DEBM"
    struct.pack_into("<II", extra, 72, 124 + len(rows), len(icc))
    photo = load(tmp_path, bitmap(24, rows, size=124, extra=bytes(extra)) + icc)
    Image.fromarray(samples).save(tmp_path / "a.png", icc_profile=icc)
    expected = io.read(tmp_path / "a.png")
    assert photo.about.profile == icc
    assert (photo.image - expected.image).abs().max() == 0
    assert (photo.image[0].movedim(0, -1).numpy() - samples / 255).max() > 0.01


GOOD = bitmap(24, bytes(HEIGHT * 40))


@pytest.mark.parametrize("data", [
    GOOD[:-100], GOOD[:30], GOOD[:54], bitmap(24, b"", width=0), bitmap(24, b"", width=-3),
    bitmap(24, b"", width=900000, height=900000), bitmap(5, bytes(400)), bitmap(24, bytes(400), packing=4),
    bitmap(24, bytes(400), packing=99), bitmap(8, b"\7\1\0", palette=entries(palette(256)), packing=1),
    bitmap(8, bytes([WIDTH, 1, 0, 0] * 9), palette=entries(palette(256)), packing=1),
    bitmap(8, b"\0\xff\1\2", palette=entries(palette(256)), packing=1),
    bitmap(8, b"\0\2\1", palette=entries(palette(256)), packing=1),
    bitmap(16, bytes(400), packing=3, masks=struct.pack("<3I", 5, 0x7E0, 0x1F)),
    bitmap(16, bytes(400), packing=3, masks=struct.pack("<3I", 0, 0x7E0, 0x1F)),
    b"BM" + bytes(12) + struct.pack("<I", 16) + bytes(60),
], ids=["cut", "head-cut", "no-pixels", "no-width", "negative", "huge", "bits", "jpeg", "packing", "runs-cut",
        "runs-over", "values-cut", "jump-cut", "masks", "no-mask", "header"])
def test_a_damaged_file_is_one_sentence(tmp_path, data):
    path = tmp_path / "bad.bmp"
    path.write_bytes(data)
    with pytest.raises(FileError) as error:
        io.read(path)
    assert "bad.bmp" in str(error.value)
    assert "\n" not in str(error.value)


def test_text_that_begins_with_its_letters_is_text(tmp_path):
    (tmp_path / "a.bmp").write_text("BMW, a maker of cars and motorcycles")
    with pytest.raises(FileError, match="got text"):
        io.read(tmp_path / "a.bmp")


def test_changed_bytes_give_a_picture_or_a_sentence(tmp_path):
    rng = np.random.default_rng(8)
    whole = bitmap(8, bytes([WIDTH, 9, 0, 0] * HEIGHT) + b"\0\1", palette=entries(palette(256)), packing=1)
    for turn in range(300):
        data = bytearray(whole if turn % 2 else GOOD)
        for place in rng.integers(0, 60 if turn % 3 else len(data), 3):
            data[place] = rng.integers(256)
        (tmp_path / "a.bmp").write_bytes(data)
        with contextlib.suppress(FileError), io.open_source(tmp_path / "a.bmp", limit=10_000) as source:
            assert source.rows(0, source.height).shape == (source.height, source.width, source.bands)
