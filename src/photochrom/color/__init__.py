"""Colour spaces, one file each. Conversions are called `a_to_b`, act on (B, 3, H, W) and keep dtype and device.

`from photochrom.color import rgb_to_lab` finds a conversion without naming its file; nothing is loaded before it is
used. `rgb` means sRGB-encoded values unless the conversion takes any encoding and says so, `linear` linear light of the
same primaries. Values outside [0, 1] are kept by a rule that each conversion states, so that its inverse gives them
back. Gradients are finite everywhere. Angles are in degrees.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from photochrom.color.delta_e import delta_e_76 as delta_e_76
    from photochrom.color.delta_e import delta_e_94 as delta_e_94
    from photochrom.color.delta_e import delta_e_2000 as delta_e_2000
    from photochrom.color.hsl import hsl_to_rgb as hsl_to_rgb
    from photochrom.color.hsl import rgb_to_hsl as rgb_to_hsl
    from photochrom.color.hsv import hsv_to_rgb as hsv_to_rgb
    from photochrom.color.hsv import rgb_to_hsv as rgb_to_hsv
    from photochrom.color.l_alpha_beta import l_alpha_beta_to_rgb as l_alpha_beta_to_rgb
    from photochrom.color.l_alpha_beta import rgb_to_l_alpha_beta as rgb_to_l_alpha_beta
    from photochrom.color.lab import lab_to_rgb as lab_to_rgb
    from photochrom.color.lab import lab_to_xyz as lab_to_xyz
    from photochrom.color.lab import rgb_to_lab as rgb_to_lab
    from photochrom.color.lab import xyz_to_lab as xyz_to_lab
    from photochrom.color.lch import lab_to_lch as lab_to_lch
    from photochrom.color.lch import lch_to_lab as lch_to_lab
    from photochrom.color.lch import lch_to_luv as lch_to_luv
    from photochrom.color.lch import lch_to_rgb as lch_to_rgb
    from photochrom.color.lch import luv_to_lch as luv_to_lch
    from photochrom.color.lch import oklab_to_oklch as oklab_to_oklch
    from photochrom.color.lch import oklch_to_oklab as oklch_to_oklab
    from photochrom.color.lch import oklch_to_rgb as oklch_to_rgb
    from photochrom.color.lch import rgb_to_lch as rgb_to_lch
    from photochrom.color.lch import rgb_to_oklch as rgb_to_oklch
    from photochrom.color.lms import adapt_white as adapt_white
    from photochrom.color.lms import lms_to_rgb as lms_to_rgb
    from photochrom.color.lms import lms_to_xyz as lms_to_xyz
    from photochrom.color.lms import rgb_to_lms as rgb_to_lms
    from photochrom.color.lms import xyz_to_lms as xyz_to_lms
    from photochrom.color.luv import luv_to_rgb as luv_to_rgb
    from photochrom.color.luv import luv_to_xyz as luv_to_xyz
    from photochrom.color.luv import rgb_to_luv as rgb_to_luv
    from photochrom.color.luv import xyz_to_luv as xyz_to_luv
    from photochrom.color.oklab import oklab_to_rgb as oklab_to_rgb
    from photochrom.color.oklab import rgb_to_oklab as rgb_to_oklab
    from photochrom.color.srgb import linear_to_srgb as linear_to_srgb
    from photochrom.color.srgb import srgb_to_linear as srgb_to_linear
    from photochrom.color.xyz import linear_to_xyz as linear_to_xyz
    from photochrom.color.xyz import rgb_to_xyz as rgb_to_xyz
    from photochrom.color.xyz import white_point as white_point
    from photochrom.color.xyz import xyz_to_linear as xyz_to_linear
    from photochrom.color.xyz import xyz_to_rgb as xyz_to_rgb
    from photochrom.color.ycbcr import rgb_to_ycbcr as rgb_to_ycbcr
    from photochrom.color.ycbcr import ycbcr_to_rgb as ycbcr_to_rgb

_SPACES: dict[str, tuple[str, ...]] = {
    "srgb": ("srgb_to_linear", "linear_to_srgb"),
    "xyz": ("rgb_to_xyz", "xyz_to_rgb", "linear_to_xyz", "xyz_to_linear", "white_point"),
    "lab": ("rgb_to_lab", "lab_to_rgb", "xyz_to_lab", "lab_to_xyz"),
    "luv": ("rgb_to_luv", "luv_to_rgb", "xyz_to_luv", "luv_to_xyz"),
    "lch": ("rgb_to_lch", "lch_to_rgb", "lab_to_lch", "lch_to_lab", "luv_to_lch", "lch_to_luv", "rgb_to_oklch",
            "oklch_to_rgb", "oklab_to_oklch", "oklch_to_oklab"),
    "oklab": ("rgb_to_oklab", "oklab_to_rgb"),
    "hsv": ("rgb_to_hsv", "hsv_to_rgb"),
    "hsl": ("rgb_to_hsl", "hsl_to_rgb"),
    "ycbcr": ("rgb_to_ycbcr", "ycbcr_to_rgb"),
    "lms": ("rgb_to_lms", "lms_to_rgb", "xyz_to_lms", "lms_to_xyz", "adapt_white"),
    "l_alpha_beta": ("rgb_to_l_alpha_beta", "l_alpha_beta_to_rgb"),
    "delta_e": ("delta_e_76", "delta_e_94", "delta_e_2000"),
}
_EXPORTS = {name: space for space, names in _SPACES.items() for name in names}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'photochrom.color' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"photochrom.color.{_EXPORTS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
