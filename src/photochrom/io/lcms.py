"""Profiles that only a colour engine can evaluate (lookup tables, CMYK), by libvips' own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photochrom.io import icc
from photochrom.io.library import vips, vips_of

if TYPE_CHECKING:
    from torch import Tensor

_D50 = (0.9642, 1.0, 0.8249)
_EPS, _KAPPA = 216 / 24389, 24389 / 27


class Tabled:
    """A profile evaluated by lcms: relative colorimetric with black-point compensation, through Lab."""

    plain = False

    def __init__(self, profile: bytes | None, stored: int) -> None:
        self.stored = stored
        self._profile = profile

    def to_working(self, x: Tensor) -> Tensor:
        """Stored colours to working colours."""
        import torch

        from photochrom.io.profiles import srgb_encode

        codes = np.ascontiguousarray((x.clamp(0, 1) * 65535).round_().permute(1, 2, 0).numpy().astype(np.uint16))
        image = vips_of(codes, {1: "grey16", 3: "rgb16", 4: "cmyk"}[self.stored])
        options = {"pcs": "lab", "intent": "relative", "black_point_compensation": True}
        if self._profile is None:
            image = image.icc_import(input_profile="cmyk", **options)
        else:
            image = _tagged(image, self._profile).icc_import(embedded=True, **options)
        lab = torch.from_numpy(image.numpy().astype(np.float32)).permute(2, 0, 1)
        working = srgb_encode(_lab_to_linear(lab))
        return working[1:2] if self.stored == 1 else working

    def from_working(self, x: Tensor) -> Tensor:
        """Working colours to stored colours."""
        import torch

        from photochrom.io.profiles import srgb_decode

        lab = _linear_to_lab(srgb_decode(x))
        image = vips_of(np.ascontiguousarray(lab.permute(1, 2, 0).numpy()), "lab")
        options = {"pcs": "lab", "intent": "relative", "black_point_compensation": True, "depth": 16}
        if self._profile is None:
            image = image.icc_export(output_profile="cmyk", **options)
        else:
            image = _tagged(image, self._profile).icc_export(**options)
        codes = image.numpy().reshape(*x.shape[1:], self.stored)
        return torch.from_numpy(codes.astype(np.float32)).permute(2, 0, 1) / 65535


def usable(profile: bytes, stored: int) -> bool:
    """Whether the colour engine can use a profile both ways."""
    import torch

    try:
        space = Tabled(profile, stored)
        space.from_working(space.to_working(torch.zeros(stored, 1, 1)))
    except vips().Error:
        return False
    return True


def _tagged(image: Any, profile: bytes) -> Any:
    image = image.copy()
    image.set_type(vips().GValue.blob_type, "icc-profile-data", profile)
    return image


def _lab_to_linear(lab: Tensor) -> Tensor:
    import torch

    fy = (lab[0] + 16) / 116
    f = torch.stack([fy + lab[1] / 500, fy, fy - lab[2] / 200])
    cube = f**3
    xyz = torch.where(cube > _EPS, cube, (116 * f - 16) / _KAPPA) * torch.tensor(_D50)[:, None, None]
    back = torch.from_numpy(np.linalg.inv(icc.SRGB_D50)).to(lab.dtype)
    return (back @ xyz.reshape(3, -1)).reshape(lab.shape)


def _linear_to_lab(x: Tensor) -> Tensor:
    import torch

    if x.shape[0] == 1:
        x = x.expand(3, -1, -1)
    m = torch.from_numpy(icc.SRGB_D50).to(x.dtype)
    xyz = (m @ x.reshape(3, -1)).reshape(x.shape) / torch.tensor(_D50)[:, None, None]
    f = torch.where(xyz > _EPS, xyz.clamp(min=0) ** (1 / 3), (_KAPPA * xyz + 16) / 116)
    return torch.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])
