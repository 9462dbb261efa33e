"""Derivatives, edges and edge-keeping filters, beside OpenCV, SciPy and their definitions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage

import photochrom
from photochrom.core.errors import ControlError
from photochrom.num import edges
from photochrom.num.nearness import bilateral_exact

PHOTOS = Path(__file__).parents[4] / "shared" / "data" / "photos"


def picture(height=23, width=31, channels=3, batch=1, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, channels, height, width, generator=generator, dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("settings", [(1.0, 100, 200, "l1"), (1.4, 50, 120, "l2"), (0.7, 30, 90, "l1")])
def test_the_edges_of_photographs_are_those_of_opencv(settings):
    cv2 = pytest.importorskip("cv2")
    if not PHOTOS.exists():
        pytest.skip("needs ../shared/data/photos")
    sigma, low, high, norm = settings
    seen = 0
    for path in sorted(PHOTOS.glob("*.png")) + sorted(PHOTOS.glob("*.jpg")):
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if grey is None or grey.size > 1_000_000:
            continue
        expected = cv2.Canny(cv2.GaussianBlur(grey, (5, 5), sigma), low, high, L2gradient=norm == "l2")
        made = photochrom.canny(grey, sigma=sigma, low=low, high=high, norm=norm)
        np.testing.assert_array_equal(made, expected)
        as_floats = torch.from_numpy(grey)[None, None] / 255
        found = photochrom.canny(as_floats, sigma=sigma, low=low, high=high, norm=norm)
        np.testing.assert_array_equal(found[0, 0].numpy() * 255, expected)
        seen += 1
    assert seen >= 5


@pytest.mark.parametrize("squared", [False, True])
def test_the_kernel_gives_the_edges_of_the_definition(squared):
    smooth = edges.blurred_levels(picture(60, 70, 1), 1.0)
    low, high = torch.tensor([60.0]), torch.tensor([160.0])
    limits = (low[0] ** 2, high[0] ** 2) if squared else (low[0], high[0])
    expected = edges._linked(edges._thinned(smooth[0], *limits, squared))
    assert torch.equal(edges.thin_edges(smooth, low, high, squared)[0], expected)


def test_floating_edges_lie_where_those_of_levels_lie():
    ramp = torch.sigmoid((torch.arange(80.0) - 40) / 2).expand(1, 1, 60, 80)
    for arithmetic in ("8-bit", "float"):
        columns = photochrom.canny(ramp, arithmetic=arithmetic)[0, 0].nonzero()[:, 1]
        assert set(columns.tolist()) <= {39, 40}
        assert len(columns) == 60


def test_limits_as_fractions_and_by_themselves():
    image = picture(50, 60)
    dx, dy = edges.sobel_sums(edges.blurred_levels(image.mean(1, keepdim=True), 1.4).float())
    most = float((dx.abs() + dy.abs()).max())
    grey = image.mean(1, keepdim=True)
    assert torch.equal(photochrom.canny(grey, low=0.2, high=0.4, thresholds="fraction"),
                       photochrom.canny(grey, low=0.2 * most, high=0.4 * most))
    assert 0 < photochrom.canny(grey, thresholds="automatic").mean() < 0.4
    with pytest.raises(ControlError, match="low must not lie above high"):
        photochrom.canny(grey, low=300)


def test_soft_edges_have_a_slope_and_harden():
    image = picture(12, 14, 1, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda image: photochrom.canny(image, softness=40.0, norm="l2"), (image,))
    sharp = torch.zeros(1, 1, 20, 20)
    sharp[..., 10:] = 1
    assert photochrom.canny(sharp, softness=0.5).max() > 0.49   # a tie of two pixels
    flat = photochrom.canny(torch.full((1, 1, 9, 9), 0.5), softness=10.0)
    assert flat.max() < 1e-3


@pytest.mark.parametrize("scheme", ["sobel", "scharr", "prewitt", "central", "forward", "backward"])
@pytest.mark.parametrize("border", ["reflect", "replicate", "circular", "constant"])
def test_derivatives_are_the_correlations_that_define_them(scheme, border):
    mode = {"reflect": "mirror", "replicate": "nearest", "circular": "wrap", "constant": "constant"}[border]
    smooth, slope = (np.array(part) for part in edges.SCHEMES[scheme])
    image = picture(dtype=torch.float64)
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-6)):
        dx = photochrom.gradient(image.to(dtype), part="x", scheme=scheme, border=border)
        dy = photochrom.gradient(image.to(dtype), part="y", scheme=scheme, border=border)
        for c in range(3):
            plane = image[0, c].numpy()
            np.testing.assert_allclose(dx[0, c].numpy(), ndimage.correlate(plane, np.outer(smooth, slope), mode=mode),
                                       atol=tolerance)
            np.testing.assert_allclose(dy[0, c].numpy(), ndimage.correlate(plane, np.outer(slope, smooth), mode=mode),
                                       atol=tolerance)


def test_angles_are_turns_counter_clockwise_as_seen():
    rows, columns = torch.meshgrid(torch.arange(9.0), torch.arange(9.0), indexing="ij")
    for ramp, turn in ((columns, 0.0), (-rows, 0.25), (-columns, 0.5), (rows, 0.75), (columns - rows, 0.125)):
        found = photochrom.gradient(ramp[None, None] / 10, part="angle")
        assert found[0, 0, 4, 4].item() == pytest.approx(turn, abs=1e-6)


@pytest.mark.parametrize("neighbours", ["4", "8"])
def test_the_laplacian_is_its_sum(neighbours):
    weights = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]] if neighbours == "4" else [[1, 1, 1], [1, -8, 1], [1, 1, 1]])
    image = picture(dtype=torch.float64)
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 2e-6)):
        made = photochrom.laplacian(image.to(dtype), neighbours=neighbours)
        for c in range(3):
            expected = ndimage.correlate(image[0, c].numpy(), weights.astype(float), mode="mirror")
            np.testing.assert_allclose(made[0, c].numpy(), expected, atol=tolerance)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("border", ["reflect", "constant", "circular"])
def test_the_bilateral_mean_is_its_definition(channels, border):
    image = picture(12, 15, channels, dtype=torch.float64)
    expected = bilateral_exact(image, 1.3, 0.2, border)
    single = photochrom.bilateral(image.float(), sigma=1.3, sigma_range=0.2, border=border)
    np.testing.assert_allclose(single.double().numpy(), expected.numpy(), atol=2e-6)
    if border == "reflect":   # once more, pixel by pixel
        around = np.pad(image[0].numpy(), ((0, 0), (3, 3), (3, 3)), mode="reflect")
        total, sums = 0.0, 0.0
        for y in range(-3, 4):
            for x in range(-3, 4):
                if x * x + y * y <= 9:
                    there = around[:, 3 + 5 + y, 3 + 7 + x]
                    apart = ((there - image[0, :, 5, 7].numpy()) ** 2).sum()
                    weight = np.exp(-(x * x + y * y) / (2 * 1.3 ** 2) - apart / (2 * 0.2 ** 2))
                    total, sums = total + weight, sums + weight * there
        np.testing.assert_allclose(expected[0, :, 5, 7].numpy(), sums / total, atol=1e-12)


@pytest.mark.parametrize("guide_channels", [1, 3])
def test_the_guided_result_is_the_linear_fit_of_every_window(guide_channels):
    image, guide = picture(14, 16, 2, dtype=torch.float64), picture(14, 16, guide_channels, seed=5, dtype=torch.float64)
    made = photochrom.guided(image, guide, radius=2, eps=0.03, border="normalize")
    height, width = 14, 16
    sums, count = np.zeros((2, height, width)), np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            y, x = slice(max(0, i - 2), i + 3), slice(max(0, j - 2), j + 3)
            seen = guide[0, :, y, x].reshape(guide_channels, -1).numpy()
            spread = np.cov(seen, bias=True).reshape(guide_channels, guide_channels) + 0.03 * np.eye(guide_channels)
            for c in range(2):
                values = image[0, c, y, x].reshape(-1).numpy()
                a = np.linalg.solve(spread, ((seen - seen.mean(1, keepdims=True)) * (values - values.mean())).mean(1))
                b = values.mean() - a @ seen.mean(1)
                sums[c, y, x] += np.tensordot(a, guide[0, :, y, x].numpy(), 1) + b
            count[y, x] += 1
    # each pixel's mean over the windows it lies in
    np.testing.assert_allclose(made[0].numpy(), sums / count, atol=1e-9)


def test_a_guide_of_another_size_is_one_sentence():
    with pytest.raises(ControlError, match="guided: guide must have the size of the image"):
        photochrom.guided(picture(), picture(5, 6))


def test_not_a_number_stays_near():
    image = picture(40, 40)
    image[..., 20, 20] = torch.nan
    for name, reach in (("median", 1), ("bilateral", 4), ("gradient", 1), ("laplacian", 1)):
        lost = getattr(photochrom, name)(image)[0, 0].isnan().nonzero()
        assert len(lost) == 0 or (lost - 20).abs().max() <= reach


def test_the_median_of_eight_bits_is_exact_on_every_way():
    levels = np.random.default_rng(0).integers(0, 256, (40, 90, 3)).astype(np.uint8)
    expected = ndimage.median_filter(levels, (5, 5, 1), mode="mirror")
    np.testing.assert_array_equal(photochrom.median(levels, radius=2), expected)
    np.testing.assert_array_equal(photochrom.run(photochrom.Step(photochrom.median, radius=2), levels), expected)
    image = torch.from_numpy(levels).movedim(-1, 0)[None] / 255
    made = (photochrom.median(image, radius=2)[0].movedim(0, -1) * 255).round().numpy()
    np.testing.assert_array_equal(made, expected)


def test_a_pencil_draws_on_white_paper():
    image = torch.full((1, 3, 40, 40), 0.8)
    image[..., :20] = 0.3
    drawn = photochrom.sketch(image, shade=0.0)
    assert drawn.shape == (1, 1, 40, 40)
    assert drawn.min() < 0.5
    assert drawn[..., 30:].min() == 1
    assert drawn[..., 17:20].mean() < drawn[..., 20:23].mean()   # on the dark side of the edge


def test_high_boost_is_the_picture_less_its_blur():
    image = picture(dtype=torch.float64)
    expected = 1.7 * image - photochrom.gaussian(image, sigma=1.5)
    torch.testing.assert_close(photochrom.high_boost(image, boost=1.7, sigma=1.5), expected)


@pytest.mark.parametrize(("name", "values"), [("laplacian", {}), ("gradient", {"part": "x"}), ("bilateral", {}),
                                              ("guided", {}), ("gaussian", {})])
def test_forward_derivatives_are_not_lost(name, values):
    """A kernel knows no tangent: where one is asked for, the definition must run."""
    image, way = picture(), picture(seed=1)
    function = getattr(photochrom, name)
    with torch.autograd.forward_ad.dual_level():
        made = function(torch.autograd.forward_ad.make_dual(image, way), **values)
        slope = torch.autograd.forward_ad.unpack_dual(made).tangent
    assert slope is not None
    step = 1e-6 * way.double()
    expected = (function(image.double() + step, **values) - function(image.double() - step, **values)) / 2e-6
    torch.testing.assert_close(slope.double(), expected, atol=2e-4, rtol=0)
