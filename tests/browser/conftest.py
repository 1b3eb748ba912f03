"""A headless Chromium, and the pages of a small class to open in it."""

import io
import os
import shutil
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module", autouse=True)
def chromium() -> Generator[Browser]:
    # First, so that nothing is made in vain where there is none; of a module and no longer: while it runs, nothing else
    # can start an event loop.
    if CHROMIUM is None:
        pytest.skip("There is no Chromium: install chromium or google-chrome to test what people see.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            chromium_sandbox=os.geteuid() != 0,  # Chromium does not raise its walls for root
            args=["--disable-quic", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@dataclass
class Windows:
    """Opens windows, and writes down what they would have fetched from elsewhere."""

    browser: Browser
    close: Callable[[Callable[[], object]], object]
    fetched: list[str] = field(default_factory=list[str])

    def open(self, address: str | Path, width: int = 1280, height: int = 800, **options: Any) -> Page:
        context = self.browser.new_context(viewport={"width": width, "height": height}, **options)
        self.close(context.close)
        context.route("**", self._local)
        page = context.new_page()
        page.goto(address.as_uri() if isinstance(address, Path) else address)
        return page

    def _local(self, route: Route) -> None:
        if route.request.url.startswith(("file:", "data:", "blob:", "http://127.0.0.1:")):
            route.continue_()
        else:
            self.fetched.append(route.request.url)
            route.abort()


@pytest.fixture
def windows(chromium: Browser, request: pytest.FixtureRequest) -> Windows:
    return Windows(chromium, request.addfinalizer)


Picture = Callable[..., None]


@pytest.fixture(scope="session")
def picture(request: pytest.FixtureRequest) -> Picture:
    """Writes a page as a picture, if pictures are wanted: 256 colours, which is what text needs."""
    folder: Path | None = request.config.getoption("pictures")

    def write(page: Page, name: str, **options: Any) -> None:
        if folder is not None:
            drawn = Image.open(io.BytesIO(page.screenshot(**options)))
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            drawn.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(folder / name, optimize=True)

    return write
