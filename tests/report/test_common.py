"""What images have in common, as the report tells it: groups, their palettes, and who uses which colour."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browsing import open_image, open_page, until
from builders_report import BRAND, COMMON, COMMON_GROUPS, KS, NAMED, SETTINGS, BuiltRun, built_run, soft_pixels
from playwright.sync_api import Page, expect

from flatpipe.palettes.palette import Palette, PaletteColor
from flatpipe.palettes.write import write_palette
from flatpipe.records import FlattenResult
from flatpipe.report.gallery import write_gallery
from flatpipe.storage.roots import Files

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
SUMMER = [f"summer{n}.png" for n in range(4)]


def _arguments(outputs: Files, name: str) -> list[Any]:
    """What a script hands to the page."""
    text = outputs.read(f"gallery/data/{name}").decode("ascii")
    found: list[Any] = json.loads(f"[{text[text.index('(') + 1 :].removesuffix(');' + chr(10))}]")
    return found


def _number(digits: str) -> int:
    return sum(64**place * DIGITS.index(digit) for place, digit in enumerate(reversed(digits)))


def _uses(script: dict[str, Any]) -> Iterator[dict[str, float]]:
    """For each image its colours with their shares."""
    width, colors = script["width"], script["colors"]
    for row in script["rows"]:
        parts = [row[at : at + width + 3] for at in range(0, len(row), width + 3)]
        places = [6 * _number(part[:width]) for part in parts]
        shares = [_number(part[width:]) / (64**3 - 1) for part in parts]
        yield {f"#{colors[place : place + 6]}": share for place, share in zip(places, shares, strict=True)}


def _flat(run: BuiltRun, image_id: str, k: int) -> FlattenResult:
    return run.ledger.flats_of(image_id)[KS.index(k)]


def _shares(flat: FlattenResult) -> dict[str, float]:
    return dict(zip(flat.palette, flat.shares, strict=True))


@pytest.mark.parametrize("k", [2, 9])
def test_uses_are_those_of_the_ledger(common: BuiltRun, k: int) -> None:
    """The scripts tell of each image its mse, its own palette's, and the share of each colour that others may use."""
    wanted_k, shard, script = _arguments(common.outputs, f"uses-k{k:03d}-00000.js")
    images = list(common.results.images())
    assert (wanted_k, shard, len(script["rows"])) == (k, 0, len(images))
    for image, used, mse, own in zip(images, _uses(script), script["mses"], script["owns"], strict=True):
        flats = common.ledger.flats_of(image.source.image_id)
        if not flats:
            assert (used, mse, own) == ({}, -1, -1)
            continue
        flat = flats[KS.index(k)]
        shares = {color: share for color, share in _shares(flat).items() if share}
        known = shares if image.group is not None else {color: shares[color] for color in {BRAND} & shares.keys()}
        assert used == pytest.approx(known, abs=2e-6)
        assert (mse, own) == pytest.approx((flat.mse, dict(flat.metrics)["own_mse"]), rel=1e-5)


def test_groups_are_those_of_the_ledger(common: BuiltRun) -> None:
    """Every group comes with its images and its palettes; each image's row names its group."""
    (groups,), (_, palettes) = _arguments(common.outputs, "groups.js"), _arguments(common.outputs, "palettes-00000.js")
    ordered = [*sorted(COMMON_GROUPS[:3]), COMMON_GROUPS[3]]
    # ^ names that are not UTF-8 come last
    assert dict(zip(ordered, groups["counts"], strict=True)) == dict(zip(COMMON_GROUPS, (4, 3, 2, 1), strict=True))
    for group, shared in zip(ordered, palettes, strict=True):
        for k, found in common.ledger.shared.palettes(group).items():
            colors, weights, mse = shared["palettes"][str(k)]
            assert (colors, json.loads(weights)) == ("".join(found.colors).replace("#", ""), list(found.weights))
            assert mse == pytest.approx(found.mse, rel=1e-5)
    (_, rows) = _arguments(common.outputs, "rows-00000.js")
    numbers = [number for number, count in rows["groups"] for _ in range(count)]
    told = [None if number < 0 else ordered[number] for number in numbers]
    assert told == [image.group for image in common.results.images()]


def test_nothing_is_told_where_nothing_is_in_common(common: BuiltRun, tmp_path: Path) -> None:
    """Without shared palettes, charts and fixed colours there is no script of them, and those of before are removed."""
    run = built_run(tmp_path)
    run.add("a.png", soft_pixels(0))
    write_gallery(run.results, run.outputs, replace(COMMON, is_shared=False))
    assert "uses-k002-00000.js" in run.outputs.sizes("gallery/data")
    write_gallery(run.results, run.outputs, SETTINGS)
    assert sorted(run.outputs.sizes("gallery/data")) == ["details-00000.js", "rows-00000.js"]
    assert 'id="legend"' not in run.page.read_text()
    assert '"groups"' not in run.outputs.read("gallery/data/rows-00000.js").decode()
    assert 'id="legend"' in common.page.read_text()


def _chips(page: Page) -> list[list[str]]:
    """Of each colour of the panel: hex, share, number of images."""
    until(page, "[...document.querySelectorAll('.use-chip .use .soft')].every(it => it.textContent)")
    told = "[...it.querySelector('.use').children].map(one => one.textContent)"
    chips: list[list[str]] = page.locator(".use-chip").evaluate_all(
        f"all => all.map(it => [it.dataset.color, ...{told}])"
    )
    return chips


def _cards(page: Page) -> list[str]:
    return page.locator(".card .name").evaluate_all("all => all.map(it => it.title)")


def _share(value: float) -> str:
    return f"{100 * value:.1f} %" if value < 0.0995 else f"{100 * value:.0f} %"


