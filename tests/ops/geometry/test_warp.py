"""affine, rotate, perspective, warp, flip and pad, against scipy, torch, OpenCV and what is known without them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

import photochrom
from photochrom.core.errors import ControlError
from photochrom.num.parallel import limit_threads
from photochrom.num.warping import _defined, warp_planes

MODES = {"reflect": "mirror", "replicate": "nearest", "circular": "grid-wrap", "constant": "grid-constant"}
KINDS = ("nearest", "bilinear", "bicubic")
SHEARED = ((0.9, 0.3, -2.2), (-0.25, 1.1, 3.6))
TILTED = ((0.9, 0.2, 1.0), (-0.1, 1.1, 2.0), (0.004, -0.006, 1.0))


def picture(height: int = 13, width: int = 17, channels: int = 3, batch: int = 1,
            dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(height + width)
    return torch.rand(batch, channels, height, width, generator=generator, dtype=torch.float64).to(dtype)


def back_of(matrix: Any, size: tuple[int, int]) -> np.ndarray:
    """Return (row, column) in the source, counted from 0, of every pixel of the result."""
    whole = np.eye(3)
    whole[:len(matrix)] = matrix
    i, j = np.mgrid[:size[0], :size[1]]
    x, y, w = np.linalg.inv(whole) @ np.stack([j.ravel() + 0.5, i.ravel() + 0.5, np.ones(i.size)])
    return np.stack([(y / w - 0.5).reshape(size), (x / w - 0.5).reshape(size)])


def nowhere(value: Tensor) -> bool:
    return bool(value.isnan().any())


@pytest.mark.parametrize("border", MODES)
def test_affine_is_that_of_scipy(border: str) -> None:
    image = picture(dtype=torch.float64)
    at = back_of(SHEARED, (20, 30))
    expected = np.stack([ndimage.map_coordinates(plane, at, order=1, mode=MODES[border]) for plane in image[0].numpy()])
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 2e-6)):
        found = photochrom.affine(image.to(dtype), matrix=SHEARED, size=(20, 30), resample="bilinear", border=border)
        assert found.dtype == dtype
        assert np.abs(found[0].numpy() - expected).max() < tolerance


def test_affine_transform_of_scipy_too() -> None:
    image = picture()
    inverse = np.linalg.inv(np.vstack([SHEARED, [0, 0, 1]]))
    swapped = inverse[:2, :2][::-1, ::-1]
    middle = np.array([0.5, 0.5])
    shift = swapped @ middle + inverse[:2, 2][::-1] - middle
    expected = ndimage.affine_transform(image[0, 0].numpy(), swapped, shift, order=1, mode="mirror")
    found = photochrom.affine(image, matrix=SHEARED, resample="bilinear")[0, 0].numpy()
    assert np.abs(found - expected).max() < 1e-12


@pytest.mark.parametrize("border", MODES)
def test_perspective_is_that_of_scipy(border: str) -> None:
    image = picture()
    expected = ndimage.map_coordinates(image[0, 0].numpy(), back_of(TILTED, (13, 17)), order=1, mode=MODES[border])
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 2e-6)):
        found = photochrom.perspective(image.to(dtype), matrix=TILTED, resample="bilinear", border=border)
        assert np.abs(found[0, 0].numpy() - expected).max() < tolerance


@pytest.mark.parametrize("border", MODES)
def test_warp_is_that_of_scipy(border: str) -> None:
    image = picture()
    flow = torch.from_numpy(np.random.default_rng(1).normal(0, 9, (1, 2, 13, 17)))
    i, j = np.mgrid[:13, :17]
    at = np.stack([i + flow[0, 1].numpy(), j + flow[0, 0].numpy()])
    expected = ndimage.map_coordinates(image[0, 1].numpy(), at, order=1, mode=MODES[border])
    found = photochrom.warp(image, flow, resample="bilinear", border=border)[0, 1].numpy()
    assert np.abs(found - expected).max() < 1e-12
    narrow = photochrom.warp(image.float(), flow.float(), resample="bilinear", border=border)[0, 1].numpy()
    assert np.abs(narrow - expected).max() < 1e-5
    expected = ndimage.map_coordinates(image[0, 1].numpy(), np.floor(at + 0.5), order=0, mode=MODES[border])
    assert np.array_equal(photochrom.warp(image, flow, resample="nearest", border=border)[0, 1].numpy(), expected)


def test_bicubic_is_keys_and_exact_for_parabolas() -> None:
    x = torch.arange(20.0, dtype=torch.float64) + 0.5
    image = (0.3 * x * x - x + 2).expand(1, 1, 9, 20)
    found = photochrom.affine(image, matrix=((1, 0, 0.3), (0, 1, 0.4)))[0, 0, 4, 3:-3]
    there = x - 0.3
    assert (found - (0.3 * there * there - there + 2)[3:-3]).abs().max() < 1e-12


def test_grid_sample_of_torch() -> None:
    image = picture(dtype=torch.float32)
    for kind, mode in (("bilinear", "bilinear"), ("nearest", "nearest")):
        for border, padding in (("constant", "zeros"), ("replicate", "border")):
            at = torch.from_numpy(back_of(SHEARED, (13, 17)))
            grid = torch.stack([(2 * at[1] + 1) / 17 - 1, (2 * at[0] + 1) / 13 - 1], -1)[None].float()
            expected = functional.grid_sample(image, grid, mode=mode, padding_mode=padding, align_corners=False)
            found = photochrom.affine(image, matrix=SHEARED, resample=kind, border=border)
            assert (found - expected).abs().max() < 2e-5


def test_opencv() -> None:
    cv2 = pytest.importorskip("cv2")
    image = picture(64, 80, dtype=torch.float32)
    smooth = photochrom.gaussian(image, sigma=2.0)
    array = np.ascontiguousarray(smooth[0].movedim(0, -1).numpy())
    half = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
    matrix = half @ np.vstack([SHEARED, [0, 0, 1]]) @ np.linalg.inv(half)
    expected = cv2.warpAffine(array, matrix[:2], (80, 64), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    found = photochrom.affine(smooth, matrix=SHEARED, resample="bilinear")[0].movedim(0, -1).numpy()
    assert np.abs(found - expected).max() < 0.01, "OpenCV may round places to 1/32 of a pixel"


@pytest.mark.parametrize(("kind", "border", "dtype"),
                         list(itertools.product(KINDS, MODES, (torch.float32, torch.float64, torch.float16))))
def test_identity_is_bit_exact(kind: str, border: str, dtype: torch.dtype) -> None:
    image = picture(dtype=dtype) * 3 - 1
    settings = {"resample": kind, "border": border}
    assert torch.equal(photochrom.affine(image, **settings), image)
    assert torch.equal(photochrom.rotate(image, **settings), image)
    assert torch.equal(photochrom.perspective(image, **settings), image)
    assert torch.equal(photochrom.warp(image, torch.zeros(1, 2, 13, 17), **settings), image)
    eye = torch.eye(3, dtype=torch.float64, requires_grad=True)   # these go the long way
    assert torch.equal(photochrom.affine(image, matrix=eye[:2], **settings), image)
    assert torch.equal(photochrom.perspective(image, matrix=eye, **settings), image)
    assert torch.equal(photochrom.rotate(image, angle=torch.zeros((), requires_grad=True), **settings), image)
    assert torch.equal(photochrom.pad(image, border=border), image)


@pytest.mark.parametrize("size", [(13, 17), (12, 17), (8, 8)])
def test_quarter_turns_are_exact(size: tuple[int, int]) -> None:
    image = picture(*size, dtype=torch.float32)
    for turns in range(-4, 5):
        expected = torch.rot90(image, turns, (-2, -1))
        for kind in KINDS:
            assert torch.equal(photochrom.rotate(image, angle=90 * turns, grow=True, resample=kind), expected)
            angle = torch.tensor(90.0 * turns, requires_grad=True)
            assert torch.equal(photochrom.rotate(image, angle=angle, grow=True, resample=kind), expected)
    square = picture(9, 9, dtype=torch.float32)
    assert torch.equal(photochrom.rotate(square, angle=90), torch.rot90(square, 1, (-2, -1)))
    kept = photochrom.rotate(picture(3, 5), angle=90, border="constant")
    assert torch.equal(kept[..., 1:4], torch.rot90(picture(3, 5), 1, (-2, -1))[..., 1:4, :])
    assert not kept[..., 0].any()


def test_flips_are_exact() -> None:
    image = picture(dtype=torch.float32)
    for direction, axes in (("horizontal", (-1,)), ("vertical", (-2,)), ("both", (-2, -1))):
        assert torch.equal(photochrom.flip(image, direction=direction), image.flip(axes))
    assert torch.equal(photochrom.affine(image, matrix=((-1, 0, 17), (0, 1, 0))), image.flip(-1))


@pytest.mark.parametrize(("border", "mode"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap"),
                                              ("constant", "constant")])
def test_pad_is_that_of_numpy(border: str, mode: str) -> None:
    image = picture(4, 5)
    found = photochrom.pad(image, left=11, top=2, right=0, bottom=9, border=border)
    expected = np.pad(image[0].numpy(), ((0, 0), (2, 9), (11, 0)), mode=mode)
    assert np.array_equal(found[0].numpy(), expected)


def test_an_angle_is_counter_clockwise_as_seen() -> None:
    image = torch.zeros(1, 1, 21, 21)
    image[..., 10, 18] = 1   # to the right of the middle
    turned = photochrom.rotate(image, angle=90)
    assert turned[..., 2, 10].item() == 1, "above the middle"
    tilted = photochrom.rotate(photochrom.gaussian(image, sigma=1.0), angle=30)[0, 0]
    row, column = divmod(int(tilted.argmax()), 21)
    assert (row, column) == (round(10 - 8 * 0.5), round(10 + 8 * 0.866))


def test_a_grown_canvas_holds_the_whole_picture() -> None:
    image = torch.ones(1, 1, 30, 40, dtype=torch.float64)
    grown = photochrom.rotate(image, angle=30, grow=True, border="constant", resample="bilinear")
    assert grown.shape[-2:] == (46, 50)   # 30 cos 30 + 40 sin 30 = 45.98, 40 cos 30 + 30 sin 30 = 49.64
    assert grown.sum().item() == pytest.approx(1200, rel=2e-3)


def test_points_say_what_the_matrix_says() -> None:
    image = picture()
    corners = ((2.0, 1.0), (15.0, 3.0), (14.0, 12.0), (1.0, 10.0))
    straight = photochrom.perspective(image, from_points=corners, size=(10, 12))
    there = photochrom.perspective(photochrom.perspective(image, from_points=corners, resample="bilinear"),
                                   to_points=corners, resample="bilinear", border="constant")
    assert straight.shape[-2:] == (10, 12)
    assert there.abs().max() <= 1
    # the homography of these corners onto 12 x 10, from cv2.getPerspectiveTransform's equations solved by numpy
    rows = []
    for (x, y), (u, v) in zip(corners, ((0, 0), (12, 0), (12, 10), (0, 10)), strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y, u], [0, 0, 0, x, y, 1, -v * x, -v * y, v]]
    system = np.array(rows, dtype=float)
    solved = np.append(np.linalg.solve(system[:, :8], system[:, 8]), 1).reshape(3, 3)
    by_matrix = photochrom.perspective(image, matrix=torch.from_numpy(-7 * solved), size=(10, 12))
    assert (by_matrix - straight).abs().max() < 1e-10, "any multiple of a matrix means the same"


def test_a_horizon_is_the_end_of_the_picture() -> None:
    image = torch.ones(1, 1, 12, 12)
    # w = 1 - x / 8: the horizon stands at x = 8, right of the middle, and what lies beyond must not be seen
    tilt = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (-0.125, 0.0, 1.0))
    # points come from x = u / (1 + u / 8), all of which lie left of 8; right of the horizon would come from u < -8
    ones = photochrom.perspective(image, matrix=tilt, size=(4, 60), resample="bilinear")
    assert (ones - 1).abs().max() < 1e-6
    moved = ((1.0, 0.0, 30.0 * 1.0), (0.0, 1.0, 0.0), (-0.125, 0.0, 1.0))
    for dtype in (torch.float32, torch.float64):
        found = photochrom.perspective(image.to(dtype), matrix=moved, size=(2, 60))
        assert torch.isfinite(found).all()
    below = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.125, 0.0, 1.0))   # u < 8 only
    for dtype in (torch.float32, torch.float64):
        found = photochrom.perspective(image.to(dtype), matrix=below, size=(2, 20), resample="bilinear")
        assert (found[..., :8] - 1).abs().max() < 1e-6
        assert (found[..., 8:] == 0).all(), "above the horizon nothing is, whatever the border"


@pytest.mark.parametrize(("kind", "border"), list(itertools.product(KINDS, MODES)))
def test_the_kernel_gives_the_numbers_of_the_definition(kind: str, border: str) -> None:
    for height, width in ((23, 31), (1, 5), (2, 2)):
        plane = picture(height, width, dtype=torch.float32)[0]
        theta = torch.tensor([[0.98, 0.17, -3.3], [-0.17, 0.98, 2.7], [0.01, -0.03, 1.0]], dtype=torch.float64)
        flow = torch.from_numpy(np.random.default_rng(2).normal(0, 9, (2, 19, 531))).float()
        for moves in (None, flow):
            settings = ((19, 531), kind, border, -0.5)
            weight = torch.from_numpy(np.random.default_rng(3).random((3, 19, 531)))
            results = []
            for way in ("exact", "definition", "kernel"):
                exact = way == "exact"
                leaf = (plane.double() if exact else plane.clone()).requires_grad_()
                place = (theta if moves is None else moves.double() if exact else moves).clone().requires_grad_()
                bound = (place, None) if moves is None else (None, place)
                if way != "kernel":
                    made = _defined(leaf, *bound, settings)
                else:
                    made = warp_planes(leaf[None], *(None if b is None else b[None] for b in bound), (19, 531), kind,
                                       border)[0]
                found = torch.autograd.grad(made, (leaf, place), weight.to(made), allow_unused=True)
                results.append((made, *(torch.zeros(1) if g is None or kind == "nearest" else g for g in found)))
            for one, other in zip(results[0][1:], results[2][1:], strict=True):
                assert (one - other).abs().max() <= 5e-5 * (1 + one.abs().max())
            assert (results[1][0] - results[2][0]).abs().max() < 1e-6


@pytest.mark.parametrize(("kind", "border"), list(itertools.product(("bilinear", "bicubic"), MODES)))
def test_gradients_by_finite_differences(kind: str, border: str) -> None:
    image = picture(4, 5, 2).requires_grad_()
    settings: dict[str, Any] = {"resample": kind, "border": border}
    matrix = torch.tensor(SHEARED, dtype=torch.float64, requires_grad=True)
    tilt = torch.tensor(((0.9, 0.2, 1.03), (-0.1, 1.1, 0.27), (0.02, -0.03, 1.0)), dtype=torch.float64)
    tilt.requires_grad_()
    angle = torch.tensor(17.0, dtype=torch.float64, requires_grad=True)
    flow = torch.from_numpy(np.random.default_rng(4).normal(0, 2, (1, 2, 4, 5))).requires_grad_()
    check = torch.autograd.gradcheck
    assert check(lambda x, m: photochrom.affine(x, matrix=m, **settings), (image, matrix))
    assert check(lambda x, m: photochrom.perspective(x, matrix=m, **settings), (image, tilt))
    assert check(lambda x, t: photochrom.rotate(x, angle=t, grow=True, **settings), (image, angle))
    assert check(lambda x, f: photochrom.warp(x, f, **settings), (image, flow))
    assert check(lambda x: photochrom.pad(x, left=3, bottom=6, border=border), (image,))


def test_the_kernel_has_second_derivatives() -> None:
    image = picture(4, 5, 1, dtype=torch.float32).requires_grad_()
    angle = torch.tensor(17.0, requires_grad=True)
    made = photochrom.rotate(image, angle=angle).square().sum()
    (first,) = torch.autograd.grad(made, angle, create_graph=True)
    (second,) = torch.autograd.grad(first, angle)
    wide = picture(4, 5, 1).requires_grad_()
    turn = torch.tensor(17.0, dtype=torch.float64, requires_grad=True)
    (same,) = torch.autograd.grad(photochrom.rotate(wide, angle=turn).square().sum(), turn, create_graph=True)
    (curved,) = torch.autograd.grad(same, turn)
    assert second.item() == pytest.approx(curved.item(), rel=1e-3)


@pytest.mark.parametrize("border", MODES)
def test_threads_change_no_bit(border: str) -> None:
    image = picture(90, 110, dtype=torch.float32)

    def all_of_it() -> list[Tensor]:
        leaf, angle = image.clone().requires_grad_(), torch.tensor(33.0, requires_grad=True)
        made = photochrom.rotate(leaf, angle=angle, border=border)
        return [made, *torch.autograd.grad(made, (leaf, angle), image.flip(-1))]

    with limit_threads(1):
        alone = all_of_it()
    assert all(torch.equal(one, other) for one, other in zip(alone, all_of_it(), strict=True))


def test_a_batch_has_its_own_matrices_and_angles() -> None:
    image = picture(batch=2, dtype=torch.float32)
    angles = torch.tensor([10.0, -25.0])
    both = photochrom.rotate(image, angle=angles)
    apart = [photochrom.rotate(image[:1], angle=10), photochrom.rotate(image[1:], angle=-25)]
    assert torch.equal(both, torch.cat(apart))
    matrices = torch.tensor([SHEARED, ((1, 0, 2.5), (0, 1, 0))], dtype=torch.float64)
    both = photochrom.affine(image, matrix=matrices)
    apart = [photochrom.affine(image[k:k + 1], matrix=matrices[k]) for k in range(2)]
    assert torch.equal(both, torch.cat(apart))


def test_alpha_goes_with_the_pixels() -> None:
    generator = np.random.default_rng(5)
    array = generator.integers(0, 65536, (12, 16, 4)).astype(np.uint16)
    array[:4, :, 3] = 0
    assert np.array_equal(photochrom.flip(array), array[:, ::-1])
    assert np.array_equal(photochrom.rotate(array, angle=180), array[::-1, ::-1])
    assert np.array_equal(photochrom.rotate(array, angle=90, grow=True), np.rot90(array))
    margin = photochrom.pad(array, left=3, border="constant")
    assert np.array_equal(margin[:, 3:], array)
    assert not margin[:, :3, 3].any()
    turned = photochrom.rotate(np.full((20, 20, 4), 200, np.uint8), angle=45, border="constant")
    assert turned[0, 0, 3] == 0, "outside lies nothing"
    seen = turned[turned[..., 3] > 0]
    assert (seen[:, :3] == 200).all(), "an edge that fades does not darken"
    hidden = np.full((9, 9, 4), 255, np.uint8)
    hidden[:, :5] = (0, 255, 0, 0)   # green that cannot be seen
    moved = photochrom.affine(hidden, matrix=((1, 0, 0.5), (0, 1, 0)), resample="bilinear")
    shown = moved[moved[..., 3] > 0]
    assert (shown[:, :3] == 255).all(), "does not stain what can"


def test_light_is_mixed_where_asked() -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(4).expand(1, 1, 4, 8)
    half = ((1, 0, 0.5), (0, 1, 0))
    for space, value in (("encoded", 0.5), ("linear", 0.7353569830524495)):   # 1.055 * 0.5 ** (1 / 2.4) - 0.055
        found = photochrom.affine(stripes, matrix=half, resample="bilinear", space=space)
        assert found[..., 2:6].mean().item() == pytest.approx(value, abs=1e-6)


def test_nan_stays_near() -> None:
    image = picture(40, 40, dtype=torch.float32)
    image[0, 0, 20, 20] = torch.nan
    for kind, width in (("nearest", 2), ("bilinear", 4), ("bicubic", 8)):
        found = photochrom.rotate(image, angle=12, resample=kind)
        assert nowhere(found[:, :1])
        assert int(found.isnan().sum()) <= width * width
        assert not nowhere(found[:, 1:])
    flow = torch.zeros(1, 2, 40, 40)
    flow[0, 0, 3, 4], flow[0, 1, 5, 6], flow[0, 0, 7, 8] = torch.nan, torch.inf, 1e30
    for dtype in (torch.float32, torch.float64):
        found = photochrom.warp(picture(40, 40, dtype=dtype), flow)
        assert found[:, :, 3, 4].isnan().all()
        assert found[:, :, 5, 6].isnan().all()
        assert int(found.isnan().sum()) == 6


@pytest.mark.parametrize(("call", "words"), [
    (lambda x: photochrom.affine(x, matrix=((1, 2, 0), (2, 4, 0))), "cannot be inverted"),
    (lambda x: photochrom.affine(x, matrix=((0, 0, 0), (0, 0, 0))), "cannot be inverted"),
    (lambda x: photochrom.affine(x, matrix=((1, 0), (0, 1))), "2 rows of 3"),
    (lambda x: photochrom.affine(x, matrix=torch.full((2, 3), torch.nan)), "finite"),
    (lambda x: photochrom.affine(x, matrix=torch.eye(3)[None, :2].expand(3, 2, 3)), "2 rows of 3"),
    (lambda x: photochrom.affine(x, size=(1 << 16, 1 << 16)), "thousand million"),
    (lambda x: photochrom.perspective(x, matrix=((1, 2, 3), (2, 4, 6), (0, 0, 1))), "cannot be inverted"),
    (lambda x: photochrom.perspective(x, matrix=((1, 0, 0), (0, 1, 0), (1, 0, -8.5))), "infinity"),
    (lambda x: photochrom.perspective(x, from_points=((0, 0), (1, 1), (2, 2), (0, 5))), "on a line"),
    (lambda x: photochrom.perspective(x, to_points=((0, 0), (1, 1), (2, 2))), "four points"),
    (lambda x: photochrom.rotate(x, angle=400), "between"),
    (lambda x: photochrom.rotate(x, angle=torch.tensor(torch.nan)), "finite"),
    (lambda x: photochrom.rotate(x, angle=torch.zeros(3)), "rotate: angle"),
    (lambda x: photochrom.warp(x, torch.zeros(1, 1, 13, 17)), "flow"),
    (lambda x: photochrom.warp(x, torch.zeros(1, 2, 12, 17)), "flow"),
    (lambda x: photochrom.pad(x, left=-1), "between"),
    (lambda x: photochrom.pad(x, left=1 << 20, bottom=1 << 20), "thousand million"),
])
def test_bad_input_is_one_sentence(call: Any, words: str) -> None:
    with pytest.raises(ControlError) as error:
        call(picture())
    text = str(error.value)
    assert words in text
    assert "\n" not in text
    assert ". " not in text
    assert len(text) < 400


def test_far_away_is_an_answer_too() -> None:
    image = picture(dtype=torch.float32)
    tiny = photochrom.affine(image, matrix=((1e-9, 0, 0), (0, 1e-9, 0)), border="replicate")
    assert torch.equal(tiny[..., 1:, 1:], image[..., -1:, -1:].expand(1, 3, 12, 16))
    off = photochrom.affine(image, matrix=((1, 0, 1e15), (0, 1, 0)), border="constant")
    assert not off.any()
