"""The report's page in a real browser, from file://: all images, and what every view owes everybody."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from browsing import box_of, open_image, open_page, pixels_of, settled, shown_file, until
from builders_report import HOSTILE_NAMES, KS, SETTINGS, BuiltRun, built_run, synthetic_results
from playwright.sync_api import Browser, Page, expect

from flatpipe.quantize.knee import suggested_k
from flatpipe.records import PlannedImage
from flatpipe.report.gallery import write_gallery
from flatpipe.text import printable

PHOTO = "trips/photo 1.png"
LONG = "x" * 196 + ".png"


def test_cards_lead_to_the_viewer_and_back(page: Page, gallery: BuiltRun) -> None:
    """Every image has a card; a click opens it at the suggested k; back returns to the card, which has the focus."""
    open_page(page, gallery)
    assert page.locator(".card").count() == 4 + len(HOSTILE_NAMES) + 2
    page.get_by_role("link", name=PHOTO).click()
    expect(page.locator("#name")).to_have_text(PHOTO)
    best = suggested_k(KS, [flat.mse for flat in gallery.ledger.flats_of(PHOTO)])
    assert shown_file(page) == f"k{best:02d}.png"
    assert page.locator(".knee").get_attribute("data-k") == str(best)
    assert f"k {best}," in page.locator("#knee-text").inner_text()
    page.get_by_role("link", name="All images").click()
    expect(page.get_by_role("link", name=PHOTO)).to_be_focused()


def test_names_run_nothing_on_the_overview(page: Page, gallery: BuiltRun) -> None:
    """On the overview too, names are text: no element came out of one, and thumbnails load."""
    open_page(page, gallery)
    until(page, "[...document.querySelectorAll('.card img')].every(image => image.naturalWidth > 0)")
    names = page.locator(".card .name").evaluate_all("all => all.map(it => it.title)")
    assert set(map(printable, HOSTILE_NAMES)) <= set(names)
    assert page.locator(".card .name").all_text_contents() == names
    assert page.locator("img[src='x']").count() == 0
    assert page.locator("body script").count() == 0


def test_long_names_are_cut_in_the_middle(page: Page, gallery: BuiltRun) -> None:
    """Of a long name the beginning gives way and the end stays in sight; who points at it is told the whole."""
    open_page(page, gallery, f"search={LONG[:40]}")
    name = page.locator(".card .name")
    assert name.get_attribute("title") == LONG
    assert name.locator(".head").evaluate("it => it.scrollWidth > it.clientWidth")
    left, _, width, _ = box_of(name.locator(".tail"))
    assert left + width <= sum(box_of(page.locator(".card"))[::2])
    assert name.locator(".tail").inner_text().endswith("xx.png")


def test_search_and_sort_find_images(page: Page, gallery: BuiltRun) -> None:
    """Search narrows by name, sort orders by figures; both stand in the address, a viewer's too."""
    open_page(page, gallery)
    page.locator("#search").fill("PHOTO")
    assert page.locator(".card").count() == 4
    page.locator("#sort").select_option("mse-down")
    shown = page.locator(".card .name").all_inner_texts()
    mses = []
    for name in shown:
        flats = gallery.ledger.flats_of(name)
        best = suggested_k(KS, [flat.mse for flat in flats])
        mses.append(next(flat.mse for flat in flats if flat.k == best))
    assert mses == sorted(mses, reverse=True)
    page.reload()
    expect(page.locator(".card .name")).to_have_text(shown)
    page.locator(".card a").nth(1).click()
    expect(page.locator("#work")).to_be_visible()
    assert "search=PHOTO&sort=mse-down" in page.url
    page.reload()
    page.locator("#after").click()
    expect(page.locator("#name")).to_have_text(shown[2])
    page.locator("#back").click()
    expect(page.locator(".card .name")).to_have_text(shown)
    page.locator("#search").fill("nobody")
    expect(page.locator("#none")).to_be_visible()
    page.locator("#clear").click()
    page.locator("#sort").select_option("failed")
    assert page.locator(".card .name").first.inner_text() == "broken <b>.jpg"


def test_failures_are_one_line_that_opens(page: Page, phone: Page, gallery: BuiltRun) -> None:
    """Failures are one line with their number until it is opened; on a phone the first screen has a photograph."""
    open_page(page, gallery)
    line = page.locator("#failures summary")
    expect(line).to_have_text("1 image could not be flattened")
    assert box_of(page.locator("#failures"))[3] < 60
    line.click()
    expect(page.locator("#failures table")).to_contain_text("the file ends after <1,203> bytes")
    open_page(phone, gallery, "search=photo")
    _, top, _, height = box_of(phone.locator(".card").first)
    assert top + height < 844 - 70


