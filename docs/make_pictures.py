"""Photograph the gallery and the viewer for the README: docs/pictures/gallery.jpg and viewer.jpg.

Usage: python docs/make_pictures.py [OUTPUTS] [IMAGE]
OUTPUTS: a finished run's output folder (default outputs/); IMAGE: the image to open (default kodim23.png).
Needs Chromium, and playwright from the dev dependencies. The pictures in the repository show the 24 Kodak images.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
WIDTH, HEIGHT = 1280, 860
SCALE = 1.5
# ^ device pixels per CSS pixel: sharp on the screens that people read READMEs on


def main() -> None:
    """Write both pictures."""
    outputs = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "outputs").absolute()
    image_id = sys.argv[2] if len(sys.argv) > 2 else "kodim23.png"
    page_address = (outputs / "index.html").as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE)
        page.goto(page_address)
        _photograph(page, "gallery")
        page.goto(f"{page_address}#image={quote(image_id)}")
        page.locator("#work").wait_for()
        _photograph(page, "viewer")
        browser.close()


def _photograph(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    # ^ images are decoded beside the page
    target = ROOT / "docs" / "pictures" / f"{name}.jpg"
    target.parent.mkdir(exist_ok=True)
    page.screenshot(path=target, type="jpeg", quality=88)


if __name__ == "__main__":
    main()
