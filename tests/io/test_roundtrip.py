"""Pixels and metadata there and back, checked by independent readers."""

import numpy as np
import pytest
import pyvips
import torch
from PIL import Image, ImageOps, PngImagePlugin

from photochrom import io
from photochrom.io import metadata

from .helpers import picture

DEEP = {"png": (np.uint8, np.uint16), "tif": (np.uint8, np.uint16, np.float32)}


def write_vips(path, array):
    name = {1: "b-w", 2: "b-w", 3: "srgb", 4: "srgb"}[array.shape[2]]
    if array.dtype == np.uint16:
        name = {"b-w": "grey16", "srgb": "rgb16"}[name]
    pyvips.Image.new_from_array(array).copy(interpretation=name).write_to_file(str(path))


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize(("ending", "dtype"), [(e, d) for e, ds in DEEP.items() for d in ds])
def test_every_level_comes_back_bit_for_bit(tmp_path, ending, dtype, bands):
    if dtype == np.float32:
        a = np.random.default_rng(0).normal(0.5, 1, (31, 47, bands)).astype(np.float32)
    else:
        n = np.iinfo(dtype).max + 1
        a = np.stack([np.roll(np.arange(65536) % n, 7 * b).reshape(256, 256) for b in range(bands)], -1).astype(dtype)
    write_vips(tmp_path / f"a.{ending}", a)
    photo = io.read(tmp_path / f"a.{ending}")
    assert photo.about.depth == np.dtype(dtype).name
    assert photo.image.shape[1] == (1 if bands < 3 else 3)
    assert (photo.alpha is not None) == (bands in (2, 4))
    io.write(photo, tmp_path / f"b.{ending}")
    back = pyvips.Image.new_from_file(str(tmp_path / f"b.{ending}")).numpy().reshape(a.shape)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, a)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_other_programs_read_what_is_written(tmp_path, ending):
    cv2 = pytest.importorskip("cv2")
    a = (picture().astype(np.uint16) * 257) ^ 3
    write_vips(tmp_path / "a.tif", a)
    io.write(io.read(tmp_path / "a.tif"), tmp_path / f"b.{ending}")
    back = cv2.imread(str(tmp_path / f"b.{ending}"), cv2.IMREAD_UNCHANGED)
    assert back.dtype == np.uint16
    np.testing.assert_array_equal(back[..., ::-1], a)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_gradient_keeps_its_levels(tmp_path, ending):
    a = np.repeat(np.arange(65536, dtype=np.uint16).reshape(64, 1024, 1), 3, 2)
    write_vips(tmp_path / f"a.{ending}", a)
    io.write(io.read(tmp_path / f"a.{ending}"), tmp_path / f"b.{ending}")
    assert len(np.unique(pyvips.Image.new_from_file(str(tmp_path / f"b.{ending}")).numpy())) == 65536


def test_values_are_exact_quotients(tmp_path):
    a = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    write_vips(tmp_path / "a.png", a)
    want = (a[..., 0].astype(np.float32) / np.float32(65535)).astype(np.float32)
    np.testing.assert_array_equal(io.read(tmp_path / "a.png").image[0, 0].numpy(), want)


