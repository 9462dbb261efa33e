"""The traces of JPEG taken off, by a network that has seen what JPEG does."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from photochrom.color.ycbcr import rgb_to_ycbcr, ycbcr_to_rgb
from photochrom.core.op import op
from photochrom.core.types import Image, Model
from photochrom.nets.choice import BEST, network_for
from photochrom.nets.inference import SPREAD, drift
from photochrom.nets.pictures import restore_picture


def _halo(*, model: str, keep_mean: bool, **_: Any) -> int | None:
    halo = None if keep_mean else network_for("deblock", model).descriptor.halo
    return halo + SPREAD if halo else halo


@op(reach="window", halo=_halo, spreads=SPREAD, steady=True, on_alpha=lambda **_: None)
def deblock(image: Image, *,
            model: Model = BEST,
            ensemble: bool = False,
            precision: Literal["fp32", "bf16"] = "fp32",
            backend: Literal["torch", "onnx", "openvino"] = "torch",
            keep_mean: bool = False) -> Tensor:
    """Take the traces of JPEG off a picture: edges of blocks, rings around lines.

    A network of grey works on the luminance of colour pictures, where the traces are seen, and leaves the colour
    differences as they are. The shipped network was shown JPEG of quality 10 to 40; what better files have lost it does
    not bring back, and their finest grain it smooths a little.

    Args:
        image: (B, C, H, W), as it was decoded: the blocks must lie where JPEG put them, and their edges be whole.
        model: `best` is the best shipped network; else the name of shipped weights, or of a file in a folder of
            PHOTOCHROM_WEIGHTS. Outside the studio also a file or hf:owner/repository.
        ensemble: the mean over the eight ways to turn and mirror the picture; eight times as long, a little better.
        precision: bf16 computes with numbers of 8 significant bits, faster on processors that know them.
        backend: what computes; onnx and openvino only where they are installed.
        keep_mean: move the result so that each channel has the mean it had; needs the whole picture at once. Without
            it commands tell how far the mean has moved.

    Returns:
        (B, C, H, W), same encoding; values may leave [0, 1].

    Raises:
        ControlError: weights of another task, or a backend that is not installed.
        FileError: there are no such weights, or they are damaged.

    Reference:
        Zhang, Zuo, Chen, Meng, Zhang: Beyond a Gaussian denoiser: residual learning of deep CNN for image denoising.
        TIP 26(7), 2017.

    Example:
        >>> import torch
        >>> round(deblock(torch.full((1, 1, 16, 16), 0.5)).mean().item(), 1)
        0.5
    """
    network = network_for("deblock", model)
    settings: dict[str, Any] = {"ensemble": ensemble, "precision": precision, "backend": backend}
    if image.shape[1] == 3 and network.descriptor.channels == "gray":
        parts = rgb_to_ycbcr(image)
        made = ycbcr_to_rgb(torch.cat([restore_picture(network, parts[:, :1], **settings), parts[:, 1:]], 1))
    else:
        made = restore_picture(network, image, **settings)
    return made - drift(image, made) if keep_mean else made
