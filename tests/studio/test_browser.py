"""The studio as a person uses it, in a real browser."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from photochrom.core.registry import registry
from photochrom.io.photo import describe
from photochrom.studio.forms import FEW
from photochrom.studio.sample import landscape, sample_picture
from tests.studio.conftest import Visit

pytestmark = pytest.mark.browser


def command_line(*words: str | Path) -> None:
    """Run photochrom in a process of its own."""
    command = [sys.executable, "-m", "photochrom.cli.main", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def make(visit: Visit, target: Path) -> Path:
    """Make the picture at full size and download it."""
    visit.page.click("#make")
    visit.page.wait_for_selector("#result a")
    return visit.save(lambda: visit.page.click("#result a"), target)


def stroke(visit: Visit, start: tuple[float, float], end: tuple[float, float], where: str = "#easel") -> None:
    """Drag over the picture, in parts of its frame."""
    canvas = visit.page.locator(f"{where} .pc-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    visit.page.mouse.move(*places[0])
    visit.page.mouse.down()
    visit.page.mouse.move(*places[1], steps=8)
    visit.page.mouse.up()


def open_file(page: Any, path: Path) -> None:
    """Choose a file by the button that opens one."""
    with page.expect_file_chooser() as chosen:
        page.click("#open-file")
    chosen.value.set_files(path)


def test_an_operation_is_found_set_and_seen(visit: Visit) -> None:
    before = visit.pixel(0.9, 0.5)
    visit.choose("exposure")
    visit.set("stops", "-3")
    after = visit.pixel(0.9, 0.5)
    assert sum(after) < 0.6 * sum(before)   # right of the line lies the result
    assert visit.page.locator("#histogram figure").count() == 2
    visit.keep()
    assert visit.steps() == ["1. exposure"]
    assert visit.page.locator("#stack .pc-help").first.inner_text() == "stops -3"


def test_the_line_between_before_and_after_is_dragged(visit: Visit) -> None:
    visit.choose("negative")
    right = visit.pixel(0.75, 0.5)
    split = visit.page.locator("#easel .pc-split")
    box, frame = split.bounding_box(), visit.page.locator("#easel .pc-canvas").bounding_box()
    visit.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    visit.page.mouse.down()
    visit.page.mouse.move(frame["x"] + 0.9 * frame["width"], box["y"] + 60, steps=5)
    visit.page.mouse.up()
    assert int(split.get_attribute("aria-valuenow")) == 90
    moved = visit.pixel(0.75, 0.5)
    assert all(abs(a + b - 255) <= 2 for a, b in zip(right, moved, strict=True))   # a negative and its picture
    split.focus()
    visit.page.keyboard.press("ArrowLeft")
    visit.page.wait_for_function("document.querySelector('#easel .pc-split').getAttribute('aria-valuenow') === '88'")


def test_a_painted_mask_survives_zoom_tabs_and_reload(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    visit.choose("exposure")
    visit.set("stops", "2")
    page.click("#easel button:has-text('Paint mask')")
    page.keyboard.press("]")
    page.wait_for_function("document.querySelector('#easel .pc-status').innerText.includes('brush 48 px')")
    page.keyboard.press("[")
    page.wait_for_function("document.querySelector('#easel .pc-status').innerText.includes('brush 40 px')")
    visit.after(lambda: stroke(visit, (0.2, 0.3), (0.6, 0.6)))
    masked = "stops 2, mask"
    page.click("#easel button:has-text('1:1')")
    page.get_by_role("tab", name="Measure").click()
    page.get_by_role("tab", name="Edit", exact=True).click()
    visit.keep()
    assert page.locator("#stack .pc-help").first.inner_text() == masked
    page.reload()
    page.wait_for_selector("#stack li")
    assert page.locator("#stack .pc-help").first.inner_text() == masked
    visit.after(lambda: page.click("#stack button:has-text('edit')"))
    page.wait_for_selector("#easel button:has-text('Paint mask')")
    page.click("#easel button:has-text('Paint mask')")   # painting goes on where it was left
    visit.after(lambda: stroke(visit, (0.2, 0.9), (0.6, 0.9)))
    visit.keep()
    page.click("#recipe button:has-text('Recipe')")
    packed = visit.save(lambda: page.click("#recipe-download"), tmp_path / "recipe.zip")
    with zipfile.ZipFile(packed) as files:
        mask_name = next(name for name in files.namelist() if name.startswith("mask"))
        files.extractall(tmp_path)
    source = sample_picture(tmp_path)
    mask = np.asarray(Image.open(tmp_path / mask_name))
    assert mask.shape == np.asarray(Image.open(source)).shape[:2]
    height, width = mask.shape
    assert mask[int(0.45 * height), int(0.4 * width)] == 255   # the first stroke
    assert mask[int(0.9 * height), int(0.4 * width)] == 255    # the second one
    assert mask[int(0.1 * height), int(0.8 * width)] == 0
    command_line("run", tmp_path / "recipe.toml", source, "-o", tmp_path / "cli.png")
    assert make(visit, tmp_path / "studio.png").read_bytes() == (tmp_path / "cli.png").read_bytes()


def test_a_16_bit_file_is_downloaded_as_the_command_line_writes_it(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    source = tmp_path / "deep.tif"
    ramp = np.arange(240 * 320, dtype=np.uint32).reshape(240, 320) * 65535 // (240 * 320 - 1)
    deep = np.dstack([ramp, ramp[::-1], ramp[:, ::-1]]).astype(np.uint16)
    pyvips.Image.new_from_memory(deep.tobytes(), 320, 240, 3, "ushort").copy(interpretation="rgb16").tiffsave(source)
    visit.after(lambda: open_file(page, source))
    assert "16 bits" in page.inner_text("#facts")
    visit.choose("unsharp mask")
    visit.set("sigma", "3")
    visit.keep()
    visit.choose("curve")
    visit.keep()
    made = make(visit, tmp_path / "studio.tif")
    assert describe(made)["depth"] == "uint16"
    page.click("#recipe button:has-text('Recipe')")
    recipe = visit.save(lambda: page.click("#recipe-download"), tmp_path / "recipe.toml")
    command_line("run", recipe, source, "-o", tmp_path / "cli.tif")
    assert made.read_bytes() == (tmp_path / "cli.tif").read_bytes()


@pytest.mark.parametrize(("operation", "weights"), [("denoise", "dncnn-15"), ("deblock", "dncnn-deblock"),
                                                     ("upscale", "srcnn-x2")])
def test_a_network_is_chosen_and_gives_the_bytes_of_the_command_line(visit: Visit, tmp_path: Path, operation: str,
                                                                     weights: str) -> None:
    page = visit.page
    source = tmp_path / "small.png"
    Image.fromarray(landscape()).resize((160, 120)).save(source)
    visit.after(lambda: open_file(page, source))
    visit.choose(operation)
    page.click("#control-model input")
    visit.after(lambda: page.click(f"[role=option]:has-text('{weights}')"))
    visit.keep()
    assert page.locator("#stack .pc-help").first.inner_text() == f"model {weights}"
    made = make(visit, tmp_path / "studio.png")
    page.click("#recipe button:has-text('Recipe')")
    recipe = visit.save(lambda: page.click("#recipe-download"), tmp_path / "recipe.toml")
    command_line("run", recipe, source, "-o", tmp_path / "cli.png")
    assert made.read_bytes() == (tmp_path / "cli.png").read_bytes()


def test_nothing_in_a_form_is_switched_off(visit: Visit) -> None:
    """Choices, texts, colours and switches of every kind of control can be used."""
    page = visit.page
    kinds = {}
    for name in registry.names():
        if registry.get(name).chains:
            for control in registry.get(name).controls.values():
                kinds.setdefault((control.kind, len(control.choices) > FEW), name)
    for name in sorted(set(kinds.values())):
        visit.choose(name.replace("_", " "))
        page.wait_for_selector("#help")
        off = page.locator("#left [id^=control-] :disabled, #left #picture-tool :disabled")
        assert off.count() == 0, f"{name}: {off.first.evaluate('part => part.outerHTML')}"
    visit.choose("unsharp mask")
    page.click("#control-border input")
    visit.after(lambda: page.click("[role=option]:has-text('circular')"))
    visit.after(lambda: page.click("#control-space label:has-text('linear')"))
    visit.keep()
    assert page.locator("#stack .pc-help").first.inner_text() == "border circular, space linear"


def test_strokes_in_quick_succession_are_all_kept(visit: Visit, tmp_path: Path) -> None:
    """The second stroke comes before the first is answered; and undo takes one back after the other."""
    page = visit.page
    visit.choose("bilateral")
    page.click("#easel button:has-text('Paint mask')")
    page.focus("#picker input")
    page.keyboard.press("]")   # the search has no use for a bracket
    page.wait_for_function("document.querySelector('#easel .pc-status').innerText.includes('brush 48 px')")
    for part in range(1, 8):
        stroke(visit, (0.2, part / 8), (0.6, part / 8))
    visit.keep()
    page.click("#recipe button:has-text('Recipe')")
    packed = visit.save(lambda: page.click("#recipe-download"), tmp_path / "recipe.zip")
    with zipfile.ZipFile(packed) as files:
        mask = np.asarray(Image.open(files.open(next(name for name in files.namelist() if name.startswith("mask")))))
    height, width = mask.shape
    assert [int(mask[height * part // 8, int(0.4 * width)]) for part in range(1, 8)] == [255] * 7


def test_the_last_of_quick_choices_counts(visit: Visit) -> None:
    page = visit.page
    page.evaluate("""() => ['bilateral', 'sketch', 'negative'].forEach(
        (name, k) => setTimeout(() => document.querySelector('#pc-option-' + name).click(), 50 * k))""")
    page.wait_for_selector("#left h3:has-text('negative')")
    page.wait_for_timeout(1500)   # and stays, when the answers to the others have come
    assert "negative" in page.locator("#left h3").first.inner_text()


def test_a_point_that_is_picked_counts(visit: Visit) -> None:
    page = visit.page
    visit.choose("white balance")
    visit.after(lambda: page.click("#picture-tool :text('pick point')"))
    page.wait_for_selector("#easel button:has-text('Pick the point')")
    visit.after(lambda: stroke(visit, (0.5, 0.1), (0.5, 0.1)))
    page.wait_for_function("document.querySelector('#control-estimate input').value === 'point'")
    red, green, blue = visit.pixel(0.5, 0.08)   # and the result is shown
    assert max(red, green, blue) - min(red, green, blue) < 30
    visit.keep()
    assert page.locator("#stack .pc-help").first.inner_text().startswith("estimate point, point ")


def test_a_number_that_may_be_absent_is_emptied(visit: Visit) -> None:
    page = visit.page
    visit.choose("denoise")
    visit.set("sigma", "20")
    visit.after(lambda: page.fill("#control-sigma input[type=number]", ""))
    visit.keep()
    assert page.locator("#stack .pc-help").first.inner_text() == "defaults"


def test_undo_redo_reorder_and_switch_off(visit: Visit) -> None:
    page = visit.page
    for name in ("negative", "saturation", "flip"):
        visit.choose(name)
        visit.keep()
    assert visit.steps() == ["1. negative", "2. saturation", "3. flip"]
    visit.after(lambda: page.click("#undo"))
    assert visit.steps() == ["1. negative", "2. saturation"]
    visit.after(lambda: page.click("#redo"))
    visit.after(lambda: page.click("button[aria-label='move flip up']"))
    assert visit.steps() == ["1. negative", "2. flip", "3. saturation"]
    inverted = visit.pixel(0.9, 0.2)
    visit.after(lambda: page.locator("#stack button:has-text('on')").first.click())
    plain = visit.pixel(0.9, 0.2)
    assert sum(abs(a - b) for a, b in zip(inverted, plain, strict=True)) > 60
    visit.after(lambda: page.click("button[aria-label='remove saturation']"))
    assert visit.steps() == ["1. negative", "2. flip"]


@pytest.mark.parametrize("kind", ["text", "cut"])
def test_a_bad_file_is_one_sentence(visit: Visit, tmp_path: Path, kind: str) -> None:
    bad = tmp_path / "holiday.png"
    if kind == "text":
        bad.write_text("this is no picture\n" * 20)
    else:
        Image.fromarray(landscape()).save(bad)
        bad.write_bytes(bad.read_bytes()[:9000])
    open_file(visit.page, bad)
    said = visit.page.wait_for_selector("#note .pc-trouble").inner_text()
    assert said.startswith("holiday.png: ")
    assert said.count(".") <= 3
    assert "Traceback" not in visit.page.inner_text("body")
    assert "coffee" in visit.page.inner_text("#facts") or "sample" in visit.page.inner_text("#facts")


def test_a_long_operation_is_cancelled(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    large = tmp_path / "large.png"
    Image.fromarray(landscape()).resize((4200, 2800)).save(large, compress_level=1)
    visit.after(lambda: open_file(page, large))
    visit.choose("smooth wls")
    visit.keep()
    page.click("#make")
    page.wait_for_timeout(1500)
    said = page.locator("#note")
    for _ in range(30):   # on a busy machine the work may not have begun: the page says that nothing is being made
        page.click("#cancel")
        page.wait_for_timeout(1000)
        if "cancelled" in said.inner_text().lower():
            break
    assert "cancelled" in said.inner_text().lower()
    assert page.locator("#result a").count() == 0
    visit.after(lambda: page.click("button[aria-label='remove smooth wls']"))   # and the studio goes on
    visit.choose("negative")
    visit.keep()
    made = make(visit, tmp_path / "made.png")
    assert np.array_equal(np.asarray(Image.open(made)), 255 - np.asarray(Image.open(large)))


def test_other_programs_call_an_operation_by_its_name(address: str, tmp_path: Path) -> None:
    """As docs/studio.md shows it, and with the bytes of the command line."""
    client = pytest.importorskip("gradio_client")
    source = sample_picture(tmp_path)
    studio = client.Client(address, verbose=False, download_files=tmp_path)
    result = studio.predict(image=client.handle_file(str(source)), sigma=3, api_name="/unsharp_mask")
    command_line("unsharp-mask", source, "-o", tmp_path / "cli.png", "--sigma", "3")
    assert Path(result).read_bytes() == (tmp_path / "cli.png").read_bytes()   # the client has fetched it
    with pytest.raises(Exception, match="sigma must lie between"):
        studio.predict(image=client.handle_file(str(source)), sigma=-3, api_name="/unsharp_mask")


def test_two_pages_do_not_meet(browser: Any, address: str) -> None:
    first, second = Visit(browser, address), Visit(browser, address)
    first.open()
    second.open(sample=False)
    assert "No picture" in second.page.inner_text("#facts")
    first.choose("negative")
    first.keep()
    second.page.click("#sample")
    second.page.wait_for_selector("#easel .pc-canvas[data-ready=true]")
    second.choose("flip")
    second.keep()
    assert first.steps() == ["1. negative"]
    assert second.steps() == ["1. flip"]
    first.close()
    second.close()

