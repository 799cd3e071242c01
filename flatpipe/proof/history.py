"""All that is known of one image: source, decoding, every k, files, failures, and what a run would do next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from flatpipe import layout
from flatpipe.config import Config
from flatpipe.errors import ConfigError
from flatpipe.ledger.ledger import Ledger
from flatpipe.places import is_url
from flatpipe.plan.image_files import ImageFiles, image_files
from flatpipe.plan.inputs.places import input_base, input_words, is_there
from flatpipe.plan.inputs.sources import Sources, input_images, input_sources
from flatpipe.plan.planner import Planner
from flatpipe.records import Failure, FlattenResult, ImageSource, PlannedImage
from flatpipe.storage.asked import member_now
from flatpipe.storage.discover import source_at
from flatpipe.text import nearest

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
    # ^ by k, with the file's name below the output root; "" where it has none
    files: tuple[tuple[str, str], ...]
    # ^ name and sha256 of what is made of all k together
    sweep_seconds: float
    failure: Failure | None
    run_id: str
    # ^ of the run in which it failed
    next: PlannedImage | None
    # ^ what a run would do now; None when the input is gone


def history_of(image: str, planner: Planner, config: Config) -> ImageHistory:
    """What is known of an image, named by its id or path; raises ConfigError, with the nearest id, when nothing is."""
    ledger, found = planner.ledger, _found(image, planner.ledger, config)
    image_id, width = found.image_id, planner.settings.name_width
    files = image_files(planner.outputs, ledger, planner.settings)
    token, sweep, failed = ledger.token_of(image_id), ledger.sweep_of(image_id), ledger.failure_of(image_id)
    now = _source_now(found, config)
    return ImageHistory(
        source=now or found,
        content=token.content,
        width=token.width,
        height=token.height,
        distinct_colors=token.distinct_colors,
        notes=token.notes,
        seconds=token.seconds,
        flats=tuple((flat, _flat_file(flat, files, width)) for flat in ledger.flats_of(image_id)),
        files=tuple((files.place(image_id, name), sha256) for name, sha256 in sweep.files) if sweep else (),
        sweep_seconds=sweep.seconds if sweep else 0.0,
        failure=failed.failure if failed else None,
        run_id=failed.run_id if failed else "",
        next=next(planner.plan([now])) if now else None,
    )


def input_if_shared(config: Config) -> Sources:
    """The whole input where images share palettes, since what becomes of one depends on all; nothing else."""
    return input_sources(config) if config.palette.is_shared and is_there(config) else ()


def _flat_file(flat: FlattenResult, files: ImageFiles, name_width: int) -> str:
    return files.place(flat.image_id, layout.flat_name(flat.k, name_width)) if flat.sha256 else ""


# --- which image is meant --------------------------------------------------------------------------------------------


def _found(image: str, ledger: Ledger, config: Config) -> ImageSource:
    """The image that is meant, as the ledger knows it, or else as a file of the input."""
    readings = _readings(image, input_base(config))
    for image_id in readings:
        if known := ledger.source_of(image_id):
            return known
    found = next((one for one in input_images(config) if _names(one) & set(readings)), None)
    if found is None:
        places = f"{input_words(config)} or its ledger"
        raise ConfigError(f"{image}: no such image in {places}{_nearest(image, ledger, config)}")
    return found


def _names(source: ImageSource) -> set[str]:
    """The id, and that of the file where a mark tells it apart from one of a like name."""
    return {source.image_id, layout.unmarked(source.image_id)}


def _readings(image: str, root: str) -> list[str]:
    """The ids that the user's words may mean: an id, or a path below the input."""
    readings = [image]
    if is_url(image):
        readings.append(image.partition("://")[2].rstrip("/"))
        # ^ what a list calls it
    if not root:
        return readings
    if not is_url(root):
        absolute, folder = str(Path(image).absolute()), root.rstrip("/")
        readings.append(absolute.removeprefix(f"{folder}/").lstrip("/"))
        # ^ what a list names elsewhere is called so
    elif image.startswith(root):
        readings.append(image.removeprefix(root).lstrip("/"))
    return readings


def _nearest(image: str, ledger: Ledger, config: Config) -> str:
    names = ledger.planned_ids(_MOST_NAMES) or [one.image_id for one in input_images(config)]
    near = next((name for name in names if name.endswith(f"/{image}")), None) or nearest(image, names)
    return f"; did you mean '{near}'?" if near else ""


def _source_now(known: ImageSource, config: Config) -> ImageSource | None:
    """The file as it is now; None when it is gone."""
    if is_url(known.path) and not known.part:
        return next((one for one in input_images(config) if one.image_id == known.image_id), None)
    try:
        file = replace(source_at(known.path), image_id=known.image_id, frame=known.frame)
        return member_now(file, known) if known.part else file
    except OSError:
        return None
