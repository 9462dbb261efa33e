"""What an operation does: its own words, its paper, and a picture of its effect, made by running it."""

from __future__ import annotations

import contextlib
import functools
import html
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from photochrom.core.errors import PhotochromError
from photochrom.core.registry import registry
from photochrom.core.step import Step
from photochrom.engine.pictures import run
from photochrom.io.photo import Photo, read
from photochrom.ops.degrade.add_noise import add_noise
from photochrom.ops.degrade.compress_jpeg import compress_jpeg
from photochrom.ops.geometry.resize import resize
from photochrom.studio.previews import encode, samples
from photochrom.studio.sample import sample_picture
from photochrom.studio.words import prose

WIDE = 200
_TELLING: dict[str, dict[str, Any]] = {
    "levels": {"black": 0.15, "white": 0.75, "gamma": 1.2}, "clip": {"low": 0.25, "high": 0.6},
    "resize": {"scale": 0.5}, "crop": {"box": (50.0, 20.0, 150.0, 110.0)}, "pad": {"left": 30, "right": 30, "top": 20},
    "affine": {"matrix": ((0.8, 0.3, 0.0), (-0.1, 0.8, 20.0))}, "rotate": {"angle": 20.0},
    "perspective": {"from_points": ((40.0, 0.0), (160.0, 0.0), (200.0, 130.0), (0.0, 130.0))},
    "compress_jpeg": {"quality": 8}, "change_color": {"red": 0.6, "blue": 1.6}, "denoise": {"sigma": 25.0},
}
"""Values for operations whose defaults change nothing, or too little to be seen."""
_GAP = 4


def explain(wires: Any, name: str) -> None:
    """Lay out the help of an operation, closed at first."""
    import gradio as gr

    operation = registry.get(name)
    about = operation.describe()
    with gr.Accordion("What it does", open=False, elem_id="help"):
        gr.HTML(f"<p>{prose(about['about'])}</p><p><img src='effect/{name}.png' loading='lazy' "
                f"alt='{html.escape(name.replace('_', ' '))}: before and after'></p>"
                f"<p class='pc-help'>{prose(about['reference'])}</p>", padding=False)


@functools.cache
def _scene() -> Photo:
    with tempfile.TemporaryDirectory() as folder:
        photo = read(sample_picture(Path(folder)))
    height, width = photo.image.shape[-2:]
    return run(Step(resize, size=(round(height * WIDE / width), WIDE), resample="area"), photo)


@functools.lru_cache(maxsize=256)
def effect(name: str) -> bytes:
    """Return a PNG of the sample before and after an operation with its defaults; one picture if it gives none.

    Where the defaults would show nothing, it gets telling values, or a picture with what it takes away.
    Where it needs further pictures it gets simple ones: a disc as mask, the sample mirrored and warmer as reference.
    """
    operation = registry.get(name)
    scene = _spoilt(name, _scene())
    parts = [scene]
    if operation.chains:
        with contextlib.suppress(PhotochromError):
            parts.append(run(Step(operation, **_given(name, scene), **_TELLING.get(name, {})), scene))
    shown = [_colour(samples(part)) for part in parts]
    tall = max(part.shape[0] for part in shown)
    sheet = np.full((tall, sum(part.shape[1] for part in shown) + _GAP * (len(shown) - 1), 3), 255, np.uint8)
    left = 0
    for part in shown:
        sheet[:part.shape[0], left:left + part.shape[1]] = part
        left += part.shape[1] + _GAP
    return encode(sheet)


def _spoilt(name: str, scene: Photo) -> Photo:
    """Return the scene with what the operation takes away: noise, blocks of JPEG, stripes."""
    if name == "denoise":
        return run(Step(add_noise, sigma=25.0), scene)
    if name == "deblock":
        return run(Step(compress_jpeg, quality=10), scene)
    if name == "notch":   # of the frequency that it takes out by default
        stripes = torch.sin(torch.arange(scene.image.shape[-1]) * (2 * torch.pi * 64 / WIDE))
        return replace(scene, image=scene.image + 0.2 * stripes)
    return scene


def _colour(stored: np.ndarray) -> np.ndarray:
    return np.repeat(stored, 3, 2) if stored.shape[2] == 1 else stored[..., :3]


def _given(name: str, scene: Photo) -> dict[str, Any]:
    """Return pictures for the ports of an operation."""
    operation, image = registry.get(name), scene.image
    height, width = image.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height) / height - 0.5, torch.arange(width) / width - 0.5, indexing="ij")
    disc = ((x * x + y * y) < 0.06).to(image)[None, None]
    other = (image.flip(-1) * torch.tensor([1.15, 0.9, 0.6]).reshape(1, 3, 1, 1)).clamp(0, 1)
    grey = image.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    ports: dict[str, Any] = {}
    for port, declared in operation.ports.items():
        if port == operation.main or (declared.optional and port not in ("mask", "scribbles")):
            continue
        if declared.kind == "table":
            ramp = torch.linspace(0, 1, 32)
            ports[port] = torch.stack([ramp ** 0.8, ramp, ramp ** 1.3])
        elif port == "scribbles":
            ports[port] = torch.where(disc.bool() & (grey > 0.4), other, grey)
        elif port == "flow":
            ports[port] = torch.cat([6 * torch.sin(12 * y)[None, None], 6 * torch.sin(12 * x)[None, None]], 1).to(image)
        elif port.endswith("mask"):
            ports[port] = disc
        else:
            ports[port] = other
    return ports
