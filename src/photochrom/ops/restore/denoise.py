"""Less noise, by a network that has seen what noise looks like."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import torch
from torch import Tensor

from photochrom.core.op import op
from photochrom.core.types import Image, Model, Range
from photochrom.nets.choice import BEST, network_for, offered
from photochrom.nets.inference import SPREAD, drift
from photochrom.nets.opponent import clean_colour
from photochrom.nets.pictures import restore_picture
from photochrom.num.noise import noise_sigma


def _halo(*, sigma: float | None, unknown: str, model: str, keep_mean: bool, **_: Any) -> int | None:
    if keep_mean or (sigma is None and unknown == "estimate" and model == BEST):
        return None   # means and estimates are of the whole picture
    if sigma == 0:
        return 0
    # a colour picture may need several networks
    known = offered("denoise") if model == BEST else [network_for("denoise", model, sigma=sigma).descriptor]
    reaches = [one.halo for one in known]
    return None if None in reaches else max(reach for reach in reaches if reach is not None) + SPREAD


@op(reach="window", halo=_halo, spreads=SPREAD, steady=True, on_alpha=lambda **_: None)
def denoise(image: Image, *,
            sigma: Annotated[float | None, Range(0, 255, soft=(0, 75), unit="levels", neutral=0)] = None,
            unknown: Literal["blind", "estimate"] = "blind",
            model: Model = BEST,
            ensemble: bool = False,
            precision: Literal["fp32", "bf16"] = "fp32",
            backend: Literal["torch", "onnx", "openvino"] = "torch",
            keep_mean: bool = False) -> Tensor:
    """Take noise off a picture and leave its edges sharp.

    The network was shown pictures with white noise of a known strength and finds the noise, which is taken off. The
    shipped networks know grey pictures only: of colour pictures they clean the mean of the channels and two differences
    between them, where noise is told from edges more easily. A named network of grey for one strength cleans each
    channel by itself. Noise that a camera or JPEG has smoothed already is no longer white and stays in part; a `sigma`
    that is greater than that of the noise takes off more of it.

    Args:
        image: (B, C, H, W), sRGB-encoded.
        sigma: standard deviation of the noise in 8-bit levels, 255 of which are the display range; none if it is
            not known; 0 changes nothing. It chooses among shipped networks; one named by `model` runs as it is.
        unknown: without `sigma`: `blind` runs a network trained for noise of any strength, `estimate` measures the
            noise in the whole picture first and takes the network for it.
        model: `best` is the best shipped network; else the name of shipped weights, or of a file in a folder of
            PHOTOCHROM_WEIGHTS. Outside the studio also a file or hf:owner/repository.
        ensemble: take the mean over the eight ways to turn and mirror the picture, which takes eight times as long.
        precision: bf16 computes with numbers of 8 significant bits, faster on processors that know them.
        backend: what computes; onnx and openvino only where they are installed.
        keep_mean: move the result so that each channel has the mean it had; needs the whole picture at once. Without
            it commands tell how far the mean has moved.

    Returns:
        (B, C, H, W), same encoding; values may leave [0, 1].

    Raises:
        ControlError: a control outside its range, weights of another task, or a backend that is not installed.
        FileError: there are no such weights, or they are damaged.

    Reference:
        Zhang, Zuo, Chen, Meng, Zhang: Beyond a Gaussian denoiser: residual learning of deep CNN for image denoising.
        TIP 26(7), 2017. The strength is estimated after Donoho, Johnstone, Biometrika 81(3), 1994.

    Example:
        >>> import torch
        >>> denoise(torch.full((1, 1, 2, 2), 0.5), sigma=0).mean().item()
        0.5
    """
    if sigma == 0:
        return image.clone()
    settings: dict[str, Any] = {"ensemble": ensemble, "precision": precision, "backend": backend}
    strengths: list[float | None] = [sigma]
    if sigma is None and unknown == "estimate" and model == BEST:
        strengths = [255 * found for found in noise_sigma(image).mean(1).tolist()]
    parts = image.split(1) if len(strengths) > 1 else (image,)
    made = torch.cat([_clean(part, model, strength, settings) for part, strength in zip(parts, strengths, strict=True)])
    return made - drift(image, made) if keep_mean else made


def _clean(image: Tensor, model: str, sigma: float | None, settings: dict[str, Any]) -> Tensor:
    if image.dtype in (torch.float16, torch.bfloat16):
        return _clean(image.float(), model, sigma, settings).to(image.dtype)
    made = clean_colour(image, model=model, sigma=sigma, **settings) if image.shape[1] == 3 else None
    return restore_picture(network_for("denoise", model, sigma=sigma), image, **settings) if made is None else made
