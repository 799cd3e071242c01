"""The stage of the viewer: looking closely, measured by the pixels on the screen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from browsing import (
    SPREAD,
    Spot,
    box_of,
    colors_of,
    middle,
    open_image,
    pixels_of,
    place_at,
    settled,
    shown_file,
    until,
)
from builders_report import KS, BuiltRun
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

PHOTO = "trips/photo 1.png"
COORDINATES = "coordinates.png"


def _near(one: tuple[int, int], other: tuple[int, int], by: int = 0) -> bool:
    return all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


def _all_left(page: Page) -> None:
    page.locator("#wipe").press("End")
    page.mouse.move(1, 1)


def _scale(page: Page) -> float:
    """Pixels of the screen for one of the image's, as the stage has it."""
    return box_of(page.locator("#original"))[2] / 120


@pytest.mark.parametrize("notches", [-4, -9])
def test_wheel_zooms_at_the_pointer(page: Page, shapes: BuiltRun, notches: int) -> None:
    """The pixel under the pointer is the same before and after turns of the wheel, larger and smaller again."""
    open_image(page, shapes, COORDINATES)
    _all_left(page)
    spot = middle(page.locator("#original"), 0.304, 0.606)
    before, fitted = place_at(page, spot), _scale(page)
    page.mouse.move(spot.x, spot.y)
    for _ in range(abs(notches)):
        page.mouse.wheel(0, -100)
    until(page, f"document.getElementById('original').getBoundingClientRect().width > {120 * fitted * 1.5}")
    assert _near(place_at(page, spot), before)
    for _ in range(abs(notches) - 2):
        page.mouse.wheel(0, 100)
    settled(page)
    assert _scale(page) < fitted * 1.5
    assert _near(place_at(page, spot), before)


def test_drag_moves_what_is_enlarged(page: Page, shapes: BuiltRun) -> None:
    """An enlarged image goes with the mouse, pixel by pixel, and no further than its edge."""
    open_image(page, shapes, COORDINATES)
    _all_left(page)
    corner = middle(page.locator("#original"), 0.006, 0.006)
    start = middle(page.locator("#stage"), 0.4, 0.4)
    page.mouse.move(start.x, start.y)
    for _ in range(6):
        page.mouse.wheel(0, -100)
    settled(page)
    held = place_at(page, start)
    page.mouse.down()
    page.mouse.move(start.x + 90, start.y + 70, steps=4)
    page.mouse.up()
    assert place_at(page, Spot(start.x + 90, start.y + 70)) == held
    page.mouse.move(start.x, start.y)
    page.mouse.down()
    page.mouse.move(start.x + 3000, start.y + 3000, steps=3)
    page.mouse.up()
    assert place_at(page, corner) == (0, 0)


def test_double_click_toggles_fit_and_actual_size(page: Page, shapes: BuiltRun) -> None:
    """A double click shows one pixel of the image on one of the screen, at its place; another one fits it again."""
    open_image(page, shapes, COORDINATES)
    _all_left(page)
    fitted, spot = _scale(page), middle(page.locator("#original"), 0.4, 0.5)
    page.mouse.dblclick(spot.x, spot.y)
    assert _scale(page) == 1
    expect(page.locator("#theatre .zoom-value")).to_have_text("100 %")
    left, top, _, _ = box_of(page.locator("#original"))
    assert [place_at(page, Spot(left + x, top + 20)) for x in (10, 11, 12)] == [(10, 20), (11, 20), (12, 20)]
    page.mouse.dblclick(spot.x, spot.y)
    assert _scale(page) == fitted


def _line(page: Page, left: int, right: int, row: int) -> NDArray[np.uint8]:
    """One line of the screen, from a column to another."""
    settled(page)
    clip = {"x": left, "y": row, "width": right - left, "height": 1}
    line: NDArray[np.uint8] = pixels_of(page.screenshot(clip=clip))[0]  # type: ignore[arg-type]
    return line


