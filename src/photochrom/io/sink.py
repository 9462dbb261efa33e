"""Working values to stored samples, and stored samples to a file that appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from photochrom.core.errors import FileError
from photochrom.io import metadata
from photochrom.io.about import About, Depth
from photochrom.io.formats import Format, TiffLayout, format_for_output, show, stored_depth
from photochrom.io.guard import check_output, whole_file, why_not_written
from photochrom.io.library import vips, vips_of
from photochrom.io.profiles import Linear, Plain, Space, space_for
from photochrom.io.stream import save_stream
from photochrom.io.tifftags import append_tags
from photochrom.num.samples import pack

if TYPE_CHECKING:
    from torch import Tensor

# Below this many bytes the strips are gathered into one array, which is faster; above, they stream.
GATHER_BYTES = 64 << 20

# libvips holds two buffers of 256 rows and what its threads work on; tiles and pyramids more.
_LINES, _TILED, _PYRAMID = 800, 1050, 1300
# Bytes a pixel of formats that are encoded as a whole.
_WHOLE = {"webp": 12, "avif": 48}

_LONGEST = {"jpeg": 65500, "webp": 16383, "avif": 65535, "hdr": 65535}


class Encoder:
    """Turns working values into the stored samples of one output.

    Rounding and clipping to the integer range happen here and nowhere else.

    Attributes:
        format: The output's format.
        about: What the output will say besides its pixels.
        dtype: NumPy type of the stored samples.
        bands: Stored bands: colours, then alpha.
        plain: Whether stored samples are the working values (and alpha) up to integer scaling.
        notes: Sentences on what the output cannot hold.
        space: The stored colour space.
    """

    def __init__(self, fmt: Format, about: About, space: Space, flatten: bool, notes: tuple[str, ...]) -> None:
        self.format = fmt
        self.about = about
        self.space = space
        self.notes = notes
        self.bands = space.stored + (1 if about.alpha else 0)
        self.dtype = np.dtype("float32" if about.depth == "float16" else about.depth)
        self.plain = space.plain and self.dtype.kind == "u" and not flatten and space.stored == about.channels
        self._flatten = flatten

    def encode(self, image: Tensor, alpha: Tensor | None = None) -> np.ndarray:
        """Working values to stored samples.

        Integers: clamped to [0, 1], scaled, rounded half to even; NaN becomes 0. Floating point: kept as they are,
        except beyond the range of 16-bit floats when those are written.

        Args:
            image: Working values (1, C, h, W).
            alpha: Opacity (1, 1, h, W), None for opaque.

        Returns:
            Samples (h, W, bands).
        """
        import torch

        x = image[0].detach().to("cpu", torch.float32)
        if x.shape[0] not in (1, 3):
            raise ValueError(f"encode: expected 1 or 3 channels, got {x.shape[0]}.")
        opacity = None if alpha is None else alpha[0].detach().to("cpu", torch.float32)
        if self._flatten and opacity is not None:
            x = x * opacity + (1 - opacity)
        if self.space.stored == 1 and x.shape[0] == 3:
            raise ValueError("encode: expected 1 channel for a grey output, got 3.")
        if self.space.stored > 1 and x.shape[0] == 1:
            x = x.expand(3, -1, -1)
        if not self.space.plain:
            x = self.space.from_working(x.clone(memory_format=torch.contiguous_format))
        if self.about.linear and self.about.alpha and opacity is not None:
            x = x * opacity  # OpenEXR's alpha is associated
        h, w = x.shape[1:]
        out = np.empty((h, w, self.bands), self.dtype)
        planes = torch.from_numpy(out).permute(2, 0, 1)
        self._store(x, planes[: x.shape[0]])
        if self.about.alpha:
            if opacity is None:
                opacity = torch.ones(1, h, w)
            self._store(opacity, planes[x.shape[0] :])
        return out

    def _store(self, x: Tensor, out: Tensor) -> None:
        if self.dtype.kind == "u":
            pack(x.numpy(), out.permute(1, 2, 0).numpy())
            return
        if self.about.depth == "float16":
            x = x.clamp(-65504.0, 65504.0)
        out.copy_(x)


def encoder_for(
    about: About,
    out_path: str | os.PathLike[str],
    *,
    profile: Literal["keep", "srgb"] = "keep",
    depth: Depth | None = None,
    channels: int | None = None,
    alpha: bool | None = None,
) -> Encoder:
    """The encoder for a picture and an output's name.

    Where the format cannot hold the picture's depth, the deepest it holds is taken, with a note. Where it has no alpha
    (JPEG, Netpbm, Radiance HDR) transparent parts are laid on white, with a note.

    Args:
        about: What the picture came with.
        out_path: The output; its ending names the format.
        profile: "keep" stores the colours of the embedded profile, "srgb" converts to sRGB.
        depth: Depth of the stored samples, None for the picture's own.
        channels: Colour channels of the finished picture, None for the picture's own.
        alpha: Whether the finished picture has alpha, None for the picture's own.

    Returns:
        The encoder.

    Raises:
        FileError: The ending or the depth is not one that can be written.
    """
    if profile not in ("keep", "srgb"):
        raise FileError(f"profile: expected keep or srgb, got {profile!r}.")
    fmt = format_for_output(out_path)
    notes: list[str] = []
    if depth is not None and depth not in fmt.depths:
        raise FileError(f"{show(out_path)}: {fmt.title} stores {' or '.join(fmt.depths)} samples, got depth {depth}.")
    stored, note = stored_depth(fmt, depth or about.depth)
    if note and depth is None:
        notes.append(note)
    channels = about.channels if channels is None else channels
    has_alpha = about.alpha if alpha is None else alpha
    flatten = has_alpha and not fmt.alpha
    if flatten:
        notes.append(f"{fmt.title} holds no alpha: transparent parts are laid on white")
    if not fmt.loader and (about.exif or about.xmp or about.iptc):
        notes.append(f"{fmt.title} is written without camera data")
    space, kept = _space(about, fmt, profile, channels, notes)
    out = replace(
        about,
        depth=stored,
        format=fmt.name,
        channels=channels,
        alpha=has_alpha and fmt.alpha,
        profile=kept,
        notes=(),
        cmyk=space.stored == 4,
        linear=fmt.linear,
    )
    return Encoder(fmt, out, space, flatten, tuple(notes))


def _space(about: About, fmt: Format, profile: str, channels: int, notes: list[str]) -> tuple[Space, bytes | None]:
    colours = 1 if channels == 1 and fmt.grey else 3
    if fmt.linear:
        return Linear(colours), None
    if not fmt.profile:
        if about.profile is not None and profile == "keep":
            notes.append(f"{fmt.title} holds no colour profile: stored as sRGB")
        return Plain(colours), None
    if profile == "keep" and about.cmyk:
        if fmt.cmyk and channels == 3:
            space, _ = space_for(about.profile, 4)
            return space, about.profile
        notes.append(f"{fmt.title} holds no CMYK: converted to sRGB")
    elif profile == "keep" and about.profile is not None:
        space, remark = space_for(about.profile, about.channels)
        if remark is None and about.channels == colours:
            return space, about.profile
        if remark is None and not (space.plain and colours == 1):
            notes.append("the profile does not fit the new number of channels: converted to sRGB")
    tagged = about.profile is not None and colours == 3
    return Plain(colours), (bytes(vips().Image.profile_load("srgb")) if tagged else None)


def held(about: About, out_path: str | os.PathLike[str], height: int, width: int, *, depth: Depth | None = None,
         tiff: TiffLayout | None = None) -> int:
    """Bytes that writing a picture takes beside the strips, as measured.

    Args:
        about: What the picture came with.
        out_path: The output; its ending names the format.
        height: Rows of the picture.
        width: Columns of the picture.
        depth: Depth of the stored samples, None for the picture's own.
        tiff: How a TIFF is laid out.

    Raises:
        FileError: The ending or the depth is not one that can be written.
    """
    fmt, tiff = format_for_output(out_path), tiff or TiffLayout()
    stored, _ = stored_depth(fmt, depth or about.depth)
    sample = {"uint8": 1, "uint16": 2}.get(stored, 4)
    row = width * ((1 if about.channels == 1 and fmt.grey else 3) + (about.alpha and fmt.alpha)) * sample
    whole = height * row
    if fmt.name in _WHOLE:
        return _WHOLE[fmt.name] * height * width
    if not fmt.loader:
        return 0   # rows go straight out
    lines = _PYRAMID if tiff.pyramid and fmt.name == "tiff" else _TILED if tiff.tiled and fmt.name == "tiff" else _LINES
    return min(lines, 3 * height) * row + (whole if whole <= GATHER_BYTES else 0)


def save_strips(
    path: str | os.PathLike[str],
    encoder: Encoder,
    height: int,
    width: int,
    strips: Iterable[np.ndarray],
    *,
    quality: int | None = None,
    overwrite: bool = False,
    protect: Iterable[str | os.PathLike[str]] = (),
    staged: Path | None = None,
    tiff: TiffLayout | None = None,
) -> None:
    """Write a picture that arrives in strips of stored samples, atomically.

    Strips are pulled as they are needed. The file is written under a temporary name in the same folder and renamed at
    the end; on any failure, an interrupt included, nothing is left behind.

    Args:
        path: The output; its ending must be the encoder's format.
        encoder: The encoder that made the strips.
        height: Rows of the picture.
        width: Columns of the picture.
        strips: Arrays (h, width, bands) from top to bottom.
        quality: 1 to 100 for JPEG (95 without), WebP (90) and AVIF (85); 100 is lossless for WebP and AVIF.
        overwrite: Whether an existing file may be replaced.
        protect: Files that must not be replaced (the inputs).
        staged: Where the finished file goes instead of `path`; the caller then puts it in its place.
        tiff: How a TIFF is laid out; no other format heeds it.

    Raises:
        FileError: The file cannot be written.
    """
    path = Path(path)
    if format_for_output(path).name != encoder.format.name:
        raise ValueError(f"save_strips: expected a name for {encoder.format.title}, got {show(path)}.")
    if quality is not None and not 1 <= quality <= 100:
        raise FileError(f"quality: expected 1 to 100, got {quality}.")
    check_output(path, overwrite, protect)
    longest = _LONGEST.get(encoder.format.name)
    if longest and max(height, width) > longest:
        raise FileError(
            f"{show(path)}: {encoder.format.title} holds at most {longest} pixels a side, got {width} x {height}."
        )
    with whole_file(path, overwrite, staged) as temporary:
        checked = _counted(strips, height, width, encoder)
        if encoder.format.linear:
            from photochrom.io.floats import save_floats

            save_floats(temporary, path, encoder, height, width, checked)
        elif encoder.format.name == "bmp":
            from photochrom.io.bmp import save_bmp

            save_bmp(temporary, path, encoder, height, width, checked)
        elif not encoder.format.loader:
            from photochrom.io.netpbm import save_netpbm

            save_netpbm(temporary, path, encoder, height, width, checked)
        else:
            _save_vips(temporary, path, encoder, (height, width, encoder.bands), checked, quality,
                       tiff or TiffLayout())


def _counted(strips: Iterable[np.ndarray], height: int, width: int, encoder: Encoder) -> Iterator[np.ndarray]:
    rows = 0
    for strip in strips:
        if strip.shape[1:] != (width, encoder.bands) or strip.dtype != encoder.dtype:
            raise ValueError(
                f"save_strips: expected strips (h, {width}, {encoder.bands}) of {encoder.dtype}, "
                f"got {strip.shape} of {strip.dtype}."
            )
        rows += strip.shape[0]
        if rows > height:
            break
        yield strip
    if rows != height:
        raise ValueError(f"save_strips: expected {height} rows in all, got {rows}.")


def _save_vips(
    temporary: Path,
    path: Path,
    encoder: Encoder,
    shape: tuple[int, int, int],
    strips: Iterator[np.ndarray],
    quality: int | None,
    tiff: TiffLayout,
) -> None:
    about = encoder.about
    deep = encoder.dtype != np.uint8
    name = "cmyk" if about.cmyk else ("grey" if encoder.space.stored == 1 else "rgb") + ("16" if deep else "")

    def save(image: Any) -> None:
        image = metadata.attach(
            image.copy(interpretation={"grey": "b-w", "rgb": "srgb"}.get(name, name)),
            exif=about.exif,
            xmp=about.xmp,
            iptc=metadata.photoshop_block(about.iptc) if encoder.format.name == "jpeg" else None,
            profile=about.profile,
            density=about.density,
        )
        operation, options = _options(encoder, shape, quality, tiff)
        getattr(image, operation)(os.fsencode(temporary), **options)

    size = shape[0] * shape[1] * shape[2] * encoder.dtype.itemsize
    try:
        if size <= GATHER_BYTES:
            save(vips_of(_gather(strips, shape, encoder.dtype), "rgb"))
        else:
            save_stream(strips, shape, encoder.dtype, save, cmyk=about.cmyk)
        if encoder.format.name == "tiff":
            append_tags(temporary, about.exif, about.iptc)
        return
    except vips().Error as e:
        reason = why_not_written(temporary, str(e))
    # Raised out here: an exception with a history would keep the library's half-written file open.
    raise FileError(f"{show(path)}: cannot be written ({reason}).")


def _gather(strips: Iterator[np.ndarray], shape: tuple[int, int, int], dtype: np.dtype) -> np.ndarray:
    first = next(strips)
    if first.shape == shape:
        for _ in strips:
            pass  # runs the count to its end
        return np.ascontiguousarray(first)
    whole = np.empty(shape, dtype)
    y = 0
    for strip in chain([first], strips):
        whole[y : y + len(strip)] = strip
        y += len(strip)
    return whole


def _options(
    encoder: Encoder, shape: tuple[int, int, int], quality: int | None, tiff: TiffLayout
) -> tuple[str, dict[str, Any]]:
    kind = encoder.format.name
    if kind == "jpeg":
        # Chroma is halved below quality 90 only.
        return "jpegsave", {"Q": quality or 95}
    if kind == "png":
        return "pngsave", {"compression": 3, "filter": "sub"}
    if kind == "webp":
        if quality == 100:
            return "webpsave", {"lossless": True, "exact": True}
        return "webpsave", {"Q": quality or 90, "alpha_q": 100, "smart_subsample": True}
    if kind == "avif":
        options: dict[str, Any] = {"compression": "av1", "bitdepth": 10 if encoder.dtype == np.uint16 else 8}
        return "heifsave", options | ({"lossless": True} if quality == 100 else {"Q": quality or 85})
    size = shape[0] * shape[1] * shape[2] * encoder.dtype.itemsize
    # Deflate with a predictor is read everywhere; level 1 writes twice as fast as LZW.
    predictor = "float" if encoder.dtype == np.float32 else "horizontal"
    big = size * (1.34 if tiff.pyramid else 1) > 3_900_000_000 if tiff.big is None else tiff.big
    options = {"compression": "deflate", "level": 1, "predictor": predictor, "bigtiff": big}
    # Wide rows in low strips: libvips, here and wherever the file is read, holds several strips.
    options["tile_height"] = min(128, max(16, (4 << 20) // (shape[1] * shape[2] * encoder.dtype.itemsize)))
    if tiff.tiled or tiff.pyramid:
        options |= {"tile": True, "tile_width": 256, "tile_height": 256, "pyramid": tiff.pyramid}
    return "tiffsave", options
