"""The plan of a run, kept in the ledger: on disk, however many images there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from flatpipe.ledger.ledger import Ledger
from flatpipe.plan.named import named_sources
from flatpipe.plan.plan_images import REFUSED, PlanCounts, plan_images
from flatpipe.plan.request import Request
from flatpipe.plan.workspace import Workspace
from flatpipe.proof.locked import check_planned
from flatpipe.records import PlannedImage
from flatpipe.storage.discover import RefusedFile
from flatpipe.storage.named import NamedInput


def store_plan(
    workspace: Workspace, request: Request, run_id: str, lock: Path | None, named: NamedInput | None
) -> PlanCounts:
    """What the plan comes to: the run's beginning recorded, every image planned once and stored; raises ConfigError.

    A plan whose inputs are not those of the lock is an error too, and leaves the ledger as it was.
    """
    ledger, began = workspace.ledger, datetime.now(UTC).isoformat(timespec="seconds")
    with ledger.transaction():
        ledger.begin_run(run_id, began, workspace.config.as_json(), adds=named is not None)
        if lock is None:
            ledger.commit()
            # ^ so that `status` knows of it while it plans; with a lock it is not yet sure to begin
        counts = _stored(workspace, request, run_id, named)
        if lock is not None:
            check_planned(ledger, lock, workspace.settings.reading)
    return counts


def _stored(workspace: Workspace, request: Request, run_id: str, named: NamedInput | None) -> PlanCounts:
    counts, ledger, planner = PlanCounts(), workspace.ledger, workspace.planner(force=request.force)
    ledger.record_settings(workspace.fingerprints.choices)
    config = workspace.config
    sources = None if named is None else named_sources(named, config, ledger, counts.passed_over)
    planned = plan_images(planner, config, request, counts, sources)
    ledger.store_plan(_with_failures(ledger, planned, run_id))
    ledger.forget_absent_failures()
    return counts


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
