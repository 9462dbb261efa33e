"""Fusion, pyramids, alignment: against a published picture, OpenCV and moves that were made."""

import numpy as np
import pytest
import torch

import photochrom
from photochrom.num.exposures import fusion_weights
from photochrom.num.pyramids import blend, collapse, expand, laplacian_pyramid, reduce
from tests.ops.hdr.stacks import scene, shared, shots


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 1), (33, 50)])
def test_kernels_and_definitions_give_the_same_numbers(size):
    stack = torch.rand(3, 3, *size, generator=torch.Generator().manual_seed(2))
    assert (reduce(stack) - reduce(stack.double())).abs().max() < 1e-6
    shares = fusion_weights(stack.double(), 1, 1, 1)
    assert (fusion_weights(stack, 1, 1, 1) - shares).abs().max() < 1e-3
    assert (fusion_weights(stack, 0.5, 2, 0) - fusion_weights(stack.double(), 0.5, 2, 0)).abs().max() < 1e-3
    assert (blend(stack, shares.float()) - blend(stack.double(), shares)).abs().max() < 1e-5


def test_pyramids_undo_themselves_and_keep_a_constant():
    picture = torch.rand(1, 2, 37, 22, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    assert (collapse(laplacian_pyramid(picture, 5)) - picture).abs().max() < 1e-12
    flat = torch.full((1, 1, 9, 6), 0.7, dtype=torch.float64)
    assert (expand(reduce(flat), 9, 6) - flat).abs().max() < 1e-12


def test_halving_is_opencvs_inside():
    cv2 = pytest.importorskip("cv2")
    picture = np.random.default_rng(3).random((40, 60)).astype(np.float32)
    expected = cv2.pyrDown(picture)
    found = reduce(torch.from_numpy(picture)[None, None])[0, 0].numpy()
    assert np.abs(found - expected)[1:-1, 1:-1].max() < 1e-6


def test_grandcanal_is_the_published_fusion():
    from photochrom.io import read

    folder = shared("grandcanal")
    stack = [read(file).image for file in sorted(folder.glob("*.jpg"))]
    # the published picture is stretched: 1 per cent of pixels black, 1 per cent white
    fused = (photochrom.fuse_exposures(stack, clipped=1).clamp(0, 1) * 255).round() / 255
    error = (fused - read(folder / "output_ef_expected.png").image).square().mean()
    assert -10 * error.log10() > 60


def test_one_exposure_and_alike_ones_come_back():
    picture = shots(scene())[2].float()
    for stack in ([picture], [picture] * 3):
        assert (photochrom.fuse_exposures(stack) - picture).abs().max() < 1e-5


def test_fusion_has_slopes():
    stack = [part[..., :6, :5].clone().requires_grad_() for part in shots(scene())[1:3]]
    photochrom.fuse_exposures(stack).sum().backward()
    assert all(part.grad.isfinite().all() for part in stack)


def test_moves_are_found_over_six_stops():
    light = scene(200, 240, seed=9) * (0.5 + torch.rand(1, 3, 200, 240, generator=torch.Generator().manual_seed(1)))
    moves = [(0, 0), (5, -3), (-7, 12), (2, 2)]
    pictures = [photochrom_shot.roll((-y, -x), (-2, -1)) for photochrom_shot, (x, y) in zip(shots(light), moves,
                                                                                         strict=True)]
    found = photochrom.align_exposures(pictures)
    fixed = torch.tensor(moves[found.fixed])
    assert (found.shifts - (torch.tensor(moves) - fixed)).abs().max() == 0


def test_aligned_merging_is_merging_of_what_was_still():
    light = scene(120, 160) * (0.5 + torch.rand(1, 3, 120, 160, generator=torch.Generator().manual_seed(1)))
    still = shots(light)
    shaken = [part.roll((-3, 2), (-2, -1)) if n == 0 else part for n, part in enumerate(still)]
    inner = (..., slice(8, -8), slice(8, -8))
    found = photochrom.merge_hdr(shaken, [1 / 16, 1 / 4, 1, 4], align=True, assume="srgb")
    expected = photochrom.merge_hdr(still, [1 / 16, 1 / 4, 1, 4], assume="srgb")
    assert torch.allclose(found[inner], expected[inner])
    apart = photochrom.fuse_exposures(shaken, align=True) - photochrom.fuse_exposures(still)
    blurred = photochrom.fuse_exposures(shaken) - photochrom.fuse_exposures(still)
    assert apart[inner].abs().mean() < 0.1 * blurred[inner].abs().mean()


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_pictures_without_structure_stay(level):
    stack = [torch.full((1, 3, 40, 40), level)] * 3
    assert photochrom.align_exposures(stack).shifts.abs().max() == 0
    assert (photochrom.fuse_exposures(stack) - level).abs().max() < 1e-6
