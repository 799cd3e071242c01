"""Commands that tell what was done: status, explain."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from flatpipe.cli.options import place_options

if TYPE_CHECKING:
    from flatpipe.proof.status import RunStatus


@click.command()
@place_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(place: str, overrides: tuple[str, ...], profile: str | None, as_json: bool) -> int:
    """Say how far a run is, or how it ended: state, images done, failed and left, rate, time left.

    PLACE is the config of the run (default: pipeline.yaml) or its output folder. Only the ledger is read: a run that
    goes on is not disturbed, on whatever machine it is. Exit code 0 whatever the state.

    \b
    Examples:
      flatpipe status outputs
      watch -n 10 flatpipe status
    """
    from flatpipe.planning import open_workspace
    from flatpipe.proof.recorded import recorded_config
    from flatpipe.proof.status import run_status
    from flatpipe.report.screen import print_json

    with open_workspace(recorded_config(place, overrides, profile), for_writing=False, named=()) as workspace:
        found = run_status(workspace)
    if as_json:
        print_json({"event": "status", "left": found.left, **asdict(found)})
    else:
        click.echo(_status_text(found))
    return 0


def _status_text(found: RunStatus) -> str:
    lines = [f"run {found.run_id}: {found.state}" + (f" ({found.reason})" if found.reason else "")]
    counts = f"{found.done} done, {found.failed} failed, {found.left} left"
    lines.append(f"images:    {counts}, {found.images - found.due} up to date, of {found.images}")
    lines.append(f"flats:     {found.pairs_done} of {found.pairs} made")
    if found.images_per_second:
        flats = found.pairs_done / found.seconds
        lines.append(
            f"rate:      {found.images_per_second:.1f} images/s, {flats:.0f} flats/s over {found.seconds:.0f} s"
        )
    if found.seconds_left is not None:
        lines.append(f"time left: about {duration(found.seconds_left)}")
    if found.state == "killed":
        lines.append("the process is gone; `flatpipe run` goes on from here")
    lines.append(f"started:   {found.started}" + (f", finished {found.finished}" if found.finished else ""))
    return "\n".join(lines)


def duration(seconds: float) -> str:
    """Seconds in words that a person reads: `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 36 else f"{hours // 24} d {hours % 24} h"
