"""A browser for the gallery's tests, and runs to look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import numpy as np
import pytest
from browsing import coordinates_pixels
from builders_report import BRAND, COMMON, COMMON_GROUPS, HOSTILE_NAMES, SETTINGS, BuiltRun, built_run, soft_pixels
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from flatpipe.report.gallery import write_gallery


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no chromium here: .ci/run installs it")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> BuiltRun:
    """Photographs, hostile names, a failure, an image not done yet."""
    run = built_run(tmp_path_factory.mktemp("gallery"))
    for seed in range(4):
        run.add(f"trips/photo {seed}.png", soft_pixels(seed))
    for seed, name in enumerate(HOSTILE_NAMES):
        run.add(name, soft_pixels(seed, 24, 30))
    run.add_failed("broken <b>.jpg", "truncated", "the file ends after <1,203> bytes")
    run.add_waiting("later.png")
    assert write_gallery(run.results, run.outputs, SETTINGS)
    return run


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> BuiltRun:
    """Groups that share palettes around a fixed colour, some with hostile names; an image of no group; one failed."""
    run = built_run(tmp_path_factory.mktemp("common"))
    for start, group in enumerate(COMMON_GROUPS):
        run.add_group(group, {f"{group}{n}.png": soft_pixels(10 * start + n) for n in range(4 - start)}, BRAND)
    run.add("lone.png", soft_pixels(40))
    run.add_failed("broken.jpg", "truncated", "short")
    assert write_gallery(run.results, run.outputs, COMMON)
    return run


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> BuiltRun:
    """Images of odd shapes: pixels that tell where they are, long ones, one of them gone, a single pixel, a cut-out."""
    run = built_run(tmp_path_factory.mktemp("shapes"))
    run.add("coordinates.png", coordinates_pixels())
    for name in ("long.png", "gone.png"):
        run.add(name, soft_pixels(3, 30, 1500))
    run.input_of("gone.png").unlink()
    run.add("one.png", np.full((1, 1, 3), [200, 40, 90], np.uint8))
    run.add("cut out.png", soft_pixels(5), alpha=np.where(np.mgrid[0:60, 0:90][0] < 30, 255, 0).astype(np.uint8))
    assert write_gallery(run.results, run.outputs, SETTINGS)
    return run


def _watched(context: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and every console error, dialog and request outside of the disk that it comes to."""
    opened, faults = context.new_page(), list[str]()
    opened.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("requestfailed", lambda request: faults.extend(_failed(request)))
    opened.on(
        "request",
        lambda request: None if request.url.startswith(("file:", "data:", "about:")) else faults.append(request.url),
    )
    opened.on("dialog", lambda dialog: (faults.append("a dialog opened"), dialog.dismiss()))
    return opened, faults


def _failed(request: Request) -> list[str]:
    """What is wrong with a request that failed; nothing when the page was left before it came."""
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.failure}: {request.url}"]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh page whose every fault fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened, faults = _watched(context)
    yield opened
    context.close()
    assert faults == []


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    """The same on a telephone, with fingers."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    opened, faults = _watched(context)
    yield opened
    context.close()
    assert faults == []


@pytest.fixture
def lenient_page(chromium: Browser) -> Iterator[Page]:
    """A page that may ask in vain."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, accept_downloads=True)
    yield context.new_page()
    context.close()
