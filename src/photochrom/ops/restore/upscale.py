"""More pixels, by a network that has seen what belongs between them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from torch import Tensor

from photochrom.core.errors import ControlError
from photochrom.core.op import op
from photochrom.core.types import Image, Model, Range
from photochrom.nets.choice import network_for
from photochrom.nets.inference import BICUBIC_HALO, SPREAD, drift, enlarge_bicubic
from photochrom.nets.pictures import restore_picture

_BICUBIC = "bicubic"


def _halo(*, scale: int, model: str, keep_mean: bool, **_: Any) -> int | None:
    """Return how many pixels of the small picture are looked at beyond a pixel."""
    if keep_mean:
        return None
    if model == _BICUBIC:
        return BICUBIC_HALO + SPREAD
    known = network_for("upscale", model, scale=scale).descriptor
    if known.halo is None:
        return None
    # colour differences always pass through the interpolation
    own = -(-known.halo // scale) + BICUBIC_HALO if known.interpolated else max(known.halo, BICUBIC_HALO)
    return own + SPREAD


@op(reach="window", halo=_halo, resizes=True, spreads=SPREAD, steady=True, enlarges=lambda *, scale, **_: scale,
    on_alpha=lambda **_: {"model": _BICUBIC, "keep_mean": False})
def upscale(image: Image, *,
            scale: Annotated[int, Range(2, 4)] = 2,
            model: Model = "best",
            ensemble: bool = False,
            precision: Literal["fp32", "bf16"] = "fp32",
            backend: Literal["torch", "onnx", "openvino"] = "torch",
            keep_mean: bool = False) -> Tensor:
    """Enlarge a picture two, three or four times by a network, sharper than interpolation does.

    Edges stay edges and fine lines whole where an interpolation blurs them. Of colour pictures a network that knows
    luminance alone works on that; colour differences, in which the eye sees little detail, are enlarged by the bicubic
    interpolation of MATLAB, and so is alpha. Networks are trained on pictures that the same interpolation made smaller:
    noise and the traces of JPEG are taken for detail and enlarged too.

    Args:
        image: (B, C, H, W), sRGB-encoded.
        scale: how many times higher and wider the result is.
        model: `best` is the best shipped network of the scale, `bicubic` the interpolation alone; else the name of
            shipped weights, or of a file in a folder of PHOTOCHROM_WEIGHTS. Outside the studio also a file or
            hf:owner/repository.
        ensemble: take the mean over the eight ways to turn and mirror the picture, which takes eight times as long.
        precision: bf16 computes with numbers of 8 significant bits, faster on processors that know them.
        backend: what computes; onnx and openvino only where they are installed.
        keep_mean: move the result so that each channel has the mean it had; needs the whole picture at once. Without
            it commands tell how far the mean has moved.

    Returns:
        (B, C, scale H, scale W), same encoding; values may leave [0, 1] at edges.

    Raises:
        ControlError: a control outside its range, weights of another task or scale, a backend that is not installed, or
            a result of more than a thousand million pixels.
        FileError: there are no such weights, or they are damaged.

    Reference:
        Shi, Caballero, Huszar et al.: Real-time single image and video super-resolution using an efficient sub-pixel
        convolutional neural network. CVPR 2016. Other networks as their weights tell.

    Example:
        >>> import torch
        >>> upscale(torch.full((1, 3, 4, 5), 0.5), scale=3, model="bicubic").mean().item()
        0.5
    """
    height, width = image.shape[-2:]
    if height * width * scale * scale > 1 << 30:
        raise ControlError(f"upscale: the result would have {width * scale} x {height * scale} pixels, more than a "
                           "thousand million")
    if model == _BICUBIC:
        made = enlarge_bicubic(image, scale)
    else:
        made = restore_picture(network_for("upscale", model, scale=scale), image, scale=scale, ensemble=ensemble,
                               precision=precision, backend=backend)
    return made - drift(image, made) if keep_mean else made
