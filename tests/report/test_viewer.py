"""One image in the viewer: what a chosen k shows, and what there is to take away."""

from __future__ import annotations

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from browsing import box_of, canvas, colors_of, covered, open_image, shown_file, until
from builders_report import HOSTILE_NAMES, KS, SETTINGS, BuiltRun, built_run, soft_pixels
from playwright.sync_api import Page, expect

from flatpipe.quantize.knee import psnr
from flatpipe.report.gallery import write_gallery
from flatpipe.text import printable

PHOTO = "trips/photo 1.png"


def test_slider_keys_film_and_curve_choose_the_file(page: Page, gallery: BuiltRun) -> None:
    """Slider, arrow keys, film, curve and the suggestion show the flat file of that k, and the address follows."""
    open_image(page, gallery, PHOTO, 4)
    assert shown_file(page) == "k04.png"
    page.locator("#k").fill(str(KS.index(7)))
    assert shown_file(page) == "k07.png"
    page.locator("#name").press("ArrowRight")
    assert shown_file(page) == "k08.png"
    page.locator("#k").press("ArrowLeft")
    page.locator("#name").press("ArrowLeft")
    assert shown_file(page) == "k06.png"
    assert page.url.endswith("&k=6")
    assert page.locator("#k-value").inner_text() == "6"
    page.locator("#film .tile").nth(KS.index(3)).click()
    assert shown_file(page) == "k03.png"
    expect(page.locator("#film [aria-pressed=true] .k")).to_have_text("3")
    _, _, width, _ = box_of(page.locator(".chart"))
    page.locator(".chart").click(position={"x": width * 0.88, "y": 40})
    assert shown_file(page) in ("k08.png", "k09.png")
    page.locator("#best").click()
    assert shown_file(page) == f"k{int(page.locator('.knee').get_attribute('data-k') or 0):02d}.png"


def test_film_shows_every_k_in_its_colours(page: Page, gallery: BuiltRun) -> None:
    """Each picture of the film has the colours of its k's palette alone, and nearly every pixel as the flat has it."""
    open_image(page, gallery, PHOTO)
    until(page, "document.querySelectorAll('#film canvas').length === 8")
    for k, flat in zip(KS, gallery.ledger.flats_of(PHOTO), strict=True):
        small = canvas(page, f"#film .tile:nth-child({KS.index(k) + 1}) canvas")
        assert colors_of(small) <= set(flat.palette)
        file = (Path(gallery.outputs.place) / "images" / PHOTO / f"k{k:02d}.png").read_bytes()
        for color in flat.palette:
            assert covered(small, [color]) == pytest.approx(covered(file, [color]), rel=0.25, abs=120)


def test_there_is_one_curve(page: Page, gallery: BuiltRun, tmp_path: Path) -> None:
    """One curve shows distortion, or PSNR when that was asked for; its axes are named, the suggested k is marked."""
    open_image(page, gallery, PHOTO)
    assert page.locator(".chart").count() == 1
    assert {"distortion (mse)", "colours (k)"} <= set(page.locator(".chart text").all_text_contents())
    run = built_run(tmp_path)
    run.add("a.png", soft_pixels(1))
    write_gallery(run.results, run.outputs, replace(SETTINGS, target="psnr>=20"))
    open_image(page, run, "a.png")
    assert page.locator(".chart").count() == 1
    assert "PSNR (dB)" in page.locator(".chart text").all_text_contents()


def test_colour_space_is_drawn_and_turns(page: Page, gallery: BuiltRun) -> None:
    """The cube shows points in the palette's colours, names its axes, turns with mouse and keys, and follows k."""
    page.add_init_script(
        "window.words = []; const fill = CanvasRenderingContext2D.prototype.fillText;"
        "CanvasRenderingContext2D.prototype.fillText = function (...all) { words.push(all[0]); fill.apply(this, all); }"
    )
    open_image(page, gallery, PHOTO, 6)
    first = canvas(page)
    assert set(page.evaluate("words")) == {"R", "G", "B"}
    palette = gallery.ledger.flats_of(PHOTO)[KS.index(6)].palette
    assert set(palette) <= colors_of(first, 1)
    page.locator("#own-colors").check()
    assert covered(first, palette) > 2 * covered(canvas(page), palette)
    page.locator("#own-colors").uncheck()
    assert canvas(page) == first
    page.locator("#cube").scroll_into_view_if_needed()
    left, top, _, _ = box_of(page.locator("#cube"))
    page.mouse.move(left + 100, top + 100)
    page.mouse.down()
    page.mouse.move(left + 180, top + 100, steps=3)
    page.mouse.up()
    turned = canvas(page)
    assert turned != first
    page.locator("#cube").press("ArrowUp")
    tilted = canvas(page)
    assert tilted != turned
    assert page.locator("#k-value").inner_text() == "6"
    page.locator("#k").press("ArrowLeft")
    assert canvas(page) != tilted