def test_both_sides_show_the_same_place(page: Page, shapes: BuiltRun) -> None:
    """At every size, the flat's colours along a line are the file's at the pixels that the original shows there."""
    open_image(page, shapes, COORDINATES, 6)
    with Image.open(Path(shapes.outputs.place) / "images" / COORDINATES / "k06.png") as image:
        flat = np.asarray(image.convert("RGB"))
    held, start = middle(page.locator("#stage"), 0.7, 0.7), middle(page.locator("#original"), 0.05, 0.45)
    for times in (0, 3, 5):
        page.mouse.move(held.x, held.y)
        for _ in range(times):
            page.mouse.wheel(0, -100)
        _all_left(page)
        place = (round(start.x), round(start.x) + 560, round(start.y))
        columns, rows = (_line(page, *place)[:, channel] // SPREAD for channel in (0, 1))
        page.locator("#wipe").press("Home")
        assert (_line(page, *place) == flat[rows, columns]).all()


def test_two_fingers_zoom_and_one_moves(phone: Page, shapes: BuiltRun) -> None:
    """Two fingers that part enlarge the image, the pixel between them stays; a finger then moves it."""
    open_image(phone, shapes, COORDINATES)
    _all_left(phone)
    fitted, spot = _scale(phone), middle(phone.locator("#original"), 0.5, 0.4)
    held = place_at(phone, spot)
    touch = phone.context.new_cdp_session(phone)

    def fingers(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", (spot.x - 20, spot.y), (spot.x + 20, spot.y))
    for apart in (30, 40, 50, 60):
        fingers("touchMove", (spot.x - apart, spot.y), (spot.x + apart, spot.y))
    fingers("touchEnd")
    settled(phone)
    assert _scale(phone) > 2.5 * fitted
    assert _near(place_at(phone, spot), held, 1)
    held = place_at(phone, spot)
    fingers("touchStart", (spot.x, spot.y))
    for step in (10, 20, 30):
        fingers("touchMove", (spot.x + step, spot.y + step))
    fingers("touchEnd")
    assert _near(place_at(phone, Spot(spot.x + 30, spot.y + 30)), held, 1)


def test_swipe_leads_to_the_neighbours(phone: Page, gallery: BuiltRun) -> None:
    """A swipe over a fitted image leads to the next one, and one the other way back."""
    open_image(phone, gallery, PHOTO, 5)
    spot = middle(phone.locator("#stage"), 0.7, 0.3)
    touch = phone.context.new_cdp_session(phone)
    for step, expected in ((-40, "trips/photo 2.png"), (40, PHOTO)):
        start = spot.x if step < 0 else spot.x - 120
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": start, "y": spot.y}]})
        for turn in (1, 2, 3):
            points = [{"x": start + turn * step, "y": spot.y}]
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        expect(phone.locator("#name")).to_have_attribute("title", expected)
        expect(phone.locator("#work")).to_be_visible()
    assert shown_file(phone) == "k05.png"


def test_wipe_moves_by_its_handle_and_by_keys(page: Page, gallery: BuiltRun) -> None:
    """The border goes where its handle is dragged, not where the image is; arrows, comma, stop and o move it too."""
    open_image(page, gallery, PHOTO, 2)
    wipe = page.locator("#wipe")
    left, top, width, height = box_of(page.locator("#flat"))
    handle = middle(wipe)
    page.mouse.move(handle.x, handle.y)
    page.mouse.down()
    page.mouse.move(left + width * 0.25, top + height * 0.5, steps=4)
    page.mouse.up()
    expect(wipe).to_have_attribute("aria-valuenow", "25")
    screen = pixels_of(page.screenshot())[round(top + height * 0.2)]
    flat = {bytes.fromhex(color[1:]) for color in gallery.ledger.flats_of(PHOTO)[0].palette}
    inside = [bytes(screen[round(left + width * at)]) in flat for at in np.linspace(0.28, 0.6, 20)]
    outside = [bytes(screen[round(left + width * at)]) in flat for at in np.linspace(0.02, 0.22, 20)]
    assert (all(inside), sum(outside) < 4) == (True, True)
    page.mouse.move(left + width * 0.5, top + 40)
    page.mouse.down()
    page.mouse.move(left + width * 0.8, top + 40, steps=3)
    page.mouse.up()
    expect(wipe).to_have_attribute("aria-valuenow", "25")
    for key, value in (("ArrowRight", "27"), (".", "32"), (",", "27"), ("o", "100"), ("o", "0")):
        wipe.press(key)
        expect(wipe).to_have_attribute("aria-valuenow", value)


def test_the_original_is_the_file_at_actual_size(page: Page, shapes: BuiltRun) -> None:
    """Where the preview has too few pixels the file itself is shown, crisp, pixel by pixel that of the input."""
    open_image(page, shapes, "long.png")
    until(page, "document.getElementById('original').src.includes('preview')")
    assert not page.locator("#original.exact").count()
    page.locator("#theatre [data-zoom=actual]").click()
    until(page, "document.getElementById('original').src.includes('/input/')")
    expect(page.locator("#left option").first).to_have_text("original")
    _all_left(page)
    page.eval_on_selector_all("#wipe, .pill, .zoom-tools", "all => all.forEach(one => one.remove())")
    left = box_of(page.locator("#stage"))[0]
    start = box_of(page.locator("#original"))[0]
    clip = {"x": left, "y": box_of(page.locator("#original"))[1], "width": 600, "height": 30}
    shown = pixels_of(page.screenshot(clip=clip))  # type: ignore[arg-type]
    with Image.open(shapes.input_of("long.png")) as image:
        column = round(left - start)
        assert (shown == np.asarray(image.convert("RGB"))[:, column : column + 600]).all()


def test_a_preview_says_that_it_is_one(lenient_page: Page, shapes: BuiltRun) -> None:
    """Where the input is gone, what is enlarged is called a preview of so many pixels, and is smooth."""
    open_image(lenient_page, shapes, "gone.png")
    lenient_page.locator("#theatre [data-zoom=actual]").click()
    expect(lenient_page.locator("#left option").first).to_have_text("preview, 1024 px")
    how = "image => getComputedStyle(image).imageRendering"
    assert lenient_page.eval_on_selector("#original", how) == "auto"
    assert lenient_page.eval_on_selector("#flat", how) == "pixelated"
    expect(lenient_page.locator("#links li").last).to_contain_text("is not where it was")


def test_flat_pixels_are_those_of_the_file(page: Page, gallery: BuiltRun) -> None:
    """Enlarged, with the original wiped away, the screen shows the palette's colours alone."""
    open_image(page, gallery, PHOTO, 5)
    page.locator("#wipe").press("Home")
    page.eval_on_selector_all("#wipe, .pill, .zoom-tools", "all => all.forEach(one => one.remove())")
    shown = colors_of(page.locator("#flat").screenshot(), border=8)
    assert shown == set(gallery.ledger.flats_of(PHOTO)[KS.index(5)].palette)


def test_one_k_against_another(page: Page, gallery: BuiltRun) -> None:
    """On the left stands any other k too, its pixels there and the chosen k's on the right, and the address says so."""
    open_image(page, gallery, PHOTO, 9)
    page.locator("#left").select_option("2")
    assert shown_file(page, "other") == "k02.png"
    assert page.url.endswith("&k=9&left=2")
    page.eval_on_selector_all("#wipe i, .pill, .zoom-tools", "all => all.forEach(one => one.remove())")
    screen, (left, top, width, height) = pixels_of(page.screenshot()), box_of(page.locator("#flat"))
    area = screen[round(top) + 2 : round(top + height) - 2, round(left) + 2 : round(left + width) - 2]
    half = area.shape[1] // 2
    for part, k in ((area[:, : half - 4], 2), (area[:, half + 4 :], 9)):
        found = {f"#{bytes(color).hex()}" for color in np.unique(part.reshape(-1, 3), axis=0).tolist()}
        assert found <= set(gallery.ledger.flats_of(PHOTO)[KS.index(k)].palette)
    page.reload()
    assert shown_file(page, "other") == "k02.png"


def test_the_whole_window_is_for_the_image(page: Page, gallery: BuiltRun) -> None:
    """Full screen gives stage, slider and film the whole window; Escape gives it back."""
    open_image(page, gallery, PHOTO, 5)
    page.locator("#full").click()
    assert box_of(page.locator("#theatre"))[2:] == (1280, 720)
    expect(page.locator("#k")).to_be_visible()
    page.keyboard.press("f")
    assert box_of(page.locator("#stage"))[2] < 1000


def test_odd_shapes_are_seen_whole(page: Page, shapes: BuiltRun) -> None:
    """One pixel, and a long thin image, lie whole on the stage and on their cards, each by its own pixels."""
    for name, shape in (("one.png", 1.0), ("long.png", 50.0)):
        open_image(page, shapes, name)
        left, _, width, height = box_of(page.locator("#flat"))
        stage = box_of(page.locator("#stage"))
        assert width / height == pytest.approx(shape, rel=0.05)
        assert left >= stage[0] - 1
        assert left + width <= stage[0] + stage[2] + 1
        assert min(width, height) >= 10
    page.locator("#back").click()
    until(page, "[...document.querySelectorAll('.card img')].every(image => image.complete)")
    fits = dict(
        page.eval_on_selector_all(".card", "all => all.map(it => [it.textContent, it.querySelector('img')?.className])")
    )
    assert [fits[name] for name in fits if name.startswith("long.png")] == ["whole"]
    assert [fits[name] for name in fits if name.startswith("one.png")] == ["tiny"]
