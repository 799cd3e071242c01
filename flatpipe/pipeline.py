"""run(config): the story of a run, one line per stage."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from flatpipe import layout
from flatpipe.config import Config
from flatpipe.engines.bundle import Bundler
from flatpipe.engines.engine import Engine
from flatpipe.engines.execute import execute, failed_record
from flatpipe.engines.graph import GraphBuilder
from flatpipe.engines.open import check_backend, open_engine
from flatpipe.engines.opening import Opening
from flatpipe.errors import ExitCode, RunGivenUp, StdoutLost
from flatpipe.observer import RunObserver
from flatpipe.plan.backend import choose_backend
from flatpipe.plan.request import Request
from flatpipe.plan.settings import check_codecs
from flatpipe.plan.workspace import Workspace, open_workspace
from flatpipe.proof.lock import lock_header
from flatpipe.proof.locked import lock_missed, lock_to_reproduce
from flatpipe.records import FlattenResult, ImageRecord, ImageSource, PlannedImage, TaskSettings
from flatpipe.running.finishing import write_ending
from flatpipe.running.interrupts import stop_on_signals, stopped_in_words
from flatpipe.running.run_log import RunLog
from flatpipe.running.store_plan import store_plan
from flatpipe.running.tally import Tally
from flatpipe.stop import StopRequest
from flatpipe.storage.named import NamedInput
from flatpipe.summaries import PlanSummary, RunSummary


@dataclass(frozen=True, slots=True)
class _Run:
    """One run under way."""

    run_id: str
    began: float
    workspace: Workspace
    request: Request
    observer: RunObserver
    stop: StopRequest
    log: RunLog
    lock: Path | None
    # ^ what the run has promised to reproduce
    tally: Tally


def run(
    config: Config,
    request: Request | None = None,
    observer: RunObserver | None = None,
    named: NamedInput | None = None,
) -> RunSummary:
    """Bring every output that the config asks for up to date, and say what was done.

    What is `named` on a command line takes the place of the config's input, and is added to what is there.
    Raises ConfigError when the input or output cannot serve, or a lock that is asked for would not be reproduced;
    RunGivenUp when another run is writing there. All that happens later, a run given up or interrupted included, is
    told by the summary's `exit_code` and `reason`.
    """
    observer, request, run_id = observer or RunObserver(), request or Request(), _new_run_id()
    check_backend(config)
    check_codecs(config)
    with (
        open_workspace(config, "run", named=None if named is None else named.places, tell=observer.note) as workspace,
        lock_to_reproduce(request.lock, workspace.outputs, lock_header(workspace.fingerprints)) as lock,
        stop_on_signals(observer.stopping) as stop,
        contextlib.closing(RunLog(run_id, workspace.ledger_path, workspace.outputs)) as log,
    ):
        began = time.monotonic()
        counts = store_plan(workspace, request, run_id, lock, named)
        plan, tally = counts.summary(), Tally(counts.seconds, failed=counts.refused)
        current = _Run(run_id, began, workspace, request, observer, stop, log, lock, tally)
        _begin_log(current)
        reason = _execute(current, plan)
        return _finish(current, plan, reason)


def _begin_log(run: _Run) -> None:
    """Open the run's folder, and note in its log what was refused while planning."""
    workspace = run.workspace
    run.log.begin(workspace.config, lock_header(workspace.fingerprints))
    for failed in workspace.ledger.failures():
        if failed.run_id == run.run_id:
            run.tally.failures[failed.failure.error] += 1
            run.log.add([failed_record(ImageSource(failed.image_id, failed.path, 0, ""), failed.failure)])


def _execute(run: _Run, plan: PlanSummary) -> str:
    """Do the planned work; the reason why it ended early, or "" when it did not."""
    config = run.workspace.config
    backend = choose_backend(config, run.tally.expected_seconds, max(plan.pairs, plan.due))
    run.observer.planned(plan, str(backend))
    if not plan.pairs and not plan.sweeps:
        return ""
    run.workspace.ledger.announce_work(run.run_id)
    try:
        with open_engine(backend, _opening(run)) as engine:
            _begin_work(run)
            run.observer.working()
            try:
                _work(run, plan, engine)
            finally:
                run.tally.unfinished = engine.unfinished()
    except StdoutLost as error:
        run.stop.exit_code = error.exit_code
        return str(error)
    except RunGivenUp as error:
        return str(error)
    except KeyboardInterrupt:
        run.stop.exit_code = run.stop.exit_code or ExitCode.INTERRUPTED
    return stopped_in_words(run.tally.unfinished) if run.stop else ""


