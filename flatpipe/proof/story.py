"""All that is known of one image: source, decoding, every k, files, failures, and what a run would do next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from flatpipe import layout
from flatpipe.errors import ConfigError
from flatpipe.ledger.retired import full_name
from flatpipe.ledger.rows import to_sql
from flatpipe.places import is_url
from flatpipe.plan.planner import Planner
from flatpipe.plan.workspace import Workspace, input_sources
from flatpipe.records import Failure, FlattenResult, ImageSource, PlannedImage
from flatpipe.storage.discover import as_sources

_MOST_NAMES = 20_000
# ^ ids among which a near one is looked for


@dataclass(frozen=True, slots=True)
class Story:
    """One image, as the ledger has it."""

    source: ImageSource
    content: str
    # ^ sha256 of the input when it was read; "" when it never was
    width: int
    height: int
    distinct_colors: int
    notes: tuple[str, ...]
    # ^ what was done to decode it
    seconds: float
    # ^ to read, decode and index it
    flats: tuple[tuple[FlattenResult, str], ...]
    # ^ by k, with the file's name below the output root
    files: tuple[tuple[str, str], ...]
    # ^ name and sha256 of what is made of all k together
    sweep_seconds: float
    failure: Failure | None
    run_id: str
    # ^ of the run in which it failed
    next: PlannedImage | None
    # ^ what a run would do now; None when the input is gone


def story_of(workspace: Workspace, image: str) -> Story:
    """The story of an image named by its id or path; raises ConfigError, with the nearest id, when nobody knows it."""
    image_id, path, frame = _found(workspace, image)
    ledger, key = workspace.ledger, (to_sql(image_id),)
    query = "SELECT size, stamp, content, width, height, distinct_colors, notes, seconds FROM images WHERE image_id = ?"
    row = next(ledger.rows(query, key), None) or (0, "", "", 0, 0, 0, "[]", 0.0)
    size, stamp, content, width, height, distinct, notes, seconds = row
    files, sweep_seconds = next(ledger.rows("SELECT files, seconds FROM sweeps WHERE image_id = ?", key), ("{}", 0.0))
    failed = next(ledger.rows("SELECT stage, error, message, run_id FROM failures WHERE image_id = ?", key), None)
    now = _source_now(workspace, image_id, path, frame)
    return Story(
        source=now or ImageSource(image_id, path, size, stamp, frame),
        content=content,
        width=width,
        height=height,
        distinct_colors=distinct,
        notes=tuple(json.loads(notes)),
        seconds=seconds,
        flats=tuple((flat, _flat_file(workspace, flat)) for flat in ledger.flats_of(image_id)),
        files=tuple((full_name(image_id, name), sha256) for name, sha256 in json.loads(files).items()),
        sweep_seconds=sweep_seconds,
        failure=Failure(*failed[:3]) if failed else None,
        run_id=failed[3] if failed else "",
        next=_next(workspace, now) if now else None,
    )


def _flat_file(workspace: Workspace, flat: FlattenResult) -> str:
    return f"{layout.image_folder(flat.image_id)}/{layout.flat_name(flat.k, workspace.settings.name_width)}"


def _next(workspace: Workspace, source: ImageSource) -> PlannedImage:
    parts = (workspace.ledger, workspace.outputs, workspace.settings, workspace.ks, workspace.fingerprints)
    return next(Planner(*parts).plan([source]))


# --- which image is meant --------------------------------------------------------------------------------------------


def _found(workspace: Workspace, image: str) -> tuple[str, str, int]:
    """Id, path and frame of the image that is meant: known to the ledger, or a file of the input."""
    root = str(workspace.config.input.path)
    for image_id in _readings(image, root):
        for table in ("planned", "images"):
            query = f"SELECT image_id, path, frame FROM {table} WHERE image_id = ?"  # noqa: S608 - one of two words
            for row in workspace.ledger.rows(query, (to_sql(image_id),)):
                return row[0], row[1], row[2]
    found = next((one for one in _listed(workspace) if one.image_id in _readings(image, root)), None)
    if found is None:
        raise ConfigError(f"{image}: no such image in {root} or its ledger{_nearest(workspace, image)}")
    return found.image_id, found.path, found.frame


def _readings(image: str, root: str) -> list[str]:
    """The ids that the user's words may mean: an id, or a path below the input."""
    readings = [image]
    if not is_url(root):
        absolute, top = str(Path(image).absolute()), Path(root)
        folder = str(top.parent if top.is_file() else top).rstrip("/")
        readings += [absolute.removeprefix(f"{folder}/")] if absolute.startswith(f"{folder}/") else []
    elif image.startswith(root):
        readings.append(image.removeprefix(root).lstrip("/"))
    return readings


def _listed(workspace: Workspace) -> Iterator[ImageSource]:
    for item in input_sources(workspace.config):
        yield item if isinstance(item, ImageSource) else item.source


def _nearest(workspace: Workspace, image: str) -> str:
    query = f"SELECT image_id FROM planned LIMIT {_MOST_NAMES}"  # noqa: S608 - a constant
    names = [row[0] for row in workspace.ledger.rows(query)] or [one.image_id for one in _listed(workspace)]
    near = get_close_matches(image, names, n=1, cutoff=0.5) or [name for name in names if name.endswith(f"/{image}")]
    return f"; did you mean '{near[0]}'?" if near else ""


def _source_now(workspace: Workspace, image_id: str, path: str, frame: int) -> ImageSource | None:
    """The file as it is now; None when it is gone."""
    if is_url(path):
        return next((one for one in _listed(workspace) if one.image_id == image_id), None)
    try:
        return replace(as_sources([path])[0], image_id=image_id, frame=frame)
    except OSError:
        return None
