"""Views: the arrays that are plotted, the files that are written, what is refused."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from photochrom.cli.viewing import make_view, split_words
from photochrom.core.errors import ControlError, FileError

pytest.importorskip("matplotlib", reason="views need matplotlib")


@pytest.fixture
def photo(tmp_path: Path, coffee: np.ndarray) -> Path:
    path = tmp_path / "coffee.png"
    Image.fromarray(coffee).save(path)
    return path


@pytest.fixture
def dark(tmp_path: Path, coffee: np.ndarray) -> Path:
    path = tmp_path / "dark.png"
    Image.fromarray(coffee // 2).save(path)
    return path


SIZES = {"histogram": (960, 520), "curves": (760, 680), "surface": (960, 720), "cloud": (1120, 600)}


@pytest.mark.parametrize("kind", ["histogram", "curves", "surface", "cloud", "sheet", "difference", "spectrum",
                                  "pyramid"])
@pytest.mark.parametrize("ending", ["png", "svg"])
def test_every_view_is_written(photo: Path, dark: Path, kind: str, ending: str) -> None:
    out = photo.with_name(f"view.{ending}")
    words = {"curves": ["power", "--gamma", "0.5,1,2"], "difference": [str(photo), str(dark)],
             "sheet": [str(photo), str(dark), "--columns", "2"]}.get(kind, [str(photo)])
    make_view(kind, words, out, False)
    if ending == "png":
        with Image.open(out) as made:
            assert kind not in SIZES or made.size == SIZES[kind]
            assert len(np.unique(np.asarray(made.convert("RGB")).reshape(-1, 3), axis=0)) > 20
    else:
        root = ElementTree.parse(out).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert len(list(root.iter())) > 1
    with pytest.raises(FileError):
        make_view(kind, words, out, False)
    make_view(kind, words, out, True)


def test_the_shares_are_those_of_the_picture(coffee: np.ndarray) -> None:
    from photochrom.views.histogram import shares, visible_top

    found = shares(torch.from_numpy(coffee / np.float32(255)).movedim(-1, 0)[None], 256)
    for band, name in enumerate(("red", "green", "blue")):
        expected = np.bincount(coffee[..., band].ravel(), minlength=256) / coffee[..., 0].size * 100
        assert np.allclose(found[name], expected)
    assert found["luminance"].sum() == pytest.approx(100)
    assert set(shares(torch.rand(1, 1, 5, 5), 4)) == {"luminance", "below", "above"}
    flat, spike = np.ones(256), np.ones(256)
    spike[0] = 60
    assert 1 < visible_top([flat]) < 1.2
    assert visible_top([spike]) < 2
    assert visible_top([np.zeros(256)]) > 0


def test_curves_are_what_the_operation_does() -> None:
    from photochrom.views.curves import POINTS, family

    title, curves = family("power", {"gamma": "0.04,1,25", "coefficient": "0.5"})
    x = np.linspace(0, 1, POINTS)
    assert [label for label, _ in curves] == ["gamma = 0.04", "gamma = 1", "gamma = 25"]
    for gamma, (_, values) in zip((0.04, 1, 25), curves, strict=True):
        assert np.allclose(values, 0.5 * x ** gamma, atol=1e-6)
    assert "coefficient 0.5" in title
    assert np.allclose(family("negative", {})[1][0][1], 1 - x, atol=1e-6)
    for name, texts, word in (("gaussian", {}, "not a curve"), ("pwer", {}, "did you mean 'power'"),
                              ("power", {"gama": "1"}, "did you mean 'gamma'"),
                              ("power", {"gamma": "1,x"}, "a finite number"),
                              ("power", {"gamma": "1,2", "coefficient": "1,2"}, "one control")):
        with pytest.raises(ControlError, match=word):
            family(name, texts)


def test_the_basic_plate_is_that_of_the_book() -> None:
    from photochrom.core.registry import registry
    from photochrom.views.curves import BASIC, transfer_curve

    curves = {label: transfer_curve(registry.get(name), values) for label, name, values in BASIC}
    assert np.abs(curves["nth root"] ** 3 - curves["identity"]).max() < 1e-5
    inner = slice(20, -20)
    assert (curves["log"][inner] > curves["identity"][inner]).all()
    assert (curves["inverse log"][inner] < curves["identity"][inner]).all()


def test_heights_are_luminance(photo: Path, coffee: np.ndarray) -> None:
    from photochrom.views.surface import heights

    height, colours = heights(photo, 150)
    assert np.abs(height - coffee @ [0.299, 0.587, 0.114] / 255).max() < 1e-6
    assert np.abs(colours - coffee / 255).max() < 1e-6
    small, _ = heights(photo, 30)
    assert small.shape == (20, 30)
    assert abs(small.mean() - height.mean()) < 1e-5


def test_the_cloud_is_of_the_picture(coffee: np.ndarray) -> None:
    skimage_color = pytest.importorskip("skimage.color")
    from photochrom.views.cloud import colours

    image = torch.from_numpy(coffee / np.float32(255)).movedim(-1, 0)[None]
    rgb, lab = colours(image, 500)
    assert rgb.shape == lab.shape == (500, 3)
    known = {tuple(colour) for colour in coffee.reshape(-1, 3)}
    assert {tuple(colour) for colour in np.rint(rgb * 255).astype(np.uint8)} <= known
    assert np.abs(skimage_color.rgb2lab(rgb) - lab).max() < 0.05
    every, _ = colours(image, 10**6)
    assert len(every) == coffee[..., 0].size
    grey, lab = colours(torch.rand(1, 1, 4, 4))
    assert np.abs(lab[:, 1:]).max() < 1e-2
    assert (grey[:, 0] == grey[:, 2]).all()


def test_the_difference_is_measured() -> None:
    from photochrom.views.difference import difference

    before, after = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    after[0, 1, 0, 1] = 10 / 255
    found = difference(before, after)
    assert np.abs(found.map - [[0, 10], [0, 0]]).max() < 1e-5
    assert found.largest == pytest.approx(10)
    assert found.psnr == pytest.approx(10 * np.log10(255**2 / (100 / 12)))
    assert difference(before, before).psnr == np.inf
    with pytest.raises(ControlError, match="one size"):
        difference(before, torch.zeros(1, 3, 2, 3))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (30, 2)])
@pytest.mark.parametrize("kind", ["histogram", "surface", "cloud", "sheet", "difference", "spectrum", "pyramid"])
def test_tiny_and_single_coloured_pictures_are_drawn(tmp_path: Path, kind: str, size: tuple[int, int]) -> None:
    path = tmp_path / "one.png"
    Image.fromarray(np.full(size, 90, np.uint8)).save(path)
    make_view(kind, [str(path)] * (2 if kind == "difference" else 1), tmp_path / "out.png", False)
    assert (tmp_path / "out.png").stat().st_size > 0


def test_wrong_words_are_refused(photo: Path) -> None:
    out = photo.with_name("out.png")
    for kind, words, target, match in (
            ("histgram", [str(photo)], out, "did you mean 'histogram'"),
            ("histogram", [], out, "takes one picture, or two"),
            ("histogram", [str(photo), "--bin", "3"], out, "did you mean 'bins'"),
            ("histogram", [str(photo), "--bins", "1"], out, "between 2 and 4096"),
            ("difference", [str(photo)], out, "takes two pictures"),
            ("cloud", [str(photo), "--points"], out, "needs a value"),
            ("cloud", [str(photo)], out.with_suffix(".jpg"), ".png or .svg"),
            ("cloud", ["nowhere.png"], out, "nowhere.png")):
        with pytest.raises((ControlError, FileError), match=match) as error:
            make_view(kind, words, target, False)
        assert "\n" not in str(error.value)
    assert not out.exists()
    assert split_words(["a", "--gamma=-1,2", "b"]) == (["a", "b"], {"gamma": "-1,2"})


def test_without_matplotlib_one_sentence_says_so(photo: Path) -> None:
    code = ("import sys; sys.modules['matplotlib'] = None\n"
            f"sys.argv = ['photochrom', 'view', 'cloud', {str(photo)!r}, '-o', {str(photo.with_name('c.png'))!r}]\n"
            "from photochrom.cli.main import main; main()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines() == [
        "photochrom: views need matplotlib, which is not installed; pip install 'photochrom[views]'"]


def test_the_spectrum_shows_a_wave_where_its_frequency_lies() -> None:
    from photochrom.views.spectrum import decibels

    wave = torch.cos(2 * torch.pi * 5 * torch.arange(40) / 40).expand(1, 1, 32, 40)
    drawn = decibels(0.5 + 0.25 * wave)
    lit = {(int(y) - 16, int(x) - 20) for y, x in np.argwhere(drawn > 0)}
    assert lit == {(0, 0), (0, 5), (0, -5)}
    # power of a cosine: a^2 / 4 of each of 32 x 40 pixels to each side, against noise of 1 / 255
    assert abs(drawn[16, 25] - 10 * np.log10(0.25**2 / 4 * 32 * 40 * 255**2)) < 1e-4
    assert decibels(torch.rand(1, 3, 900, 1200)).shape == (540, 720)


def test_the_bands_of_a_pyramid_add_up_to_the_picture() -> None:
    from photochrom.views.pyramid import pyramids

    image = torch.rand(1, 3, 45, 70, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = pyramids(image, 4)
    assert [tuple(part.shape[-2:]) for part in found.kept] == [(45, 70), (23, 35), (12, 18), (6, 9)]
    assert found.apart < 1e-14
    assert torch.equal(found.lost[-1], found.kept[-1])
    with pytest.raises(ControlError, match="at most 5 levels"):
        pyramids(image, 6)
