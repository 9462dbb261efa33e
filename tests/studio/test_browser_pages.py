"""The pages themselves: offline, by keyboard alone, on a narrow screen, pixel for pixel; and the benches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photochrom.studio.sample import landscape
from tests.studio.conftest import Visit
from tests.studio.test_browser import open_file, stroke

pytestmark = pytest.mark.browser


@pytest.fixture
def narrow(browser: Any, address: str) -> Iterator[Visit]:
    """The same on a telephone held upright."""
    begun = Visit(browser, address, viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark")
    begun.open()
    yield begun
    begun.close()


def go_to(page: Any, name: str) -> None:
    """Open a tab, from the menu of further ones where the screen is narrow."""
    tab = page.get_by_role("tab", name=name, exact=True)
    if not tab.first.is_visible():
        page.locator("#benches button:has-text('…'), #benches .overflow-menu button").first.click()
        page.locator(f"#benches .overflow-dropdown button:has-text('{name}')").click()
        return
    tab.first.click()


def test_every_page_keeps_to_itself(visit: Visit) -> None:
    """The fixture fails if anything was asked of another address; here every part of the page is made to show."""
    page = visit.page
    for name in ("Several exposures", "Find an edit", "Measure", "Edit"):
        go_to(page, name)
        page.wait_for_timeout(400)
    for name in ("curve", "white balance", "crop", "colorize scribbles", "match histogram"):
        visit.choose(name)
        page.click("#help button:has-text('What it does')")
        page.wait_for_function("document.querySelector('#help img')?.naturalWidth > 0")
    page.click("#recipe button:has-text('Recipe')")
    page.click("#shade")
    assert page.evaluate("document.body.classList.contains('dark')")
    page.reload()
    page.wait_for_function("document.body.classList.contains('dark')")   # as it was left


def test_an_outside_request_would_be_seen(browser: Any, address: str) -> None:
    """The check of the test above can fail: the browser is told to refuse, and the attempt is noticed."""
    visit = Visit(browser, address)
    page = visit.open(sample=False)
    page.evaluate("fetch('https://example.org/').catch(() => {})")
    page.evaluate("new Image().src = 'https://example.org/x.png'")
    page.wait_for_timeout(300)
    refused = page.evaluate("fetch('https://example.org/').then(() => 'taken', () => 'refused')")
    assert refused == "refused"   # by the page's own policy, before any request is made
    visit.context.close()


def test_the_tour_is_shown_once_and_ends(browser: Any, address: str) -> None:
    visit = Visit(browser, address, tour=True)
    page = visit.page
    page.goto(address)
    page.wait_for_selector(".pc-tour")
    for number in range(1, 7):
        assert page.inner_text(".pc-tour .pc-help").strip() == f"{number} of 6"
        page.keyboard.press("Enter")   # the button Next has the focus
    page.wait_for_selector(".pc-tour", state="detached")
    page.wait_for_selector("#easel .pc-canvas[data-ready=true]")   # it opened the sample
    page.reload()
    page.wait_for_selector("#easel .pc-canvas[data-ready=true]")
    page.wait_for_timeout(800)
    assert page.locator(".pc-tour").count() == 0
    page.click("#tour")
    page.keyboard.press("Escape")
    assert page.locator(".pc-tour").count() == 0
    visit.close()


def test_the_tour_waits_for_what_comes_late(browser: Any, address: str) -> None:
    """The parts of a page come in any order, each when its code has been fetched."""
    visit = Visit(browser, address, tour=True)
    page = visit.page
    page.add_init_script("""new MutationObserver((_, watching) => {
        const part = document.querySelector('#picker');
        if (!part) return;
        watching.disconnect();
        part.id = 'late';
        setTimeout(() => { part.id = 'picker'; }, 1000);
    }).observe(document, { childList: true, subtree: true })""")
    page.goto(address)
    page.wait_for_selector("#late", state="attached")
    assert page.locator(".pc-tour").count() == 0
    page.wait_for_selector(".pc-tour")
    visit.close()


def test_the_keyboard_is_enough(visit: Visit) -> None:
    page = visit.page

    def tab_to(wanted: str, most: int = 60) -> None:
        for _ in range(most):
            if page.evaluate(f"document.activeElement?.matches({wanted!r})"):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"the tab key does not reach {wanted}")

    page.evaluate("document.activeElement?.blur()")
    tab_to("#picker input")
    page.keyboard.type("expos")
    visit.after(lambda: page.keyboard.press("Enter"))
    page.wait_for_selector("#control-stops")
    tab_to("#control-stops input[type=range]")
    before = float(page.input_value("#control-stops input[type=number]"))
    visit.after(lambda: page.keyboard.press("ArrowRight"))
    assert float(page.input_value("#control-stops input[type=number]")) > before
    tab_to("#keep-step")
    visit.after(lambda: page.keyboard.press("Enter"))
    assert visit.steps() == ["1. exposure"]
    tab_to("#easel .pc-canvas")
    status = page.inner_text("#easel .pc-status")
    page.keyboard.press("1")
    page.wait_for_function("document.querySelector('#easel .pc-status').innerText.includes('100 %')")
    page.keyboard.press("0")
    page.wait_for_function(f"document.querySelector('#easel .pc-status').innerText === {status!r}")
    page.keyboard.press("Control+z")
    page.wait_for_function("document.querySelectorAll('#stack li').length === 0")
    page.keyboard.press("Control+Shift+z")
    page.wait_for_function("document.querySelectorAll('#stack li').length === 1")


def test_a_narrow_screen_holds_everything(narrow: Visit) -> None:
    page = narrow.page

    def overflow() -> int:
        return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    assert overflow() <= 0
    narrow.choose("unsharp mask")
    assert overflow() <= 0
    picture, form = (page.locator(part).bounding_box() for part in ("#easel", "#picker"))
    assert picture["y"] < form["y"]   # the picture comes first
    assert picture["width"] > 330
    narrow.set("amount", "2")
    narrow.keep()
    assert narrow.steps() == ["1. unsharp mask"]
    assert overflow() <= 0
    buttons = page.locator("#easel .pc-bar button").all()
    assert min(button.bounding_box()["height"] for button in buttons) >= 30   # for a finger
    assert page.evaluate("document.body.classList.contains('dark')")
    page.evaluate("document.querySelector('#left').scrollIntoView({ block: 'start' })")
    shown = page.locator("#easel .pc-frame").bounding_box()
    assert shown["y"] > -5   # it stays in sight beside the form
    assert shown["y"] + shown["height"] < 0.6 * 844
    page.click("#tour")
    card = page.locator(".pc-tour").bounding_box()
    assert card["x"] >= 0
    assert card["x"] + card["width"] <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_small_text_has_contrast(browser: Any, address: str, scheme: str) -> None:
    """At least 4.5 to 1, as WCAG 2.1 (1.4.3) asks for."""
    visit = Visit(browser, address, color_scheme=scheme)
    page = visit.open()
    visit.choose("exposure")
    ratios = page.evaluate("""() => {
        const parts = (colour) => { const pen = new OffscreenCanvas(1, 1).getContext('2d'); pen.fillStyle = colour;
            pen.fillRect(0, 0, 1, 1); return [...pen.getImageData(0, 0, 1, 1).data]; };
        const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255).map(
            (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce(
            (sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
        const ground = (part) => { for (let at = part; at; at = at.parentElement) {
            const colour = parts(getComputedStyle(at).backgroundColor); if (colour[3] === 255) return colour; }
            return [255, 255, 255, 255]; };
        const wanted = ['.pc-status', '.pc-stack .pc-help', '#control-stops .pc-help', '#keep-step', '#make',
                        '#open-file', '.pc-bar button[aria-pressed=true]', '.pc-bar button[aria-pressed=false]',
                        '.pc-option[aria-selected=true] b', '#histogram figcaption',
                        '[role=tab][aria-selected=true]'];
        return Object.fromEntries(wanted.map((name) => { const part = document.querySelector(name);
            const pair = [light(parts(getComputedStyle(part).color)), light(ground(part))].sort((a, b) => b - a);
            return [name, (pair[0] + 0.05) / (pair[1] + 0.05)]; }));
    }""")
    visit.close()
    assert {name: round(ratio, 1) for name, ratio in ratios.items() if ratio < 4.5} == {}


def test_both_pictures_move_under_one_zoom(visit: Visit) -> None:
    page = visit.page
    visit.choose("identity")
    page.click("#easel button:has-text('Side by side')")
    page.click("#easel button:has-text('1:1')")
    page.focus("#easel .pc-canvas")
    for key in ("+", "ArrowRight", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    for x, y in ((0.1, 0.3), (0.2, 0.5), (0.4, 0.9)):
        pairs = zip(visit.pixel(x, y), visit.pixel(x + 0.5, y), strict=True)
        assert all(abs(a - b) <= 3 for a, b in pairs)   # half a frame need not be whole pixels
    visit.choose("negative")
    for x, y in ((0.1, 0.3), (0.2, 0.5), (0.4, 0.9)):
        pairs = zip(visit.pixel(x, y), visit.pixel(x + 0.5, y), strict=True)
        assert all(abs(a + b - 255) <= 3 for a, b in pairs)


def test_full_size_is_shown_pixel_for_pixel(visit: Visit, tmp_path: Path) -> None:
    """A checkerboard of single pixels, which no smaller copy holds."""
    page = visit.page
    board = np.indices((1400, 2000)).sum(0) % 2 * 200 + 20
    Image.fromarray(np.dstack([board] * 3).astype(np.uint8)).save(tmp_path / "board.png")
    visit.after(lambda: open_file(page, tmp_path / "board.png"))
    visit.choose("negative")
    page.locator("#easel").get_by_role("button", name="After", exact=True).click()
    page.click("#easel button:has-text('1:1')")
    visit.page.wait_for_timeout(300)

    def levels() -> set[int]:
        return set(page.evaluate("""() => {
            const canvas = document.querySelector('#easel .pc-canvas');
            const data = canvas.getContext('2d').getImageData(100, 100, 40, 40).data;
            return [...data].filter((_, k) => k % 4 === 0);
        }"""))

    assert not levels() <= {35, 235}
    visit.after(lambda: page.click("#detail"))
    page.wait_for_timeout(1200)
    page.click("#easel button:has-text('1:1')")
    page.wait_for_timeout(300)
    assert levels() == {35, 235}


def test_a_crop_is_drawn_by_its_handles(visit: Visit) -> None:
    page = visit.page
    visit.choose("crop")
    visit.after(lambda: stroke(visit, (0.003, 0.003), (0.25, 0.25)))
    box = [float(part) for part in page.input_value("#control-box input, #control-box textarea").split(",")]
    assert box[2:] == [600, 400]
    assert 130 < box[0] < 170
    assert 80 < box[1] < 120
    page.focus("#easel .pc-canvas")
    visit.after(lambda: page.keyboard.press("ArrowLeft"))   # it lies at the right edge already, so it moves to the left
    page.wait_for_function(f"document.querySelector('#control-box input, #control-box textarea').value.startsWith("
                           f"'{box[0] - 1:g},')")
    visit.keep()
    width, height = 600 - box[0], 400 - box[1]
    size = f"{width:g} × {height:g}"
    page.wait_for_function(f"document.querySelector('#easel .pc-status').innerText.startsWith('{size}')")


def test_a_part_of_another_picture_is_cloned(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    blot = np.full((200, 260, 3), 200, np.uint8)
    blot[60:140, 90:170] = (30, 60, 200)
    Image.fromarray(blot).save(tmp_path / "blot.png")
    visit.choose("seamless clone")
    visit.after(lambda: page.set_input_files("#port-source input[type=file]", tmp_path / "blot.png"))
    page.wait_for_selector("#beside-source .pc-canvas[data-ready=true]")
    page.wait_for_selector("#beside-source button:has-text('Fill')")
    visit.after(lambda: page.click("#beside-source button:has-text('Fill')"))
    visit.after(lambda: stroke(visit, (0.2, 0.2), (0.4, 0.4)))   # the source is dragged over the picture
    offset = [float(part) for part in page.input_value("#control-offset input, #control-offset textarea").split(",")]
    assert 100 < offset[0] < 140
    assert 60 < offset[1] < 100
    visit.keep()
    assert "mask" in page.locator("#stack .pc-help").first.inner_text()
    page.locator("#easel").get_by_role("button", name="After", exact=True).click()
    spot = visit.pixel((offset[0] + 130) / 600, (offset[1] + 100) / 400)
    assert spot[2] > spot[0]   # blue in a picture without any


def test_exposures_are_fused(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    scene = (landscape() / 255.0) ** 2.2
    files = []
    for k, gain in enumerate((0.4, 1.0, 3.0)):
        files.append(tmp_path / f"exposure-{k}.png")
        Image.fromarray(np.rint(255 * np.clip(scene * gain, 0, 1) ** (1 / 2.2)).astype(np.uint8)).save(files[-1])
    go_to(page, "Several exposures")
    page.set_input_files("#several-files input[type=file]", files)
    page.wait_for_selector("#several-files :text('exposure-2.png'), #several-files :text('exposure-2')")
    page.click("#several-operation :text('fuse exposures')")
    page.wait_for_selector("#several-go:has-text('Fuse exposures')")
    page.click("#several-go")
    page.wait_for_selector("#several-said:has-text('3 pictures became one')")
    assert "fuse exposures.tif" in page.inner_text("#facts")
    go_to(page, "Several exposures")
    page.click("#several-operation :text('merge hdr')")
    page.wait_for_selector("#several-go:has-text('Merge hdr')")
    page.click("#several-go")   # these files tell no exposure times
    assert "merge_hdr needs times" in page.wait_for_selector("#several-said .pc-trouble").inner_text()


def test_an_edit_is_found(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    before, after = tmp_path / "before.png", tmp_path / "after.png"
    Image.fromarray(landscape()).resize((240, 160)).save(before)
    Image.fromarray(255 - np.asarray(Image.open(before)) // 2).save(after)
    go_to(page, "Find an edit")
    page.set_input_files("#fit-before input[type=file]", before)
    page.set_input_files("#fit-after input[type=file]", after)
    page.wait_for_selector("#fit-after :text('after.png'), #fit-after :text('after')")
    page.click("#fit-start :text('Colour curves')")
    page.click("#fit-go")
    page.wait_for_selector("#fit-said li")
    assert "fitted:" in page.inner_text("#fit-said")
    go_to(page, "Edit")
    assert visit.steps()[0].startswith("1. ")
