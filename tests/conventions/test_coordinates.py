"""Where points lie and which way angles turn, the same in every operation that uses them."""

from __future__ import annotations

import torch

import photochrom


def dot(x: float, y: float) -> torch.Tensor:
    """Return a picture, 8 x 6 pixels, whose one white pixel has its centre at (x, y)."""
    image = torch.zeros(1, 1, 6, 8)
    image[..., int(y), int(x)] = 1
    return image


def test_pixel_centres_lie_at_half_integers() -> None:
    # to twice the size about the corner (0, 0): the pixel centred at (2.5, 1.5) covers the four around (5, 3)
    twice = photochrom.affine(dot(2.5, 1.5), matrix=((2, 0, 0), (0, 2, 0)), size=(12, 16), resample="nearest")
    assert torch.equal(twice.nonzero()[:, 2:], torch.tensor([[2, 4], [2, 5], [3, 4], [3, 5]]))
    same = photochrom.resize(dot(2.5, 1.5), scale=2, resample="nearest")
    assert torch.equal(twice, same)


def test_operations_agree_on_points() -> None:
    image = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(0))
    moved = photochrom.affine(image, matrix=((1, 0, -2), (0, 1, -1)), size=(4, 5))
    assert torch.equal(moved, photochrom.crop(image, box=(2, 1, 7, 5)))
    by_points = photochrom.perspective(image, from_points=((2, 1), (7, 1), (7, 5), (2, 5)), size=(4, 5))
    torch.testing.assert_close(by_points, moved, atol=1e-5, rtol=0)


def test_points_are_x_then_y_and_a_matrix_leads_from_the_picture() -> None:
    moved = photochrom.affine(dot(2.5, 1.5), matrix=((1, 0, 3), (0, 1, 1)), border="constant")
    assert torch.equal(moved, dot(5.5, 2.5))


def test_a_flow_leads_to_the_picture() -> None:
    flow = torch.tensor([3.0, 1.0]).reshape(1, 2, 1, 1).expand(1, 2, 6, 8)
    assert torch.equal(photochrom.warp(dot(5.5, 2.5), flow, border="constant"), dot(2.5, 1.5))


def test_angles_are_counter_clockwise_as_seen() -> None:
    turned = photochrom.rotate(dot(7.5, 2.5), angle=90, grow=True)   # on the right side, above the middle
    assert turned.shape[-2:] == (8, 6)
    assert turned[0, 0, 0, 2] == 1, "on the upper side, left of the middle"


def test_identity_is_bit_exact() -> None:
    image = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(0))
    for same in (photochrom.affine(image), photochrom.rotate(image), photochrom.perspective(image),
                 photochrom.warp(image, torch.zeros(1, 2, 6, 8)), photochrom.pad(image), photochrom.crop(image)):
        assert torch.equal(same, image)
