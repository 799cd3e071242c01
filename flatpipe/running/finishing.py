"""What stands beside the images at the end of a run: tables, run.json, lock, report, a copy of the ledger."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType

from flatpipe import layout
from flatpipe.config import Config
from flatpipe.environment import environment
from flatpipe.plan.inputs.places import input_title
from flatpipe.plan.settings import check_extras
from flatpipe.plan.workspace import Workspace
from flatpipe.proof.lock import Unfinished, lock_lines
from flatpipe.proof.lock_file import read_footer
from flatpipe.proof.recorded import check_recorded
from flatpipe.report.gallery import write_gallery
from flatpipe.report.gallery_rows import GallerySettings
from flatpipe.report.tables import table_names, write_tables
from flatpipe.running.beside import beside_state, forget_report, note_written
from flatpipe.running.run_log import now_in_words
from flatpipe.settings import TaskSettings
from flatpipe.storage.noting import NotingFiles
from flatpipe.storage.roots import Files, Root
from flatpipe.summaries import RunSummary


def write_ending(workspace: Workspace, summary: RunSummary, *, lock: bool, command: str = "") -> None:
    """Write all of it, with a new lock unless `lock` is False; raises OSError and RunGivenUp.

    `command` runs the same again; the report tells it where that helps.
    """
    ledger, results = workspace.ledger, workspace.results
    before, outputs = beside_state(ledger, workspace.outputs), NotingFiles(workspace.outputs)
    settings = workspace.settings
    write_tables(ledger, results, outputs, settings, anew=not before.are_whole(*table_names(settings)))
    outputs.write(layout.RUN, _run_json(workspace.config, summary))
    if lock and not summary.reason:
        _write_lock(workspace, summary, outputs, is_whole=before.are_whole(layout.LOCK))
    if workspace.config.has_report:
        shown = replace(gallery_settings(settings, workspace.config), command=command)
        write_gallery(results, outputs, shown, anew=not before.is_report_whole)
    else:
        forget_report(ledger, before)
    if not summary.reason and not ledger.owes_sweeps():
        ledger.note_folders(workspace.outputs.stamps(layout.PICTURE_FOLDERS))
    note_written(ledger, outputs)
    _copy_ledger(workspace)
    workspace.outputs.tidy()


def write_part_ending(workspace: Workspace, summary: RunSummary) -> None:
    """Write what a part of a run leaves in its own folder: run.json, a copy of the ledger; raises OSError, RunGivenUp.

    Tables, report and lock tell of all images: `flatpipe merge` writes them.
    """
    noted = workspace.ledger.joined.part_run(summary.run_id)
    part = {"part": noted._asdict()} if noted else {}
    workspace.places.own.write(layout.RUN, _run_json(workspace.config, summary, part))
    workspace.ledger.commit()
    _copy_ledger(workspace)
    workspace.places.own.tidy()
    workspace.outputs.tidy()


def write_report(workspace: Workspace, command: str = "") -> None:
    """Write tables, index.html and gallery/ anew from the ledger, pictures excepted; `command` runs the same again.

    Where the outputs that the config asks for have no gallery, the tables alone. Raises OSError, RunGivenUp, and
    ConfigError when a package is missing, or when no image is recorded: what is there then tells more.
    """
    check_extras(workspace.config)
    check_recorded(workspace.ledger, workspace.ledger_path)
    workspace.outputs.prepare()
    results, outputs = workspace.results, NotingFiles(workspace.outputs)
    write_tables(workspace.ledger, results, outputs, workspace.settings, anew=True)
    if not workspace.config.why_no_report:
        settings = replace(gallery_settings(workspace.settings, workspace.config), command=command)
        write_gallery(results, outputs, settings, anew=True)
    note_written(workspace.ledger, outputs)
    workspace.outputs.tidy()


def _write_lock(workspace: Workspace, summary: RunSummary, outputs: Files, *, is_whole: bool) -> None:
    """Write the lock when all that the config asks for is there or has failed; it was removed when work began."""
    if is_whole and summary.current == summary.images and _is_locked(workspace.outputs, summary.images):
        return
    with contextlib.suppress(Unfinished):
        results = workspace.ledger.results(workspace.digests, strict=True)
        # ^ a lock tells of one choice of settings
        palettes = (one for one in workspace.ledger.shared.all_palettes() if one.k in workspace.ks)
        lines = lock_lines(workspace.fingerprints, results, workspace.settings.name_width, palettes)
        outputs.write_lines(layout.LOCK, lines)


def _is_locked(outputs: Root, images: int) -> bool:
    """Whether a lock of so many images is there; of a remote one it is not known."""
    with contextlib.suppress(OSError):
        return read_footer(Path(outputs.place) / layout.LOCK).get("images") == str(images)
    return False


def gallery_settings(settings: TaskSettings, config: Config) -> GallerySettings:
    """What the gallery must know of a run beside its results."""
    return GallerySettings(
        name_width=settings.name_width,
        animation_format=settings.animation.format if settings.animation.enabled else None,
        pictures=settings.pictures,
        stills=settings.stills,
        palette_formats=settings.palettes,
        title=input_title(config),
        target=settings.target,
        metrics=settings.metrics,
        space=settings.flatten.space,
        is_shared=settings.is_shared,
        legend=settings.flatten.chart or tuple(fixed.color for fixed in settings.flatten.fixed),
        named=settings.named,
    )


def _copy_ledger(workspace: Workspace) -> None:
    """Put a copy of a ledger that is kept elsewhere beside the outputs: a run from another machine goes on from it."""
    own = workspace.places.own
    if workspace.ledger_path != f"{own.place}/{layout.LEDGER}":
        with workspace.ledger.copied() as path:
            own.store(layout.LEDGER, path)


def _run_json(config: Config, summary: RunSummary, more: Mapping[str, object] = MappingProxyType({})) -> bytes:
    content = {
        "config": config.recorded(),
        "environment": environment(),
        "finished": now_in_words(),
        "summary": asdict(summary),
        **more,
    }
    return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode()
