"""Choosing k for many: one slider over all cards, and several images side by side."""

from __future__ import annotations

from pathlib import Path

from browsing import box_of, canvas, colors_of, middle, open_page, settled, until
from builders_report import KS, BuiltRun
from playwright.sync_api import Page, expect

from flatpipe.quantize.knee import suggested_k

PHOTO, OTHER = "trips/photo 1.png", "trips/photo 2.png"


def _palette(run: BuiltRun, image_id: str, k: int) -> set[str]:
    return set(run.ledger.flats_of(image_id)[KS.index(k)].palette)


def test_cards_follow_the_slider(page: Page, gallery: BuiltRun) -> None:
    """One slider shows all cards at a k: pictures, bands, words and address; "suggested" gives each its own again."""
    open_page(page, gallery, "search=photo")
    slider = page.locator("#tools .all-k input")
    for k in (4, 8):
        slider.fill(str(KS.index(k)))
        until(page, f"[...document.querySelectorAll('.card .facts')].every(it => it.textContent.startsWith('{k} of'))")
        until(page, "document.querySelectorAll('.card canvas').length === 4")
        page.wait_for_timeout(150)
        for number in range(4):
            shown = colors_of(canvas(page, f".card:nth-child({number + 1}) canvas"))
            assert shown <= _palette(gallery, f"trips/photo {number}.png", k)
            assert len(shown) > k // 2
        assert page.locator(".card").first.locator(".strip i").count() == k
    assert "k=8" in page.url
    page.reload()
    until(page, "[...document.querySelectorAll('.card .facts')].every(it => it.textContent.startsWith('8 of'))")
    page.locator(".card a").nth(1).click()
    expect(page.locator("#k-value")).to_have_text("8")
    page.locator("#back").click()
    page.locator("#tools .suggested").click()
    best = suggested_k(KS, [flat.mse for flat in gallery.ledger.flats_of(PHOTO)])
    until(page, f"document.querySelectorAll('.card .facts')[1].textContent.startsWith('{best} of')")
    until(page, "document.querySelectorAll('.card .picture > img').length === 4")


def test_cut_outs_follow_from_their_files(page: Page, shapes: BuiltRun) -> None:
    """A card of an image with opacity shows the flat file of the k; one of a single pixel has its colour."""
    open_page(page, shapes, "k=5")
    until(page, "document.querySelectorAll('.card')[1].querySelector('img')?.src.endsWith('k05.png')")
    until(page, "document.querySelectorAll('.card canvas').length === 4")


def test_originals_may_be_seen_on_all_cards(page: Page, gallery: BuiltRun) -> None:
    """The cards show the originals when asked, and the flat over them while one is pointed at."""
    open_page(page, gallery, "search=photo")
    page.locator("#tools .segments label").nth(1).click()
    until(
        page,
        "[...document.querySelectorAll('.card .picture > img')].filter(it => it.src.startsWith('data:')).length === 4",
    )
    assert "face=original" in page.url
    page.locator(".card a").first.hover()
    until(page, "document.querySelector('.card .other')?.src.endsWith('flat.jpg')")


def _pick(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_label(f"Select {name}", exact=True).check()


def test_selected_images_stand_side_by_side(page: Page, gallery: BuiltRun) -> None:
    """Selected images are shown at one k, or each at its own; all through one lens; the address brings them again."""
    open_page(page, gallery)
    _pick(page, PHOTO, OTHER, "صورة جميلة.png")
    expect(page.locator("#selected")).to_have_text("3 images selected")
    page.locator("#side-by-side").click()
    expect(page.locator("#rooms figure")).to_have_count(3)
    page.locator("#compare .all-k input").fill(str(KS.index(4)))
    files = "[...document.querySelectorAll('#rooms img.flat')].map(it => it.src.split('/').pop()).join()"
    until(page, f"{files} === 'k04.png,k04.png,k04.png'")
    page.reload()
    until(page, f"{files} === 'k04.png,k04.png,k04.png'")
    page.keyboard.press("s")
    best = [suggested_k(KS, [flat.mse for flat in gallery.ledger.flats_of(name)]) for name in (PHOTO, OTHER)]
    until(page, f"{files}.startsWith('k{best[0]:02d}.png,k{best[1]:02d}.png')")
    page.get_by_role("button", name=f"Take {OTHER} away").click()
    expect(page.locator("#rooms figure")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator("#overview")).to_be_visible()


def test_one_lens_for_all(page: Page, gallery: BuiltRun) -> None:
    """Zooming into one of several images shows the same part of each as large; 1:1 and originals hold for all."""
    open_page(page, gallery, "compare=trips/photo 1.png,trips/photo 2.png&k=6")
    expect(page.locator("#rooms img.flat")).to_have_count(2)
    until(page, "[...document.querySelectorAll('#rooms .frame')].every(it => it.offsetWidth > 50)")
    stages = page.locator("#rooms .stage")
    spot = middle(stages.first, 0.3, 0.4)
    page.mouse.move(spot.x, spot.y)
    for _ in range(5):
        page.mouse.wheel(0, -100)
    settled(page)
    frames = [box_of(page.locator("#rooms .frame").nth(number)) for number in (0, 1)]
    rooms = [box_of(stages.nth(number)) for number in (0, 1)]
    assert frames[0][2] == frames[1][2] > 1.8 * rooms[0][2] * 0.5
    assert abs((frames[0][0] - rooms[0][0]) - (frames[1][0] - rooms[1][0])) < 1.01
    page.keyboard.press("1")
    assert box_of(page.locator("#rooms .frame").nth(1))[2] == 90
    page.keyboard.press("o")
    until(page, "[...document.querySelectorAll('#rooms .frame img:not(.flat)')].every(it => it.naturalWidth === 90)")
    expect(page.locator("#rooms img.flat").first).to_be_hidden()


def test_no_more_than_a_dozen_side_by_side(page: Page, gallery: BuiltRun) -> None:
    """More images than fit are said to be too many, and a link to unknown ones says that they are."""
    open_page(page, gallery)
    for box in page.locator(".pick input").all():
        box.check()
    expect(page.locator("#selected")).to_have_text("13 images selected, at most 12 side by side")
    expect(page.locator("#side-by-side")).to_be_disabled()
    page.locator("#unselect").click()
    expect(page.locator("#tray")).to_be_hidden()
    open_page(page, gallery, "compare=nobody.png")
    expect(page.locator("#unknown")).to_contain_text("None of these images is in this report.")
    assert Path(gallery.page).is_file()
