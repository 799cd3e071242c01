"""The sweep on the stage: it plays, fades, pauses and is scrubbed."""

from __future__ import annotations

import itertools

from browsing import colors_of, open_image, shown_file, until
from builders_report import KS, BuiltRun
from playwright.sync_api import Page, expect

PHOTO = "trips/photo 1.png"
_WATCH = """() => {
  window.seen = [];
  const look = () => {
    const words = document.getElementById('k-value').textContent;
    if (seen.at(-1) !== words) seen.push(words);
    requestAnimationFrame(look);
  };
  look();
}"""


def test_sweep_plays_every_k_then_the_original(page: Page, gallery: BuiltRun) -> None:
    """Play shows every k in turn from the chosen one, then the original, and begins anew; pause stops it."""
    open_image(page, gallery, PHOTO, 7)
    page.locator("#speed").select_option("4")
    page.evaluate(_WATCH)
    page.locator("#play").click()
    expect(page.locator("#play")).to_have_attribute("aria-label", "Pause the sweep")
    until(page, "seen.includes('original') && seen.at(-1) === '3'")
    page.keyboard.press(" ")
    seen = page.evaluate("seen")
    assert seen == ["7", "8", "9", "original", "2", "3"]
    page.wait_for_timeout(500)
    assert page.evaluate("seen.at(-1)") == "3"
    assert shown_file(page) == "k03.png"
    expect(page.locator("#wipe")).to_be_visible()


def test_sweep_fades_from_k_to_k(page: Page, gallery: BuiltRun) -> None:
    """Between two k the stage shows mixtures of both: colours that neither palette has."""
    open_image(page, gallery, PHOTO, 5)
    palettes = [set(flat.palette) for flat in gallery.ledger.flats_of(PHOTO)]
    page.locator("#speed").select_option("0.5")
    page.locator("#play").click()
    until(page, "document.getElementById('flat').getAnimations().length > 0")
    page.evaluate(
        "() => { const [fade] = document.getElementById('flat').getAnimations();"
        " fade.pause(); fade.currentTime = 400; }"
    )
    page.eval_on_selector_all(".pill, .zoom-tools", "all => all.forEach(one => one.style.visibility = 'hidden')")
    mixed = colors_of(page.locator("#flat").screenshot(), 8)
    both = palettes[KS.index(5)] | palettes[KS.index(6)]
    assert len(mixed - both) > 3
    levels = [[int(color[at : at + 2], 16) for color in both] for at in (1, 3, 5)]
    for color in mixed:
        for at, found in zip((1, 3, 5), levels, strict=True):
            assert min(found) - 2 <= int(color[at : at + 2], 16) <= max(found) + 2


def test_the_slider_scrubs_the_sweep(page: Page, gallery: BuiltRun) -> None:
    """Moving the slider while the sweep plays stops it at that k, at once, with the border where it was."""
    open_image(page, gallery, PHOTO, 3)
    page.locator("#wipe").press("ArrowRight")
    page.locator("#play").click()
    page.locator("#k").fill(str(KS.index(8)))
    expect(page.locator("#play")).to_have_attribute("aria-label", "Play the sweep")
    assert shown_file(page) == "k08.png"
    expect(page.locator("#wipe")).to_have_attribute("aria-valuenow", "52")
    page.wait_for_timeout(1200)
    assert shown_file(page) == "k08.png"


def test_who_wants_no_motion_gets_no_fades(page: Page, gallery: BuiltRun) -> None:
    """Where motion is to be reduced the sweep goes from picture to picture, and no colour moves."""
    page.emulate_media(reduced_motion="reduce")
    open_image(page, gallery, PHOTO, 3)
    page.evaluate(
        "() => { window.moved = 0; const animate = Element.prototype.animate;"
        "Element.prototype.animate = function (...all) { moved += 1; return animate.apply(this, all); }; }"
    )
    page.locator("#speed").select_option("4")
    page.locator("#play").click()
    until(page, "Number(document.getElementById('k-value').textContent) > 5")
    assert page.evaluate("moved") == 0
    assert all(one < other for one, other in itertools.pairwise(KS))
