"""The gallery in a real browser, from file://."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

import numpy as np
import pytest
from builders_report import HOSTILE_NAMES, KS, SETTINGS, BuiltRun, built_run, soft_pixels, synthetic_results
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from flatpipe.quantize.knee import psnr, suggested_k
from flatpipe.records import PlannedImage
from flatpipe.report.gallery import write_gallery
from flatpipe.text import printable

PHOTO = "trips/photo 1.png"


def _open(page: Page, run: BuiltRun, image_id: str = "", k: int | None = None) -> None:
    link = f"#image={quote(os.fsencode(image_id))}" if image_id else ""
    page.goto(run.page.as_uri() + link + (f"&k={k}" if k else ""))
    if image_id:
        expect(page.locator("#work")).to_be_visible()
    else:
        expect(page.locator(".card").first).to_be_visible()


def _shown_file(page: Page) -> str:
    _until(page, "document.getElementById('flat').complete && document.getElementById('flat').naturalWidth > 0")
    return str(page.eval_on_selector("#flat", "image => image.currentSrc.split('/').pop()"))


def _until(page: Page, expression: str) -> None:
    """Wait until an expression is true. Playwright's own way evaluates text in the page, which the page forbids."""
    for _ in range(200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"never true: {expression}")


def _canvas(page: Page) -> bytes:
    """The colour space as the page drew it last, a PNG."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return base64.b64decode(page.eval_on_selector("#cube", "canvas => canvas.toDataURL('image/png').split(',')[1]"))


def test_cards_lead_to_the_viewer_and_back(page: Page, gallery: BuiltRun) -> None:
    """Every image has a card; a click opens it at the suggested k; back returns to the card, which has the focus."""
    _open(page, gallery)
    assert page.locator(".card").count() == 4 + len(HOSTILE_NAMES) + 2
    page.get_by_role("link", name=PHOTO).click()
    expect(page.locator("#name")).to_have_text(PHOTO)
    flats = gallery.ledger.flats_of(PHOTO)
    best = suggested_k(KS, [flat.mse for flat in flats])
    assert _shown_file(page) == f"k{best:02d}.png"
    assert page.locator(".knee").first.get_attribute("data-k") == str(best)
    assert f"k {best}," in page.locator("#knee-text").inner_text()
    page.get_by_role("link", name="All images").click()
    expect(page.get_by_role("link", name=PHOTO)).to_be_focused()


def test_slider_and_arrows_choose_the_file(page: Page, gallery: BuiltRun) -> None:
    """Slider, arrow keys, the curve and the suggestion show the flat file of that k, and the address follows."""
    _open(page, gallery, PHOTO, 4)
    assert _shown_file(page) == "k04.png"
    page.locator("#k").fill(str(KS.index(7)))
    assert _shown_file(page) == "k07.png"
    page.locator("#name").press("ArrowRight")
    assert _shown_file(page) == "k08.png"
    page.locator("#k").press("ArrowLeft")
    page.locator("#name").press("ArrowLeft")
    assert _shown_file(page) == "k06.png"
    assert page.url.endswith("&k=6")
    assert page.locator("#k-value").inner_text() == "6"
    assert page.locator("#palette li").count() == len(gallery.ledger.flats_of(PHOTO)[KS.index(6)].palette)
    page.locator(".chart").first.click(position={"x": 300, "y": 40})
    assert _shown_file(page) in ("k08.png", "k09.png")
    page.locator("#best").click()
    assert _shown_file(page) == f"k{int(page.locator('.knee').first.get_attribute('data-k') or 0):02d}.png"


def test_flat_pixels_are_those_of_the_file(page: Page, gallery: BuiltRun) -> None:
    """Enlarged, with the original wiped away, the screen shows the palette's colours alone."""
    _open(page, gallery, PHOTO, 5)
    _shown_file(page)
    page.locator("#zoom").select_option("4")
    page.locator("#wipe").fill("0")
    page.eval_on_selector_all("#line, .tag", "all => all.forEach(one => one.remove())")
    assert page.eval_on_selector("#flat", "image => getComputedStyle(image).imageRendering") == "pixelated"
    shown = _colors(page.locator("#frame").screenshot(), border=8)
    assert shown == set(gallery.ledger.flats_of(PHOTO)[KS.index(5)].palette)


def test_wipe_uncovers_the_original(page: Page, gallery: BuiltRun) -> None:
    """Dragging over the image, or moving the slider, moves the border between original and flat."""
    _open(page, gallery, PHOTO, 2)
    _shown_file(page)
    box = page.locator("#frame").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40, steps=4)
    page.mouse.up()
    assert 24 <= int(page.locator("#wipe").input_value()) <= 26
    flat = page.locator("#frame").screenshot()
    page.locator("#wipe").fill("100")
    original = page.locator("#frame").screenshot()
    assert len(_colors(original, 8)) > 10 * len(set(gallery.ledger.flats_of(PHOTO)[0].palette))
    assert flat != original