def test_rounding_is_half_to_even_and_clamped():
    encoder = io.encoder_for(io.About(channels=1), "x.png")
    x = torch.tensor([-1.0, 0.5 / 255, 1.5 / 255, 2.5 / 255, 2.0, float("nan"), float("inf")])
    assert encoder.encode(x.reshape(1, 1, 1, -1)).ravel().tolist() == [0, 0, 2, 2, 255, 0, 255]


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
def test_orientation_is_applied_and_reset(tmp_path, turn, ending):
    exif = Image.Exif()
    exif[0x0112] = turn
    exif[0x010F] = "Maker"
    name = tmp_path / f"a.{ending}"
    lossless = {"lossless": True} if ending == "webp" else {"quality": 100, "subsampling": 0} if ending == "jpg" else {}
    Image.fromarray(picture()).save(name, exif=exif, **lossless)
    photo = io.read(name)
    want = np.asarray(ImageOps.exif_transpose(Image.open(name)))
    got = np.round(photo.image[0].permute(1, 2, 0).numpy() * 255)
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= (1 if ending == "jpg" else 0)
    out = tmp_path / "b.jpg"
    io.write(photo, out, quality=100)
    with Image.open(out) as back:
        assert back.getexif().get(0x0112, 1) == 1
        assert np.abs(np.asarray(back, int) - want).max() <= 4


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "avif"])
@pytest.mark.parametrize("source", ["jpg", "png", "webp"])
def test_exif_and_xmp_are_carried(tmp_path, source, ending):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x8298] = "Maker", 6, "someone"
    exif.get_ifd(0x8769)[0x829A] = (1, 50)
    exif.get_ifd(0x8769)[0x927C] = b"maker note bytes"
    exif.get_ifd(0x8825)[1] = "N"
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    more = {"xmp": xmp}
    if source == "png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        more = {"pnginfo": info}
    Image.fromarray(picture()).save(tmp_path / f"a.{source}", exif=exif, **more)
    photo = io.read(tmp_path / f"a.{source}")
    assert metadata.orientation_of(photo.about.exif) == 1
    assert b'tiff:Orientation="1"' in photo.about.xmp
    io.write(photo, tmp_path / f"b.{ending}")
    back = Image.open(tmp_path / f"b.{ending}").getexif()
    assert back[0x010F] == "Maker"
    assert back[0x8298] == "someone"
    assert back.get(0x0112, 1) == 1
    assert back.get_ifd(0x8769)[0x829A] == (1, 50)
    assert back.get_ifd(0x8769)[0x927C] == b"maker note bytes"
    assert back.get_ifd(0x8825)[1] == "N"
    again = io.read(tmp_path / f"b.{ending}").about
    assert again.xmp is not None
    assert b'tiff:Orientation="1"' in again.xmp


def test_stale_thumbnail_is_left_behind():
    # a directory without entries, then a link to a second one (the thumbnail's) at byte 14
    exif = b"II*\0\x08\0\0\0" + b"\0\0" + b"\x0e\0\0\0" + bytes(6)
    assert metadata.upright(exif) == b"II*\0\x08\0\0\0" + bytes(12)
    for damaged in (b"II*\0", b"II*\0\xff\xff\xff\xff" + bytes(10), b"MM\0*\0\0\0\x08\xff\xff" + bytes(8)):
        assert metadata.upright(damaged) == damaged


@pytest.mark.parametrize("source", ["jpg", "tif"])
def test_exif_is_carried_through_tiff(tmp_path, source):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 1
    exif.get_ifd(0x8769)[0x829A] = (1, 50)
    exif.get_ifd(0x8825)[1] = "N"
    Image.fromarray(picture()).save(tmp_path / f"a.{source}", exif=exif.tobytes())
    io.write(io.read(tmp_path / f"a.{source}"), tmp_path / "b.tif")
    with Image.open(tmp_path / "b.tif") as image:
        back = image.getexif()
        assert back[0x010F] == "Maker"
        assert back.get_ifd(0x8769)[0x829A] == (1, 50)
        assert back.get_ifd(0x8825)[1] == "N"
        image.load()
    io.write(io.read(tmp_path / "b.tif"), tmp_path / "c.jpg")
    back = Image.open(tmp_path / "c.jpg").getexif()
    assert back[0x010F] == "Maker"
    assert back.get_ifd(0x8769)[0x829A] == (1, 50)


@pytest.mark.parametrize("ending", ["jpg", "tif"])
def test_iptc_is_carried(tmp_path, ending):
    blob = b"\x1c\x02\x05\x00\x04test"
    about = io.About(iptc=blob)
    photo = io.Photo(torch.rand(1, 3, 8, 8), None, about)
    io.write(photo, tmp_path / f"a.{ending}")
    assert blob in (io.read(tmp_path / f"a.{ending}").about.iptc or b"")


