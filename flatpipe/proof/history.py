"""All that is known of one image: source, decoding, every k, files, failures, and what a run would do next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from flatpipe import layout
from flatpipe.errors import ConfigError
from flatpipe.places import is_url
from flatpipe.plan.planner import Planner
from flatpipe.plan.workspace import Workspace, input_sources
from flatpipe.records import Failure, FlattenResult, ImageSource, PlannedImage
from flatpipe.storage.discover import as_sources

_MOST_NAMES = 20_000
# ^ ids among which a near one is looked for


@dataclass(frozen=True, slots=True)
class ImageHistory:
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


def history_of(workspace: Workspace, image: str) -> ImageHistory:
    """What is known of an image, named by its id or path; raises ConfigError, with the nearest id, when nothing is."""
    found = _found(workspace, image)
    image_id = found.image_id
    ledger = workspace.ledger
    token, sweep, failed = ledger.token_of(image_id), ledger.sweep_of(image_id), ledger.failure_of(image_id)
    now = _source_now(workspace, found)
    return ImageHistory(
        source=now or found,
        content=token.content,
        width=token.width,
        height=token.height,
        distinct_colors=token.distinct_colors,
        notes=token.notes,
        seconds=token.seconds,
        flats=tuple((flat, _flat_file(workspace, flat)) for flat in ledger.flats_of(image_id)),
        files=tuple((layout.sweep_file(image_id, name), sha256) for name, sha256 in sweep.files) if sweep else (),
        sweep_seconds=sweep.seconds if sweep else 0.0,
        failure=failed.failure if failed else None,
        run_id=failed.run_id if failed else "",
        next=_next(workspace, now) if now else None,
    )


def _flat_file(workspace: Workspace, flat: FlattenResult) -> str:
    return f"{layout.image_folder(flat.image_id)}/{layout.flat_name(flat.k, workspace.settings.name_width)}"


def _next(workspace: Workspace, source: ImageSource) -> PlannedImage:
    parts = (workspace.ledger, workspace.outputs, workspace.settings, workspace.ks, workspace.fingerprints)
    return next(Planner(*parts).plan([source]))


# --- which image is meant --------------------------------------------------------------------------------------------


def _found(workspace: Workspace, image: str) -> ImageSource:
    """The image that is meant, as the ledger knows it, or else as a file of the input."""
    readings = _readings(image, str(workspace.config.input.path))
    for image_id in readings:
        if known := workspace.ledger.source_of(image_id):
            return known
    found = next((one for one in _listed(workspace) if one.image_id in readings), None)
    if found is None:
        place = workspace.config.input.path
        raise ConfigError(f"{image}: no such image in {place} or its ledger{_nearest(workspace, image)}")
    return found


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
    names = workspace.ledger.planned_ids(_MOST_NAMES) or [one.image_id for one in _listed(workspace)]
    near = get_close_matches(image, names, n=1, cutoff=0.5) or [name for name in names if name.endswith(f"/{image}")]
    return f"; did you mean '{near[0]}'?" if near else ""


def _source_now(workspace: Workspace, known: ImageSource) -> ImageSource | None:
    """The file as it is now; None when it is gone."""
    if is_url(known.path):
        return next((one for one in _listed(workspace) if one.image_id == known.image_id), None)
    try:
        return replace(as_sources([known.path])[0], image_id=known.image_id, frame=known.frame)
    except OSError:
        return None