def test_click_copies_the_colour(page: Page, gallery: BuiltRun) -> None:
    """A click on a colour puts its hex value on the clipboard, also where the browser offers no clipboard."""
    _open(page, gallery, PHOTO, 3)
    palette = gallery.ledger.flats_of(PHOTO)[KS.index(3)].palette
    page.locator(".chip").nth(1).click()
    expect(page.locator("#toast")).to_have_text(f"Copied {palette[1]}")
    assert page.evaluate("navigator.clipboard.readText()") == palette[1]
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.locator(".chip").nth(2).click()
    expect(page.locator("#toast")).to_have_text(f"Copied {palette[2]}")
    assert page.evaluate("navigator.clipboard.readText()") == palette[2]
    page.locator("#copy-all").click()
    expect(page.locator("#toast")).to_have_text("Palette copied")
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(palette)


def test_colour_space_is_drawn_and_turns(page: Page, gallery: BuiltRun) -> None:
    """The cube shows many points in the palette's colours, other ones for another k, and turns with mouse and keys."""
    _open(page, gallery, PHOTO, 6)
    first = _canvas(page)
    palette = gallery.ledger.flats_of(PHOTO)[KS.index(6)].palette
    assert set(palette) <= _colors(first, 1)
    assert _covered(first, palette) > 2 * _covered(_own_colors(page), palette)
    page.locator("#own-colors").uncheck()
    assert _canvas(page) == first
    page.locator("#cube").scroll_into_view_if_needed()
    box = page.locator("#cube").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 180, box["y"] + 100, steps=3)
    page.mouse.up()
    turned = _canvas(page)
    assert turned != first
    page.locator("#cube").press("ArrowUp")
    tilted = _canvas(page)
    assert tilted != turned
    assert page.locator("#k-value").inner_text() == "6"
    page.locator("#k").press("ArrowLeft")
    assert _canvas(page) != tilted


