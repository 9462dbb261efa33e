"""Section 4 of the house: what numbers mean. One test a line."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import photochrom


def test_display_range_is_not_a_clamp() -> None:
    image = torch.tensor([-0.5, 0.0, 1.0, 4.0]).reshape(1, 1, 2, 2)
    assert photochrom.brightness(image, amount=1.0).flatten().tolist() == [0.5, 1.0, 2.0, 5.0]
    assert photochrom.exposure(torch.ones(1, 1, 1, 1), stops=1.0).item() > 1.3


def test_floats_beyond_display_range_pass_the_door() -> None:
    pixels = np.array([[-0.5, 4.0]], np.float32)
    assert photochrom.negative(pixels).tolist() == [[1.5, -3.0]]


@pytest.mark.parametrize(("dtype", "levels"), [("uint8", 256), ("uint16", 65536)])
@pytest.mark.parametrize("way", ["function", "step", "run"])
def test_integer_levels_survive_exactly(dtype: str, levels: int, way: str) -> None:
    pixels = np.arange(levels).astype(dtype).reshape(-1, 64)
    step = photochrom.Step(photochrom.brightness, amount=0.0)
    result = {"function": lambda: photochrom.brightness(pixels, amount=0.0), "step": lambda: step(pixels),
              "run": lambda: photochrom.run(step, pixels)}[way]()
    assert result.dtype == pixels.dtype
    assert np.array_equal(result, pixels)


@pytest.mark.parametrize(("dtype", "top"), [("uint8", 255), ("uint16", 65535)])
def test_integers_mean_fractions_of_white(dtype: str, top: int) -> None:
    """255 and 65535 are 1: so a negative is the other way along the whole scale."""
    pixels = np.arange(top + 1).astype(dtype).reshape(-1, 64)
    assert np.array_equal(photochrom.negative(pixels), top - pixels)


def test_results_are_rounded_half_to_even() -> None:
    # 0.25 of 2 is 0.5 and of 6 is 1.5: exactly halfway in float32 where the level is a quarter of an even level.
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    values = np.float32(levels / np.float32(255)) * np.float32(0.25) * np.float32(255)
    found = photochrom.contrast(levels, amount=0.25, centre=0.0)
    assert np.array_equal(found, np.rint(values).astype(np.uint8))
    assert found[0, 2] == 0
    assert found[0, 6] == 2
    assert found[0, 10] == 2
    assert found[0, 14] == 4


def test_integers_are_clipped_only_at_the_door_out() -> None:
    pixels = np.array([[0, 100, 200, 255]], np.uint8)
    assert photochrom.brightness(pixels, amount=0.5).tolist() == [[128, 228, 255, 255]]
    there_and_back = photochrom.Recipe([photochrom.Step(photochrom.brightness, amount=2.0),
                                        photochrom.Step(photochrom.brightness, amount=-2.0)])
    assert np.array_equal(there_and_back(pixels), pixels)
    assert np.array_equal(photochrom.run(there_and_back, pixels), pixels)


def test_sixteen_bits_in_are_sixteen_bits_out() -> None:
    ramp = np.arange(0, 65536, 7, dtype=np.uint16).reshape(-1, 1)
    result = photochrom.power(ramp, gamma=0.9)
    assert result.dtype == np.uint16
    assert len(np.unique(result)) > len(ramp) * 0.99


def test_channels_are_red_green_blue() -> None:
    """Red is the lightest in l-alpha-beta's beta (red-green) and blue the lowest in alpha (yellow-blue)."""
    from photochrom.color.l_alpha_beta import rgb_to_l_alpha_beta

    primaries = torch.eye(3).reshape(3, 3, 1, 1)
    values = rgb_to_l_alpha_beta(primaries)[:, :, 0, 0]
    assert values[:, 2].argmax() == 0
    assert values[:, 1].argmin() == 2
    red = Image.new("RGB", (1, 1), (255, 0, 0))
    assert photochrom.negative(red).getpixel((0, 0)) == (0, 255, 255)
    amount = torch.tensor([[0.5, 0.0, 0.0]])
    assert photochrom.brightness(Image.new("RGB", (1, 1)), amount=amount).getpixel((0, 0)) == (128, 0, 0)
    assert photochrom.brightness(np.zeros((1, 1, 3), np.uint8), amount=amount).tolist() == [[[128, 0, 0]]]


def test_arrays_are_height_width_channels() -> None:
    image = torch.rand(1, 3, 4, 6)
    pixels = np.ascontiguousarray(image[0].movedim(0, -1).numpy())
    result = photochrom.gaussian(pixels, sigma=1.0)
    assert result.shape == (4, 6, 3)
    assert np.allclose(result, photochrom.gaussian(image, sigma=1.0)[0].movedim(0, -1).numpy(), atol=1e-6)


def test_sigma_is_a_deviation_and_radius_a_count() -> None:
    dot = torch.zeros(1, 1, 1, 41)
    dot[..., 20] = 1
    boxed = photochrom.box(dot, radius=3, border="replicate")[0, 0, 0]
    assert (boxed > 0).sum() == 7
    blurred = photochrom.gaussian(dot, sigma=3.0)[0, 0, 0]
    assert (blurred[20] / blurred[23]).item() == pytest.approx(np.exp(0.5), rel=1e-4)


def test_strength_is_a_share_and_amount_a_gain() -> None:
    for operation in photochrom.operations():
        assert "strength" not in operation.controls
        assert "mask" not in operation.controls
        assert "strength" not in operation.ports
        amount = operation.controls.get("amount")
        assert amount is None or (amount.range is not None and amount.range.neutral is not None)
    step = photochrom.Step(photochrom.brightness)
    assert step.controls["strength"] == 1.0


def test_encoded_values_stay_encoded() -> None:
    """`space` chooses where light is mixed; what comes back is encoded as what went in."""
    flat = torch.full((1, 3, 5, 5), 0.5)
    for operation in photochrom.operations():
        if "space" in operation.controls and operation.name not in ("highpass", "bandpass"):   # they take the mean away
            assert operation.controls["space"].choices == ("encoded", "linear")
            others = {name: torch.full((1, 1 if name == "mask" else 3, 5, 5), 0.5) for name in operation.others
                      if not operation.ports[name].optional}
            result = getattr(photochrom, operation.name)(flat, **others, space="linear")
            assert (result - 0.5).abs().max() < 1e-6
