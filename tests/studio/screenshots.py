"""Makes the pictures of docs/studio anew: `python -m tests.studio.screenshots`. Look at them before you commit them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from tests.studio.conftest import CHROMIUM, Visit

FOLDER = Path(__file__).parents[2] / "docs" / "studio"


def shot(visit: Visit, name: str, tall: int | None = None) -> None:
    """Keep what the page shows, in few enough colours to be small."""
    visit.page.wait_for_timeout(1200)
    path = FOLDER / f"{name}.png"
    size = visit.page.viewport_size
    assert size is not None
    visit.page.screenshot(path=path, full_page=tall is not None,
                          clip=None if tall is None else {"x": 0, "y": 0, "width": size["width"], "height": tall})
    Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
    print(path, path.stat().st_size // 1000, "kB")


def stroke(visit: Visit, start: tuple[float, float], end: tuple[float, float], where: str = "#easel") -> None:
    """Drag over a picture, in parts of its frame."""
    canvas = visit.page.locator(f"{where} .pc-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    visit.page.mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"], steps=12)
    visit.page.mouse.up()


def edit(browser: Any, address: str) -> None:
    """The page at work: steps, a mask, before and after."""
    visit = Visit(browser, address, viewport={"width": 1280, "height": 860})
    page = visit.open()
    visit.choose("tonemap reinhard local")
    visit.keep()
    visit.choose("sigmoid contrast")
    visit.keep()
    visit.choose("exposure")
    visit.set("stops", "1.2")
    page.click("#easel button:has-text('Paint mask')")
    for _ in range(5):
        page.keyboard.press("]")
    for start, end in (((0.36, 0.25), (0.36, 0.55)), ((0.45, 0.4), (0.5, 0.75)), ((0.6, 0.3), (0.58, 0.6))):
        visit.after(lambda start=start, end=end: stroke(visit, start, end))   # type: ignore[misc]
    shot(visit, "mask")
    page.click("#easel button:has-text('Before | after')")
    shot(visit, "edit")
    page.click("#leave-step")
    visit.choose("curve")
    dot = page.locator("#control-points .pc-dot").nth(1)
    dot.focus()
    for _ in range(8):
        visit.after(lambda: page.keyboard.press("ArrowDown"))
    page.click("#easel button:has-text('Side by side')")
    shot(visit, "curve")
    visit.context.close()


def clone(browser: Any, address: str) -> None:
    """The bench of seamless cloning, in the dark."""
    visit = Visit(browser, address, viewport={"width": 1280, "height": 1280}, color_scheme="dark")
    page = visit.open()
    visit.choose("seamless clone")
    from skimage import data

    source = FOLDER / "source.tmp.png"
    Image.fromarray(data.chelsea()).resize((360, 240)).save(source)
    visit.after(lambda: page.set_input_files("#port-source input[type=file]", source))
    page.wait_for_selector("#beside-source button:has-text('Fill')")
    source.unlink()
    visit.after(lambda: stroke(visit, (0.3, 0.33), (0.45, 0.42), "#beside-source"))
    visit.after(lambda: stroke(visit, (0.45, 0.42), (0.36, 0.5), "#beside-source"))
    page.evaluate("window.scrollTo(0, 0)")
    visit.after(lambda: stroke(visit, (0.1, 0.1), (0.37, 0.14)))
    shot(visit, "clone")
    visit.context.close()


def colour(browser: Any, address: str) -> None:
    """Strokes of colour on a grey picture, on a telephone."""
    visit = Visit(browser, address, viewport={"width": 390, "height": 844}, has_touch=True)
    page = visit.open()
    visit.choose("luminance")
    visit.keep()
    visit.choose("colorize scribbles")
    page.wait_for_selector("#easel input[type=color]")
    page.evaluate("window.scrollTo(0, 0)")
    for tint, lines in (("#8a4b20", [((0.1, 0.3), (0.2, 0.1)), ((0.7, 0.85), (0.95, 0.6)), ((0.6, 0.05), (0.9, 0.1))]),
                        ("#b01818", [((0.22, 0.55), (0.3, 0.8)), ((0.45, 0.95), (0.6, 0.93)),
                                     ((0.72, 0.45), (0.72, 0.6)), ((0.35, 0.62), (0.55, 0.62))]),
                        ("#e8e0d0", [((0.33, 0.12), (0.5, 0.08)), ((0.66, 0.25), (0.66, 0.35))]),
                        ("#c07a20", [((0.42, 0.35), (0.52, 0.35))])):
        page.evaluate(f"""() => {{ const well = document.querySelector('#easel input[type=color]');
            well.value = '{tint}'; well.dispatchEvent(new Event('input')); }}""")
        for start, end in lines:
            visit.after(lambda start=start, end=end: stroke(visit, start, end))   # type: ignore[misc]
    shot(visit, "narrow")
    visit.context.close()


def main() -> None:
    """Serve a studio and photograph it."""
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "photochrom.cli.main", "studio", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served, sync_playwright() as driver:
        assert served.stdout is not None
        found = re.search(r"http://\S+", served.stdout.readline())
        assert found is not None
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for scene in (edit, clone, colour):
            if len(sys.argv) < 2 or scene.__name__ in sys.argv[1:]:
                scene(browser, found.group())
        browser.close()
        served.terminate()


if __name__ == "__main__":
    main()
