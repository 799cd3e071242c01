"""index.html and gallery/: a static site of the run's images, written from the ledger."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from flatpipe import layout
from flatpipe.ledger.results import Results
from flatpipe.report.common_colors import (
    GROUPS,
    GROUPS_PER_SHARD,
    NAMES,
    USES_PER_SHARD,
    UseScripts,
    group_runs,
    groups_script,
    names_script,
    palettes_script,
)
from flatpipe.report.gallery_rows import GalleryImage, GallerySettings, gallery_images, gallery_state
from flatpipe.report.shards import (
    DETAILS_PER_SHARD,
    ROWS_PER_SHARD,
    IndexRow,
    detail_script,
    index_row,
    index_script,
    link_of,
)
from flatpipe.storage.roots import Files
from flatpipe.text import printable

_DATA, _ASSETS = "gallery/data", "gallery/assets"
_STATE = "gallery/state.txt"
_OUR_SCRIPT = re.compile(r"(rows|details|palettes|uses-k\d{3})-\d{5,}\.js|names\.js|groups\.js")
_MOST_FAILURES = 200
# ^ failures that stand in the page itself; the others are in failures.csv
_MAY_PASS = ("io-error", "timeout", "worker-died", "internal-error")
# ^ what another try may help: the others are faults of the file itself, or limits
_STYLES = ("base.css", "overview.css", "legend.css", "stage.css", "viewer.css", "compare.css")
_SCRIPTS = (
    *("store.js", "uses.js", "words.js", "address.js", "colors.js", "small.js"),
    *("choice.js", "selection.js", "cards.js", "legend.js", "groups.js", "overview.js"),
    *("lens.js", "gestures.js", "room.js", "originals.js", "highlight.js", "wipe.js", "flats.js", "stage.js"),
    *("copies.js", "palette.js", "film.js", "play.js", "curve.js", "cube.js", "files.js", "viewer.js"),
    *("compare.js", "keys.js", "main.js"),
)
# ^ in this order: a script knows those before it, and by the time that it is used all of them

_Item = TypeVar("_Item")


@dataclass(slots=True)
class _Counts:
    images: int = 0
    flats: int = 0
    failed: int = 0
    passing: int = 0
    # ^ failures that another try may get past
    missing: int = 0
    # ^ images that have neither results nor a failure: the run was stopped before
    failures: list[tuple[str, str, str, str]] = field(default_factory=list)
    # ^ name, link, error, message
    ks: set[int] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    groups: dict[str, int] = field(default_factory=dict)
    # ^ number of each group of images that share palettes
    grouped: int = 0
    # ^ images in them


def write_gallery(results: Results, outputs: Files, settings: GallerySettings, *, anew: bool = False) -> bool:
    """Write the gallery when what it shows has changed, or `anew`; True when it was written. Raises OSError.

    Streams over the ledger: memory does not grow with the number of images. The page itself is written last.
    """
    state = gallery_state(results, settings, _assets_digest())
    if not anew and _state_of(outputs) == state and layout.INDEX in outputs.sizes(""):
        return False
    counts = _Counts()
    if settings.has_common_colors:
        _write_groups(outputs, results, settings, counts)
    _write_shards(outputs, gallery_images(results, settings), settings, counts)
    _drop_others(outputs, counts.files)
    for name in (*_STYLES, *_SCRIPTS):
        outputs.write(f"{_ASSETS}/{name}", _asset(name))
    outputs.write(layout.INDEX, _page(settings, counts, state[:12]).encode("utf-8", "backslashreplace"))
    outputs.write(_STATE, state.encode())
    return True


def _batches(items: Iterator[_Item], size: int) -> Iterator[list[_Item]]:
    while batch := list(itertools.islice(items, size)):
        yield batch


def _write_groups(outputs: Files, results: Results, settings: GallerySettings, counts: _Counts) -> None:
    """The scripts of groups and their palettes, and that of names; notes the number of each group."""
    _write_script(outputs, counts, NAMES, names_script(settings))
    for shard, groups in enumerate(_batches(results.groups(), GROUPS_PER_SHARD)):
        _write_script(outputs, counts, f"palettes-{shard:05d}.js", palettes_script(shard, groups, settings))
        for group in groups:
            counts.groups[group.group] = len(counts.groups)
            counts.grouped += group.images
    _write_script(outputs, counts, GROUPS, groups_script(results.groups()))


def _write_shards(outputs: Files, images: Iterator[GalleryImage], settings: GallerySettings, counts: _Counts) -> None:
    """The scripts of the index, and those of details; images come and go a few at a time."""
    rows: list[IndexRow] = []
    uses = UseScripts(settings) if settings.has_common_colors else None
    for number, batch in enumerate(_batches(images, DETAILS_PER_SHARD)):
        _write_script(
            outputs, counts, f"details-{number:05d}.js", detail_script(number, batch, settings, outputs.place)
        )
        for image in batch:
            _count(counts, image)
            _write_scripts(outputs, counts, uses.add(image) if uses else ())
            rows.append(index_row(image, settings))
            if len(rows) == ROWS_PER_SHARD:
                _write_rows(outputs, counts, rows)
                rows = []
    if rows:
        _write_rows(outputs, counts, rows)
    _write_scripts(outputs, counts, uses.end() if uses else ())


def _write_rows(outputs: Files, counts: _Counts, rows: Sequence[IndexRow]) -> None:
    """The script of the index that ends with the images counted so far."""
    shard = (counts.images - 1) // ROWS_PER_SHARD
    numbers = (-1 if row.group is None else counts.groups[row.group] for row in rows)
    more = {"groups": group_runs(numbers)} if counts.groups else {}
    _write_script(outputs, counts, f"rows-{shard:05d}.js", index_script(shard, rows, **more))


def _write_scripts(outputs: Files, counts: _Counts, scripts: Iterable[tuple[str, bytes]]) -> None:
    for name, content in scripts:
        _write_script(outputs, counts, name, content)


def _write_script(outputs: Files, counts: _Counts, name: str, content: bytes) -> None:
    outputs.write(f"{_DATA}/{name}", content)
    counts.files.add(name)


def _count(counts: _Counts, image: GalleryImage) -> None:
    counts.images += 1
    counts.flats += len(image.flats)
    counts.ks.update(flat.k for flat in image.flats)
    counts.missing += not image.flats and image.failure is None
    if image.failure is not None:
        counts.failed += 1
        counts.passing += image.failure.error in _MAY_PASS
        if len(counts.failures) < _MOST_FAILURES:
            name, message = printable(image.image_id), printable(image.failure.message)
            counts.failures.append((name, link_of(image.image_id), image.failure.error, message))


def _drop_others(outputs: Files, written: set[str]) -> None:
    """Drop the scripts of earlier pages; what is not named as ours are stays."""
    for name in filter(_OUR_SCRIPT.fullmatch, outputs.sizes(_DATA).keys() - written):
        outputs.remove(f"{_DATA}/{name}")


def _page(settings: GallerySettings, counts: _Counts, version: str) -> str:
    environment = Environment(
        loader=PackageLoader("flatpipe.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    animation = settings.animation_format
    facts = {
        "images": counts.images,
        "rows_per_shard": ROWS_PER_SHARD,
        "details_per_shard": DETAILS_PER_SHARD,
        "ks": sorted(counts.ks),
        "name_width": settings.name_width,
        "animation": layout.animation_name(animation) if animation else "",
        "stills": settings.stills and settings.pictures,
        "palette_formats": settings.palette_formats,
        "best": layout.BEST if settings.target else "",
        "target": settings.target,
        "metrics": settings.metrics,
        "space": settings.space,
        "version": version,
        "common": _common_facts(counts) if settings.has_common_colors else None,
    }
    return environment.get_template("index.html").render(
        facts=facts, counts=counts, title=printable(settings.title), command=printable(settings.command),
        results=layout.RESULTS, failures_table=layout.FAILURES, colors_table=layout.COLORS,
        styles=_STYLES, scripts=_SCRIPTS, version=version,
    )  # fmt: skip


def _common_facts(counts: _Counts) -> dict[str, object]:
    """What the page must know at once of what images have in common."""
    return {
        "groups": len(counts.groups),
        "is_one": len(counts.groups) == 1 and counts.grouped == counts.images,
        "uses_per_shard": USES_PER_SHARD,
        "palettes_per_shard": GROUPS_PER_SHARD,
    }


def _asset(name: str) -> bytes:
    folder = "styles" if name.endswith(".css") else "scripts"
    return resources.files("flatpipe.report").joinpath("static", folder, name).read_bytes()


def _assets_digest() -> str:
    template = resources.files("flatpipe.report").joinpath("templates", "index.html").read_bytes()
    return hashlib.sha256(b"".join((template, *(_asset(name) for name in (*_STYLES, *_SCRIPTS))))).hexdigest()


def _state_of(outputs: Files) -> str:
    try:
        return outputs.read(_STATE).decode()
    except OSError:
        return ""