def test_a_groups_palette_is_shown(page: Page, common: BuiltRun) -> None:
    """A group opens from the list: its palette with shares and images for the chosen k, and its images alone."""
    open_page(page, common, "k=5")
    assert page.locator(".group-chip .name").all_text_contents() == [
        "the top folder",
        "<b>win&ter=1#?",
        "summer",
        "caf\\udce9",
    ]
    page.locator(".group-chip").nth(2).click()
    expect(page.locator("#legend-title")).to_have_text("Palette of summer")
    shared, flats = common.ledger.shared.palettes("summer")[5], [_flat(common, name, 5) for name in SUMMER]
    total = sum(shared.weights)
    users = [sum(flat.weights[row] > 0 for flat in flats) for row in range(5)]
    assert _chips(page) == [
        [color, _share(weight / total), f"{count} image{'s' * (count != 1)}"]
        for color, weight, count in zip(shared.colors, shared.weights, users, strict=True)
    ]
    assert _cards(page) == SUMMER
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelectorAll('.use-chip').length === 6")
    page.locator("#all-groups").click()
    expect(page.locator(".card")).to_have_count(12)


def test_a_colour_finds_its_images(page: Page, common: BuiltRun) -> None:
    """A colour shows the images that use it, most first, with how much; the address keeps it; Escape lets go of it."""
    open_page(page, common, "group=summer&k=4")
    page.locator(f".use-chip[data-color='{BRAND}']").click()
    expect(page.locator("#count")).to_contain_text(f"4 of 12 images use {NAMED[0][1]} [{NAMED[0][2]}], {BRAND}")
    shares = {name: _shares(_flat(common, name, 4)) for name in SUMMER}
    ordered = sorted(SUMMER, key=lambda name: -shares[name][BRAND])
    assert _cards(page) == ordered
    until(page, "document.querySelectorAll('.card .facts .swatch').length === 4")
    told = page.locator(".card .facts span:first-child").all_text_contents()
    assert told == [_share(shares[name][BRAND]) for name in ordered]
    page.reload()
    until(page, "document.querySelectorAll('.card .facts .swatch').length === 4")
    assert _cards(page) == ordered
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('.use-chip[aria-pressed=true]')")
    assert sorted(_cards(page)) == SUMMER


@pytest.mark.parametrize("order", ["served", "lost"])
def test_images_are_sorted_by_how_they_are_served(page: Page, common: BuiltRun, order: str) -> None:
    """The worst served come first, at the chosen k, by their distortion or by what an own palette would bring."""
    open_page(page, common, f"group=summer&k=7&sort={order}")
    until(page, "document.querySelectorAll('.card .facts span')[1]?.textContent.includes(' of ')")
    flats = {name: _flat(common, name, 7) for name in SUMMER}
    lost = {name: flat.mse / (dict(flat.metrics)["own_mse"] or 1) for name, flat in flats.items()}
    ranks = {name: -flat.mse for name, flat in flats.items()} if order == "served" else {n: -v for n, v in lost.items()}
    assert _cards(page) == sorted(SUMMER, key=lambda name: round(ranks[name], 6))


def test_colours_of_a_chart_are_found(page: Page, common: BuiltRun) -> None:
    """Over all images a chart's colours stand with their use; they and the groups are found by hex, name and code."""
    open_page(page, common, "k=6")
    flats = [run for image in common.results.images() for run in common.ledger.flats_of(image.source.image_id)[4:5]]
    shares = [_shares(flat).get(BRAND, 0) for flat in flats]
    assert _chips(page) == [[BRAND, _share(sum(shares) / len(flats)), f"{sum(share > 0 for share in shares)} images"]]
    for text, chips, groups in (("pms 185", 1, 0), ("BRAND", 1, 0), ("e4002", 1, 0), ("win&", 0, 1), ("nobody", 0, 0)):
        page.locator("#find-color").fill(text)
        assert (page.locator(".use-chip").count(), page.locator(".group-chip").count()) == (chips, groups)
    expect(page.locator("#legend-none")).to_be_visible()


def test_names_of_colours_and_groups_run_nothing(page: Page, common: BuiltRun) -> None:
    """Names and codes are text, in the panel and beside the image; the image leads to its group and to the others."""
    open_page(page, common, "group=caf%E9&k=4")
    expect(page.locator("#legend-title")).to_have_text("Palette of caf\\udce9")
    expect(page.locator(".use-chip .called")).to_have_text(NAMED[0][1])
    open_image(page, common, SUMMER[1], 6)
    expect(page.locator(".chip .called").first).to_have_text(f"{NAMED[0][1]} [{NAMED[0][2]}]")
    assert page.locator("img[src=x]").count() == 0
    page.locator("#palette-group").click()
    expect(page.locator("#legend-title")).to_have_text("Palette of summer")
    expect(page.locator(".card")).to_have_count(4)


def test_copied_palettes_have_names(page: Page, common: BuiltRun) -> None:
    """A palette is copied as CSS and GPL as the palette files have it, names and codes included."""
    open_image(page, common, SUMMER[0], 3)
    flat = _flat(common, SUMMER[0], 3)
    known = Palette(tuple(PaletteColor.of_hex(*named) for named in NAMED[:1]))
    palette = Palette.of_hex(flat.palette, SUMMER[0], known)
    for kind in ("css", "gpl"):
        page.locator(f"[data-copy-as={kind}]").click()
        until(page, "document.getElementById('toast').textContent.startsWith('Copied 3 colours as')")
        expected = write_palette(kind, palette, flat.shares).decode()  # type: ignore[arg-type]
        assert page.evaluate("navigator.clipboard.readText()").strip() == expected.strip()
