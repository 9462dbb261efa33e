"""Response curve, merging, dynamic range: against what was put in, a literal gsolve, and published radiance."""

import math

import numpy as np
import pytest
import torch

import photochrom
from photochrom.color.srgb import srgb_to_linear
from photochrom.core.errors import ControlError
from photochrom.num.exposures import fog, hat, radiance, solve_response
from tests.ops.hdr.stacks import TIMES, scene, shared, shots


def gsolve(levels, log_times, smoothness, count):
    """Debevec and Malik's program, row by row: levels (I, J) whole numbers."""
    pixels, pictures = levels.shape
    rows, right = [], []
    weight = np.minimum(np.arange(count), count - 1 - np.arange(count))
    for i in range(pixels):
        for j in range(pictures):
            row, w = np.zeros(count + pixels), weight[levels[i, j]]
            row[levels[i, j]], row[count + i] = w, -w
            rows.append(row)
            right.append(w * log_times[j])
    row = np.zeros(count + pixels)
    row[count // 2] = 1
    rows.append(row)
    right.append(0)
    for z in range(1, count - 1):
        row = np.zeros(count + pixels)
        row[z - 1 : z + 2] = math.sqrt(smoothness) * weight[z] * np.array([1, -2, 1])
        rows.append(row)
        right.append(0)
    return np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0][:count]


def test_the_response_is_that_of_the_papers_program():
    log_times = np.log([0.25, 0.5, 1, 2])
    light = np.random.default_rng(1).uniform(0.02, 1.5, 40)
    levels = np.round(np.clip(light[:, None] * np.exp(log_times), 0, 1) ** 0.5 * 31).astype(int)
    expected = gsolve(levels, log_times, 2.0, 32)
    found = solve_response(torch.from_numpy(levels / 31), torch.from_numpy(log_times), 32, 2.0, torch.zeros(32))
    assert np.abs(found.numpy() - expected).max() < 1e-4


def test_the_response_of_a_known_camera_is_found():
    curve = photochrom.response_curve(shots(scene()), TIMES).log_exposure[0]
    z = torch.arange(20, 236) / 255
    expected = 2.2 * (z / (128 / 255)).log()
    assert (curve[20:236] - expected).abs().max() < 0.1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_radiance_that_was_put_in_comes_out(dtype):
    light = scene()
    merged = photochrom.merge_hdr([shot.to(dtype) for shot in shots(light)], TIMES)
    found = srgb_to_linear(merged.double())
    ratio = (found / light).log()
    caught = (light * TIMES.max() > 0.02) & (light * TIMES.min() < 0.9)
    assert merged.dtype == dtype
    assert (ratio - ratio[caught].median())[caught].abs().max() < 0.1


def test_kernel_and_definition_give_the_same_numbers():
    light = scene(40, 50)
    pictures = [*shots(light), torch.zeros_like(light), torch.ones_like(light)]
    times, table = torch.arange(6.0), torch.linspace(-4, 1, 512).square().mul(-0.1).repeat(3, 1)
    black = torch.tensor([0.0, 0.05, 0.1])
    fast = radiance([part.float() for part in pictures], times, table, black)
    assert (fast - radiance(pictures, times, table, black)).abs().max() < 1e-5


def test_clipped_pixels_take_the_bound_that_is_left():
    times = torch.tensor([1.0, 4.0])
    def light(*levels):
        return srgb_to_linear(photochrom.merge_hdr([torch.full((1, 1, 1, 1), v) for v in levels], times,
                                                   assume="linear")).item()
    assert light(1.0, 1.0) == pytest.approx(1, rel=1e-4)
    assert light(0.0, 0.0) == pytest.approx(0.5 / 4095 / 4, rel=1e-4)
    assert light(0.0, 1.0) == pytest.approx(math.sqrt(0.5 / 4095 * 0.25), rel=1e-4)
    assert light(0.2, 0.8) == pytest.approx(0.2, rel=1e-4)


@pytest.mark.parametrize("level", [0.0, 1.0, -3.0, 1e30, math.nan])
def test_hopeless_stacks_give_finite_light(level):
    stack = [torch.full((1, 3, 5, 4), level)] * 3
    merged = photochrom.merge_hdr(stack, torch.tensor([0.1, 1.0, 10.0]))
    assert merged.isfinite().all() or math.isnan(level)
    assert photochrom.fuse_exposures(stack).isfinite().all() or level == 1e30 or math.isnan(level)