def test_failed_waiting_and_unknown_images_say_so(page: Page, gallery: BuiltRun) -> None:
    """A failed image's page tells why, one that was not done how to go on; one that is not there is named."""
    page.goto(f"{gallery.page.as_uri()}#image={quote('broken <b>.jpg')}")
    expect(page.locator("#failure")).to_have_text("truncated: the file ends after <1,203> bytes")
    expect(page.locator("#work")).to_be_hidden()
    page.goto(f"{gallery.page.as_uri()}#image=later.png")
    expect(page.locator("#nothing")).to_contain_text("flatpipe run '/my photos/pipeline.yaml' goes on from there")
    page.goto(f"{gallery.page.as_uri()}#image=un%20known.png")
    expect(page.locator("#unknown")).to_contain_text("There is no image un known.png in this report.")
    page.locator("#unknown button").click()
    expect(page.locator("#unknown")).to_be_hidden()


def test_numbers_are_told_in_words(page: Page, gallery: BuiltRun, shapes: BuiltRun) -> None:
    """Cards and viewer say how many colours are left of how many, one colour is one, and what is exact is called so."""
    open_page(page, gallery, "search=photo&k=5")
    colors = gallery.ledger.token_of(PHOTO).distinct_colors
    until(page, f"document.querySelectorAll('.card .facts')[1].textContent.startsWith('5 of {colors:,} colours')")
    open_page(page, shapes, "search=one.png")
    assert "1 colourexact" in page.locator(".card .facts").all_text_contents()
    open_image(page, gallery, PHOTO, 5)
    expect(page.locator("#about")).to_have_text(f"90 × 60 pixels · 5 of {colors:,} colours · rotated (EXIF 6)")


def test_the_keys_are_told(page: Page, gallery: BuiltRun) -> None:
    """A question mark, or its button, shows every key and gesture; Escape closes the list and nothing else."""
    open_image(page, gallery, PHOTO, 5)
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    told = set(page.locator("#help kbd").all_inner_texts())
    assert {"←", "→", "/", "x", "o", "0", "1", "f", "space", "esc"} <= told
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    expect(page.locator("#work")).to_be_visible()
    page.locator("#viewer [data-help]").click()
    expect(page.locator("#help")).to_be_visible()


def test_keys_do_what_is_told(page: Page, gallery: BuiltRun) -> None:
    """Keys zoom, step, select and leave; whoever types into the search types."""
    open_page(page, gallery, "search=photo")
    page.locator(".card a").first.focus()
    page.keyboard.press("x")
    expect(page.locator("#selected")).to_have_text("1 image selected")
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('.k-value').textContent === '6'")
    page.keyboard.press("/")
    page.keyboard.type(" 1x")
    expect(page.locator("#selected")).to_have_text("1 image selected")
    open_image(page, gallery, PHOTO, 5)
    page.keyboard.press("1")
    expect(page.locator("#theatre .zoom-value")).to_have_text("100 %")
    page.keyboard.press("0")
    expect(page.locator("#theatre [data-zoom=fit]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#overview")).to_be_visible()


def test_only_cards_in_sight_exist(page: Page, tmp_path: Path) -> None:
    """Of 10,400 images in three shards only some dozens are in the page; the last is reached, and found by its link."""
    run = built_run(tmp_path)
    for result in synthetic_results(10_400, ks=(2, 3)):
        run.ledger.store_plan([PlannedImage(result.source, (), sweep=False, reason="")])
        run.record(result)
    write_gallery(run.results, run.outputs, replace(SETTINGS, animation_format=None, pictures=False))
    open_page(page, run)
    expect(page.locator("#count")).to_have_text("")
    page.get_by_role("button", name="Page 2 of 2").click()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    last = sorted(result.source.image_id for result in synthetic_results(10_400, ks=(2, 3)))[-1]
    expect(page.get_by_role("link", name=last)).to_be_visible()
    assert page.locator(".card").count() < 100
    assert page.evaluate("link => flatpipe.rows.names[flatpipe.findRow(link)]", quote(last)) == last


VIEWS = {
    "overview": "",
    "viewer": "image=trips/photo 1.png&k=6",
    "compare": "compare=trips/photo 1.png,later.png,trips/photo 2.png&k=6",
    "palettes": "",
    "palette": "group=summer&color=e4002b&k=4",
}


@pytest.fixture
def seen(view: str, request: pytest.FixtureRequest) -> BuiltRun:
    """The run that a view is of."""
    run: BuiltRun = request.getfixturevalue("common" if view.startswith("palette") else "gallery")
    return run


