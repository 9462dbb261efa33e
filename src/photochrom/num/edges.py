"""Derivatives of pictures, and edges: Canny's steps, hard and soft."""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from photochrom.core.memory import empty
from photochrom.num.bands import separable
from photochrom.num.borders import Border, fold
from photochrom.num.kernels import load
from photochrom.num.parallel import parallel_rows, threads
from photochrom.num.plain import is_plain_float
from photochrom.num.samples import pack

Scheme = Literal["sobel", "scharr", "prewitt", "central", "forward", "backward"]
SCHEMES: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "sobel": ((0.25, 0.5, 0.25), (-0.5, 0.0, 0.5)), "scharr": ((3 / 16, 10 / 16, 3 / 16), (-0.5, 0.0, 0.5)),
    "prewitt": ((1 / 3, 1 / 3, 1 / 3), (-0.5, 0.0, 0.5)), "central": ((0.0, 1.0, 0.0), (-0.5, 0.0, 0.5)),
    "forward": ((0.0, 1.0, 0.0), (0.0, -1.0, 1.0)), "backward": ((0.0, 1.0, 0.0), (-1.0, 1.0, 0.0)),
}
"""Smoothing across and slope along, scaled so that a ramp that rises by 1 a pixel has the derivative 1."""
TANGENT = 13573 / 32768
"""Of 22.5 degrees, as OpenCV rounds it."""
_GRAIN = 1 << 17
"""Pixels in one call of a kernel."""
_TINY = 1e-12