def test_slopes_are_finite_and_right():
    pictures = [part.requires_grad_() for part in shots(scene(10, 10)[..., :3, :2], TIMES[:2])]
    pictures = [(part.detach() * 0.8 + 0.1003).requires_grad_() for part in pictures]
    assert torch.autograd.gradcheck(lambda *p: photochrom.merge_hdr(list(p), TIMES[:2], assume="srgb", fog="none"),
                                    pictures)


def test_fog_is_what_does_not_grow():
    times = torch.exp2(torch.arange(-5.0, 2))
    clean = torch.stack([part.flatten(2)[0] for part in shots(scene() / 4, times)], -1)
    foggy = (clean * 255).clamp(min=20).round() / 255
    assert (fog(clean, times.log()) * 255).max() <= 2
    assert (fog(foggy, times.log()) * 255).round().tolist() == [20, 20, 20]
    assert hat(torch.tensor([20.0, 21.0, 255.0]), 255.0, 20.0).tolist() == [0, 1, 0]


@pytest.mark.parametrize(("times", "words"), [
    (None, "needs times"), ([1.0], "one for each"), ([1.0, 0.0], "above 0"), ([1.0, -2.0], "above 0"),
    ([1.0, math.nan], "finite"), ([2.0, 2.0], "one exposure time"),
])
def test_bad_times_are_one_sentence(times, words):
    stack = [torch.full((1, 3, 4, 4), 0.3), torch.full((1, 3, 4, 4), 0.6)]
    with pytest.raises(ControlError, match=words):
        photochrom.merge_hdr(stack, times)
    with pytest.raises(ControlError):
        photochrom.response_curve(stack, times)


def test_other_bad_input_is_one_sentence():
    one = torch.full((1, 3, 4, 4), 0.3)
    with pytest.raises(ControlError, match="one size"):
        photochrom.merge_hdr([one, one[..., :3]], [1, 2])
    with pytest.raises(ControlError, match="response"):
        photochrom.merge_hdr([one, one], [1, 2], [math.nan] * 256)
    assert photochrom.merge_hdr([one], [1.0], assume="srgb").mean().item() == pytest.approx(0.3, abs=1e-4)


def test_memorial_agrees_with_the_published_radiance():
    from photochrom.cli.series import exposure_times
    from photochrom.io import read

    folder = shared("memorial")
    files = sorted(folder.glob("*.png"))
    stack = [read(file).image for file in files]
    times = exposure_times(str(folder / "image_list.txt"), files, [], "test")
    found = srgb_to_linear(photochrom.merge_hdr(stack, times))[0].log()
    known = srgb_to_linear(read(folder / "memorial.exr").image)[0].log()
    pictures = torch.cat(stack)
    blue = ((pictures[:, 2] > 0.9) & (pictures[:, :2] < 0.1).all(1)).any(0)
    border = torch.nn.functional.max_pool2d(blue[None, None].float(), 5, 1, 2)[0, 0] > 0
    caught = ((pictures > 0) & (pictures < 1)).any(0) & ~border
    for channel in range(3):
        pair = torch.stack([found[channel][caught[channel]], known[channel][caught[channel]]])
        assert torch.corrcoef(pair)[0, 1] > 0.998


def test_garden_keeps_its_error_in_every_stop():
    from photochrom.io import read

    folder = shared("Garden")
    files = sorted(folder.glob("*.png"))
    times = [float(file.stem[-5:]) for file in files]
    found = srgb_to_linear(photochrom.merge_hdr([read(file).image for file in files], times)).log()
    known = srgb_to_linear(read(folder / "Garden.exr").image).log()
    apart = found - known
    apart -= apart.median()
    stops = ((known - known.max()) / math.log(2)).floor().long()
    for stop in stops.unique():
        assert apart[stops == stop].square().mean().sqrt() < 0.1, f"{int(stop)} stops below the brightest"


def test_stops_are_counted():
    light = torch.tensor([1 / 64, 1 / 4, 1.0, 2.0]).double().reshape(1, 1, 1, 4)
    found = photochrom.dynamic_range(photochrom.exposure(photochrom.exposure(light, stops=0), stops=0), clipped=0)
    assert found.stops.shape == (1,)
    from photochrom.color.srgb import linear_to_srgb

    found = photochrom.dynamic_range(torch.cat([linear_to_srgb(light), torch.zeros(1, 1, 1, 4)], 2), clipped=0)
    assert found.stops.item() == pytest.approx(7)
    assert found.black.item() == 0.5
    assert photochrom.dynamic_range(torch.zeros(1, 3, 2, 2)).stops.item() == 0
