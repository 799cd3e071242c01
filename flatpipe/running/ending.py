"""How a run ended: written down, and told."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace

from flatpipe import layout
from flatpipe.errors import ExitCode, RunGivenUp
from flatpipe.proof.locked import lock_missed
from flatpipe.running.current import CurrentRun
from flatpipe.running.finishing import write_ending, write_part_ending
from flatpipe.running.run_log import now_in_words
from flatpipe.summaries import RunSummary


def finish(run: CurrentRun, reason: str) -> RunSummary:
    """Write all that stands beside the images, and say how the run ended."""
    workspace, tally, plan = run.workspace, run.tally, run.plan
    ended = RunGivenUp.exit_code if reason else ExitCode.SOME_FAILED if tally.failed else ExitCode.DONE
    exit_code = run.stop.exit_code or ended
    if run.lock is not None and not reason:
        reason = lock_missed(workspace.results, workspace.settings.name_width, run.lock)
        exit_code = ExitCode.DIFFERENT if reason else exit_code
    has_report = workspace.config.has_report and not run.stop.at_once and workspace.part is None
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
        part=plan.part,
        report=f"{workspace.outputs.place}/{layout.INDEX}" if has_report else "",
        flats=plan.flats,
        folder=workspace.images_folder,
        no_report=workspace.config.why_no_report if workspace.config.report.enabled and not plan.part else "",
    )
    failed = _write_ending(run, summary)
    if failed:
        return replace(summary, exit_code=RunGivenUp.exit_code, reason=reason or failed, report="")
    return summary


def _write_ending(run: CurrentRun, summary: RunSummary) -> str:
    """Write down how the run ended, and what stands beside the images; why that failed, or "" when it did not."""
    ledger = run.workspace.ledger
    try:
        ledger.end_run(run.run_id, now_in_words(), summary.reason or "finished", json.dumps(asdict(summary)))
        if run.workspace.part is not None:
            write_part_ending(run.workspace, summary)
        elif not run.stop.at_once:
            write_ending(run.workspace, summary, lock=run.lock is None, command=run.request.command)
        run.log.end(summary)
    except OSError as error:
        return f"the output cannot be written: {error.strerror or error}"
    except RunGivenUp as error:
        ledger.undo()
        return str(error)
    return ""
