"""How far the parts of a run are, and what stands in the way of merging them: told by `status`, obeyed by `merge`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from flatpipe.errors import ConfigError, RunGivenUp
from flatpipe.ledger.answers import PartRun
from flatpipe.ledger.ledger import Ledger
from flatpipe.places import is_url
from flatpipe.plan.lease import Lease, live_lease
from flatpipe.plan.parts.ledgers import newest_ledger_of, read_run
from flatpipe.plan.parts.part import RunPart
from flatpipe.plan.parts.places import part_ledger_path, part_root, parts_there
from flatpipe.plan.workspace import Workspace
from flatpipe.text import counted
from flatpipe.vocabulary import NOT_SELECTED

PartState = Literal[
    "done", "merged", "running", "killed", "ended early", "unfinished", "outdated", "unreadable", "missing"
]
# ^ unfinished: its last run was asked for some of its images alone. outdated: done, with other settings or before the
#   input changed


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One part of a run."""

    part: RunPart
    state: PartState
    why: str = ""
    # ^ what is wrong with it, in words
    images: int = 0
    # ^ that fall to it, as far as is known
    failed: int = 0
    left: int = 0
    run_id: str = ""
    started: str = ""
    # ^ UTC
    noted: PartRun | None = None

    @property
    def done(self) -> int:
        """Images with all their outputs."""
        return max(0, self.images - self.failed - self.left)

    @property
    def is_whole(self) -> bool:
        """Whether all its images are done or have failed."""
        return self.state in ("done", "merged")

    @property
    def has_news(self) -> bool:
        """Whether its ledger may have what a whole run's has not."""
        return self.state not in ("merged", "missing", "unreadable")

    @property
    def is_to_run(self) -> bool:
        """Whether it must be run, again or for the first time."""
        return not self.is_whole and self.state != "running"


@dataclass(frozen=True, slots=True)
class PartsStatus:
    """All parts of a split, and which parts of other splits lie beside them."""

    parts: tuple[PartStatus, ...] = ()
    # ^ by index, those that are missing among them; empty where nothing was split
    others: tuple[PartStatus, ...] = ()
    # ^ of other splits, not merged

    @property
    def lacking(self) -> tuple[PartStatus, ...]:
        """The parts that stand in the way of merging."""
        return tuple(part for part in self.parts if not part.is_whole)

    @property
    def array(self) -> str:
        """The parts to run, as `sbatch --array` takes them: `1,3-5`; "" when there are none."""
        return as_array(part.part.index for part in self.parts if part.is_to_run)


def start_of(run_id: str) -> str:
    """When a run began, UTC, as its id says."""
    return datetime.strptime(run_id.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).isoformat()


