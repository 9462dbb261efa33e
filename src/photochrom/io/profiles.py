"""Colour profiles: stored colours to the working space and back.

The working space has the sRGB primaries and the sRGB transfer function (IEC 61966-2-1) continued beyond [0, 1], below 0
by odd symmetry. Profiles made of tone curves and a matrix are computed here, without clipping, so that colours outside
sRGB survive and come back; lookup-table, CMYK and Lab profiles go through libvips' colour engine (`lcms.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from photochrom.io import icc

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

# A profile this close to sRGB (half a level of 8 bits, in encoded values) is sRGB: HP's table, small web profiles.
SRGB_TOLERANCE = 1 / 512

# A pure power curve has slope 0 at black: differences there would fall below float32 and not come back. Like Adobe's
# engine, the curves are kept at or above a line through black. The line with this slope changes values below 2 % only,
# by less than 0.14 of an 8-bit level, and makes 16-bit pictures reversible.
TOE_SLOPE = 1 / 128

# Values worked on at a time: the intermediate results stay in the processor's cache.
_CHUNK = 1 << 17


class Space(Protocol):
    """A stored colour space; values are (C, h, W), 1.0 being the stored maximum."""

    plain: bool
    stored: int

    def to_working(self, x: Tensor) -> Tensor:
        """Stored colours to working colours; may change and return its argument."""

    def from_working(self, x: Tensor) -> Tensor:
        """Working colours to stored colours, unclipped; may change and return its argument."""


class Plain:
    """sRGB, or grey with sRGB's transfer function: already the working space."""

    plain = True

    def __init__(self, stored: int) -> None:
        self.stored = stored

    def to_working(self, x: Tensor) -> Tensor:
        """Return the values as they are."""
        return x

    def from_working(self, x: Tensor) -> Tensor:
        """Return the values as they are."""
        return x


class Curved:
    """Tone curves, and for RGB a matrix."""

    plain = False

    def __init__(self, curves: tuple[icc.Curve, ...], matrix: np.ndarray | None) -> None:
        self.stored = len(curves)
        self._same = all(c == curves[0] for c in curves)
        self._curves = [_Tone(c) for c in (curves[:1] if self._same else curves)]
        self._forward: np.ndarray | None = None
        self._backward: np.ndarray | None = None
        if matrix is not None:
            m = working_matrix(matrix)
            if np.abs(m - np.eye(3)).max() > 1e-6:
                self._forward, self._backward = m, np.linalg.inv(m)

    def to_working(self, x: Tensor) -> Tensor:
        """Stored colours to working colours."""

        def work(part: Tensor) -> Tensor:
            return srgb_encode(_mix(self._forward, self._apply(part, "linear")))

        return _by_chunks(x, work)

    def from_working(self, x: Tensor) -> Tensor:
        """Working colours to stored colours."""

        def work(part: Tensor) -> Tensor:
            return self._apply(_mix(self._backward, srgb_decode(part)), "device")

        return _by_chunks(x, work)

    def _apply(self, x: Tensor, way: str) -> Tensor:
        if self._same:
            result: Tensor = getattr(self._curves[0], way)(x)
            return result
        import torch

        return torch.stack([getattr(c, way)(x[i]) for i, c in enumerate(self._curves)])


class Linear:
    """Linear light with given primaries (EXR, Radiance HDR)."""

    plain = False

    def __init__(self, stored: int, matrix: np.ndarray | None = None) -> None:
        self.stored = stored
        self._forward = matrix
        self._backward = None if matrix is None else np.linalg.inv(matrix)

    def to_working(self, x: Tensor) -> Tensor:
        """Linear values to working colours."""
        return _by_chunks(x, lambda part: srgb_encode(_mix(self._forward, part)))

    def from_working(self, x: Tensor) -> Tensor:
        """Working colours to linear values."""
        return _by_chunks(x, lambda part: _mix(self._backward, srgb_decode(part)))


def space_for(profile: bytes | None, stored: int) -> tuple[Space, str | None]:
    """The space of a picture with a certain profile.

    Args:
        profile: ICC profile, None when the file has none: then sRGB, or libvips' built-in CMYK profile.
        stored: Stored colour channels: 1 (grey), 3 (RGB) or 4 (CMYK).

    Returns:
        The space, and a sentence when the profile does not fit and was left aside.
    """
    from photochrom.io.lcms import Tabled, usable

    if profile is None:
        return (Tabled(None, 4) if stored == 4 else Plain(stored)), None
    wanted = {1: "GRAY", 3: "RGB", 4: "CMYK"}[stored]
    fallback: Space = Tabled(None, 4) if stored == 4 else Plain(stored)
    try:
        parsed = icc.parse(profile)
    except icc.ProfileError:
        return fallback, "the embedded colour profile cannot be understood and was left aside"
    if parsed.space != wanted:
        return fallback, f"the embedded colour profile is for {parsed.space}, not {wanted}, and was left aside"
    if parsed.curves and is_srgb(parsed):
        return Plain(stored), None
    if parsed.curves:
        return Curved(parsed.curves, parsed.matrix), None
    if not usable(profile, stored):
        return fallback, "the embedded colour profile cannot be used and was left aside"
    return Tabled(profile, stored), None