def _work(run: _Run, plan: PlanSummary, engine: Engine) -> None:
    granularity = run.workspace.config.execution.granularity
    bundler = Bundler(run.workspace.ledger.work(), plan.due, granularity, engine.task_seconds)
    for records in execute(bundler, engine, _graph_builder(run).build, run.stop):
        _keep(run, records)
        for record in records:
            _tell(run, record)
            _check_failures(run, plan, record)


def _begin_work(run: _Run) -> None:
    run.workspace.ledger.begin_work(run.run_id, time.time())
    if run.lock is None:
        with contextlib.suppress(OSError):
            run.workspace.outputs.remove(layout.LOCK)
            # ^ from here on it would not be true; the end of a complete run writes another
            run.workspace.ledger.note_beside((), [layout.LOCK])


def _opening(run: _Run) -> Opening:
    workspace = run.workspace
    return Opening(workspace.config, _settings(run), workspace.ledger.largest_work(3), run.observer, run.stop)


def _settings(run: _Run) -> TaskSettings:
    return replace(run.workspace.settings, run=run.run_id)


def _graph_builder(run: _Run) -> GraphBuilder:
    workspace = run.workspace

    def kept(image: PlannedImage) -> tuple[FlattenResult, ...]:
        if len(image.ks) == len(workspace.ks):
            return ()
        flats = workspace.ledger.flats_of(image.source.image_id)
        return tuple(flat for flat in flats if flat.k in workspace.ks and flat.k not in image.ks)

    return GraphBuilder(_settings(run), workspace.digests, kept)


def _keep(run: _Run, records: list[ImageRecord]) -> None:
    run.workspace.ledger.record(records, run.run_id)
    run.log.add([record for record in records if not record.is_interrupted])


def _tell(run: _Run, record: ImageRecord) -> None:
    run.tally.count(record)
    if not record.is_interrupted:
        run.observer.image_done(record)


def _check_failures(run: _Run, plan: PlanSummary, record: ImageRecord) -> None:
    if record.failure is None or record.is_interrupted:
        return
    if record.failure.fatal:
        raise RunGivenUp(f"the output cannot be written: {record.failure.message}")
    if run.request.fail_fast:
        raise RunGivenUp(f"{record.source.image_id} failed and --fail-fast is set: {record.failure.message}")
    allowed = run.workspace.config.errors.allowed_failures(plan.images)
    if allowed is not None and run.tally.failed > allowed:
        raise RunGivenUp(f"{run.tally.failed} images failed; errors.max_failures allows {allowed}")


def _finish(run: _Run, plan: PlanSummary, reason: str) -> RunSummary:
    """Write all that stands beside the images, and say how the run ended."""
    workspace, tally = run.workspace, run.tally
    ended = RunGivenUp.exit_code if reason else ExitCode.SOME_FAILED if tally.failed else ExitCode.DONE
    exit_code = run.stop.exit_code or ended
    if run.lock is not None and not reason:
        reason = lock_missed(workspace.results, workspace.settings.name_width, run.lock)
        exit_code = ExitCode.DIFFERENT if reason else exit_code
    has_report = workspace.config.report.enabled and not run.stop.at_once
    summary = RunSummary(
        run_id=run.run_id,
        output=workspace.settings.output,
        images=plan.images,
        done=tally.done,
        current=plan.current,
        failed=tally.failed,
        pairs=tally.pairs,
        seconds=time.monotonic() - run.began,
        exit_code=exit_code,
        reason=reason,
        reasons=plan.reasons,
        passed_over=plan.passed_over,
        left=plan.due - tally.worked,
        failures=tuple(tally.failures.most_common()),
        report=f"{workspace.outputs.place}/{layout.INDEX}" if has_report else "",
    )
    failed = _write_ending(run, summary)
    if failed:
        return replace(summary, exit_code=RunGivenUp.exit_code, reason=reason or failed, report="")
    return summary


def _write_ending(run: _Run, summary: RunSummary) -> str:
    """Write down how the run ended, and what stands beside the images; why that failed, or "" when it did not."""
    ledger = run.workspace.ledger
    try:
        ledger.end_run(run.run_id, _now(), summary.reason or "finished", json.dumps(asdict(summary)))
        if not run.stop.at_once:
            write_ending(run.workspace, summary, lock=run.lock is None, command=run.request.command)
        run.log.end(summary)
    except OSError as error:
        return f"the output cannot be written: {error.strerror or error}"
    except RunGivenUp as error:
        ledger.undo()
        return str(error)
    return ""


def _new_run_id() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
