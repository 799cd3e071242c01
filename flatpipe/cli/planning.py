"""The command that says what a run would do, why, and at what cost: plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from flatpipe.cli.options import ConfigChoice, SelectionFlags, config_options, gathered, selection_options
from flatpipe.cli.sentences.parts import unmerged_text
from flatpipe.cli.sentences.planning import plan_text
from flatpipe.cli.sentences.running import reading_text
from flatpipe.cli.showing.json_lines import print_json
from flatpipe.cli.showing.speaking import remark, say
from flatpipe.errors import ExitCode
from flatpipe.text import printable

if TYPE_CHECKING:
    from flatpipe.config import Config
    from flatpipe.plan.plan_images import PlanCounts
    from flatpipe.plan.request import Request
    from flatpipe.plan.workspace import Workspace
    from flatpipe.proof.estimate import Estimate
    from flatpipe.proof.forecast import DueWork
    from flatpipe.records import PlannedImage, RefusedFile


@dataclass(frozen=True, slots=True)
class PlanFlags:
    """How a plan is made and shown."""

    force: bool = False
    estimate: bool = False
    verbose: bool = False
    as_json: bool = False


@click.command(short_help="Say what a run would do, why, and at what cost.")
@config_options
@selection_options
@gathered(
    PlanFlags,
    "flags",
    click.option("--force", is_flag=True, help="Plan as if nothing were there."),
    click.option(
        "--estimate", is_flag=True, help="Do a few images in memory, to tell time and bytes of the whole run."
    ),
    click.option("-v", "--verbose", is_flag=True, help="One line per image that needs work, with the reason."),
    click.option("--json", "as_json", is_flag=True, help="One JSON line per image, then the totals."),
)
def plan(chosen: ConfigChoice, selection: SelectionFlags, flags: PlanFlags) -> ExitCode:
    """Say what `flatpipe run` would do, why, and at what cost; writes nothing.

    Totals first: images, flat images, bytes to write, memory per worker, the largest images; then the reasons, each
    with the number of images that it holds for. What earlier outputs of this folder weigh gives the bytes to write;
    --estimate measures time and bytes on a few of the images instead.

    \b
    Examples:
      flatpipe plan -v -s flatten.k=2-16
      flatpipe plan --estimate
    """
    remark(reading_text([chosen.config_path]))
    return show_plan(chosen.config(), selection.request(force=flags.force), flags)


def show_plan(config: Config, request: Request, flags: PlanFlags) -> ExitCode:
    """Print the plan of a config; the exit code."""
    from flatpipe.plan.inputs.sources import input_sources
    from flatpipe.plan.parts.dealing import Dealing
    from flatpipe.plan.parts.refused import check_part
    from flatpipe.plan.plan_images import PlanCounts, plan_images
    from flatpipe.plan.workspace import open_workspace
    from flatpipe.proof.forecast import DueWork, forecast
    from flatpipe.proof.parts import parts_status

    check_part(request.part, config, request.lock)
    dealing = None if request.part is None else Dealing(request.part)
    counts, due, estimated = PlanCounts(dealing=dealing), DueWork(), None
    sources = input_sources(config, counts.passed_over, dealing=dealing)
    with (
        open_workspace(config, "read", part=request.part) as workspace,
        workspace.planning(sources, force=request.force) as planning,
    ):
        planned = plan_images(planning.planner, config, request, counts, planning.sources)
        images = _shown(planned, flags, due)
        if flags.estimate:
            estimated = _estimate(workspace, images, due, counts)
        for _ in images:
            pass
        cost = forecast(due, workspace.ledger, workspace.settings)
        unmerged = [] if request.part else [one for one in parts_status(workspace).parts if one.has_news]
    if unmerged:
        remark(unmerged_text(len(unmerged)))
    summary = counts.summary()
    if flags.as_json:
        measured = {"estimate": asdict(estimated) if estimated else None}
        print_json({"event": "plan", **asdict(summary), **asdict(cost), **measured})
    else:
        say(plan_text(summary, cost, estimated))
    return ExitCode.DONE


def _shown(planned: Iterable[PlannedImage | RefusedFile], flags: PlanFlags, due: DueWork) -> Iterator[PlannedImage]:
    """The planned images; each is shown as it comes, when that is asked for."""
    from flatpipe.records import RefusedFile

    for item in planned:
        reason = f"refused: {item.failure.message}" if isinstance(item, RefusedFile) else item.why
        if flags.as_json:
            ks = [] if isinstance(item, RefusedFile) else list(item.ks)
            print_json({"event": "image", "image": item.source.image_id, "ks": ks, "reason": reason})
        elif flags.verbose and reason:
            say(f"{printable(item.source.image_id)}: {printable(reason)}")
        if not isinstance(item, RefusedFile):
            due.add(item)
            yield item


def _estimate(
    workspace: Workspace, images: Iterator[PlannedImage], due: DueWork, counts: PlanCounts
) -> Estimate | None:
    from flatpipe.proof.estimate import draw, estimate
    from flatpipe.system.c_libraries import silence_c_libraries

    silence_c_libraries()
    sample = draw(images)
    return estimate(sample, workspace.config, workspace.settings, due.due_bytes, counts.due)
