"""The contact sheet: pictures before and after, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from photochrom.core.door import to_depth
from photochrom.io import read

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
