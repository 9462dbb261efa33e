"""Fattal's tone mapping: the paper's equations written out and solved directly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import lsqr

import photochrom
from photochrom.color.srgb import linear_to_srgb
from photochrom.core.errors import ControlError


def scene(height=66, width=70):
    """A grey scene of three decades with texture, (1, 1, H, W), linear, float64."""
    noise = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    light = torch.full_like(noise, 0.01)
    light[..., 20:50, 30:] = 10
    return light * (1 + 0.3 * noise)


def phi(level, k, alpha, beta):
    """Equation 6, its gradients by central differences, the edge continued; a hundredth of alpha added."""
    wide = np.pad(level, 1, mode="edge")
    size = np.hypot(wide[1:-1, 2:] - wide[1:-1, :-2], wide[2:, 1:-1] - wide[:-2, 1:-1]) / 2 ** (k + 1)
    limit = alpha * size.mean()
    return limit / (size + 0.01 * limit) * ((size + 0.01 * limit) / limit) ** beta


def written_out(light, alpha=0.1, beta=0.85, clipped=0.5):
    """Two levels, which is what a picture of 66 x 70 pixels has."""
    fine = np.log(light + 1e-6)
    coarse = ndimage.correlate1d(ndimage.correlate1d(fine, np.array([1, 4, 6, 4, 1]) / 16, 0, mode="reflect"),
                                 np.array([1, 4, 6, 4, 1]) / 16, 1, mode="reflect")[::2, ::2]
    doubled = np.repeat(np.repeat(phi(coarse, 1, alpha, beta), 2, 0), 2, 1)
    # even samples take 1 6 1 / 8 of the coarse ones around, odd ones the mean of the two beside
    for axis in (0, 1):
        part = np.moveaxis(doubled, axis, 0)[::2]
        before, after = np.roll(part, 1, 0), np.roll(part, -1, 0)
        before[0], after[-1] = part[0], part[-1]
        mixed = np.stack([(before + 6 * part + after) / 8, (part + after) / 2], 1).reshape(-1, part.shape[1])
        doubled = np.moveaxis(mixed, 0, axis)
    gain = doubled * phi(fine, 0, alpha, beta)
    # the picture whose differences are nearest, all of them as one least-squares problem
    index = np.arange(fine.size).reshape(fine.shape)
    first = np.concatenate([index[:, :-1].ravel(), index[:-1].ravel()])
    second = np.concatenate([index[:, 1:].ravel(), index[1:].ravel()])
    rise = (fine.ravel()[second] - fine.ravel()[first]) * (gain.ravel()[second] + gain.ravel()[first]) / 2
    rows = np.arange(len(first))
    matrix = coo_matrix((np.repeat([-1.0, 1.0], len(rows)), (np.tile(rows, 2), np.concatenate([first, second]))))
    found = lsqr(matrix.tocsr(), rise, atol=1e-14, btol=1e-14, iter_lim=5000)[0]
    shown = np.exp(found)
    ordered = np.sort(shown)
    count = round(clipped / 100 * (len(ordered) - 1))
    low, high = ordered[count], ordered[-1 - count]
    return ((shown - low) / (high - low)).reshape(fine.shape)


def test_it_is_the_papers_equations():
    light = scene()
    found = photochrom.tonemap_fattal(linear_to_srgb(light))
    share = 1 / (1 + 1e-6 / light)   # what the luminance added before the logarithm takes from (C / L)^s
    expected = written_out(light[0, 0].numpy()) * share[0, 0].numpy() ** 0.5
    assert np.abs(found[0, 0].numpy() - expected).max() < 1e-6


def test_nothing_attenuated_is_the_scene_stretched():
    light = scene()
    found = photochrom.tonemap_fattal(linear_to_srgb(light), exponent=0.0, clipped=0.0, saturation=0.0)
    expected = (light - light.min()) / (light.max() - light.min())
    assert (found - expected).abs().max() < 1e-6


def test_a_bright_window_has_no_halo_and_its_surroundings_show():
    light = torch.full((1, 1, 128, 128), 0.01, dtype=torch.float64)
    light[..., 40:88, 64:] = 1000
    rows = torch.arange(128.0, dtype=torch.float64)[:, None]
    light = light * (1 + 0.05 * torch.sin(rows))
    row = photochrom.tonemap_fattal(linear_to_srgb(light), clipped=0.0)[0, 0, 64]
    assert bool((row.diff() > -0.02).all())   # from dark to light without dipping or overshooting
    texture = photochrom.tonemap_fattal(linear_to_srgb(light), clipped=0.0)[0, 0, :, 10]
    plain = photochrom.tonemap(linear_to_srgb(light), operator="reinhard")[0, 0, :, 10]
    assert texture[5:35].std() > 2 * plain[5:35].std()


def test_colour_is_a_power_of_its_share():
    light = scene() * torch.tensor([1.5, 0.9, 0.5], dtype=torch.float64)[:, None, None]
    grey = photochrom.tonemap_fattal(linear_to_srgb(light), saturation=0.0)
    made = photochrom.tonemap_fattal(linear_to_srgb(light), saturation=0.4)
    lum = 0.2126 * 1.5 + 0.7152 * 0.9 + 0.0722 * 0.5
    for channel, share in enumerate((1.5, 0.9, 0.5)):
        expected = grey[:, 0] * (share / lum) ** 0.4
        torch.testing.assert_close(made[:, channel], expected, rtol=1e-4, atol=1e-6)


def test_a_batch_is_its_pictures_and_bad_values_are_named():
    one, other = linear_to_srgb(scene()), linear_to_srgb(2 * scene().flip(-1))
    both = photochrom.tonemap_fattal(torch.cat([one, other]))
    assert torch.allclose(both, torch.cat([photochrom.tonemap_fattal(one), photochrom.tonemap_fattal(other)]))
    with pytest.raises(ControlError, match="tonemap_fattal: image must be finite"):
        photochrom.tonemap_fattal(one * torch.nan)
