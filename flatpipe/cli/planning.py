"""The command that says what a run would do, why, and at what cost: plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from flatpipe.cli.options import config_options, read_config, request_of, selection_options
from flatpipe.errors import ExitCode
from flatpipe.text import duration, in_bytes

if TYPE_CHECKING:
    from flatpipe.plan.workspace import PlanCounts, Workspace
    from flatpipe.proof.estimate import Estimate
    from flatpipe.proof.forecast import Forecast, Outlook
    from flatpipe.records import PlannedImage


@click.command(short_help="Say what a run would do, why, and at what cost.")
@config_options
@selection_options
@click.option("--force", is_flag=True, help="Plan as if nothing were there.")
@click.option("--estimate", is_flag=True, help="Do a few images in memory, to tell time and bytes of the whole run.")
@click.option("-v", "--verbose", is_flag=True, help="One line per image that needs work, with the reason.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per image, then the totals.")
def plan(config_path: str, overrides: tuple[str, ...], profile: str | None, **flags: Any) -> ExitCode:
    """Say what `flatpipe run` would do, why, and at what cost; writes nothing.

    Totals first: images, flat images, bytes to write, memory per worker, the largest images; then the reasons, each
    with the number of images that it holds for. What earlier outputs of this folder weigh gives the bytes to write;
    --estimate measures time and bytes on a few of the images instead.

    \b
    Examples:
      flatpipe plan -v -s flatten.k=2-16
      flatpipe plan --estimate
    """
    return show_plan(read_config(config_path, overrides, profile), flags)


def show_plan(config: Any, flags: dict[str, Any]) -> ExitCode:
    """Print the plan of a config; the exit code."""
    from flatpipe.cli.screen import print_json
    from flatpipe.plan.workspace import PlanCounts, open_workspace
    from flatpipe.proof.forecast import Outlook

    counts, outlook, estimated = PlanCounts(), Outlook(), None
    with open_workspace(config, for_writing=False) as workspace:
        images = _shown(workspace, flags, counts, outlook)
        if flags.get("estimate"):
            estimated = _estimate(workspace, images, outlook, counts)
        for _ in images:
            pass
        forecast = outlook.forecast(workspace)
    summary = counts.summary()
    if flags["as_json"]:
        measured = {"estimate": asdict(estimated) if estimated else None}
        print_json({"event": "plan", **asdict(summary), **asdict(forecast), **measured})
        return ExitCode.DONE
    totals, *reasons = _totals_and_reasons(summary)
    cost = _cost_lines(forecast, estimated) if summary.pairs or summary.sweeps else []
    click.echo("\n".join([*totals, *cost, *reasons]))
    return ExitCode.DONE


def _shown(workspace: Workspace, flags: dict[str, Any], counts: PlanCounts, outlook: Outlook) -> Iterator[PlannedImage]:
    """The planned images; each is shown as it comes, when that is asked for."""
    from flatpipe.cli.screen import print_json
    from flatpipe.plan.workspace import plan_images
    from flatpipe.storage.discover import RefusedFile
    from flatpipe.text import printable

    for item in plan_images(workspace, request_of(flags), counts):
        reason = f"refused: {item.failure.message}" if isinstance(item, RefusedFile) else item.reason
        if flags["as_json"]:
            ks = [] if isinstance(item, RefusedFile) else list(item.ks)
            print_json({"event": "image", "image": item.source.image_id, "ks": ks, "reason": reason})
        elif flags["verbose"] and reason:
            click.echo(f"{printable(item.source.image_id)}: {printable(reason)}")
        if not isinstance(item, RefusedFile):
            outlook.add(item)
            yield item


def _estimate(
    workspace: Workspace, images: Iterator[PlannedImage], outlook: Outlook, counts: PlanCounts
) -> Estimate | None:
    from flatpipe.c_libraries import silence_c_libraries
    from flatpipe.proof.estimate import draw, estimate

    silence_c_libraries()
    sample = draw(images)
    return estimate(workspace, sample, outlook.due_bytes, counts.images - counts.current)


def _totals_and_reasons(summary: Any) -> list[Any]:
    from flatpipe.cli.screen import plan_text

    lines = plan_text(summary).splitlines()
    return [lines[:2], *lines[2:]]


def _cost_lines(forecast: Forecast, estimated: Estimate | None) -> list[str]:
    from flatpipe.text import printable

    lines = []
    if estimated is not None:
        workers = f"{estimated.workers} worker{'s' * (estimated.workers != 1)}"
        lines.append(
            f"time:    about {duration(estimated.seconds)} with {workers} ({estimated.sampled} images measured)"
        )
        lines.append(f"write:   about {in_bytes(estimated.bytes_to_write)}")
    elif forecast.bytes_to_write is not None:
        lines.append(
            f"write:   about {in_bytes(forecast.bytes_to_write)}, by what is there, without the report's pictures"
        )
    else:
        lines.append("write:   unknown yet; --estimate measures a few images")
    lines.append(f"read:    {in_bytes(forecast.bytes_read)}")
    if forecast.memory_per_worker is not None:
        lines.append(f"memory:  about {in_bytes(forecast.memory_per_worker)} per worker, by the largest files:")
    for image in forecast.largest:
        pixels = f", {image.pixels:,} pixels" if image.pixels else ""
        lines.append(f"         {printable(image.image_id)}: {in_bytes(image.size)}{pixels}")
    return lines
