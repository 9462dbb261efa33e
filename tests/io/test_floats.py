"""OpenEXR and Radiance HDR: linear light, associated alpha, stated primaries."""

import numpy as np
import OpenImageIO as oiio  # noqa: N813
import pytest
import torch

from photochrom import io


def save(path, array, kind="float", **attributes):
    h, w, n = array.shape
    spec = oiio.ImageSpec(w, h, n, kind)
    spec.channelnames = {1: ["Y"], 2: ["Y", "A"], 3: ["R", "G", "B"], 4: ["R", "G", "B", "A"], 5: list("RGBAZ")}[n]
    tile = attributes.pop("tile", 0)
    if tile:
        spec.tile_width = spec.tile_height = tile
    for k, v in attributes.items():
        spec.attribute(k, *v) if isinstance(v, tuple) else spec.attribute(k, v)
    out = oiio.ImageOutput.create(str(path))
    assert out.open(str(path), spec), out.geterror()
    assert out.write_image(array)
    out.close()


def load(path):
    file = oiio.ImageInput.open(str(path))
    return file.spec(), np.asarray(file.read_image("float"))


def light(bands=3, seed=0):
    return np.random.default_rng(seed).uniform(0, 20, (45, 70, bands)).astype(np.float32)


def test_linear_light_becomes_encoded(tmp_path):
    a = np.full((4, 4, 3), 0.18, np.float32)
    a[0, 0], a[1, 1] = -0.18, 4.0
    save(tmp_path / "a.exr", a)
    x = io.read(tmp_path / "a.exr").image[0, 0]
    # 1.055 * 0.18 ** (1 / 2.4) - 0.055, and with 4
    assert float(x[3, 3]) == pytest.approx(0.461356, abs=1e-5)
    assert float(x[0, 0]) == pytest.approx(-0.461356, abs=1e-5)
    assert float(x[1, 1]) == pytest.approx(1.824794, abs=1e-5)


@pytest.mark.parametrize("kind", ["half", "float"])
@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_exr_comes_back(tmp_path, bands, kind):
    a = light(bands)
    if bands in (2, 4):
        a[..., -1] = np.clip(a[..., -1] / 20, 0.1, 1)
        a[..., :-1] *= a[..., -1:]
    save(tmp_path / "a.exr", a, kind)
    spec, a = load(tmp_path / "a.exr")
    photo = io.read(tmp_path / "a.exr")
    assert photo.about.depth == {"half": "float16", "float": "float32"}[kind]
    assert photo.image.shape[1] == (1 if bands < 3 else 3)
    io.write(photo, tmp_path / "b.exr")
    spec, b = load(tmp_path / "b.exr")
    assert str(spec.format) == kind
    assert list(spec.channelnames) == {1: ["Y"], 2: ["Y", "A"], 3: list("RGB"), 4: list("RGBA")}[bands]
    np.testing.assert_allclose(b, a, rtol=2e-3 if kind == "half" else 3e-6)


def test_alpha_is_unassociated_inside(tmp_path):
    a = np.zeros((2, 2, 4), np.float32)
    a[0, 0] = 0.25, 0.25, 0.25, 0.5
    a[1, 1] = 0.5, 0.5, 0.5, 0.0
    save(tmp_path / "a.exr", a)
    photo = io.read(tmp_path / "a.exr")
    # 0.25 / 0.5 = 0.5, encoded 0.735357
    assert float(photo.image[0, 0, 0, 0]) == pytest.approx(0.735357, abs=1e-5)
    assert float(photo.alpha[0, 0, 0, 0]) == 0.5
    assert float(photo.image[0, 0, 1, 1]) == pytest.approx(0.735357, abs=1e-5)


def test_stated_chromaticities_are_honoured(tmp_path):
    a = light() / 20
    rec2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)
    save(tmp_path / "a.exr", a, chromaticities=(oiio.TypeDesc("float[8]"), rec2020))
    a[:] = 0.5
    a[0, 0] = 1, 0, 0
    save(tmp_path / "b.exr", a, chromaticities=(oiio.TypeDesc("float[8]"), rec2020))
    x = io.read(tmp_path / "b.exr").image[0]
    assert float((x[:, 5, 5] - 0.735357).abs().max()) < 1e-4
    # Rec.2020 red in linear sRGB is (1.6605, -0.1246, -0.0182) (ITU-R BT.2087)
    linear = [1.6605, -0.1246, -0.0182]
    want = [np.sign(v) * (1.055 * abs(v) ** (1 / 2.4) - 0.055) for v in linear]
    assert x[:, 0, 0].tolist() == pytest.approx(want, abs=3e-3)


def test_tiles_and_other_channels(tmp_path):
    a = light(5)
    save(tmp_path / "a.exr", a, tile=16)
    photo = io.read(tmp_path / "a.exr")
    assert any("channel" in n for n in photo.about.notes)
    save(tmp_path / "b.exr", np.ascontiguousarray(a[..., :4]))
    assert torch.equal(photo.image, io.read(tmp_path / "b.exr").image)
    with io.open_source(tmp_path / "a.exr") as source:
        parts = [source.rows(y, min(45, y + 7)) for y in range(0, 45, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), a[..., :4])


def test_not_finite_in_exr(tmp_path):
    a = light()
    a[3, 3], a[4, 4, 0] = np.nan, np.inf
    save(tmp_path / "a.exr", a)
    photo = io.read(tmp_path / "a.exr")
    assert torch.isfinite(photo.image).all()
    assert any(n.startswith("4 samples were not finite: NaN became 0, infinity 65504") for n in photo.about.notes)


def test_radiance_comes_back_within_its_mantissa(tmp_path):
    a = light()
    save(tmp_path / "a.hdr", a)
    photo = io.read(tmp_path / "a.hdr")
    assert photo.about.format == "hdr"
    notes = io.write(photo, tmp_path / "b.hdr")
    assert notes
    got = load(tmp_path / "b.hdr")[1]
    assert np.abs(got - a).max() <= 20 / 64


def test_exr_to_png_and_back_to_exr(tmp_path):
    save(tmp_path / "a.exr", light() / 20)
    photo = io.read(tmp_path / "a.exr")
    io.write(photo, tmp_path / "a.png")
    back = io.read(tmp_path / "a.png")
    assert back.about.depth == "uint16"
    assert float((back.image - photo.image).abs().max()) < 1e-5
    io.write(back, tmp_path / "b.exr")
    np.testing.assert_allclose(load(tmp_path / "b.exr")[1], load(tmp_path / "a.exr")[1], atol=4e-5)
