"""run(config): the story of a run, one line per stage."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace

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
from flatpipe.plan.parts.refused import check_part
from flatpipe.plan.request import Request
from flatpipe.plan.same_bytes import twin_of
from flatpipe.plan.settings import check_extras
from flatpipe.plan.workspace import open_workspace
from flatpipe.proof.lock import lock_header
from flatpipe.proof.locked import lock_to_reproduce
from flatpipe.records import FlattenResult, ImageRecord, ImageSource, PlannedImage, Twin
from flatpipe.running.current import CurrentRun
from flatpipe.running.ending import finish
from flatpipe.running.interrupts import stop_on_signals, stopped_in_words
from flatpipe.running.packs.packing import Packing
from flatpipe.running.run_log import RunLog, new_run_id
from flatpipe.running.shared.palettes import make_palettes
from flatpipe.running.store_plan import store_again, store_plan
from flatpipe.running.tally import Tally
from flatpipe.running.telling.stall import stalls_told
from flatpipe.settings import TaskSettings
from flatpipe.storage.several.named import NamedInput
from flatpipe.summaries import PlanSummary, RunSummary


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
    observer, request, run_id = observer or RunObserver(), request or Request(), new_run_id()
    check_backend(config)
    check_extras(config)
    check_part(request.part, config, request.lock)
    with (
        open_workspace(
            config, "run", None if named is None else named.places, observer.note, request.part
        ) as workspace,
        lock_to_reproduce(request.lock, workspace.outputs, lock_header(workspace.fingerprints)) as lock,
        stop_on_signals(observer.stopping) as stop,
        contextlib.closing(RunLog(run_id, workspace.ledger_path, workspace.places.own)) as log,
        contextlib.ExitStack() as stack,
    ):
        began = time.monotonic()
        observer.begun(run_id)
        stored = store_plan(workspace, request, run_id, lock, named, stack, observer.note)
        tally = Tally(stored.counts.seconds, failed=stored.counts.refused)
        current = CurrentRun(run_id, began, workspace, request, observer, stop, log, lock, tally, stored)
        _begin_log(current)
        reason = _execute(current)
        summary = finish(current, reason)
        observer.ended(summary)
        return summary


def _begin_log(run: CurrentRun) -> None:
    """Open the run's folder, and note in its log what was refused while planning."""
    workspace = run.workspace
    run.log.begin(workspace.config, lock_header(workspace.fingerprints))
    for failed in workspace.ledger.failures():
        if failed.run_id == run.run_id:
            record = failed_record(ImageSource(failed.image_id, failed.path, 0, ""), failed.failure)
            run.tally.failures[failed.failure.error] += 1
            run.log.add([record])
            run.observer.image_refused(record)


def _execute(run: CurrentRun) -> str:
    """Do the planned work; the reason why it ended early, or "" when it did not."""
    config, plan = run.workspace.config, run.plan
    backend = choose_backend(config, run.tally.expected_seconds, max(plan.pairs, plan.due))
    run.observer.planned(plan, str(backend))
    packing = _packing(run)
    if not plan.pairs and not plan.sweeps and not run.owes_palettes and not (packing and packing.is_due):
        return _packed(packing)
    run.workspace.ledger.announce_work(run.run_id)
    try:
        with open_engine(backend, _opening(run)) as engine, _stalls_told(run, engine):
            _begin_work(run)
            try:
                if run.owes_palettes:
                    _find_palettes(run, engine)
                    packing = _packing(run)
                run.observer.working(lambda: engine.present)
                if not run.stop:
                    _work(run, engine, packing)
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


def _find_palettes(run: CurrentRun, engine: Engine) -> None:
    """Find the palettes that images share and plan anew: only now it is known what they are."""
    sharing, workspace = run.stored.planning.sharing, run.workspace
    assert sharing is not None
    make_palettes(workspace, sharing, _settings(run), engine, run.observer, run.stop)
    if not run.stop:
        run.stored = store_again(workspace, run.request, run.run_id, run.stored)
        workspace.ledger.announce_work(run.run_id)
        workspace.ledger.begin_work(run.run_id, time.time())


def _packing(run: CurrentRun) -> Packing | None:
    """The shards of the plan as it stands; None where outputs lie in folders."""
    return Packing.begun(run.workspace, _settings(run)) if run.workspace.settings.pieces else None


def _work(run: CurrentRun, engine: Engine, packing: Packing | None) -> None:
    plan, granularity = run.plan, run.workspace.config.execution.granularity
    work = packing.work() if packing else run.workspace.ledger.work()
    bundler = Bundler(work, plan.due, granularity, engine.task_seconds, are_whole=packing is not None)
    for records in execute(bundler, engine, _graph_builder(run).build, run.stop, packing):
        _keep(run, records)
        for record in records:
            _tell(run, record)
            _check_failures(run, plan, record)
            if packing:
                packing.image_done(record)
    _packed(packing)


def _packed(packing: Packing | None) -> str:
    """No reason why the run ended early, once the pieces are gone that nothing needs."""
    if packing:
        packing.finish()
    return ""


def _begin_work(run: CurrentRun) -> None:
    run.workspace.ledger.begin_work(run.run_id, time.time())
    if run.lock is None:
        with contextlib.suppress(OSError):
            run.workspace.outputs.remove(layout.LOCK)
            # ^ from here on it would not be true; the end of a complete run writes another
            run.workspace.ledger.note_beside((), [layout.LOCK])


def _stalls_told(run: CurrentRun, engine: Engine) -> contextlib.AbstractContextManager[None]:
    seconds = run.workspace.config.limits.stall_seconds
    return stalls_told(seconds, engine, run.log.add_stall, run.observer.stalled)


def _opening(run: CurrentRun) -> Opening:
    workspace = run.workspace
    return Opening(workspace.config, _settings(run), workspace.ledger.largest_work(3), run.observer, run.stop)


def _settings(run: CurrentRun) -> TaskSettings:
    return replace(run.workspace.settings, run=run.run_id)


def _graph_builder(run: CurrentRun) -> GraphBuilder:
    workspace = run.workspace

    def kept(image: PlannedImage) -> tuple[FlattenResult, ...] | Twin:
        if image.same_as:
            return twin_of(workspace.ledger, image.same_as, workspace.ks)
        if len(image.ks) == len(workspace.ks):
            return ()
        flats = workspace.ledger.flats_of(image.source.image_id)
        return tuple(flat for flat in flats if flat.k in workspace.ks and flat.k not in image.ks)

    sharing = run.stored.planning.sharing
    return GraphBuilder(_settings(run), workspace.digests, kept, sharing.palettes.given if sharing else None)


def _keep(run: CurrentRun, records: list[ImageRecord]) -> None:
    run.workspace.ledger.record(records, run.run_id)
    run.log.add([record for record in records if not record.is_interrupted])


def _tell(run: CurrentRun, record: ImageRecord) -> None:
    run.tally.count(record)
    if not record.is_interrupted:
        run.observer.image_done(record)


def _check_failures(run: CurrentRun, plan: PlanSummary, record: ImageRecord) -> None:
    if record.failure is None or record.is_interrupted:
        return
    if record.failure.fatal:
        raise RunGivenUp(f"the output cannot be written: {record.failure.message}")
    if run.request.fail_fast:
        raise RunGivenUp(f"{record.source.image_id} failed and --fail-fast is set: {record.failure.message}")
    allowed = run.workspace.config.errors.allowed_failures(plan.images)
    if allowed is not None and run.tally.failed > allowed:
        raise RunGivenUp(f"{run.tally.failed} images failed; errors.max_failures allows {allowed}")
