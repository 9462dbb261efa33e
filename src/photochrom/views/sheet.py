"""The contact sheet: pictures before and after, side by side."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from photochrom.core.door import to_depth
from photochrom.core.errors import ControlError
from photochrom.io import read
from photochrom.io.guard import whole_file
from photochrom.views.plot import check_target

EDGE = 360
"""Longest side of a picture on the sheet, in pixels."""
GAP = 16
PAIRS = 2
PAPER, INK, FAINT = (250, 250, 248), (30, 30, 30), (110, 110, 110)


def contact_sheet(pairs: Sequence[tuple[Path, Path]], target: str | Path, *, title: str = "", about: str = "") -> None:
    """Lay pictures before and after a recipe side by side and write the sheet as PNG.

    Args:
        pairs: files before and after.
        target: the PNG to write; replaced if it is there.
        title: printed at the top.
        about: printed below the title.

    Raises:
        FileError: a picture cannot be read.
    """
    cells = [[_thumbnail(before), _thumbnail(after)] for before, after in pairs]
    rows = [cells[i:i + PAIRS] for i in range(0, len(cells), PAIRS)]
    names = [before.stem for before, _ in pairs]
    heading, small = ImageFont.load_default(22), ImageFont.load_default(13)
    top = 2 * GAP + 44
    heights = [max(picture.height for cell in row for picture in cell) + 2 * GAP + 6 for row in rows]
    sheet = Image.new("RGB", (GAP + PAIRS * (2 * EDGE + 6 + 2 * GAP), top + sum(heights)), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((GAP, GAP), title, INK, heading)
    draw.text((GAP, GAP + 28), about, FAINT, small)
    y = top
    for index, row in enumerate(rows):
        for column, (before, after) in enumerate(row):
            x = GAP + column * (2 * EDGE + 6 + 2 * GAP)
            sheet.paste(before, (x, y))
            sheet.paste(after, (x + before.width + 6, y))
            draw.text((x, y + before.height + 4), f"{names[index * PAIRS + column]}: before, after", FAINT, small)
        y += heights[index]
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(target)


def _thumbnail(path: Path) -> Image.Image:
    photo = read(path)
    picture = photo.image if photo.image.shape[1] == 3 else photo.image.expand(-1, 3, -1, -1)
    pixels = to_depth(picture[0].movedim(0, -1), np.dtype(np.uint8))
    thumbnail = Image.fromarray(pixels)
    thumbnail.thumbnail((EDGE, EDGE), Image.Resampling.LANCZOS)
    return thumbnail


def picture_sheet(files: Sequence[str | Path], target: str | Path, *, columns: int | None = None, title: str = "",
                  overwrite: bool = False) -> None:
    """Lay any number of pictures out on one, with their names, and write it as PNG or SVG.

    Args:
        files: picture files, in the order in which they are laid out.
        target: the file to write; an SVG holds the sheet as one picture.
        columns: how many side by side; as many as make the sheet about square if not given.
        title: printed at the top.
        overwrite: replace a file that is there.

    Raises:
        FileError: a picture cannot be read, or the sheet not be written.
    """
    if not files:
        raise ControlError("view sheet needs at least one picture")
    path = check_target(target, overwrite, files)
    cells = [_thumbnail(Path(file)) for file in files]
    across = min(columns or max(1, round(math.sqrt(len(cells)))), len(cells))
    small = ImageFont.load_default(13)
    rows = [cells[i:i + across] for i in range(0, len(cells), across)]
    widths = [max(cell.width for cell in cells[k::across]) for k in range(across)]
    heights = [max(cell.height for cell in row) for row in rows]
    top = GAP + (32 if title else 0)
    width = GAP + sum(widths) + GAP * across
    sheet = Image.new("RGB", (width, top + sum(heights) + (GAP + 20) * len(rows)), PAPER)
    pen = ImageDraw.Draw(sheet)
    if title:
        pen.text((GAP, GAP - 4), title, INK, ImageFont.load_default(20))
    y = top
    for index, row in enumerate(rows):
        x = GAP
        for column, cell in enumerate(row):
            sheet.paste(cell, (x, y + heights[index] - cell.height))
            name = Path(files[index * across + column]).name
            pen.text((x, y + heights[index] + 4), _shortened(name, widths[column], pen, small), INK, small)
            x += widths[column] + GAP
        y += heights[index] + GAP + 20
    with whole_file(path, overwrite) as temporary:
        if path.suffix.lower() == ".svg":
            temporary.write_text(_as_svg(sheet), encoding="utf-8")
        else:
            sheet.save(temporary, format="PNG")


def _shortened(name: str, width: int, pen: ImageDraw.ImageDraw,
               font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Return a name cut in the middle so that it is no wider than its picture."""
    short, keep = name, len(name)
    while keep > 5 and pen.textlength(short, font) > width:
        keep -= 1
        short = f"{name[:keep - keep // 2]}...{name[len(name) - keep // 2:]}"
    return short


def _as_svg(sheet: Image.Image) -> str:
    stored = io.BytesIO()
    sheet.save(stored, format="PNG")
    data = base64.b64encode(stored.getvalue()).decode("ascii")
    size = f'width="{sheet.width}" height="{sheet.height}"'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {sheet.width} {sheet.height}">'
            f'<image {size} href="data:image/png;base64,{data}"/></svg>\n')
