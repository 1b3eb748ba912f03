"""The overview in a browser, narrow and wide: tables scroll, the page does not."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from autograder.pipeline.summary import overview
from tests.graded.classes import PATH

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

TELLS_ITS_WIDTH = """<script>
addEventListener("load", () => parent.postMessage(document.documentElement.scrollWidth - innerWidth, "*"))
</script>"""
FRAME = """<!doctype html><iframe src="page.html" style="width: {width}px; height: 900px; border: 0"></iframe>
<script>addEventListener("message", message => document.title = message.data)</script>"""


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
@pytest.mark.parametrize("width", [320, 400, 1280])
def test_the_page_is_never_wider_than_the_window(tmp_path: Path, width: int):
    # a browser's window has a least width, a frame in it has none
    page = overview("A class", [PATH], tmp_path)
    (tmp_path / "page.html").write_text(page.replace("</body>", f"{TELLS_ITS_WIDTH}</body>"))
    (tmp_path / "frame.html").write_text(FRAME.format(width=width))
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000",
            "--dump-dom", f"file://{tmp_path / 'frame.html'}",
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    (beyond,) = re.findall(r"<title>(-?\d+)</title>", done.stdout)
    assert int(beyond) <= 0
