from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from photochrom.core.registry import registry
from photochrom.engine.pictures import run
from photochrom.io.photo import Photo, read
from photochrom.studio.history import Entry, checked
from photochrom.studio.previews import Chain, Copy, encode, samples, scaled_copy, scaled_step, scaled_values, shares


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Smooth colours, 1600 x 1200, so that a smaller copy holds all there is."""
    y, x = np.mgrid[0:1200, 0:1600]
    bands = [np.sin(x / 170 + k) * np.cos(y / 130 - k) * 100 + 128 for k in range(3)]
    path = tmp_path / "smooth.png"
    Image.fromarray(np.dstack(bands).astype(np.uint8)).save(path, compress_level=1)
    return path


def entry(name: str, **values: object) -> Entry:
    return Entry(name, checked(registry.get(name), values))


def test_a_copy_is_small_and_shows_the_same(picture: Path) -> None:
    copy = scaled_copy(picture, 10**8, 120_000)
    height, width = copy.photo.image.shape[-2:]
    assert (height, width) == (300, 400)
    assert copy.scale == pytest.approx(0.25)
    whole = read(picture).image
    assert torch.allclose(copy.photo.image, torch.nn.functional.avg_pool2d(whole, 4), atol=1e-6)
    assert torch.equal(scaled_copy(picture, 10**8, 10**7).photo.image, whole)   # small pictures are taken as they are


@pytest.mark.parametrize(("name", "values"), [
    ("gaussian", {"sigma": 12.0}), ("box", {"radius": 20}), ("unsharp_mask", {"sigma": 16.0, "amount": 2.0}),
    ("crop", {"box": (200, 100, 1000, 900)}), ("resize", {"size": (600, 800)}), ("pad", {"left": 80, "top": 40}),
    ("affine", {"matrix": ((0.9, 0.1, 60.0), (-0.1, 0.9, 100.0))}), ("rotate", {"angle": 20.0}),
    ("perspective", {"matrix": ((1.0, 0.05, 20.0), (0.02, 0.95, 10.0), (1e-4, 5e-5, 1.0))}),
    ("lowpass", {"cutoff": 0.004, "unit": "pixel"}), ("lowpass", {"cutoff": 12.0}),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_preview_is_the_result_made_small(picture: Path, name: str, values: dict[str, object]) -> None:
    """All that is counted in pixels is scaled with the copy, so that both ways lead to the same picture."""
    copy = scaled_copy(picture, 10**8, 120_000)
    step = entry(name, **values)
    preview = Chain().run(copy, (step,), picture.parent).image
    small = torch.nn.functional.avg_pool2d(run(step.step(), read(picture)).image, 4)
    assert preview.shape[-2:] == small.shape[-2:]
    difference = (preview - small).abs()
    assert difference.median() < 0.004   # one level; geometry may differ by parts of a pixel along edges
    assert difference.mean() < 0.006


def test_what_is_not_counted_in_pixels_is_left(picture: Path) -> None:
    assert scaled_values(registry.get("clahe"), {"tiles": (8, 8)}, 0.1) == {"tiles": (8, 8)}
    assert scaled_values(registry.get("notch"), {"at": ((64.0, 0.0),), "unit": "picture"}, 0.1)["at"] == ((64.0, 0.0),)
    assert scaled_values(registry.get("box"), {"radius": 2}, 0.1) == {"radius": 0}
    assert scaled_values(registry.get("exposure"), {"stops": (0.5, 1.0, 2.0)}, 0.1) == {"stops": (0.5, 1.0, 2.0)}


def test_a_mask_is_scaled_with_the_copy(picture: Path) -> None:
    mask = np.zeros((1200, 1600), np.uint8)
    mask[:, 800:] = 255
    Image.fromarray(mask).save(picture.parent / "mask.png")
    copy = scaled_copy(picture, 10**8, 120_000)
    step = Entry("negative", {}, 1.0, {"mask": "mask.png"})
    found = Chain().run(copy, (step,), picture.parent).image
    assert torch.equal(found[..., :199], copy.photo.image[..., :199])
    assert torch.allclose(found[..., 201:], 1 - copy.photo.image[..., 201:])


def test_only_the_step_in_hand_is_run_again(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from photochrom.studio import previews

    copy, chain, ran = scaled_copy(picture, 10**8, 120_000), Chain(), []

    def noted(entry: Entry, *given: object) -> object:
        ran.append(entry.op)
        return scaled_step(entry, *given)   # type: ignore[arg-type]

    monkeypatch.setattr(previews, "scaled_step", noted)
    first = (entry("negative"), entry("gaussian"))
    chain.run(copy, (*first, entry("exposure", stops=1.0)), picture.parent)
    chain.run(copy, (*first, entry("exposure", stops=1.5)), picture.parent)
    chain.run(copy, (*first, entry("exposure", stops=1.0)), picture.parent)
    assert ran == ["negative", "gaussian", "exposure", "exposure"]


def test_a_mask_is_read_once(picture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Moving a control must not read a large mask again."""
    from photochrom.studio import previews

    Image.fromarray(np.full((1200, 1600), 128, np.uint8)).save(picture.parent / "mask.png")
    copy, chain, seen = scaled_copy(picture, 10**8, 120_000), Chain(), []
    monkeypatch.setattr(previews, "read_picture", lambda path: seen.append(path) or read(path))
    results = [chain.run(copy, (Entry("exposure", {"stops": stops}, 1.0, {"mask": "mask.png"}),), picture.parent).image
               for stops in (0.5, 1.0, 2.0)]
    assert len(seen) == 1
    assert results[0].mean() < results[1].mean() < results[2].mean()