def as_array(numbers: Iterable[int]) -> str:
    """Ascending numbers as `sbatch --array` takes them: `1,3-5`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def parts_status(workspace: Workspace) -> PartsStatus:
    """The parts of the split of which one was run last; raises ConfigError when the places cannot be read."""
    try:
        there = parts_there(workspace.outputs, workspace.places.whole_ledger_path)
        found = [status for part in there if (status := _status(part, workspace)).state != "missing"]
    except OSError as error:
        raise ConfigError(f"{workspace.outputs.place}: cannot be read: {error.strerror or error}") from error
    if not found:
        return PartsStatus()
    count = max(found, key=_lately).part.count
    by_index = {one.part.index: one for one in found if one.part.count == count}
    split = [by_index.get(index, PartStatus(RunPart(count, index), "missing")) for index in range(count)]
    others = tuple(one for one in found if one.part.count != count and one.state != "merged")
    return PartsStatus(tuple(_without_outdated(split, workspace)), others)


def _status(part: RunPart, workspace: Workspace) -> PartStatus:
    whole = workspace.places.whole_ledger_path
    root, path = part_root(workspace.outputs, part), part_ledger_path(whole, part)
    lease, is_running = None, False
    try:
        lease = live_lease(root, path)
    except RunGivenUp:
        is_running = True
    if is_url(root.place) and not Path(path).exists():
        return _of_run_json(part, read_run(root), lease, workspace.ledger, is_running=is_running)
    try:
        with newest_ledger_of(part, workspace.outputs, whole) as found:
            if found is None:
                return _without_ledger(part, lease, is_running=is_running)
            with contextlib.closing(Ledger(found, read_only=True)) as ledger:
                return _recorded(part, ledger, workspace.ledger, is_running=is_running)
    except ConfigError as error:
        return PartStatus(part, "unreadable", str(error))


def _without_ledger(part: RunPart, lease: Lease | None, *, is_running: bool) -> PartStatus:
    """Of a part whose ledger is on another machine, or nowhere yet, its lease tells."""
    if is_running:
        return PartStatus(part, "running", "its ledger is not here")
    if lease is not None:
        return PartStatus(part, "killed", f"{lease.words}; its ledger is not here")
    return PartStatus(part, "missing")


def _recorded(part: RunPart, ledger: Ledger, whole: Ledger, *, is_running: bool) -> PartStatus:
    run = ledger.last_run()
    if run is None:
        return PartStatus(part, "running" if is_running else "killed", "nothing is recorded yet")
    progress, planned = ledger.progress(run.run_id), ledger.planned_counts()
    due = progress.images or planned.images - planned.current - planned.not_selected
    known = PartStatus(
        part,
        "done",
        images=planned.images,
        failed=sum(1 for _ in ledger.failures()),
        left=planned.not_selected,
        run_id=run.run_id,
        started=run.started,
        noted=ledger.joined.part_run(run.run_id),
    )
    left = max(0, due - progress.done - progress.failed) + planned.not_selected
    if is_running:
        return replace(known, state="running", left=left)
    if whole.joined.holds(run.run_id):
        return replace(known, state="merged")
    if run.state == "running":
        return replace(known, state="killed", left=left, why="" if known.noted else "before its plan was made")
    if run.state != "finished":
        return replace(known, state="ended early", left=left, why=run.state)
    return replace(known, state="unfinished" if planned.not_selected else "done", why=_unselected(planned.not_selected))


def _of_run_json(
    part: RunPart, told: dict[str, Any], lease: Lease | None, whole: Ledger, *, is_running: bool
) -> PartStatus:
    """What the last run has left in a store: there the ledger's copy is not fetched to look at it."""
    try:
        summary, noted = told["summary"], PartRun(**told["part"])
        not_selected = dict(summary["reasons"]).get(NOT_SELECTED, 0)
        known = PartStatus(
            part,
            "unfinished" if not_selected else "done",
            why=_unselected(not_selected),
            images=summary["images"],
            failed=summary["failed"],
            left=summary["left"] + not_selected,
            run_id=summary["run_id"],
            started=start_of(summary["run_id"]),
            noted=noted,
        )
        reason = str(summary["reason"])
    except (KeyError, TypeError, ValueError):
        return _without_ledger(part, lease, is_running=is_running)
    if is_running or lease is not None:
        # ^ since then it has begun again
        return replace(known, state="running" if is_running else "killed", why=lease.words if lease else "")
    if whole.joined.holds(known.run_id):
        return replace(known, state="merged", why="")
    return replace(known, state="ended early", why=reason) if reason else known


def _unselected(images: int) -> str:
    return f"{counted(images, 'image')} not selected by --only, --only-failed or --limit" if images else ""


def _without_outdated(split: Sequence[PartStatus], workspace: Workspace) -> list[PartStatus]:
    """The parts, those marked that are done and do not go with the config, or with the part that was run last."""
    if not any(one.state == "done" for one in split):
        return list(split)
    last = max((one.noted for one in split if one.noted is not None), key=lambda noted: noted.planned)
    return [_judged(one, last, workspace.fingerprints.sweep) for one in split]


def _lately(one: PartStatus) -> tuple[bool, str, float]:
    """What is largest of the part that was run last and is not merged."""
    return one.state != "merged", one.started, one.noted.planned if one.noted else 0.0


def _judged(one: PartStatus, last: PartRun, settings: str) -> PartStatus:
    if not one.is_whole or one.noted is None:
        return one
    if one.noted.settings != settings:
        return replace(one, state="outdated", why="done with other settings than those of the config")
    if one.noted.listing != last.listing:
        then, now = counted(one.noted.images, "image"), f"{last.images:,}"
        return replace(one, state="outdated", why=f"the input has changed since: {then} then, {now} now")
    return one
