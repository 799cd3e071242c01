"""The command that deletes: clean."""

from __future__ import annotations

from dataclasses import asdict

import click

from flatpipe.cli.json_lines import print_json
from flatpipe.cli.options import ConfigChoice, config_options
from flatpipe.cli.speaking import remark, say
from flatpipe.errors import ExitCode
from flatpipe.text import counted, in_bytes, printable


@click.command(short_help="Delete outputs that nobody asks for any more.")
@config_options
@click.option("--yes", is_flag=True, help="Delete what is listed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per file, then the totals.")
@click.option("-q", "--quiet", is_flag=True, help="Only the last line.")
def clean(chosen: ConfigChoice, yes: bool, as_json: bool, quiet: bool) -> ExitCode:
    """List outputs that CONFIG no longer asks for; delete them with --yes.

    These are flat images of other k, outputs of images that are gone from the input, and files that a changed config
    left behind, such as a sweep.gif after animation.format: webp. Only what the ledger knows flatpipe wrote is ever
    deleted: a file whose bytes have changed since stays, and so does everything else. Old runs stay in runs/.

    \b
    Examples:
      flatpipe clean
      flatpipe clean --yes
    """
    from contextlib import closing

    from flatpipe.plan.workspace import open_workspace
    from flatpipe.proof.cleaning import forget, listed_input, remove, stale_files

    config = chosen.config()
    count = size = kept = 0
    with open_workspace(config, "amend") as workspace, closing(listed_input(config)) as present:
        ledger, outputs, ks = workspace.ledger, workspace.outputs, workspace.ks
        for file in stale_files(ledger, outputs, present, ks):
            kept += not file.is_ours
            count, size = count + file.is_ours, size + file.bytes * file.is_ours
            if as_json:
                print_json({"event": "file", **asdict(file)})
            elif not quiet:
                why = file.why if file.is_ours else f"{file.why}, but changed since it was written: kept"
                say(printable(f"{file.name}: {why}"))
            if yes and file.is_ours:
                remove(outputs, file)
        if yes:
            forget(ledger, present, ks)
    done = "deleted" if yes else "to delete"
    if as_json:
        print_json({"event": "clean", "files": count, "bytes": size, "kept": kept, "deleted": yes})
    else:
        say(f"{done}: {counted(count, 'file')}, {in_bytes(size)}" + (f"; {kept} kept" if kept else ""))
        if count and not yes:
            remark("nothing was deleted; --yes does it")
    return ExitCode.DONE
