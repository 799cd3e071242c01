"""Commands that tell what was done: status, explain."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from flatpipe.cli.options import A_PATH, config_options, place_options, read_config
from flatpipe.errors import ExitCode
from flatpipe.text import duration

if TYPE_CHECKING:
    from flatpipe.proof.status import RunStatus
    from flatpipe.proof.story import Story


@click.command(short_help="Say how far a run is, or how it ended.")
@place_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(place: str, overrides: tuple[str, ...], profile: str | None, as_json: bool) -> ExitCode:
    """Say how far a run is, or how it ended: state, images done, failed and left, rate, time left.

    PLACE is the config of the run (default: pipeline.yaml) or its output folder. Only the ledger is read: a run that
    goes on is not disturbed, on whatever machine it is. Exit code 0 whatever the state.

    \b
    Examples:
      flatpipe status outputs
      watch -n 10 flatpipe status
    """
    from flatpipe.cli.screen import print_json
    from flatpipe.plan.workspace import open_workspace
    from flatpipe.proof.recorded import recorded_config
    from flatpipe.proof.status import run_status

    with open_workspace(recorded_config(place, overrides, profile), for_writing=False, named=()) as workspace:
        found = run_status(workspace)
    if as_json:
        print_json({"event": "status", "left": found.left, **asdict(found)})
    else:
        click.echo(_status_text(found))
    return ExitCode.DONE


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


@click.command(short_help="Tell all that is known of one image.")
@click.argument("image", metavar="IMAGE", type=A_PATH)
@config_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def explain(image: str, config_path: str, overrides: tuple[str, ...], profile: str | None, as_json: bool) -> ExitCode:
    """Tell all that is known of one image: decoding, every k, files, digests, timings, failures, what is next and why.

    IMAGE is its id (the path below the input folder, as in results.csv), or the path of its file.

    \b
    Examples:
      flatpipe explain trips/a.jpg
      flatpipe explain photos/trips/a.jpg pipeline.yaml --json
    """
    from flatpipe.cli.screen import print_json
    from flatpipe.plan.workspace import open_workspace
    from flatpipe.proof.story import story_of
    from flatpipe.text import printable

    with open_workspace(read_config(config_path, overrides, profile), for_writing=False) as workspace:
        story = story_of(workspace, image)
    if as_json:
        print_json({"event": "image", **asdict(story)})
    else:
        click.echo("\n".join(map(printable, _story_lines(story))))
    return ExitCode.DONE


def _story_lines(story: Story) -> list[str]:
    source = story.source
    lines = [source.image_id + (f", frame {source.frame}" if source.frame else "")]
    lines.append(f"input:    {source.path}, {source.size:,} bytes")
    if story.content:
        decoded = f"{story.width} x {story.height} pixels, {story.distinct_colors:,} colours"
        lines += [f"sha256:   {story.content}", f"decoded:  {decoded}, in {story.seconds:.3f} s"]
        lines += [f"          {note}" for note in story.notes]
    for flat, file in story.flats:
        colors = f"{flat.n_colors} colours" if flat.n_colors != flat.k else "         "
        lines.append(
            f"k = {flat.k:<4d}  mse {flat.mse:10.3f} {colors} {flat.bytes:9,} bytes {flat.seconds:7.3f} s  {file}"
        )
        costly = "".join(f"  {name} {value:.4f}" for name, value in flat.metrics if value is not None)
        lines.append(f"          sha256 {flat.sha256}{costly}")
    if story.files:
        lines.append(f"all k:    in {story.sweep_seconds:.3f} s")
        lines += [f"          {sha256}  {name}" for name, sha256 in story.files]
    if story.failure:
        lines.append(
            f"failed:   {story.failure.message} ({story.failure.error}, {story.failure.stage}; {story.run_id})"
        )
    return [*lines, f"next:     {_next_words(story)}"]


def _next_words(story: Story) -> str:
    """What a run would do, and why."""
    if story.next is None:
        return "nothing: the file is gone from the input (`flatpipe clean` removes its outputs)"
    if story.next.is_current:
        return "nothing: everything is up to date"
    due = [f"k = {', '.join(map(str, story.next.ks))}"] if story.next.ks else []
    return f"{' and '.join([*due, *(['the sweep'] if story.next.sweep else [])])}, because: {story.next.reason}"
