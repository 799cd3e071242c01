"""The parts of a run joined: their ledgers into the main one, then all that stands beside the images, as of one run."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace

from flatpipe import layout
from flatpipe.config import Config
from flatpipe.errors import ConfigError, ExitCode, RunGivenUp
from flatpipe.ledger.database import Tell
from flatpipe.plan.parts.ledgers import newest_ledger_of
from flatpipe.plan.parts.part import index_of
from flatpipe.plan.settings import check_extras
from flatpipe.plan.workspace import Workspace, open_workspace
from flatpipe.proof.lock import lock_header
from flatpipe.proof.parts import PartsStatus, PartStatus, parts_status
from flatpipe.running.finishing import write_ending
from flatpipe.running.packs.alone import pack_all
from flatpipe.running.run_log import RunLog, new_run_id, now_in_words
from flatpipe.summaries import RunSummary
from flatpipe.text import counted

_NAMED = 3
# ^ images that a message names


@dataclass(frozen=True, slots=True)
class Merged:
    """What merging came to."""

    status: PartsStatus
    # ^ of the parts before
    summary: RunSummary | None = None
    # ^ None: parts stand in the way, and nothing was written


class _Incomplete(Exception):
    """What parts have recorded is not all that there should be."""

    def __init__(self, status: PartsStatus) -> None:
        super().__init__()
        self.status = status


def merge(config: Config, tell: Tell, command: str = "") -> Merged:
    """Join what the parts have recorded, all of it or nothing, and write tables, report and lock.

    The input need not be there. `command` runs the same config again: the report tells it. Raises ConfigError where no
    part has been or a package is missing, RunGivenUp when another run is writing, or the output cannot be written.
    """
    check_extras(config)
    with open_workspace(config, "read", named=()) as workspace:
        status = parts_status(workspace)
    if not status.parts:
        raise ConfigError(
            f"{config.output.path}: no part of a run is here; `flatpipe run --shard 0/4` does the first of 4"
        )
    if status.lacking:
        return Merged(status)
    with open_workspace(config, "merge", tell=tell) as workspace:
        try:
            return _merged(workspace, tell, command)
        except _Incomplete as incomplete:
            return Merged(incomplete.status)


def _merged(workspace: Workspace, tell: Tell, command: str) -> Merged:
    began, ledger = time.monotonic(), workspace.ledger
    status, run_id = parts_status(workspace), new_run_id()
    if status.lacking:
        raise _Incomplete(status)
    _tell_of(status, tell)
    with ledger.transaction():
        if any(part.state == "done" for part in status.parts):
            _join(workspace, status, run_id)
        else:
            tell("nothing new: what the parts have recorded is merged already")
        _check_done(workspace, status)
    if workspace.settings.pieces:
        pack_all(workspace, run_id)
    last = ledger.last_run()
    assert last is not None
    summary = _summary(workspace, last.run_id, began)
    try:
        if last.state == "running":
            ledger.end_run(last.run_id, now_in_words(), "finished", json.dumps(asdict(summary)))
        write_ending(workspace, summary, lock=True, command=command)
        if last.run_id == run_id:
            _log(workspace, summary)
    except OSError as error:
        raise RunGivenUp(f"the output cannot be written: {error.strerror or error}") from error
    return Merged(status, replace(summary, seconds=time.monotonic() - began))


def _log(workspace: Workspace, summary: RunSummary) -> None:
    """Leave the folder that every run leaves."""
    with contextlib.closing(RunLog(summary.run_id, workspace.ledger_path, workspace.outputs)) as log:
        log.begin(workspace.config, lock_header(workspace.fingerprints))
        log.end(summary)


def _join(workspace: Workspace, status: PartsStatus, run_id: str) -> None:
    """Take in what is new, and make one plan of those of all parts."""
    ledger, whole = workspace.ledger, workspace.places.whole_ledger_path
    began = now_in_words()
    ledger.record_settings(workspace.fingerprints.choices)
    ledger.begin_run(run_id, began, workspace.config.as_json())
    for one in status.parts:
        with newest_ledger_of(one.part, workspace.outputs, whole) as path:
            assert path is not None
            if one.state == "done":
                ledger.joined.take_in(path)
            ledger.joined.take_plan(path)
    for one in status.others:
        ledger.joined.note_joined(one.run_id)
        # ^ of an earlier split: what this one has done is newer
    ledger.joined.settle_plan(run_id, time.time())


def _check_done(workspace: Workspace, status: PartsStatus) -> None:
    """Raise _Incomplete when an image of the plan has neither outputs nor a failure, whatever its part has said."""
    undone = workspace.ledger.results(workspace.digests, strict=True).undone()
    by_part: dict[int, list[str]] = {}
    for image_id in undone:
        by_part.setdefault(index_of(image_id, len(status.parts)), []).append(image_id)
    if by_part:
        parts = tuple(_lacking(part, by_part.get(part.part.index, [])) for part in status.parts)
        raise _Incomplete(replace(status, parts=parts))


def _lacking(part: PartStatus, undone: list[str]) -> PartStatus:
    if not undone:
        return part
    named = ", ".join(itertools.islice(undone, _NAMED)) + ", ..." * (len(undone) > _NAMED)
    return replace(part, state="unfinished", left=len(undone), why=f"not done: {named}")


def _summary(workspace: Workspace, run_id: str, began: float) -> RunSummary:
    failures = Counter(failed.failure.error for failed in workspace.ledger.failures())
    images, failed = workspace.ledger.planned_counts().images, failures.total()
    has_report = workspace.config.has_report
    return RunSummary(
        run_id=run_id,
        output=workspace.settings.output,
        images=images,
        done=images - failed,
        failed=failed,
        seconds=time.monotonic() - began,
        exit_code=ExitCode.SOME_FAILED if failed else ExitCode.DONE,
        failures=tuple(failures.most_common()),
        report=f"{workspace.outputs.place}/{layout.INDEX}" if has_report else "",
        folder=workspace.images_folder,
        no_report=workspace.config.why_no_report if workspace.config.report.enabled else "",
    )


def _tell_of(status: PartsStatus, tell: Tell) -> None:
    """Say what is odd about the parts and stands in no way."""
    if status.others:
        names = ", ".join(str(one.part) for one in status.others)
        tell(f"passed over: {counted(len(status.others), 'part')} of another split ({names})")
    if len({one.noted.versions for one in status.parts if one.noted}) > 1:
        tell(
            "the parts were done by different versions of flatpipe or its libraries, which may make other bytes "
            "(runs/*/environment.json has them); the lock tells the versions of this machine"
        )
