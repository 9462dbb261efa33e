"""The weights in the package: each gives the figures of its card, by the judge of the training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from photochrom.learn.config import Degrade, load_config
from photochrom.learn.judge import Judge
from photochrom.learn.patches import original, picture_files
from photochrom.nets.descriptor import Descriptor
from photochrom.nets.weights import SHIPPED, load, shipped

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
LARGE = {"BSD68", "Set14"}
"""Sets that take long."""


def _cases() -> list:
    cases = []
    for known in shipped():
        for name, figure in known.figures.items():
            marks = [pytest.mark.slow] if name.split()[0] in LARGE else []
            cases.append(pytest.param(known, name, figure, id=f"{known.name}-{name.replace(' ', '-')}", marks=marks))
    return cases


def test_all_weights_have_a_configuration_and_a_card() -> None:
    assert {known.name for known in shipped()} == {path.stem for path in SHIPPED.glob("*.safetensors")}
    assert {known.name for known in shipped()} <= {path.stem for path in (ROOT / "training").glob("*.toml")}
    for known in shipped():
        card = (SHIPPED / f"{known.name}.md").read_text(encoding="utf-8")
        for fact in (known.sha256, known.data, known.data_licence, known.protocol, *known.figures):
            assert fact in card, (known.name, fact)


@pytest.mark.parametrize("known", shipped(), ids=lambda known: known.name)
def test_descriptions_agree_with_the_configurations(known: Descriptor) -> None:
    from photochrom.learn.rules import descriptor_of

    told = descriptor_of(load_config(ROOT / "training" / f"{known.name}.toml"), known.figures)
    assert replace(known, sha256="", halo=None) == replace(told, sha256="", halo=None)


def _as_png(folder: Path, place: Path) -> list[Path]:
    """Return copies of bitmaps, which are not read here."""
    for path in sorted(folder.glob("*.bmp")):
        Image.open(path).save(place / f"{path.stem}.png")
    return sorted(place.glob("*.png"))


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")
@pytest.mark.parametrize(("known", "name", "figure"), _cases())
def test_the_figures_are_met(known: Descriptor, name: str, figure: float, tmp_path: Path) -> None:
    config = load_config(ROOT / "training" / f"{known.name}.toml")
    place, *rest = name.removesuffix(" PSNR").split()
    folder = {"Set5": DATA / "sr" / "Set5" / (rest[0] if rest else "")}.get(
        place, DATA / ("sr" if known.task == "upscale" else "denoise") / place)
    if known.task == "denoise":
        config = replace(config, judged=(Degrade("add_noise", "patch", {"sigma": float(rest[1])}),))
    elif known.task == "deblock":
        config = replace(config, judged=(Degrade("compress_jpeg", "patch", {"quality": int(rest[1])}),))
    files = picture_files([folder], "validation") if known.task != "deblock" else _as_png(folder, tmp_path)
    pictures = [original(path, known.channels) for path in files]
    network = load(known.name)
    with torch.no_grad():
        found = Judge(pictures, config).judge(lambda image, scale: network(image)).mean
    assert found == pytest.approx(figure, abs=0.005)
