"""Colours where one looks: beside the image, shown on it, found from it, copied, and followed from k to k."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from browsing import box_of, canvas, middle, open_image, pixels_of, settled, until
from builders_report import KS, BuiltRun
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from flatpipe.palettes.palette import Palette
from flatpipe.palettes.write import write_palette

PHOTO = "trips/photo 1.png"


def _flat(run: BuiltRun, k: int) -> NDArray[np.uint8]:
    with Image.open(Path(run.outputs.place) / "images" / PHOTO / f"k{k:02d}.png") as image:
        return np.asarray(image.convert("RGB"))


def _at_actual_size(page: Page, run: BuiltRun, k: int) -> tuple[float, float]:
    """The photograph pixel by pixel, flat all over; where it begins on the page."""
    open_image(page, run, PHOTO, k)
    page.locator("#theatre [data-zoom=actual]").click()
    page.locator("#wipe").press("Home")
    page.mouse.move(1, 1)
    return box_of(page.locator("#flat"))[:2]


def _screen(page: Page, left: float, top: float) -> NDArray[np.uint8]:
    settled(page)
    clip = {"x": left, "y": top, "width": 90, "height": 60}
    return pixels_of(page.screenshot(clip=clip))  # type: ignore[arg-type]


def _seen(screen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What the border's handle, which stands at the left, does not cover."""
    return screen[:, 24:]


def test_a_colour_shows_its_pixels(page: Page, gallery: BuiltRun) -> None:
    """Under the pointer, and when pressed, a colour's own pixels stay and all others are veiled, pixel by pixel."""
    left, top = _at_actual_size(page, gallery, 6)
    flat, palette = _flat(gallery, 6), gallery.ledger.flats_of(PHOTO)[KS.index(6)].palette
    for number in (1, 4):
        own = (flat == list(bytes.fromhex(palette[number][1:]))).all(axis=2)
        page.locator(".chip").nth(number).hover()
        assert ((_screen(page, left, top) == flat).all(axis=2) == own)[:, 24:].all()
    page.mouse.move(1, 1)
    assert (_seen(_screen(page, left, top)) == _seen(flat)).all()
    page.locator(".chip").nth(2).click()
    page.mouse.move(1, 1)
    own = (flat == list(bytes.fromhex(palette[2][1:]))).all(axis=2)
    assert ((_screen(page, left, top) == flat).all(axis=2) == own)[:, 24:].all()
    page.keyboard.press("Escape")
    assert (_seen(_screen(page, left, top)) == _seen(flat)).all()


def _marked(page: Page) -> list[str]:
    """The colours that have a mark on the screen."""
    settled(page)
    screen, ink = pixels_of(page.screenshot()), list(bytes.fromhex("1d1c1a"))
    found = []
    for item in page.locator("#palette li").all():
        x, y, width, height = box_of(item)
        line = screen[round(y + height) - 1, round(x + 10) : round(x + width - 10)]
        if (line == ink).all(axis=1).mean() > 0.9:
            found.append(item.locator("code").inner_text())
    return found


def _soon_marked(page: Page, wanted: list[str]) -> list[str]:
    """The colours that have a mark, when they are those wanted or some frames have gone by."""
    for _ in range(10):
        found = _marked(page)
        if found == wanted:
            break
    return found


def test_a_pixel_shows_its_colour(page: Page, gallery: BuiltRun) -> None:
    """Under the pointer a pixel marks its colour in the palette, alone; a click keeps all pixels of it in sight."""
    left, top = _at_actual_size(page, gallery, 9)
    flat = _flat(gallery, 9)
    places = [(40, 10), (60, 30), (80, 50), (50, 55), (70, 5)]
    for x, y in places:
        page.mouse.move(left + x, top + y)
        color = f"#{bytes(flat[y, x]).hex()}"
        assert _soon_marked(page, [color]) == [color]
    page.mouse.click(left + 60, top + 30)
    until(page, "!document.getElementById('veil').hidden")
    page.mouse.move(1, 1)
    own = (flat == flat[30, 60]).all(axis=2)
    assert ((_screen(page, left, top) == flat).all(axis=2) == own)[:, 24:].all()
    color = f"#{bytes(flat[30, 60]).hex()}"
    assert _soon_marked(page, [color]) == [color]
    page.keyboard.press("Escape")
    assert (_soon_marked(page, []), (_seen(_screen(page, left, top)) == _seen(flat)).all()) == ([], True)