def is_srgb(profile: icc.Profile) -> bool:
    """Whether a profile is sRGB (or grey with sRGB's curve) within `SRGB_TOLERANCE`."""
    x = np.linspace(0, 1, 1024)
    for curve in profile.curves:
        y = icc.evaluate(curve, x)
        encoded = np.where(y <= 0.0031308, 12.92 * y, 1.055 * np.maximum(y, 1e-9) ** (1 / 2.4) - 0.055)
        if np.abs(encoded - x).max() > SRGB_TOLERANCE:
            return False
    return profile.matrix is None or bool(np.abs(working_matrix(profile.matrix) - np.eye(3)).max() < SRGB_TOLERANCE)


def working_matrix(matrix: np.ndarray) -> np.ndarray:
    """Linear device RGB to linear sRGB, both relative to D50, from a profile's matrix."""
    m = np.linalg.solve(icc.SRGB_D50, matrix)
    rows = m.sum(1, keepdims=True)
    # The profile's own rounding must not tint greys: its white is ours.
    result: np.ndarray = m / rows if np.abs(rows - 1).max() < 4e-3 else m
    return result


def srgb_encode(x: Tensor) -> Tensor:
    """Linear values to sRGB-encoded ones, odd and unbounded."""
    import torch

    a = x.abs()
    upper = a.pow(1 / 2.4).mul_(1.055).sub_(0.055)
    return torch.where(a <= 0.0031308, a.mul_(12.92), upper).copysign_(x)


def srgb_decode(x: Tensor) -> Tensor:
    """sRGB-encoded values to linear ones, odd and unbounded."""
    import torch

    a = x.abs()
    upper = a.add(0.055).mul_(1 / 1.055).pow_(2.4)
    return torch.where(a <= 0.04045, a.mul_(1 / 12.92), upper).copysign_(x)


def _mix(matrix: np.ndarray | None, x: Tensor) -> Tensor:
    if matrix is None:
        return x
    import torch

    m = torch.from_numpy(matrix).to(x.dtype)
    return (m @ x.reshape(3, -1)).reshape(x.shape)


def _by_chunks(x: Tensor, work: Callable[[Tensor], Tensor]) -> Tensor:
    rows = max(1, _CHUNK // max(1, x.shape[-1]))
    for y in range(0, x.shape[-2], rows):
        part = x[:, y : y + rows]
        part.copy_(work(part))
    return x


class _Tone:
    """A tone curve and its inverse on tensors, continued oddly below 0 and as a power above 1."""

    def __init__(self, curve: icc.Curve) -> None:
        self._p = curve if isinstance(curve, icc.Parametric) else None
        n = 65536
        x = np.linspace(0, 1, n + 1)
        y = np.maximum(icc.evaluate(curve, x), x * TOE_SLOPE)
        steep = float(icc.evaluate(curve, np.array([1e-4]))[0]) < 1e-4 * TOE_SLOPE
        self._toe = TOE_SLOPE if steep else 0.0
        if self._p is None:
            # Flat stretches have no inverse; a rise too small to matter makes the table strictly increasing.
            y = np.maximum.accumulate(y) + x * 1e-9
            self._end = max(0.1, float((y[-1] - y[-65]) / (x[-1] - x[-65]) / y[-1]))
            self._top = float(y[-1])
            self._table = y.astype(np.float32)
            # The inverse is tabulated over the sRGB encoding of y, in which it is nearly straight.
            t = np.linspace(0, 1, n + 1)
            light = np.where(t <= 0.04045, t / 12.92, ((t + 0.055) / 1.055) ** 2.4) * self._top
            self._inverse = np.interp(light, y, x).astype(np.float32)

    def linear(self, x: Tensor) -> Tensor:
        """Device values to linear ones."""
        import torch

        a = x.abs()
        if self._p is None:
            y = torch.where(a <= 1, _look_up(self._table, a), a.pow(self._end) * self._top)
        else:
            p = self._p
            u = a if (p.a, p.b) == (1.0, 0.0) else (a * p.a).add_(p.b)
            y = u.clamp(min=0).pow_(p.g).add_(p.e)
            if p.d > 0:
                y = torch.where(a >= p.d, y, a * p.c + p.f)
            if self._toe:
                y = torch.maximum(y, a * self._toe)
        return y.copysign(x)

    def device(self, y: Tensor) -> Tensor:
        """Linear values to device ones."""
        import torch

        a = y.abs()
        if self._p is None:
            t = a / self._top
            x = torch.where(t <= 1, _look_up(self._inverse, srgb_encode(t)), t.pow(1 / self._end))
        else:
            p = self._p
            x = (a - p.e).clamp_(min=0).pow_(1 / p.g)
            if (p.a, p.b) != (1.0, 0.0):
                x.sub_(p.b).mul_(1 / p.a)
            if p.d > 0:
                knee = max(p.a * p.d + p.b, 0.0) ** p.g + p.e
                # A constant stretch (c = 0) has no inverse: black is the honest answer.
                low = (a - p.f).div_(p.c).clamp_(min=0) if p.c > 0 else torch.zeros_like(a)
                x = torch.where(a >= knee, x, low)
            if self._toe:
                x = torch.minimum(x, a / self._toe)
        return x.copysign(y)


def _look_up(table: np.ndarray, x: Tensor) -> Tensor:
    import torch

    values = torch.from_numpy(table)
    n = len(table) - 1
    at = x.clamp(0, 1).mul_(n)
    low = at.to(torch.int32).clamp_(max=n - 1)
    lower = values[low]
    return lower + (values[low + 1] - lower) * (at - low)