@pytest.mark.parametrize("ending", ["jpg", "png", "tif"])
def test_density_is_carried(tmp_path, ending):
    Image.fromarray(picture()).save(tmp_path / f"a.{ending}", dpi=(240, 240))
    photo = io.read(tmp_path / f"a.{ending}")
    assert photo.about.density == (240, 240)
    io.write(photo, tmp_path / "b.png")
    assert Image.open(tmp_path / "b.png").info["dpi"] == pytest.approx((240, 240), abs=0.02)
    write_vips(tmp_path / "none.png", picture())
    assert io.read(tmp_path / "none.png").about.density is None


def test_unusual_pngs_are_expanded(tmp_path):
    p = Image.fromarray(picture())
    name = tmp_path / "a.png"
    p.quantize(16).save(name)
    want = np.asarray(Image.open(name).convert("RGB"))
    np.testing.assert_array_equal(np.round(io.read(name).image[0].permute(1, 2, 0).numpy() * 255), want)
    p.convert("1").save(name)
    got = io.read(name)
    assert got.image.shape[1] == 1
    np.testing.assert_array_equal(got.image[0, 0].numpy() > 0.5, np.asarray(Image.open(name)))
    q = p.quantize(8)
    q.save(name, transparency=3)
    want = np.asarray(Image.open(name).convert("RGBA"))
    got = io.read(name)
    np.testing.assert_array_equal(np.round(got.alpha[0, 0].numpy() * 255), want[..., 3])
    for bits in (1, 2, 4):
        p.quantize(2**bits).save(name, bits=bits)
        want = np.asarray(Image.open(name).convert("RGB"))
        np.testing.assert_array_equal(np.round(io.read(name).image[0].permute(1, 2, 0).numpy() * 255), want)
    p.convert("L").save(name, transparency=7)
    assert io.read(name).alpha is not None


def test_only_the_first_page_is_read_and_said(tmp_path):
    frames = [Image.fromarray(picture(seed=s)) for s in (1, 2, 3)]
    for name in ("a.tif", "a.gif", "a.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        photo = io.read(tmp_path / name)
        assert any(n.startswith("first of 3") for n in photo.about.notes), name
        assert photo.image.shape[-2:] == (48, 64)


def test_alpha_into_jpeg_is_laid_on_white_and_said(tmp_path):
    photo = io.Photo(torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8), io.About(alpha=True))
    notes = io.write(photo, tmp_path / "a.jpg")
    assert any("white" in n for n in notes)
    assert np.asarray(Image.open(tmp_path / "a.jpg")).min() == 255


def test_depth_that_does_not_fit_is_said(tmp_path):
    photo = io.Photo(torch.rand(1, 3, 8, 8), None, io.About(depth="uint16"))
    assert any("uint16" in n for n in io.write(photo, tmp_path / "a.jpg"))
    assert io.write(photo, tmp_path / "a.png") == ()
    photo = io.Photo(torch.rand(1, 3, 8, 8), None, io.About(depth="float32"))
    assert any("float32" in n for n in io.write(photo, tmp_path / "b.png"))
    assert io.read(tmp_path / "b.png").about.depth == "uint16"


def test_finished_picture_may_have_other_channels(tmp_path):
    about = io.About(channels=3)
    io.write(io.Photo(torch.rand(1, 1, 8, 8), None, about), tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").mode == "L"
    io.write(io.Photo(torch.rand(1, 3, 8, 8), None, io.About(channels=1)), tmp_path / "b.png")
    assert Image.open(tmp_path / "b.png").mode == "RGB"


def test_describe(tmp_path):
    Image.fromarray(picture()).save(tmp_path / "a.jpg", dpi=(72, 72))
    facts = io.describe(tmp_path / "a.jpg")
    assert (facts["format"], facts["width"], facts["height"], facts["depth"]) == ("jpeg", 64, 48, "uint8")
    __import__("json").dumps(facts)


def test_lossless_webp_and_jpeg_quality(tmp_path):
    write_vips(tmp_path / "a.png", picture())
    photo = io.read(tmp_path / "a.png")
    io.write(photo, tmp_path / "a.webp", quality=100)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.webp").convert("RGB")), picture())
    sizes = []
    for q in (30, 95):
        io.write(photo, tmp_path / f"{q}.jpg", quality=q)
        sizes.append((tmp_path / f"{q}.jpg").stat().st_size)
    assert sizes[0] < sizes[1]