def test_what_is_transparent_does_not_colour_the_copy(tmp_path: Path) -> None:
    samples_in = np.zeros((400, 400, 4), np.uint8)
    samples_in[:, ::2] = (250, 10, 10, 255)
    samples_in[:, 1::2] = (10, 250, 10, 0)   # hidden green
    Image.fromarray(samples_in).save(tmp_path / "alpha.png")
    photo = scaled_copy(tmp_path / "alpha.png", 10**8, 10_000).photo
    assert photo.alpha is not None
    assert photo.image[0, 0].min() > 0.9
    assert photo.image[0, 1].max() < 0.1


def test_pictures_reach_the_browser_unchanged() -> None:
    grid = torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(1))
    stored = samples(Photo(grid, None, read_about()))
    import io

    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode(stored)))), stored)
    assert np.array_equal(stored, np.rint(grid[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8))
    bands = shares(stored)
    assert set(bands) == {"red", "green", "blue"}
    assert max(max(parts) for parts in bands.values()) == 1.0


def read_about() -> object:
    from photochrom.io.about import About

    return About()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in registry.names() if registry.get(name).reach in ("pixel", "window")
                                  and registry.get(name).chains and not any(
                                      control.kind == "model" for control in registry.get(name).controls.values())
                                  and all(port.optional or port.kind == "table"
                                          for port in list(registry.get(name).ports.values())[1:])])
def test_a_preview_of_a_megapixel_is_there_at_once(name: str, tmp_path: Path) -> None:
    """The aim is 150 ms; twice that allows for a busy machine."""
    copy = Copy(Photo(torch.rand(1, 3, 1000, 1000), None, read_about()), 1.0)   # type: ignore[arg-type]
    tables = {port: "look.cube" for port, known in registry.get(name).ports.items() if known.kind == "table"}
    nodes = [f"{r / 16:.6f} {g / 16:.6f} {b / 16:.6f}" for b in range(17) for g in range(17) for r in range(17)]
    (tmp_path / "look.cube").write_text("\n".join(["LUT_3D_SIZE 17", *nodes]))
    spent, chain = [], Chain()
    for step in range(5):   # the strength differs, so that each preview is made
        began = time.perf_counter()
        encode(samples(chain.run(copy, (Entry(name, entry(name).values, 1 - step / 100, tables),), tmp_path)))
        spent.append(time.perf_counter() - began)
    assert min(spent) < 0.3