def test_a_tap_shows_the_colour_on_a_phone(phone: Page, gallery: BuiltRun) -> None:
    """Fingers do the same: a tap on a colour, and a tap on the image."""
    open_image(phone, gallery, PHOTO, 5)
    phone.locator(".chip").nth(1).tap()
    until(phone, "!document.getElementById('veil').hidden")
    phone.locator(".chip").nth(1).tap()
    until(phone, "document.getElementById('veil').hidden")
    spot = middle(phone.locator("#flat"), 0.8, 0.3)
    phone.touchscreen.tap(spot.x, spot.y)
    until(phone, "!document.getElementById('veil').hidden")
    assert len(_marked(phone)) == 1


def test_palette_is_in_view_beside_the_image(page: Page, gallery: BuiltRun) -> None:
    """On a window of 1280 x 720 every colour of the largest palette, its words and the ways to copy are in view."""
    open_image(page, gallery, PHOTO, 9)
    items = page.locator("#palette li").all()
    assert len(items) == 9
    boxes = [
        box_of(place) for place in (*items, page.locator(".copies"), page.locator("#stage"), page.locator("#film"))
    ]
    assert all(top >= 0 and top + height <= 720 for _, top, _, height in boxes)
    each = box_of(items[1])[1] - box_of(items[0])[1]
    assert box_of(items[0])[1] + 15 * each + box_of(page.locator(".copies"))[3] < 720
    assert (
        min(box_of(item)[0] for item in items) > box_of(page.locator("#stage"))[0] + box_of(page.locator("#stage"))[2]
    )


def test_colours_and_palettes_are_copied(page: Page, gallery: BuiltRun) -> None:
    """One colour is copied as hex, a palette as hex, CSS, JSON and GPL as the palette files have them."""
    open_image(page, gallery, PHOTO, 3)
    flat = gallery.ledger.flats_of(PHOTO)[KS.index(3)]
    shares = [weight / sum(flat.weights) for weight in flat.weights]
    clipboard = "navigator.clipboard.readText()"
    page.locator(".copy").nth(1).click()
    expect(page.locator("#toast")).to_have_text(f"Copied {flat.palette[1]}")
    assert page.evaluate(clipboard) == flat.palette[1]
    expected = {
        kind: write_palette(kind, Palette.of_hex(flat.palette, PHOTO), shares).decode() for kind in ("css", "gpl")
    }  # type: ignore[arg-type]
    expected["hex"] = "\n".join(flat.palette)
    for kind, text in expected.items():
        page.locator(f"[data-copy-as={kind}]").click()
        until(page, "document.getElementById('toast').textContent.startsWith('Copied 3 colours as')")
        assert page.evaluate(clipboard).strip() == text.strip()
    page.locator("[data-copy-as=json]").click()
    page.wait_for_timeout(60)
    assert [color["hex"] for color in json.loads(page.evaluate(clipboard))] == list(flat.palette)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.locator(".copy").nth(2).click()
    expect(page.locator("#toast")).to_have_text(f"Copied {flat.palette[2]}")
    assert page.evaluate(clipboard) == flat.palette[2]


def test_palette_moves_from_k_to_k(page: Page, gallery: BuiltRun) -> None:
    """From k to k + 1 every colour stays the element that it was, near what it was, and one is new."""
    open_image(page, gallery, PHOTO, 5)
    page.eval_on_selector_all(
        "#palette li", "all => all.forEach(it => { it.was = it.querySelector('code').textContent; })"
    )
    page.locator("#name").press("ArrowRight")
    found = page.eval_on_selector_all(
        "#palette li",
        "all => all.map(it => [it.was ?? '', it.querySelector('code').textContent, it.getAnimations().length])",
    )
    before, after = (gallery.ledger.flats_of(PHOTO)[KS.index(k)].palette for k in (5, 6))
    assert sorted(was for was, _, _ in found if was) == sorted(before)
    assert [now for _, now, _ in found] == list(after)
    assert any(moves for _, _, moves in found)
    kept = {was: now for was, now, _ in found if was}
    assert all(kept[color] == color for color in set(before) & set(after))


def test_a_colour_is_found_in_the_cube(page: Page, gallery: BuiltRun) -> None:
    """The colour under the pointer is drawn larger in the colour space."""
    open_image(page, gallery, PHOTO, 5)
    color = gallery.ledger.flats_of(PHOTO)[KS.index(5)].palette[2]

    def size() -> int:
        pixels = pixels_of(canvas(page))
        return int((pixels == list(bytes.fromhex(color[1:]))).all(axis=2).sum())

    before = size()
    page.locator(".chip").nth(2).hover()
    assert size() > before + 80
