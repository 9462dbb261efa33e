"""A studio that serves, and a browser that looks at it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

if importlib.util.find_spec("gradio") is None:
    collect_ignore_glob = ["test_*.py"]

CHROMIUM = next((path for name in ("chromium", "chromium-browser", "google-chrome")
                 if (path := shutil.which(name)) is not None), None)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a studio in a process of its own, for all browser tests."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    log, own = tmp_path_factory.mktemp("studio") / "log", tmp_path_factory.mktemp("temporary")
    with log.open("w") as told:
        process = subprocess.Popen([sys.executable, "-m", "photochrom.cli.main", "studio", "--port", "0"],
                                   stdout=subprocess.PIPE, stderr=told, text=True,
                                   env={**os.environ, "TMPDIR": str(own)})
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, f"the studio did not begin: {line}{log.read_text()}"
        yield found.group()
        process.terminate()
        process.wait(timeout=20)
    assert list(own.iterdir()) == []   # all temporary files are removed
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, as Debian has it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as driver:
        begun = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield begun
        begun.close()


class Visit:
    """A page of the studio, and everything it asked for elsewhere."""

    def __init__(self, browser: Any, address: str, tour: bool = False, **context: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        self.context.set_default_timeout(60_000)
        if not tour:
            self.context.add_init_script("localStorage.setItem('photochrom-tour', 'seen')")
        self.outside: list[str] = []
        self.errors: list[str] = []
        self.address = address
        self.context.route(re.compile(".*"), self._route)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _route(self, route: Any) -> None:
        url = route.request.url
        if url.startswith((self.address, "data:", "blob:")):
            route.continue_()
        else:
            self.outside.append(url)
            route.abort()

    def open(self, sample: bool = True) -> Any:
        """Go to the studio and, if wanted, take the sample picture."""
        self.page.goto(self.address)
        self.page.wait_for_selector("#easel .pc-canvas")
        self.page.wait_for_selector("#note .pc-said", state="attached")
        if sample:
            self.page.click("#sample")
            self.page.wait_for_selector("#easel .pc-canvas[data-ready=true]")
        return self.page

    def after(self, action: Any) -> None:
        """Do something and wait until another preview is shown."""
        turn = int(self.page.get_attribute("#easel .pc-canvas", "data-turn") or 0)
        action()
        self.page.wait_for_function(
            f"Number(document.querySelector('#easel .pc-canvas').dataset.turn) > {turn}")

    def choose(self, name: str) -> None:
        """Choose an operation by its name."""
        self.page.fill("#picker input", name)
        self.after(lambda: self.page.keyboard.press("Enter"))
        self.page.wait_for_selector(f"#left h3:has-text('{name}')")

    def set(self, control: str, value: str) -> None:
        """Type a number into the field of a control."""
        self.after(lambda: self.page.fill(f"#control-{control} input[type=number]", value))

    def keep(self) -> None:
        """Add the step in hand."""
        self.after(lambda: self.page.click("#keep-step"))
        self.page.wait_for_selector("#keep-step", state="detached")   # the preview may be one that was on its way

    def steps(self) -> list[str]:
        """Return the names in the stack."""
        return [text.strip() for text in self.page.locator("#stack .pc-step-name").all_inner_texts()]

    def pixel(self, x: float, y: float) -> list[int]:
        """Return the colour the page shows at a place of the picture's frame, in parts of its width and height."""
        self.page.wait_for_timeout(250)   # the canvas is drawn with the next frame
        return list(self.page.evaluate("""([x, y]) => {
            const canvas = document.querySelector('#easel .pc-canvas'), pen = canvas.getContext('2d');
            return [...pen.getImageData(x * canvas.width, y * canvas.height, 1, 1).data].slice(0, 3);
        }""", [x, y]))

    def save(self, press: Any, target: Path) -> Path:
        """Press something that downloads a file, and keep the file."""
        with self.page.expect_download() as begun:
            press()
        begun.value.save_as(target)
        return target

    def close(self) -> None:
        """Leave; nothing may have been asked for elsewhere, nothing may have gone wrong in the page."""
        self.context.close()
        assert not self.outside
        assert not self.errors


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Visit]:
    """A page with the sample picture open."""
    begun = Visit(browser, address)
    begun.open()
    yield begun
    begun.close()
