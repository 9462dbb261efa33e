"""Colour profiles: there, back, and against an independent engine."""

import io as bytes_io

import numpy as np
import pytest
import pyvips
import torch
from PIL import Image, ImageCms

from photochrom import io
from photochrom.io import icc, profiles

from .helpers import ADOBE, PROFILES, SRGB, SRGB_PARA, cube, curv, picture, profile


def tiff(path, array, icc_profile):
    image = pyvips.Image.new_from_array(array).copy(interpretation="rgb16" if array.dtype == np.uint16 else "srgb")
    if icc_profile:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc_profile)
    image.tiffsave(str(path))


@pytest.mark.parametrize("name", PROFILES)
def test_sixteen_bits_come_back_within_one_step(tmp_path, name):
    a = cube()
    tiff(tmp_path / "a.tif", a, PROFILES[name])
    photo = io.read(tmp_path / "a.tif")
    assert photo.about.profile == PROFILES[name]
    io.write(photo, tmp_path / "b.tif")
    back = pyvips.Image.tiffload(str(tmp_path / "b.tif"))
    assert back.get("icc-profile-data") == PROFILES[name]
    # ProPhoto's blue and green lie outside all visible colours: float32 leaves two steps there.
    limit = 2 if name == "prophoto" else 1
    assert np.abs(back.numpy().astype(int) - a.astype(int)).max() <= limit


@pytest.mark.parametrize("name", ["adobe", "p3", "rec2020", "table", "para4"])
def test_conversion_agrees_with_little_cms(tmp_path, name):
    """8-bit colours inside sRGB, against LittleCMS in Pillow."""
    rng = np.random.default_rng(3)
    a = (110 + rng.integers(-40, 40, (50, 50, 3))).astype(np.uint8)
    tiff(tmp_path / "a.tif", a, PROFILES[name])
    got = io.read(tmp_path / "a.tif").image[0].permute(1, 2, 0).numpy() * 255
    want = np.asarray(
        ImageCms.profileToProfile(
            Image.fromarray(a),
            ImageCms.ImageCmsProfile(bytes_io.BytesIO(PROFILES[name])),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        )
    )
    assert np.abs(got.clip(0, 255) - want).max() < 1.0


def test_wide_colours_are_kept_outside_the_range(tmp_path):
    tiff(tmp_path / "a.tif", np.full((4, 4, 3), [0, 65535, 0], np.uint16), PROFILES["adobe"])
    r, g, b = io.read(tmp_path / "a.tif").image[0, :, 0, 0].tolist()
    # import numpy as np; from helpers import *; from photochrom.io.icc import SRGB_D50
    # lin = np.linalg.inv(SRGB_D50) @ np.array(ADOBE)[1]; print(-(1.055 * abs(lin[0]) ** (1/2.4) - 0.055))  -> -0.664
    assert r == pytest.approx(-0.664, abs=2e-3)
    assert g == pytest.approx(1.0, abs=1e-3)
    assert b < -0.1


@pytest.mark.parametrize("name", PROFILES)
def test_greys_stay_grey(tmp_path, name):
    tiff(tmp_path / "a.tif", np.repeat(np.arange(0, 65536, 64, dtype=np.uint16)[None, :, None], 3, 2), PROFILES[name])
    x = io.read(tmp_path / "a.tif").image[0]
    assert float((x - x[:1]).abs().max()) < 3e-6


def test_srgb_in_many_guises_is_plain(tmp_path):
    hp = curv(
        *(
            round(65535 * (((i / 1023) + 0.055) / 1.055) ** 2.4) if i > 41 else round(i / 1023 / 12.92 * 65535)
            for i in range(1024)
        )
    )
    vips = pyvips.Image.profile_load("srgb")
    pil = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for blob in (None, vips, pil, profile(SRGB, SRGB_PARA), profile(SRGB, hp)):
        tiff(tmp_path / "a.tif", cube(17, extra=0), blob)
        with io.open_source(tmp_path / "a.tif") as source:
            assert source.plain
            assert io.encoder_for(source.about, "x.tif").plain
    for blob in (PROFILES["p3"], PROFILES["adobe"], profile(SRGB, curv(2.2)), profile(ADOBE, SRGB_PARA)):
        tiff(tmp_path / "a.tif", cube(17, extra=0), blob)
        with io.open_source(tmp_path / "a.tif") as source:
            assert not source.plain


def test_convert_to_srgb_on_writing(tmp_path):
    a = np.repeat(picture()[:, :, :1], 3, 2)
    tiff(tmp_path / "a.tif", picture(), PROFILES["p3"])
    photo = io.read(tmp_path / "a.tif")
    io.write(photo, tmp_path / "b.tif", profile="srgb")
    back = io.read(tmp_path / "b.tif")
    with io.open_source(tmp_path / "b.tif") as source:
        assert source.plain
        assert source.about.profile is not None
    assert float((back.image - photo.image.clamp(0, 1)).abs().max()) <= 0.5 / 255 + 1e-6
    assert a.shape == back.image[0].permute(1, 2, 0).shape