@pytest.mark.parametrize("image_id", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_any_name_is_text_and_its_links_work(page: Page, gallery: BuiltRun, image_id: str) -> None:
    """Deep links to images of any name open them; names are text; flats, originals, sweeps and stills load."""
    open_image(page, gallery, image_id, 5)
    assert shown_file(page) == "k05.png"
    shown = printable(image_id)
    assert page.locator("#name").text_content() == shown
    assert page.locator("#name").get_attribute("title") == shown
    until(page, "document.getElementById('original').naturalWidth > 0")
    assert page.locator("#links a").count() == 6
    for link in page.locator("#links a").all():
        assert _exists(str(link.evaluate("anchor => anchor.href")))
    page.locator("#back").click()
    expect(page.locator("#grid .card a:focus .name")).to_have_attribute("title", shown)


def _exists(address: str) -> bool:
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(address).path))).is_file()


def test_images_without_pictures_are_shown_from_their_files(page: Page, tmp_path: Path) -> None:
    """Without previews the page compares with the input file itself, hides the cube, and asks for no missing file."""
    run = built_run(tmp_path)
    run.add("a.png", soft_pixels(1))
    write_gallery(run.results, run.outputs, replace(SETTINGS, pictures=False, animation_format=None))
    open_image(page, run, "a.png", 4)
    until(page, "document.getElementById('original').naturalWidth > 0")
    assert "input/" in str(page.locator("#original").get_attribute("src"))
    expect(page.locator("#cube-panel")).to_be_hidden()
    assert "sweep.gif" not in page.locator("#links").inner_text()
    until(page, "document.querySelectorAll('#film img').length === 8")


def test_the_target_and_the_measures_are_shown(page: Page, tmp_path: Path) -> None:
    """With a target the page opens at its k, says why, and links best.png; measures stand in line and table."""
    run = built_run(tmp_path)
    run.add("a.png", soft_pixels(1))
    mses = [flat.mse for flat in run.ledger.flats_of("a.png")]
    wanted = psnr(mses[3]) - 1e-6
    settings = replace(SETTINGS, target=f"psnr>={wanted:.6f}", metrics=("ssim", "ciede2000"))
    write_gallery(run.results, run.outputs, settings)
    open_image(page, run, "a.png")
    assert page.locator("#k-value").inner_text() == str(KS[3])
    assert f"k {KS[3]}, the smallest that reaches" in page.locator("#knee-text").inner_text()
    assert page.locator("#links a").first.get_attribute("href") == "images/a.png/best.png"
    assert f"SSIM {1 - 1 / KS[3]:.3f} ·" in page.locator("#figures").inner_text()
    assert page.locator("#table tbody tr").nth(1).locator("td").all_inner_texts()[3:5] == [f"{1 - 1 / KS[1]:.3f}", "–"]
    aligned = page.eval_on_selector_all("#table td", "all => all.map(it => getComputedStyle(it).textAlign)")
    assert set(aligned) == {"right"}

    write_gallery(run.results, run.outputs, replace(settings, target="psnr>=99"))
    page.reload()
    expect(page.locator("#knee-text")).to_have_text(f"Suggested: k {KS[-1]}; no k up to {KS[-1]} reaches 99 dB.")


def test_oklab_may_be_seen_with_both_axes(page: Page, tmp_path: Path) -> None:
    """Colours that were clustered in OKLab are shown there, and in the RGB cube when asked; else there is no choice."""
    run = built_run(tmp_path)
    run.add("a.png", soft_pixels(1))
    write_gallery(run.results, run.outputs, replace(SETTINGS, space="oklab"))
    open_image(page, run, "a.png")
    assert "points in OKLab" in str(page.locator("#cube").get_attribute("aria-label"))
    there = canvas(page)
    page.locator("#axes").select_option("rgb")
    until(page, "document.getElementById('cube').getAttribute('aria-label').includes('RGB cube')")
    assert canvas(page) != there
    write_gallery(run.results, run.outputs, SETTINGS)
    page.reload()
    expect(page.locator("#cube")).to_be_visible()
    expect(page.locator("#axes-control")).to_be_hidden()


def test_one_k_has_nothing_to_slide(page: Page, tmp_path: Path) -> None:
    """A run of one k shows no slider, no film, no curve, no sweep and no choice for all cards; and counts right."""
    run = built_run(tmp_path, ks=(5,))
    run.add("a.png", soft_pixels(1))
    write_gallery(run.results, run.outputs, SETTINGS)
    open_image(page, run, "a.png")
    for place in ("#k-control", "#film", "#curve-panel", "#play"):
        expect(page.locator(place)).to_be_hidden()
    assert page.locator("#left option").all_inner_texts() == ["original"]
    page.locator("#back").click()
    expect(page.locator("#tools .all-k")).to_be_hidden()
    assert "1 image, 1 flat version." in page.locator("#top .facts").inner_text()


@pytest.fixture
def served(gallery: BuiltRun) -> Iterator[str]:
    """Where a server on this machine hands the report out."""
    handler = functools.partial(_Quiet, directory=str(Path(gallery.outputs.place).parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/outputs/index.html"
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_files_are_saved_under_telling_names(lenient_page: Page, served: str) -> None:
    """From a server, each link saves its file under a name that tells of the image."""
    lenient_page.goto(f"{served}#image=trips/photo 1.png&k=5")
    expect(lenient_page.locator("#save-note")).to_be_hidden()
    for link, name in (("k05.png", "photo 1-k05.png"), ("sweep.gif", "photo 1-sweep.gif")):
        with lenient_page.expect_download() as saved:
            lenient_page.locator("#links").get_by_role("link", name=link).click()
        assert saved.value.suggested_filename == name
