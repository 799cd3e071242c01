"""The gallery's files, without a browser."""

from __future__ import annotations

import base64
import gc
import io
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import pytest
from builders_report import HOSTILE_NAMES, SETTINGS, BuiltRun, built_run, soft_pixels, synthetic_results
from PIL import Image

from flatpipe.layout import image_folder, picture_key, picture_name
from flatpipe.quantize.knee import best_k, missed, suggested_k
from flatpipe.quantize.options import CostlyMetric
from flatpipe.records import Failure, PlannedImage, SettingsDigests
from flatpipe.report import common_colors
from flatpipe.report import gallery as gallery_module
from flatpipe.report.gallery import write_gallery
from flatpipe.report.gallery_rows import GalleryImage, gallery_images
from flatpipe.report.shards import detail_script, original_link
from flatpipe.storage.local import LocalRoot


def _script(run: BuiltRun, name: str) -> Any:
    text = run.outputs.read(f"gallery/data/{name}").decode("ascii")
    return json.loads(text[text.index(",") + 1 :].removesuffix(");\n"))


def test_rows_are_all_images_in_order(gallery: BuiltRun) -> None:
    """Every planned image is there once, done, failed or waiting, with its own flats."""
    images = list(gallery_images(gallery.results, SETTINGS))
    assert sorted(image.image_id for image in images) == sorted(
        [*HOSTILE_NAMES, *(f"trips/photo {seed}.png" for seed in range(4)), "broken <b>.jpg", "later.png"]
    )
    for image in images:
        recorded = gallery.ledger.flats_of(image.image_id)
        assert [(flat.k, flat.mse) for flat in image.flats] == [(flat.k, flat.mse) for flat in recorded]
    by_id = {image.image_id: image for image in images}
    assert by_id["broken <b>.jpg"].failure == Failure("load", "truncated", "the file ends after <1,203> bytes")
    assert not by_id["later.png"].flats


def test_outputs_of_other_settings_are_not_shown(gallery: BuiltRun) -> None:
    """Flats and sweeps that were made with other settings count as not there."""
    images = list(gallery_images(gallery.ledger.results(SettingsDigests(((2, "other"),), "other")), SETTINGS))
    assert not any(image.flats or image.has_sweep for image in images)


def test_suggested_k_of_the_page_is_the_knee(gallery: BuiltRun) -> None:
    """Index and details name the k that suggested_k names."""
    index, details = _script(gallery, "rows-00000.js"), _script(gallery, "details-00000.js")
    for row, image in enumerate(gallery_images(gallery.results, SETTINGS)):
        expected = suggested_k([flat.k for flat in image.flats], [flat.mse for flat in image.flats]) or 0
        assert index["ks"][row] == details[row]["suggested"] == expected


def test_links_lead_to_the_files(gallery: BuiltRun) -> None:
    """Decoded byte by byte, the folders and originals in the data are those on the disk, whatever their names."""
    place = os.fsencode(gallery.outputs.place)
    details = _script(gallery, "details-00000.js")
    for image, detail in zip(gallery_images(gallery.results, SETTINGS), details, strict=True):
        assert unquote_to_bytes(detail["folder"]) == os.fsencode(image_folder(image.image_id))
        if image.flats:
            assert Path(os.fsdecode(place + b"/" + unquote_to_bytes(detail["original"]))).samefile(image.path)


@pytest.mark.parametrize("metrics", [(), ("ciede2000",), ("ssim", "ciede2000")])
def test_details_are_the_json_of_what_is_known(gallery: BuiltRun, metrics: tuple[CostlyMetric, ...]) -> None:
    """The script of details is byte for byte what a JSON encoder makes of the ledger's records."""
    settings = replace(SETTINGS, metrics=metrics, target="psnr>=99")
    images = list(gallery_images(gallery.results, settings))
    expected = json.dumps([_plain(gallery, image, metrics) for image in images], separators=(",", ":"))
    script = detail_script(7, images, settings, gallery.outputs.place)
    assert script.decode("ascii") == f"flatpipe.receiveDetails(7,{expected});\n"


def _plain(gallery: BuiltRun, image: GalleryImage, metrics: Sequence[str]) -> dict[str, Any]:
    ledger, failed = gallery.ledger, gallery.ledger.failure_of(image.image_id)
    token, flats = ledger.token_of(image.image_id), ledger.flats_of(image.image_id)
    ks, mses, is_made = [flat.k for flat in flats], [flat.mse for flat in flats], ledger.sweep_of(image.image_id)
    return {
        "folder": quote(os.fsencode(image_folder(image.image_id))),
        "original": quote(os.path.relpath(os.fsencode(image.path), os.fsencode(gallery.outputs.place))),
        "width": token.width,
        "height": token.height,
        "colors": token.distinct_colors,
        "notes": token.notes,
        "sweep": is_made is not None,
        "pictures": is_made is not None,
        "suggested": best_k(ks, mses, "psnr>=99") or 0,
        "shortfall": missed(ks, mses, "psnr>=99"),
        "failure": f"{failed.failure.error}: {failed.failure.message}" if failed else "",
        "flats": [
            [
                *(flat.k, flat.n_colors, flat.mse, flat.bytes, "".join(flat.palette).replace("#", "")),
                *(" ".join(map(str, flat.weights)), *(dict(flat.metrics)[name] for name in metrics)),
            ]
            for flat in flats
        ],
    }


def test_page_shows_failures_as_text(gallery: BuiltRun) -> None:
    """The failure's name and message stand in the page escaped."""
    text = gallery.page.read_text()
    assert "broken &lt;b&gt;.jpg" in text
    assert "the file ends after &lt;1,203&gt; bytes" in text
    assert "1 not done yet" in text
    assert "onerror" not in text


