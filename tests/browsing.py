"""The report's page in a real browser: opened, waited for, measured by its pixels."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np
from builders_report import BuiltRun
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, Page, expect

SPREAD = 2
# ^ levels that one pixel further is in `coordinates_pixels`


@dataclass(frozen=True)
class Spot:
    """A place on the page, in its pixels."""

    x: float
    y: float


def open_page(page: Page, run: BuiltRun, address: str = "") -> None:
    """Open the report at an address such as `search=a&k=3`, and wait for what it shows."""
    page.goto("about:blank")
    page.goto(f"{run.page.as_uri()}#{address}")
    expect(page.locator(".card, #work, #rooms figure").locator("visible=true").first).to_be_visible()


def open_image(page: Page, run: BuiltRun, image_id: str, k: int | None = None, more: str = "") -> None:
    """Open one image, at a k, with its flat shown."""
    open_page(page, run, f"image={quote(os.fsencode(image_id))}" + (f"&k={k}" if k else "") + more)
    expect(page.locator("#work")).to_be_visible()
    shown_file(page)


def until(page: Page, expression: str) -> None:
    """Wait until an expression is true. Playwright's own way evaluates text in the page, which the page forbids."""
    for _ in range(240):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"never true: {expression}")


def shown_file(page: Page, element: str = "flat") -> str:
    """Name of the file that the stage shows, once it is there."""
    until(
        page, f"document.getElementById('{element}').complete && document.getElementById('{element}').naturalWidth > 0"
    )
    return str(page.eval_on_selector(f"#{element}", "image => image.currentSrc.split('/').pop()"))


def settled(page: Page) -> None:
    """Wait until what was drawn last is on the screen."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def canvas(page: Page, selector: str = "#cube") -> bytes:
    """What a canvas of the page shows, a PNG."""
    settled(page)
    return base64.b64decode(page.eval_on_selector(selector, "it => it.toDataURL('image/png').split(',')[1]"))


def pixels_of(png: bytes) -> NDArray[np.uint8]:
    """Pixels (h, w, 3) uint8 of a picture."""
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


def colors_of(png: bytes, border: int = 0) -> set[str]:
    """Every colour in a picture, "#rrggbb", without its outermost pixels."""
    pixels = pixels_of(png)
    inner = pixels[border : pixels.shape[0] - border, border : pixels.shape[1] - border].reshape(-1, 3)
    return {f"#{bytes(color).hex()}" for color in np.unique(inner, axis=0).tolist()}


def covered(png: bytes, colors: Sequence[str]) -> int:
    """How many pixels have exactly one of the colours."""
    pixels = pixels_of(png)
    return sum(int((pixels == list(bytes.fromhex(color[1:]))).all(axis=2).sum()) for color in colors)


def coordinates_pixels(height: int = 80, width: int = 120) -> NDArray[np.uint8]:
    """Pixels (height, width, 3) uint8 that tell where they are: red says the column, green the row."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([columns * SPREAD, rows * SPREAD, np.full_like(rows, 90)], axis=2).astype(np.uint8)


def box_of(place: Locator) -> tuple[float, float, float, float]:
    """Left, top, width and height of an element on the page."""
    box = place.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"], box["height"]


def place_at(page: Page, spot: Spot) -> tuple[int, int]:
    """Column and row of the pixel of `coordinates_pixels` that the screen shows at a spot."""
    settled(page)
    clip = {"x": int(spot.x), "y": int(spot.y), "width": 1, "height": 1}
    red, green, _ = pixels_of(page.screenshot(clip=clip))[0, 0].tolist()  # type: ignore[arg-type]
    return red // SPREAD, green // SPREAD


def middle(place: Locator, across: float = 0.5, down: float = 0.5) -> Spot:
    """A spot in an element, by parts of its width and height; whole pixels."""
    left, top, width, height = box_of(place)
    return Spot(round(left + across * width), round(top + down * height))
