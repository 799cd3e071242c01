"""Runs in parts: which part `run --shard` means, and the command that joins them, merge."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from flatpipe.cli.options import PlaceChoice, place_options
from flatpipe.cli.sentences.parts import lacking_text, merged_text
from flatpipe.cli.showing.json_lines import part_line, print_json
from flatpipe.cli.showing.speaking import remark, say
from flatpipe.errors import ExitCode
from flatpipe.text import printable

if TYPE_CHECKING:
    from flatpipe.config import Config
    from flatpipe.plan.parts.part import RunPart


@click.command(short_help="Join the parts of a run: one ledger, tables, report, lock.")
@place_options
@click.option("--json", "as_json", is_flag=True, help="One JSON line per part, then one for the whole.")
@click.option("-q", "--quiet", is_flag=True, help="Only the last line.")
def merge(chosen: PlaceChoice, as_json: bool, quiet: bool) -> ExitCode:
    """Join what the parts of a run have recorded (flatpipe run --shard I/N), and write tables, report and
    flatpipe.lock, just as one run would.

    PLACE is the config of the run (default: pipeline.yaml) or its output folder. The input need not be there. While a
    part is missing, at work, or was ended before it was done, nothing is written: exit code 4, and each such part is
    named, also as `sbatch --array` takes them. Images that failed are results, as in a run. The parts' own ledgers
    stay: parts may run again, and be merged again.

    \b
    Examples:
      flatpipe merge
      flatpipe merge outputs
    """
    from flatpipe.running.merging import merge as merge_parts

    def tell(text: str) -> None:
        if not quiet:
            remark(printable(text))

    merged = merge_parts(chosen.config(of_parts=True), tell, chosen.command)
    summary = merged.summary
    if as_json:
        for part in merged.status.parts:
            print_json(part_line(part))
        told = {"event": "merge", "array": merged.status.array, "lacking": len(merged.status.lacking)}
        print_json({**told, "run": None if summary is None else asdict(summary)})
    else:
        say(lacking_text(merged.status, quiet=quiet) if summary is None else merged_text(summary, merged.status))
    return ExitCode.DIFFERENT if summary is None else summary.exit_code


def chosen_part(shard: str, config: Config, *, quiet: bool) -> RunPart:
    """The part that `--shard` names: 2/8 as such, auto by the variables of a SLURM array; raises ConfigError."""
    from flatpipe.plan.parts.array import AUTO, part_of_task
    from flatpipe.plan.parts.part import parse_part
    from flatpipe.plan.parts.places import parts_there
    from flatpipe.plan.workspace import ledger_path_of
    from flatpipe.storage.roots import open_root

    if shard.partition("/")[0] != AUTO:
        return parse_part(shard)
    there = parts_there(open_root(config.output.path), ledger_path_of(config))
    found = part_of_task(shard, os.environ, {part.count for part in there})
    if found.note and not quiet:
        remark(printable(found.note))
    return found.part