@pytest.mark.parametrize(("error", "helps"), [("io-error", True), ("worker-died", True), ("not-an-image", False)])
def test_retry_is_offered_where_it_helps(tmp_path: Path, error: str, helps: bool) -> None:
    """The command that runs failed images again is shown for failures that may pass, and not for faults of a file."""
    run = built_run(tmp_path)
    run.add_failed("a.png", error, "what happened")
    write_gallery(run.results, run.outputs, SETTINGS)
    assert ("pipeline.yaml&#39; --only-failed" in run.page.read_text()) == helps
    assert ("Another try would not help" in run.page.read_text()) != helps


def test_same_state_is_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run that changed nothing writes nothing; a new failure, another flat or a lost page writes again."""
    run = built_run(tmp_path)
    run.add("a.png", soft_pixels(0))
    assert write_gallery(run.results, run.outputs, SETTINGS)
    assert not write_gallery(run.results, run.outputs, SETTINGS)
    run.page.unlink()
    assert write_gallery(run.results, run.outputs, SETTINGS)
    run.add_failed("b.png", "truncated", "short")
    assert write_gallery(run.results, run.outputs, SETTINGS)
    monkeypatch.setattr(gallery_module, "_assets_digest", lambda: "a later version")
    assert write_gallery(run.results, run.outputs, SETTINGS)
    assert not write_gallery(run.results, run.outputs, SETTINGS)


def test_shards_grow_and_shrink_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images are spread over shards of fixed size, and shards that are no longer needed go."""
    monkeypatch.setattr(gallery_module, "ROWS_PER_SHARD", 4)
    monkeypatch.setattr(gallery_module, "DETAILS_PER_SHARD", 2)
    run = built_run(tmp_path)
    for number, result in enumerate(synthetic_results(11)):
        run.ledger.store_plan([PlannedImage(result.source, (), sweep=False, reason="")])
        if number < 10:
            run.record(result)
    write_gallery(run.results, run.outputs, SETTINGS)
    written = run.outputs.sizes("gallery/data")
    assert sorted(written) == [f"details-{n:05d}.js" for n in range(6)] + [f"rows-{n:05d}.js" for n in range(3)]
    assert [len(_script(run, f"rows-{n:05d}.js")["names"]) for n in range(3)] == [4, 4, 3]
    run.ledger.begin_run("next", "now", "{}")
    run.ledger.store_plan([PlannedImage(result.source, (), sweep=False, reason="")])
    write_gallery(run.results, run.outputs, SETTINGS)
    assert sorted(run.outputs.sizes("gallery/data")) == ["details-00000.js", "rows-00000.js"]


@pytest.mark.parametrize("legend", [(), ("#0a0b0c",)], ids=["own", "common"])
def test_memory_does_not_grow_with_the_number_of_images(
    legend: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While 300 images are written into one shard of rows, those of one shard of details, or of uses, are held."""
    monkeypatch.setattr(common_colors, "USES_PER_SHARD", gallery_module.DETAILS_PER_SHARD)
    run = built_run(tmp_path)
    for result in synthetic_results(300):
        run.ledger.store_plan([PlannedImage(result.source, (), sweep=False, reason="")])
        run.record(result)
    held: list[int] = []
    write = LocalRoot.write

    def counted(root: LocalRoot, name: str, content: bytes) -> None:
        held.append(sum(type(found) is GalleryImage for found in gc.get_objects()))
        write(root, name, content)

    monkeypatch.setattr(LocalRoot, "write", counted)
    write_gallery(run.results, run.outputs, replace(SETTINGS, legend=legend))
    assert 0 < max(held) <= (3 if legend else 2) * gallery_module.DETAILS_PER_SHARD


def test_page_of_nothing_says_so(tmp_path: Path) -> None:
    """A run without images gives a page that says what to do."""
    run = built_run(tmp_path)
    write_gallery(run.results, run.outputs, SETTINGS)
    assert "There is nothing to see yet" in run.page.read_text()


@pytest.mark.parametrize(
    ("path", "place", "expected"),
    [
        ("/data/in/a b#.png", "/data/out", "../in/a%20b%23.png"),
        ("s3://bucket/a.png", "/data/out", ""),
        ("/data/a.png", "s3://bucket/out", ""),
        ("https://host/a.png", "/data/out", "https://host/a.png"),
        ("/data/out/a.png", "/data/out", "a.png"),
        ("/data/a.png", "/data/out", "../a.png"),
        ("/a.png", "/data/out", "../../a.png"),
    ],
)
def test_original_is_linked_where_a_link_can_lead(path: str, place: str, expected: str) -> None:
    """An input file gets a relative link when both it and the page are on the disk."""
    assert original_link(path, place) == expected


def test_original_script_names_the_preview(gallery: BuiltRun) -> None:
    """The script of the original calls the page with the image's key; the preview is there, the thumbnail in it."""
    image_id = "trips/photo 0.png"
    script = gallery.outputs.read(picture_name(image_id, "original.js")).decode()
    key, content = script.removeprefix("flatpipe.receiveOriginal(").removesuffix(");\n").split(", ", 1)
    assert json.loads(key) == picture_key(image_id)
    told = json.loads(content)
    assert gallery.outputs.read(picture_name(image_id, told["preview"]))
    with Image.open(io.BytesIO(base64.b64decode(told["small"]))) as small:
        assert (small.format, small.size, told["opaque"]) == ("JPEG", (90, 60), True)