def derivatives(image: Tensor, scheme: str = "sobel", border: Border = "reflect") -> tuple[Tensor, Tensor]:
    """Return how fast a picture rises to the right and downwards, per pixel, each (B, C, H, W).

    Example:
        >>> ramp = torch.arange(5.0).expand(1, 1, 5, 5)
        >>> derivatives(ramp)[0][0, 0, 2, 2].item()
        1.0
    """
    smooth, slope = SCHEMES[scheme]
    if not is_plain_float(image) or border == "normalize":
        return separable(image, smooth, slope, border), separable(image, slope, smooth, border)
    source = image.contiguous().flatten(0, 1).numpy()
    across, down = empty(image.shape), empty(image.shape)
    dx, dy = across.flatten(0, 1).numpy(), down.flatten(0, 1).numpy()
    kernel, (height, width) = load("edges").pair, image.shape[-2:]
    fold_y, fold_x = _folds(height, width, border)
    weights = np.array(smooth, np.float32), np.array(slope, np.float32)
    for plane, x, y in zip(source, dx, dy, strict=True):
        run = functools.partial(kernel, plane, fold_y, fold_x, *weights, x, y)
        parallel_rows(run, 0, height, max(1, _GRAIN // width))
    return across, down


def laplacian(image: Tensor, eight: bool = False, border: Border = "reflect") -> Tensor:
    """Return the sum of the four or eight neighbours less as many times the pixel."""
    if not is_plain_float(image) or border == "normalize":
        one, bend = (0.0, 1.0, 0.0), (1.0, -2.0, 1.0)
        if eight:
            return separable(image, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), border) - 9 * image
        return separable(image, bend, one, border) + separable(image, one, bend, border)
    source = image.contiguous().flatten(0, 1).numpy()
    result = empty(image.shape)
    kernel, (height, width) = load("edges").laplacian, image.shape[-2:]
    fold_y, fold_x = _folds(height, width, border)
    for plane, target in zip(source, result.flatten(0, 1).numpy(), strict=True):
        run = functools.partial(kernel, plane, fold_y, fold_x, eight, target)
        parallel_rows(run, 0, height, max(1, _GRAIN // width))
    return result


def magnitude(dx: Tensor, dy: Tensor) -> Tensor:
    """Return sqrt(dx^2 + dy^2), whose slope at 0 is 0."""
    square = dx * dx + dy * dy
    if not square.requires_grad:
        return square.sqrt()
    still = square < _TINY
    return torch.where(still, 0.0, torch.where(still, 1.0, square).sqrt())


def angle(dx: Tensor, dy: Tensor) -> Tensor:
    """Return the direction in which a picture rises, in degrees counter-clockwise as seen, 0 <= angle < 360."""
    square = dx * dx + dy * dy
    still = square < _TINY
    turned = torch.rad2deg(torch.atan2(torch.where(still, 0.0, -dy), torch.where(still, 1.0, dx)))
    whole = torch.remainder(turned, 360)
    return torch.where(whole >= 360, whole - 360, whole)


def five_taps(sigma: float) -> np.ndarray:
    """Return the Gaussian of five taps in whole 256ths, (3,) from the outermost inwards, as OpenCV rounds it.

    Example:
        >>> five_taps(1.4).tolist()
        [28, 61, 78]
    """
    exact = np.exp(-0.5 * (np.arange(-2, 1) / sigma) ** 2)
    exact = exact / (2 * exact[:2].sum() + exact[2])
    left, taps = 0.0, []
    for value in exact[:2] * 256:
        taps.append(int(np.rint(value + left)))
        left += value - taps[-1]
    return np.array([*taps, 256 - 2 * sum(taps)], np.int32)


def blurred_levels(grey: Tensor, sigma: float) -> Tensor:
    """Blur a picture of one channel in levels of 8 bits by five taps, as OpenCV's GaussianBlur does 8-bit pictures.

    Args:
        grey: (B, 1, H, W), 0..1.
        sigma: of the Gaussian.

    Returns:
        (B, 1, H, W) uint8.
    """
    levels = to_levels(grey)
    if grey.device.type != "cpu":
        taps = five_taps(sigma)
        weights = np.array([taps[0], taps[1], taps[2], taps[1], taps[0]], np.float64)
        total = separable(levels.double(), weights, weights, "reflect")
        return ((total + 32768) / 65536).floor().to(torch.uint8)
    return torch.stack([torch.from_numpy(blur_samples(part[0].numpy(), sigma))[None] for part in levels])


def to_levels(grey: Tensor) -> Tensor:
    """Return 0..1 as the nearest of 256 levels, uint8; NaN is 0."""
    levels = torch.empty(grey.shape, dtype=torch.uint8, device=grey.device)
    if grey.device.type != "cpu":
        return levels.copy_((grey.detach().float().nan_to_num(0) * 255).round().clamp(0, 255))
    for plane, target in zip(grey.detach().float().flatten(0, 1), levels.flatten(0, 1), strict=True):
        pack(plane[None].numpy(), target[..., None].numpy())
    return levels


def blur_samples(levels: np.ndarray, sigma: float) -> np.ndarray:
    """As `blurred_levels`, of uint8 samples (H, W)."""
    height, width = levels.shape
    around = fold(np.arange(-2, height + 2), height, "reflect"), fold(np.arange(-2, width + 2), width, "reflect")
    result, kernel, taps = np.empty((height, width), np.uint8), load("edges").blur_levels, five_taps(sigma)
    parallel_rows(lambda a, b: kernel(levels, *around, taps, result, a, b), 0, height, max(1, _GRAIN // width))
    return result


def thin_edges(smooth: Tensor, low: Tensor, high: Tensor, squared: bool) -> Tensor:
    """Follow Canny's last steps: thin lines where the gradient is greatest, linked by hysteresis.

    The gradient is Sobel's, 1 2 1 by -1 0 1, the edge repeated outside. A pixel is kept if its gradient is above
    `low`, not below that of its two neighbours across the edge, and connected to one above `high`.

    Args:
        smooth: (B, 1, H, W), blurred.
        low: (B,), limit of |dx| + |dy|, or of sqrt(dx^2 + dy^2) if `squared`.
        high: (B,) likewise.
        squared: see `low`.

    Returns:
        (B, 1, H, W), bool.
    """
    if squared:
        low, high = low * low, high * high
    if smooth.device.type != "cpu":
        return torch.stack([_linked(_thinned(part, a, b, squared)) for part, a, b in
                            zip(smooth, low, high, strict=True)])
    made = torch.empty(smooth.shape, dtype=torch.bool)
    for k in range(len(smooth)):
        part = smooth[k, 0] if smooth.dtype == torch.uint8 else smooth[k, 0].detach().float()
        marks = thin_samples(part.contiguous().numpy(), low[k].item(), high[k].item(), squared)
        made[k, 0] = torch.from_numpy(marks == 2)
    return made


def thin_samples(smooth: np.ndarray, low: float, high: float, squared: bool) -> np.ndarray:
    """Return where edges are: 2; (H, W) uint8, not contiguous. `low` and `high` are already squared if `squared`."""
    height, width = smooth.shape
    pitch = (width + 2 + 7) // 8 * 8   # a frame of zeros spares the tests for the picture's edge
    whole = np.zeros((height + 2) * pitch, np.uint8)
    marks = whole.reshape(height + 2, pitch)[1:height + 1, 1:width + 1]
    fold_y, fold_x = np.clip(np.arange(-2, height + 2), 0, height - 1), np.array([0, width - 1])
    kernels, limits = load("edges"), (np.float32(low), np.float32(high))
    parallel_rows(lambda a, b: kernels.thin(smooth, fold_y, fold_x, squared, *limits, marks, a, b), 0, height,
                  max(1, _GRAIN // width))
    _link(whole, height + 2, pitch)
    return marks


def _link(whole: np.ndarray, rows: int, pitch: int) -> None:
    """Turn marks of 1 that hang together with a 2 into 2: in bands of rows apart, then across the seams."""
    link, words = load("edges").link, whole.view(np.uint64)
    tall = max(2, -(-rows // (4 * threads())))

    def band(first: int, last: int) -> None:
        for k in range(first, last):
            top, bottom = k * tall, min(rows, (k + 1) * tall)
            link(whole, words, pitch, top, bottom, top, bottom)

    parallel_rows(band, 0, -(-rows // tall), 1)
    for seam in range(tall, rows, tall):
        link(whole, words, pitch, 0, rows, seam - 1, seam + 1)


def white_samples(marks: np.ndarray) -> np.ndarray:
    """Return 255 where `thin_samples` found an edge, else 0; (H, W) uint8."""
    height, width = marks.shape
    made, kernel = np.empty((height, width), np.uint8), load("edges").white
    parallel_rows(lambda a, b: kernel(marks, made, a, b), 0, height, max(1, _GRAIN // width))
    return made


def sobel_sums(smooth: Tensor) -> tuple[Tensor, Tensor]:
    """Return Sobel's sums 1 2 1 by -1 0 1, eight times the derivatives, the edge repeated outside."""
    dx, dy = derivatives(smooth, "sobel", "replicate")
    return 8 * dx, 8 * dy


def sizes(dx: Tensor, dy: Tensor, squared: bool) -> Tensor:
    """Return dx^2 + dy^2, or |dx| + |dy|."""
    return dx * dx + dy * dy if squared else dx.abs() + dy.abs()


def across(dx: Tensor, dy: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sizes of the two neighbours of each pixel across its edge, the earlier and the later; (1, H, W)."""
    wide = torch.nn.functional.pad(size, (1, 1, 1, 1))
    height, width = size.shape[-2:]

    def at(y: int, x: int) -> Tensor:
        return wide[..., 1 + y:1 + y + height, 1 + x:1 + x + width]

    flat = dx.abs() * TANGENT
    level, upright = dy.abs() < flat, dy.abs() > flat + 2 * dx.abs()
    falling = (dx < 0) != (dy < 0)
    before = torch.where(level, at(0, -1), torch.where(upright, at(-1, 0), torch.where(falling, at(-1, 1), at(-1, -1))))
    after = torch.where(level, at(0, 1), torch.where(upright, at(1, 0), torch.where(falling, at(1, -1), at(1, 1))))
    return before, after


def _thinned(smooth: Tensor, low: Tensor, high: Tensor, squared: bool) -> Tensor:
    dx, dy = (part[0] for part in sobel_sums(smooth[None].float() if smooth.dtype == torch.uint8 else smooth[None]))
    size = sizes(dx, dy, squared)
    before, after = across(dx, dy, size)
    flat = dx.abs() * TANGENT
    straight = (dy.abs() < flat) | (dy.abs() > flat + 2 * dx.abs())
    peak = (size > low) & (size > before) & torch.where(straight, size >= after, size > after)
    return peak.to(torch.uint8) + (peak & (size > high)).to(torch.uint8)


def _linked(marks: Tensor) -> Tensor:
    """Grow the strong marks along the weak ones until nothing changes."""
    strong, weak = marks == 2, marks > 0
    while True:
        grown = (torch.nn.functional.max_pool2d(strong.float()[None], 3, 1, 1)[0] > 0) & weak
        if bool((grown == strong).all()):
            return grown
        strong = grown


def _folds(height: int, width: int, border: Border) -> tuple[np.ndarray, np.ndarray]:
    return fold(np.arange(-1, height + 1), height, border), fold(np.array([-1, width]), width, border)
