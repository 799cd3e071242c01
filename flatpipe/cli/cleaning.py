"""The command that deletes: clean."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import click

from flatpipe.cli.options import ConfigChoice, config_options
from flatpipe.cli.sentences.proving import stale_text
from flatpipe.cli.showing.json_lines import print_json
from flatpipe.cli.showing.speaking import remark, say
from flatpipe.errors import ConfigError, ExitCode
from flatpipe.text import counted, in_bytes

if TYPE_CHECKING:
    from flatpipe.proof.cleaning import Cleaning, StaleFile

_DEFAULT_CONFIG = "pipeline.yaml"


_UNCOUNTED = -1
# ^ value of a --yes without a number


class _Clean(click.Command):
    """A command whose --yes takes a number, and nothing else that happens to follow it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, with the number that a bare --yes lacks."""
        told = [
            f"--yes={_UNCOUNTED}" if argument == "--yes" and not after.isdecimal() else argument
            for argument, after in pairwise([*args, ""])
        ]
        return super().parse_args(ctx, told)


@click.command(cls=_Clean, short_help="Delete outputs that nobody asks for any more.")
@config_options
@click.option(
    "--yes",
    "agreed",
    type=int,
    metavar="[N]",
    help="Delete what is listed: a tenth of all outputs at most, or N files.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line per file, then the totals.")
@click.option("-q", "--quiet", is_flag=True, help="Only the last line.")
def clean(chosen: ConfigChoice, agreed: int | None, as_json: bool, quiet: bool) -> ExitCode:
    """List outputs that CONFIG no longer asks for; delete them with --yes.

    These are flat images of other k, outputs of images that are gone from the input, and files that a changed config
    left behind, such as a sweep.gif after animation.format: webp. Only what the ledger knows flatpipe wrote is ever
    deleted: a file whose bytes have changed since stays, and so does everything else. Old runs stay in runs/.

    An input that is empty, or cannot be read in full, may not be mounted: then nothing is deleted. Where more than a
    tenth of all outputs would go, --yes needs their number; the list ends with the command.

    \b
    Examples:
      flatpipe clean
      flatpipe clean --yes
      flatpipe clean --yes 4200
    """
    from flatpipe.plan.workspace import open_workspace
    from flatpipe.proof.cleaning import Cleaning, forget, obstacle, remove, stale_files
    from flatpipe.proof.listed_input import ListedInput

    config, counts = chosen.config(), Cleaning()
    with open_workspace(config, "amend") as workspace, closing(ListedInput(config)) as listed:
        ledger, outputs, ks = workspace.ledger, workspace.outputs, workspace.ks
        stale = stale_files(ledger, outputs, listed, ks, counts)
        for (image_id, why, is_ours), files in groupby(stale, lambda file: (file.image_id, file.why, file.is_ours)):
            _show(image_id, list(files), why=why, is_ours=is_ours, as_json=as_json, quiet=quiet)
        refusal = obstacle(counts, listed, None if agreed == _UNCOUNTED else agreed, _command(chosen))
        if agreed is not None and refusal:
            raise ConfigError(f"nothing was deleted: {refusal}")
        if agreed is not None:
            for file in stale_files(ledger, outputs, listed, ks, Cleaning()):
                if file.is_ours:
                    remove(outputs, file)
            forget(ledger, listed, ks)
    _tell(counts, as_json=as_json, deleted=agreed is not None)
    if counts.files and agreed is None and not as_json:
        remark(f"nothing was deleted; {refusal or f'{_command(chosen)} --yes does it'}")
    return ExitCode.DONE


def _show(image_id: str, files: Sequence[StaleFile], *, why: str, is_ours: bool, as_json: bool, quiet: bool) -> None:
    """The stale files of one image that have one reason, in one line."""
    if as_json:
        for file in files:
            print_json({"event": "file", **asdict(file)})
    elif not quiet:
        say(stale_text(image_id, [file.name for file in files], why, is_ours=is_ours))


def _tell(counts: Cleaning, *, as_json: bool, deleted: bool) -> None:
    if as_json:
        totals = {"files": counts.files, "bytes": counts.bytes, "kept": counts.kept, "deleted": deleted}
        print_json({"event": "clean", **totals})
        return
    if not counts.files and not counts.kept:
        say("nothing to delete")
        return
    done, kept = "deleted" if deleted else "to delete", f"; {counts.kept} kept" if counts.kept else ""
    say(f"{done}: {counted(counts.files, 'file')}, {in_bytes(counts.bytes)}{kept}")


def _command(chosen: ConfigChoice) -> str:
    """The command line without --yes, as a shell takes it."""
    words = [] if chosen.config_path == _DEFAULT_CONFIG else [chosen.config_path]
    words += [word for override in chosen.overrides for word in ("-s", override)]
    words += [] if chosen.profile is None else ["--profile", chosen.profile]
    return shlex.join(["flatpipe", "clean", *words])