@pytest.mark.parametrize("image_id", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_any_name_is_text_and_its_links_work(page: Page, gallery: BuiltRun, image_id: str) -> None:
    """Deep links to images of any name open them; names are text; flats, originals, sweeps and stills load."""
    _open(page, gallery, image_id, 5)
    assert _shown_file(page) == "k05.png"
    shown = page.locator("#name").inner_text()
    assert shown == printable(image_id)
    _until(page, "document.getElementById('original').naturalWidth > 0")
    page.locator("#play").click()
    _until(page, "document.getElementById('sweep').naturalWidth > 0")
    for link in page.locator("#links a").all():
        assert _exists(str(link.evaluate("anchor => anchor.href")))
    page.locator("#back").click()
    expect(page.locator("#grid .card a:focus .name")).to_have_text(shown)


def test_names_run_nothing_on_the_overview(page: Page, gallery: BuiltRun) -> None:
    """On the overview too, names are text: no element came out of one, and thumbnails load."""
    _open(page, gallery)
    _until(page, "[...document.querySelectorAll('.card img')].every(image => image.naturalWidth > 0)")
    names = page.locator(".card .name").all_inner_texts()
    assert "<img src=x onerror=alert(1)>.png" in names
    assert page.locator("img[src='x']").count() == 0
    assert page.locator("body script").count() == 0


def test_search_and_sort_find_images(page: Page, gallery: BuiltRun) -> None:
    """Search narrows by name, sort orders by figures, and a search for nothing says so."""
    _open(page, gallery)
    page.locator("#search").fill("PHOTO")
    assert page.locator(".card").count() == 4
    page.locator("#sort").select_option("mse-down")
    shown = page.locator(".card .name").all_inner_texts()
    flats = {name: gallery.ledger.flats_of(name) for name in shown}
    best = {name: suggested_k(KS, [flat.mse for flat in found]) for name, found in flats.items()}
    mses = [next(flat.mse for flat in flats[name] if flat.k == best[name]) for name in shown]
    assert mses == sorted(mses, reverse=True)
    page.locator("#search").fill("nobody")
    expect(page.locator("#none")).to_be_visible()
    page.locator("#clear").click()
    page.locator("#sort").select_option("failed")
    assert page.locator(".card .name").first.inner_text() == "broken <b>.jpg"


def test_failed_and_waiting_images_say_so(page: Page, gallery: BuiltRun) -> None:
    """A failed image's page tells why, one that was not done tells how to go on."""
    page.goto(f"{gallery.page.as_uri()}#image={quote('broken <b>.jpg')}")
    expect(page.locator("#failure")).to_have_text("truncated: the file ends after <1,203> bytes")
    expect(page.locator("#work")).to_be_hidden()
    page.goto(f"{gallery.page.as_uri()}#image=later.png")
    expect(page.locator("#nothing")).to_be_visible()
    page.goto(f"{gallery.page.as_uri()}#image=unknown.png")
    expect(page.locator("#overview")).to_be_visible()


def test_images_without_pictures_are_shown_from_their_files(page: Page, tmp_path: Path) -> None:
    """Without previews the page compares with the input file itself, hides the cube, and asks for no missing file."""
    run = built_run(tmp_path)
    run.add("a.png", soft_pixels(1))
    write_gallery(run.results, run.outputs, replace(SETTINGS, pictures=False, animation_format=None))
    _open(page, run, "a.png", 4)
    _until(page, "document.getElementById('original').naturalWidth > 0")
    assert "input/" in str(page.locator("#original").get_attribute("src"))
    expect(page.locator("#cube-panel")).to_be_hidden()
    expect(page.locator("#sweep-panel")).to_be_hidden()


def test_the_target_and_the_measures_are_shown(page: Page, tmp_path: Path) -> None:
    """With a target the page opens at its k, says why, and links best.png; measures stand in line and table."""
    run = built_run(tmp_path)
    run.add("a.png", soft_pixels(1))
    mses = [flat.mse for flat in run.ledger.flats_of("a.png")]
    wanted = psnr(mses[3]) - 1e-6
    settings = replace(SETTINGS, target=f"psnr>={wanted:.6f}", metrics=("ssim", "ciede2000"))
    write_gallery(run.results, run.outputs, settings)
    _open(page, run, "a.png")
    assert page.locator("#k-value").inner_text() == str(KS[3])
    assert f"k {KS[3]}, the smallest that reaches" in page.locator("#knee-text").inner_text()
    assert page.locator("#links a").first.get_attribute("href") == "images/a.png/best.png"
    assert f"SSIM {1 - 1 / KS[3]:.3f} ·" in page.locator("#figures").inner_text()
    page.locator("#files summary").click()
    assert page.locator("#table tbody tr").nth(1).locator("td").all_inner_texts()[3:5] == [f"{1 - 1 / KS[1]:.3f}", "–"]

    write_gallery(run.results, run.outputs, replace(settings, target="psnr>=99"))
    page.reload()
    expect(page.locator("#knee-text")).to_have_text(f"Suggested: k {KS[-1]}; no k up to {KS[-1]} reaches 99 dB.")


def test_oklab_may_be_seen_with_both_axes(page: Page, tmp_path: Path) -> None:
    """Colours that were clustered in OKLab are shown there, and in the RGB cube when asked; else there is no choice."""
    run = built_run(tmp_path)
    run.add("a.png", soft_pixels(1))
    write_gallery(run.results, run.outputs, replace(SETTINGS, space="oklab"))
    _open(page, run, "a.png")
    assert "points in OKLab" in str(page.locator("#cube").get_attribute("aria-label"))
    there = _canvas(page)
    page.locator("#axes").select_option("rgb")
    _until(page, "document.getElementById('cube').getAttribute('aria-label').includes('RGB cube')")
    assert _canvas(page) != there
    write_gallery(run.results, run.outputs, SETTINGS)
    page.reload()
    expect(page.locator("#cube")).to_be_visible()
    expect(page.locator("#axes-control")).to_be_hidden()


def test_only_cards_in_sight_exist(page: Page, tmp_path: Path) -> None:
    """Of 10,400 images in three shards only some dozens are in the page; the last is reached, and found by its link."""
    run = built_run(tmp_path)
    for result in synthetic_results(10_400, ks=(2, 3)):
        run.ledger.store_plan([PlannedImage(result.source, (), sweep=False, reason="")])
        run.record(result)
    write_gallery(run.results, run.outputs, replace(SETTINGS, animation_format=None, pictures=False))
    _open(page, run)
    expect(page.locator("#count")).to_have_text("")
    page.get_by_role("button", name="Page 2 of 2").click()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    last = sorted(result.source.image_id for result in synthetic_results(10_400, ks=(2, 3)))[-1]
    expect(page.get_by_role("link", name=last)).to_be_visible()
    assert page.locator(".card").count() < 100
    assert page.evaluate("link => flatpipe.rows.names[flatpipe.findRow(link)]", quote(last)) == last


@pytest.fixture(params=[("light", 1200), ("dark", 390)], ids=["light-desktop", "dark-phone"])
def styled_page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    scheme, width = request.param
    opened = chromium.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    yield opened
    opened.close()


@pytest.mark.parametrize("image_id", ["", PHOTO], ids=["overview", "viewer"])
def test_nothing_shuts_anybody_out(styled_page: Page, gallery: BuiltRun, image_id: str) -> None:
    """axe-core finds no fault of any weight, and nothing is wider than the window, light or dark, wide or narrow."""
    source = _axe_source()
    _open(styled_page, gallery, image_id, 6 if image_id else None)
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


def _colors(png: bytes, border: int) -> set[str]:

    with Image.open(io.BytesIO(png)) as image:
        pixels = np.asarray(image.convert("RGB"))[border:-border, border:-border].reshape(-1, 3)
    return {f"#{bytes(color).hex()}" for color in np.unique(pixels, axis=0).tolist()}


def _covered(png: bytes, colors: Sequence[str]) -> int:
    """How many pixels have exactly one of the colours."""
    with Image.open(io.BytesIO(png)) as image:
        pixels = np.asarray(image.convert("RGB"))
    return sum(int((pixels == list(bytes.fromhex(color[1:]))).all(axis=2).sum()) for color in colors)


def _own_colors(page: Page) -> bytes:
    page.locator("#own-colors").check()
    return _canvas(page)


def _exists(address: str) -> bool:
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(address).path))).is_file()
