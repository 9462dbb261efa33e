"""Smoothing by weighted least squares: the authors' system solved directly, detail, edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

import photochrom
from photochrom.core.errors import ControlError


def picture(height=20, width=26, dtype=torch.float64):
    made = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 0.1 + 0.2
    made[..., width // 2:] += 0.5
    return made.to(dtype)


def direct(image, smoothing, exponent):
    """Equation 3 of the paper with the weights of wlsFilter.m, by a sparse direct solver; image (C, H, W)."""
    _, height, width = image.shape
    light = np.log(np.tensordot([0.299, 0.587, 0.114], image, 1) + 1e-4)
    rows, columns, values = [], [], []
    for i in range(height):
        for j in range(width):
            here = i * width + j
            rows.append(here), columns.append(here), values.append(1.0)
            for a, b in ((i, j + 1), (i + 1, j)):
                if a < height and b < width:
                    there = a * width + b
                    weight = smoothing / (abs(light[i, j] - light[a, b]) ** exponent + 1e-4)
                    rows += [here, there, here, there]
                    columns += [here, there, there, here]
                    values += [weight, weight, -weight, -weight]
    matrix = coo_matrix((values, (rows, columns))).tocsc()
    return np.stack([spsolve(matrix, plane.ravel()).reshape(height, width) for plane in image])


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 0.1 / 255)])
@pytest.mark.parametrize(("smoothing", "exponent"), [(1.0, 1.2), (0.1, 2.0), (30.0, 1.5)])
def test_it_solves_the_equations_of_the_paper(dtype, tolerance, smoothing, exponent):
    image = picture(dtype=dtype)
    made = photochrom.smooth_wls(image, smoothing=smoothing, exponent=exponent)
    assert np.abs(made[0].double().numpy() - direct(image[0].double().numpy(), smoothing, exponent)).max() < tolerance


def test_detail_is_removed_kept_or_boosted():
    image = picture()
    base = photochrom.smooth_wls(image)
    assert torch.equal(photochrom.smooth_wls(image, detail=1), image)
    torch.testing.assert_close(photochrom.smooth_wls(image, detail=3), base + 3 * (image - base))
    torch.testing.assert_close(base.mean((2, 3)), image.mean((2, 3)))


def test_texture_goes_and_the_edge_stays():
    image = picture()
    made = photochrom.smooth_wls(image, smoothing=0.3)
    assert made[..., :12].std() < 0.6 * image[..., :12].std()
    assert (made[..., 13] - made[..., 12]).mean() > 0.8 * (image[..., 13] - image[..., 12]).mean()


def test_not_a_number_is_named():
    with pytest.raises(ControlError, match="image must be finite"):
        photochrom.smooth_wls(picture() * torch.nan)
