"""The plan of a run, kept in the ledger: on disk, however many images there are."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from flatpipe.ledger.answers import PartRun
from flatpipe.ledger.database import Tell
from flatpipe.ledger.ledger import Ledger
from flatpipe.plan.fingerprint import Fingerprints
from flatpipe.plan.inputs.named import named_sources
from flatpipe.plan.inputs.sources import Sources, input_sources
from flatpipe.plan.parts.dealing import Dealing
from flatpipe.plan.plan_images import REFUSED, PlanCounts, plan_images
from flatpipe.plan.request import Request
from flatpipe.plan.workspace import Planning, Workspace
from flatpipe.proof.lock import lock_header
from flatpipe.proof.locked import check_planned
from flatpipe.records import PlannedImage, RefusedFile
from flatpipe.running.joining import take_in_others
from flatpipe.running.run_log import now_in_words
from flatpipe.storage.several.named import NamedInput


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan that is in the ledger."""

    counts: PlanCounts
    planning: Planning


def store_plan(
    workspace: Workspace,
    request: Request,
    run_id: str,
    lock: Path | None,
    named: NamedInput | None,
    stack: contextlib.ExitStack,
    tell: Tell,
) -> StoredPlan:
    """What the plan comes to: the run's beginning recorded, every image planned once and stored; raises ConfigError.

    A plan whose inputs are not those of the lock is an error too, and leaves the ledger as it was. Where images share
    palettes that are due, theirs is the most that there may be to do; `stack` closes what is kept for `store_again`.
    What ledgers beside this one know is taken in first, and told.
    """
    ledger, began = workspace.ledger, now_in_words()
    with ledger.transaction():
        take_in_others(workspace, tell)
        ledger.begin_run(run_id, began, workspace.config.as_json(), adds=named is not None)
        if lock is None:
            ledger.commit()
            # ^ so that `status` knows of it while it plans; with a lock it is not yet sure to begin
        stored = _stored(workspace, request, run_id, named, stack)
        if lock is not None:
            check_planned(ledger, lock, workspace.settings.reading)
    return stored


def store_again(workspace: Workspace, request: Request, run_id: str, stored: StoredPlan) -> StoredPlan:
    """The plan anew, now that the palettes are there that images share."""
    assert stored.planning.sharing is not None
    counts = PlanCounts(passed_over=stored.counts.passed_over, dealing=stored.counts.dealing)
    planning = replace(stored.planning, sources=stored.planning.sharing.found())
    with workspace.ledger.transaction():
        _plan(workspace, request, run_id, counts, planning)
    return StoredPlan(counts, planning)


def _stored(
    workspace: Workspace, request: Request, run_id: str, named: NamedInput | None, stack: contextlib.ExitStack
) -> StoredPlan:
    part, ledger, config = workspace.part, workspace.ledger, workspace.config
    counts = PlanCounts(dealing=None if part is None else Dealing(part))
    ledger.record_settings(workspace.fingerprints.choices)
    if named is None:
        is_there = None if request.taking is None else request.taking.is_there
        sources: Sources = input_sources(config, counts.passed_over, dealing=counts.dealing, is_there=is_there)
    else:
        sources = named_sources(named, config, ledger, counts.passed_over)
    planning = stack.enter_context(workspace.planning(sources, force=request.force))
    _plan(workspace, request, run_id, counts, planning)
    if counts.dealing is not None:
        ledger.joined.note_part(run_id, part_run(counts.dealing, workspace.fingerprints))
    return StoredPlan(counts, planning)


def part_run(dealing: Dealing, prints: Fingerprints) -> PartRun:
    """What a part's ledger notes of a run."""
    versions = {key: value for key, value in lock_header(prints).items() if key.startswith("version.")}
    digest = hashlib.sha256(json.dumps(versions, sort_keys=True).encode()).hexdigest()[:16]
    return PartRun(str(dealing.part), dealing.listed, dealing.listing, prints.sweep, digest, time.time())


def _plan(workspace: Workspace, request: Request, run_id: str, counts: PlanCounts, planning: Planning) -> None:
    ledger = workspace.ledger
    planned = plan_images(planning.planner, workspace.config, request, counts, planning.sources)
    ledger.store_plan(_with_failures(ledger, planned, run_id))
    ledger.forget_absent_failures()


def _with_failures(
    ledger: Ledger, planned: Iterator[PlannedImage | RefusedFile], run_id: str
) -> Iterator[PlannedImage]:
    """The plan as it is stored; why a file will not be opened is recorded as it passes."""
    for item in planned:
        if isinstance(item, RefusedFile):
            ledger.record_failure(item.source, item.failure, run_id)
            yield PlannedImage(item.source, (), sweep=False, reason=REFUSED)
        else:
            yield item
