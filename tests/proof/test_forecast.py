"""What a planned run is going to cost, against figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from builders import settings_for, write_image

from flatpipe.config import default_config
from flatpipe.ledger.ledger import Ledger
from flatpipe.plan.settings import task_settings
from flatpipe.proof.estimate import estimate
from flatpipe.proof.forecast import DueWork, forecast
from flatpipe.records import (
    FlattenResult,
    ImageResult,
    ImageSource,
    LoadToken,
    PlannedImage,
    SettingsDigests,
    SweepResult,
)
from flatpipe.storage.discover import local_source
from flatpipe.work.recorded import recorded


def test_bytes_to_write_follow_what_is_there() -> None:
    """Flats of 800 bytes for 5,000 of input, sweeps of 1,100 for 4,000: 6,000 and 2,500 due bytes make 1,647."""
    ledger, due = Ledger(None), DueWork()
    _record(ledger, "a.png", 1000, {2: 100, 3: 200}, 300, 20)
    _record(ledger, "b.png", 3000, {2: 500}, 700, 80)
    for image in (_planned("c.png", 2000, (2, 3, 4)), _planned("d.png", 500, ()), _current("e.png", 10**6)):
        due.add(image)
    found = forecast(due, ledger, settings_for(Path("/nowhere")))

    assert found.bytes_to_write == int(800 / 5000 * (2000 * 3) + 1100 / 4000 * (2000 + 500)) == 1647
    assert found.bytes_read == 2000 + 500
    assert found.memory_per_worker is None
    ledger.close()


def test_without_outputs_the_bytes_are_unknown() -> None:
    """An empty ledger gives no figure, rather than none to write."""
    ledger, due = Ledger(None), DueWork()
    due.add(_planned("c.png", 2000, (2,)))
    assert forecast(due, ledger, settings_for(Path("/nowhere"))).bytes_to_write is None
    ledger.close()


@pytest.mark.parametrize("backwards", [False, True])
def test_memory_is_that_of_the_largest_files(tmp_path: Path, backwards: bool) -> None:
    """Of four images the three largest files are told, in whatever order they come; one of them can be read."""
    photo = write_image(tmp_path / "photo.png", height=200, width=300)
    due, sources = DueWork(), [ImageSource(f"{size}.png", "/nowhere", size, "s") for size in (10, 30, 20)]
    for source in sorted([*sources, ImageSource("photo.png", str(photo), 25, "s")], key=str, reverse=backwards):
        due.add(PlannedImage(source, (2,), sweep=True, reason="new"))
    ledger = Ledger(None)
    found = forecast(due, ledger, settings_for(tmp_path / "out"))

    assert [image.image_id for image in found.largest] == ["30.png", "photo.png", "20.png"]
    assert [image.pixels for image in found.largest] == [None, 60_000, None]
    assert found.memory_per_worker == found.largest[1].memory
    assert found.memory_per_worker == 400 * 1024**2 + 13 * 15 * 6_000
    # ^ the worker itself, and 1.3 times what decoding takes: 15 bytes for each pixel of an opaque PNG
    ledger.close()


def test_an_estimate_needs_no_sizes(tmp_path: Path) -> None:
    """Of images whose sizes nobody knows, those of a web server, all are taken to be like the sample."""
    write_image(tmp_path / "a.png")
    config = default_config(str(tmp_path), ["flatten.k=2", "animation.enabled=false"])
    source = local_source(str(tmp_path / "a.png"))
    sized, unknown = (
        estimate([PlannedImage(one, (2,), sweep=True, reason="new")], config, task_settings(config), one.size * 10, 10)
        for one in (source, replace(source, size=0))
    )

    assert sized is not None
    assert unknown is not None
    assert unknown.bytes_to_write == pytest.approx(sized.bytes_to_write, rel=1e-6)


def _record(ledger: Ledger, name: str, size: int, flats: dict[int, int], animation: int, palettes: int) -> None:
    made = tuple(FlattenResult(name, k, k, bytes=written) for k, written in flats.items())
    sweep = SweepResult(name, animation, "ab", palettes, "cd")
    result = ImageResult(ImageSource(name, "/nowhere", size, "s"), LoadToken(name, "content"), made, sweep)
    digests = SettingsDigests(tuple(dict.fromkeys(flats, "settings").items()), "settings")
    ledger.record([recorded(result, digests)], "run")


def _planned(name: str, size: int, ks: tuple[int, ...]) -> PlannedImage:
    return PlannedImage(ImageSource(name, "/nowhere", size, "s"), ks, sweep=True, reason="new")


def _current(name: str, size: int) -> PlannedImage:
    return PlannedImage(ImageSource(name, "/nowhere", size, "s"), (), sweep=False, reason="")