def test_focus_goes_round_the_whole_card(page: Page, gallery: BuiltRun) -> None:
    """The ring of the focus is seen on all four sides of a card, outside of it."""
    open_page(page, gallery, "search=photo")
    page.keyboard.press("Tab")
    page.locator(".card a").nth(1).focus()
    page.keyboard.press("Shift")
    settled(page)
    left, top, width, height = (round(value) for value in box_of(page.locator(".card").nth(1)))
    screen, ink = pixels_of(page.screenshot()), [29, 28, 26]
    sides = [
        screen[top + height // 2, left - 4],
        screen[top + height // 2, left + width + 3],
        screen[top - 4, left + width // 2],
        screen[top + height + 3, left + width // 2],
    ]
    assert [side.tolist() for side in sides] == [ink] * 4


@pytest.mark.parametrize("view", VIEWS)
def test_fingers_find_every_control(phone: Page, seen: BuiltRun, view: str) -> None:
    """On a phone every control in sight measures 44 pixels each way, and nothing is wider than the window."""
    open_page(phone, seen, VIEWS[view])
    phone.evaluate("document.querySelectorAll('#legend').forEach(panel => { panel.open = true; })")
    settled(phone)
    small = phone.evaluate(
        """() => [...document.querySelectorAll('button, select, input, a, summary, [role=slider], [tabindex="0"]')]
          .map(it => (['radio', 'checkbox'].includes(it.type) ? it.closest('label') : it))
          .filter(it => it.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !it.matches('.skip'))
          .map(it => [it.outerHTML.slice(0, 90), it.getBoundingClientRect()])
          .filter(([, box]) => box.width > 1 && (box.width < 43.5 || box.height < 43.5))
          .map(([words, box]) => `${words} ${box.width} x ${box.height}`)"""
    )
    assert small == []
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture(params=[("light", 1200), ("dark", 390)], ids=["light-desktop", "dark-phone"])
def styled_page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    scheme, width = request.param
    opened = chromium.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    yield opened
    opened.close()


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_shuts_anybody_out(styled_page: Page, seen: BuiltRun, view: str) -> None:
    """axe-core finds no fault of any weight, and nothing is wider than the window, light or dark, wide or narrow."""
    source = _axe_source()
    open_page(styled_page, seen, VIEWS[view])
    styled_page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    assert styled_page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    styled_page.evaluate(source)
    faults: list[dict[str, Any]] = styled_page.evaluate("axe.run().then(found => found.violations)")
    assert [(fault["id"], fault["impact"], fault["nodes"][0]["html"]) for fault in faults] == []


def _axe_source() -> str:
    found = [os.environ.get("FLATPIPE_AXE", ""), "node_modules/axe-core/axe.min.js"]
    path = next((Path(name) for name in found if name and Path(name).is_file()), None)
    if path is None:
        pytest.skip("axe-core is not here: FLATPIPE_AXE names its axe.min.js; .ci/run installs it")
    return path.read_text()


_EDGES = """() => [...document.querySelectorAll('button, select, input[type=search], .button, .segments')]
  .filter(it => it.checkVisibility() && getComputedStyle(it).borderTopColor !== 'rgba(0, 0, 0, 0)')
  .filter(it => parseFloat(getComputedStyle(it).borderTopWidth) && !it.disabled)
  .map(it => {
    let behind = it.parentElement;
    const ground = each => getComputedStyle(each).backgroundColor;
    while (behind && ground(behind).endsWith(', 0)')) behind = behind.parentElement;
    const found = behind ? ground(behind) : 'rgb(255, 255, 255)';
    return [it.outerHTML.slice(0, 80), getComputedStyle(it).borderTopColor, found];
  })"""


@pytest.mark.parametrize("view", VIEWS)
def test_edges_of_controls_are_seen(styled_page: Page, seen: BuiltRun, view: str) -> None:
    """The edge of every control has a contrast of 3 to 1 with what is behind it (WCAG 2.2, 1.4.11), light and dark."""
    open_page(styled_page, seen, VIEWS[view])
    found = styled_page.evaluate(_EDGES)
    assert len(found) > 3
    assert [(words, edge, behind) for words, edge, behind in found if _contrast(edge, behind) < 3] == []


def _contrast(one: str, other: str) -> float:
    def luminance(color: str) -> float:
        levels = np.array([float(part) for part in color[color.index("(") + 1 : -1].split(",")[:3]]) / 255
        linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_wide_screens_are_used(chromium: Browser, gallery: BuiltRun) -> None:
    """On a screen of 2560 pixels cards stand from edge to edge, and the stage takes three quarters of it."""
    wide = chromium.new_page(viewport={"width": 2560, "height": 1300})
    open_page(wide, gallery)
    boxes = [box_of(card) for card in wide.locator(".card").all()]
    assert min(left for left, *_ in boxes) < 40
    assert max(left + width for left, _, width, _ in boxes) > 2520
    open_image(wide, gallery, PHOTO, 5)
    assert box_of(wide.locator("#stage"))[2] > 0.75 * 2560
    wide.close()
