"""A browser for the gallery's tests, and a run to look at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from builders_report import HOSTILE_NAMES, SETTINGS, BuiltRun, built_run, soft_pixels
from playwright.sync_api import Browser, Page, sync_playwright

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


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh page whose every console error, dialog and request outside of the disk fails the test."""
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened = context.new_page()
    faults: list[str] = []
    opened.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("requestfailed", lambda request: faults.append(f"failed: {request.url}"))
    opened.on(
        "request", lambda request: None if request.url.startswith(("file:", "data:")) else faults.append(request.url)
    )
    opened.on("dialog", lambda dialog: (faults.append("a dialog opened"), dialog.dismiss()))
    yield opened
    context.close()
    assert faults == []