def test_grey_gamma_profile(tmp_path):
    a = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    image = pyvips.Image.new_from_array(a[..., 0]).copy(interpretation="grey16")
    blob = profile(curve=curv(2.2), space=b"GRAY")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", blob)
    image.tiffsave(str(tmp_path / "a.tif"))
    photo = io.read(tmp_path / "a.tif")
    assert photo.image.shape == (1, 1, 256, 256)
    x = 30000 / 65535
    want = 1.055 * (x ** (round(2.2 * 256) / 256)) ** (1 / 2.4) - 0.055
    assert float(photo.image.flatten()[30000]) == pytest.approx(want, abs=1e-5)
    io.write(photo, tmp_path / "b.tif")
    back = pyvips.Image.tiffload(str(tmp_path / "b.tif"))
    assert back.get("icc-profile-data") == blob
    assert np.abs(back.numpy().astype(int).reshape(a.shape) - a).max() <= 1


def test_cmyk_jpeg_reads_and_goes_back(tmp_path):
    rgb = Image.fromarray(picture())
    rgb.convert("CMYK").save(tmp_path / "a.jpg", quality=98)
    photo = io.read(tmp_path / "a.jpg")
    assert photo.about.cmyk
    assert photo.about.channels == 3
    # An untagged file means libvips' own CMYK profile; LittleCMS in Pillow evaluates the same one.
    want = ImageCms.profileToProfile(
        Image.open(tmp_path / "a.jpg"),
        ImageCms.ImageCmsProfile(bytes_io.BytesIO(pyvips.Image.profile_load("cmyk"))),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        outputMode="RGB",
    )
    got = photo.image[0].permute(1, 2, 0).numpy() * 255
    # Pillow clips at sRGB's border, a few saturated colours differ there.
    assert np.percentile(np.abs(got.clip(0, 255) - np.asarray(want, float)), 99) < 3
    io.write(photo, tmp_path / "b.jpg")
    with Image.open(tmp_path / "b.jpg") as back:
        assert back.mode == "CMYK"
    again = io.read(tmp_path / "b.jpg")
    assert float((again.image - photo.image).abs().mean()) < 0.02
    notes = io.write(photo, tmp_path / "b.png")
    assert any("CMYK" in n for n in notes)
    assert Image.open(tmp_path / "b.png").mode == "RGB"


def test_lookup_table_profile_goes_through_the_engine(tmp_path):
    """The built-in CMYK profile, embedded: white paper is white, full ink is dark."""
    blob = pyvips.Image.profile_load("cmyk")
    a = np.zeros((8, 8, 4), np.uint8)
    a[4:] = 255
    image = pyvips.Image.new_from_array(a).copy(interpretation="cmyk")
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", blob)
    image.tiffsave(str(tmp_path / "a.tif"))
    photo = io.read(tmp_path / "a.tif")
    assert photo.about.cmyk
    assert photo.about.profile == blob
    assert float(photo.image[..., 0, 0].min()) > 0.97
    assert float(photo.image[..., 7, 7].max()) < 0.1


def test_unreadable_profile_is_left_aside(tmp_path):
    tiff(tmp_path / "a.tif", picture(), b"\0" * 200)
    photo = io.read(tmp_path / "a.tif")
    assert photo.about.profile is None
    np.testing.assert_array_equal(np.round(photo.image[0].permute(1, 2, 0).numpy() * 255), picture())


def test_profile_of_another_kind_is_said():
    space, remark = profiles.space_for(profile(curve=curv(2.2), space=b"GRAY"), 3)
    assert space.plain
    assert "GRAY" in remark
    assert "cannot be understood" in profiles.space_for(b"\0" * 200, 3)[1]
    broken = PROFILES["adobe"].replace(b"curv", b"curb")
    assert "cannot be understood" in profiles.space_for(broken, 3)[1]


@pytest.mark.parametrize("name", PROFILES)
def test_extended_values_survive_the_profile(name):
    space, remark = profiles.space_for(PROFILES[name], 3)
    assert remark is None
    x = torch.rand(3, 40, 40, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.3
    back = space.from_working(space.to_working(x.clone()))
    # Dark values beside bright ones are limited by float32, see TOE_SLOPE.
    assert float((back - x).abs().max()) < 5e-5


def test_toe_changes_little():
    x = np.linspace(0, 0.05, 5001)
    curve = icc.Parametric(563 / 256)
    true = icc.evaluate(curve, x)
    ours = np.maximum(true, x * profiles.TOE_SLOPE)
    assert np.abs(12.92 * (ours - true)).max() < 0.14 / 255
