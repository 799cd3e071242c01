"""A gallery of N synthetic images: how long it takes to write, how fast it opens and scrolls, what memory it takes.

Usage: python -m benchmarks.gallery [N] [--keep FOLDER]      needs Chromium
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import CDPSession, Page, sync_playwright

from benchmarks.common import print_table, save, say_setup
from flatpipe.layout import picture_key, picture_name
from flatpipe.ledger.ledger import Ledger
from flatpipe.pictures.thumbnail import small_picture, thumbnail
from flatpipe.records import PlannedImage, SweepResult
from flatpipe.report.gallery import write_gallery
from flatpipe.storage.local import LocalRoot
from flatpipe.work.recorded import recorded

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from builders_report import DIGESTS, SETTINGS, soft_pixels, synthetic_results

_ROUNDS = 5
_SCROLL = """() => new Promise(done => {
  const times = []; let place = 0, last = performance.now();
  const frame = now => { times.push(now - last); last = now; place += 800; scrollTo(0, place);
    times.length < 120 ? requestAnimationFrame(frame) : done(times.slice(1)); };
  requestAnimationFrame(frame); })"""
_GLIDE = 12_000, 1_200
# ^ pixels that a traced scroll goes, and pixels a second
_TURN = """() => { let place = 0; const ks = flatpipe.page.ks;
  window.turning = setInterval(() => flatpipe.choice.set(ks[place++ % ks.length]), 200); }"""
_WITH_ORIGINALS = 6_000
# ^ images that have the script of their original: as many as are scrolled over
_READY = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


def main() -> None:
    """Measure, print one table, save it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gallery", description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=100_000)
    parser.add_argument("--keep", help="folder to work in, kept afterwards")
    chosen = parser.parse_args()
    say_setup(
        "gallery", f"{chosen.count} images of 14 k each, with thumbnails, opened from file:// in headless Chromium"
    )
    folder = Path(chosen.keep or tempfile.mkdtemp(prefix="flatpipe-gallery."))
    written = _write(folder, chosen.count)
    opened = _open_often(folder / "outputs" / "index.html")
    if not chosen.keep:
        shutil.rmtree(folder)
    figures = {"images": chosen.count, **written, **opened}
    print_table(("figure", "value"), list(figures.items()))
    save("gallery", figures)


def _write(folder: Path, count: int) -> dict[str, Any]:
    outputs, ledger = LocalRoot(str(folder / "outputs")), Ledger(None)
    outputs.prepare()
    thumbnails = [thumbnail(small_picture(soft_pixels(seed, 240, 320))) for seed in range(50)]
    for number, content in enumerate(thumbnails):
        outputs.write(f"thumbnail-{number}.jpg", content)
    for number, result in enumerate(synthetic_results(count)):
        ledger.store_plan([PlannedImage(result.source, (), sweep=False, reason="")])
        image_id = result.source.image_id
        with_sweep = type(result)(result.source, result.token, result.flats, SweepResult(image_id), None)
        ledger.record([recorded(with_sweep, DIGESTS)], "run")
        target = folder / "outputs" / picture_name(image_id, "flat.jpg")
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(folder / "outputs" / f"thumbnail-{number % len(thumbnails)}.jpg", target)
        if number < _WITH_ORIGINALS:
            outputs.write(picture_name(image_id, "original.js"), _original_script(image_id, thumbnails[number % 50]))
    results = ledger.results(DIGESTS)
    began = time.perf_counter()
    write_gallery(results, outputs, SETTINGS)
    first = time.perf_counter()
    write_gallery(results, outputs, SETTINGS)
    return {"seconds to write": first - began, "seconds when nothing changed": time.perf_counter() - first}


def _original_script(image_id: str, small: bytes) -> bytes:
    told = {"preview": "preview.jpg", "points": "", "small": base64.b64encode(small).decode(), "opaque": True}
    return f"flatpipe.receiveOriginal({json.dumps(picture_key(image_id))}, {json.dumps(told)});\n".encode()


def _open_often(page_file: Path) -> dict[str, Any]:
    with sync_playwright() as playwright:
        rounds = []
        for _ in range(_ROUNDS):
            flags = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            empty = _renderer_mb()
            page.goto(page_file.as_uri())
            rounds.append(_measure(page, page.context.new_cdp_session(page), empty))
            browser.close()
    return {name: statistics.median(figures[name] for figures in rounds) for name in rounds[0]}


def _measure(page: Page, session: CDPSession, empty: float) -> dict[str, float]:
    ready = page.evaluate(_READY)
    while page.evaluate("flatpipe.isLoading()"):
        page.wait_for_timeout(10)
    complete = page.evaluate("performance.now()")
    page.wait_for_timeout(500)
    opened_mb = _renderer_mb()
    frames = sorted(page.evaluate(_SCROLL))
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(500)
    glided = _glide(session)
    page.evaluate("scrollTo(0, 0)")
    page.evaluate(_TURN)
    turned = _glide(session)
    page.evaluate("clearInterval(turning)")
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    return {
        "DOM ready, ms": ready,
        "all rows read, ms": complete,
        "JavaScript heap, MB": metrics["JSHeapUsedSize"] / 1e6,
        "page's process, MB (unique set)": opened_mb,
        "the same for an empty page, MB": empty,
        "page's process after scrolling, MB": _renderer_mb(),
        "frame while scrolling, median ms": statistics.median(frames),
        "frame while scrolling, 95th percentile ms": frames[int(0.95 * len(frames))],
        "frames/s of a scroll, traced": glided,
        "frames/s of a scroll while k changes five times a second, traced": turned,
    }


def _glide(session: CDPSession) -> float:
    """Frames a second that came to the screen while a scroll went on, by Chromium's own trace."""
    events: list[dict[str, Any]] = []
    ended: list[bool] = []
    session.on("Tracing.dataCollected", lambda part: events.extend(part["value"]))
    session.on("Tracing.tracingComplete", lambda _: ended.append(True))
    session.send("Tracing.start", {"traceConfig": {"includedCategories": ["benchmark", "cc"]}})
    distance, speed = _GLIDE
    place = {"x": 640, "y": 500, "yDistance": -distance, "speed": speed, "gestureSourceType": "mouse"}
    session.send("Input.synthesizeScrollGesture", place)
    session.send("Tracing.end")
    while not ended:
        session.send("Performance.enable")
    return _displayed(events)


def _displayed(events: list[dict[str, Any]]) -> float:
    """Frames a second that a trace's display has shown, from the first to the last of them."""
    times = sorted(event["ts"] for event in events if event["name"] == "Display::FrameDisplayed")
    return (len(times) - 1) / (times[-1] - times[0]) * 1e6


def _renderer_mb() -> float:
    """Memory of the largest renderer process below this one that no other process shares."""
    processes = psutil.Process().children(recursive=True)
    renderers = [process for process in processes if "--type=renderer" in process.cmdline()]
    return max(process.memory_full_info().uss for process in renderers) / 1e6


if __name__ == "__main__":
    main()
