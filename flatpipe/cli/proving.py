"""Commands that prove: verify, diff."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from flatpipe.cli.options import A_PATH, place_options
from flatpipe.errors import ExitCode, FlatpipeError

if TYPE_CHECKING:
    from flatpipe.plan.workspace import Workspace
    from flatpipe.proof.verify import Difference, Verified

_LINE_EVERY_SECONDS = 10.0


@click.command(short_help="Check outputs and inputs against their recorded digests.")
@place_options
@click.option("--recompute", type=click.IntRange(0), metavar="N", default=0, help="Also do N images again, in memory.")
@click.option("--seed", type=int, metavar="N", default=0, show_default=True, help="Draws the N images.")
@click.option("--outputs-only", is_flag=True, help="Leave the inputs unread.")
@click.option("-j", "--jobs", type=click.IntRange(1), metavar="N", help="Threads that read; default: one per core.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per difference, then the totals.")
@click.option("-q", "--quiet", is_flag=True, help="Only the last line.")
def verify(place: str, overrides: tuple[str, ...], profile: str | None, **flags: object) -> ExitCode:
    """Check every output, and every input, against its sha256 in the ledger.

    PLACE is a config (default: pipeline.yaml) or an output folder, wherever it lies now. Exit code 0 when all bytes are
    as recorded, 4 with a list of what is not. The ledger notes what differs, so that the next `flatpipe run`, which
    itself trusts size and ledger, makes it again; nothing else is written.

    \b
    Examples:
      flatpipe verify
      flatpipe verify outputs --recompute 50
    """
    from flatpipe.cli.screen import print_json
    from flatpipe.plan.workspace import only_run, open_workspace
    from flatpipe.proof.outputs import require_ledger
    from flatpipe.proof.recorded import recorded_config
    from flatpipe.proof.verify import Verified

    counts, differences = Verified(), []
    config = recorded_config(place, overrides, profile)
    with open_workspace(config, for_writing=False, named=()) as workspace:
        require_ledger(workspace)
        with only_run(workspace.ledger_path), _told(counts, quiet=bool(flags["quiet"])):
            for difference in _found(workspace, counts, flags):
                differences.append(difference)
                if flags["as_json"]:
                    print_json({"event": "difference", **asdict(difference)})
                elif not flags["quiet"]:
                    _say(f"{difference.kind}: {difference.name}" + f" ({difference.detail})" * bool(difference.detail))
            noted = _note(workspace, differences)
    if flags["as_json"]:
        print_json({"event": "verify", "differences": len(differences), **asdict(counts)})
    else:
        _say(_verified_text(counts, len(differences)))
    if noted:
        click.echo(noted, err=True)
    return ExitCode.DIFFERENT if differences else ExitCode.DONE


@click.command(short_help="Compare two output folders, or two locks.")
@click.argument("first", metavar="A", type=A_PATH)
@click.argument("second", metavar="B", type=A_PATH)
@click.option("--json", "as_json", is_flag=True, help="One JSON line per difference, then the totals.")
@click.option("-q", "--quiet", is_flag=True, help="Only the last line.")
def diff(first: str, second: str, as_json: bool, quiet: bool) -> ExitCode:
    """Compare two output folders, or two locks; exit code 4 when they differ.

    Of two folders (or URLs) every file below images/ is compared byte by byte. Of two flatpipe.lock files, or a folder
    and a lock, the lines are compared: settings, versions, and each image's input and outputs.

    \b
    Examples:
      flatpipe diff outputs other-outputs
      flatpipe diff flatpipe.lock outputs
    """
    from flatpipe.cli.screen import print_json
    from flatpipe.proof.compare import Compared, compare

    counts, differences = Compared(), 0
    for difference in compare(first, second, counts):
        differences += 1
        if as_json:
            print_json({"event": "difference", "difference": difference})
        elif not quiet:
            _say(difference)
    if as_json:
        print_json({"event": "diff", "differences": differences, **asdict(counts)})
    else:
        compared = f"{counts.files} files" if counts.files else f"{counts.images} images of two locks"
        _say(f"compared {compared}: {differences or 'no'} difference{'s' * (differences != 1)}")
    return ExitCode.DIFFERENT if differences else ExitCode.DONE


def _found(workspace: Workspace, counts: Verified, flags: dict[str, object]) -> Iterator[Difference]:
    from flatpipe.proof.verify import verify as verify_outputs

    jobs = int(str(flags["jobs"] or os.cpu_count() or 1))
    damaged = set()
    for difference in verify_outputs(workspace, counts, jobs, inputs=not flags["outputs_only"]):
        damaged.add(difference.image_id)
        yield difference
    if number := int(str(flags["recompute"])):
        from flatpipe.c_libraries import silence_c_libraries
        from flatpipe.proof.recompute import recompute, sample

        silence_c_libraries()
        images = sample(workspace, number, int(str(flags["seed"])), damaged)
        yield from recompute(workspace, images, counts, jobs)


@contextlib.contextmanager
def _told(counts: Verified, *, quiet: bool) -> Iterator[None]:
    """Say on stderr every ten seconds how far it is."""
    over = threading.Event()

    def tell() -> None:
        while not over.wait(_LINE_EVERY_SECONDS):
            recomputed = f", {counts.recomputed} recomputed" * bool(counts.recomputed)
            click.echo(f"{counts.images} images verified{recomputed}", err=True)

    if not quiet:
        threading.Thread(target=tell, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _note(workspace: Workspace, differences: list[Difference]) -> str:
    """Note the differences in the ledger; words about it for the user."""
    import sqlite3

    from flatpipe.ledger.ledger import Ledger
    from flatpipe.proof.verify import dispute

    repairable = [difference for difference in differences if "recomputed" not in difference.kind]
    words = []
    if repairable:
        try:
            ledger = Ledger(workspace.ledger_path)
            dispute(ledger, repairable)
            ledger.close()
            words.append("noted in the ledger: `flatpipe run` makes these outputs again")
        except (sqlite3.Error, FlatpipeError) as error:
            words.append(f"the ledger cannot be written ({error}): `flatpipe run` will not see what was changed")
    if any(difference.kind == "recomputed otherwise" for difference in differences):
        words.append("this machine makes other bytes; `flatpipe run --locked` names the versions that differ")
    return "\n".join(words)


def _verified_text(counts: Verified, differences: int) -> str:
    from flatpipe.text import counted

    words = f"{counted(counts.outputs, 'output')} of {counted(counts.images, 'image')}"
    words += f" and {counted(counts.inputs, 'input')}" * bool(counts.inputs)
    words += f", {counted(counts.recomputed, 'image')} recomputed" * bool(counts.recomputed)
    lines = [f"verified {words}: {differences or 'no'} difference{'s' * (differences != 1)}"]
    if counts.unfinished:
        unfinished = f"{counted(counts.unfinished, 'image')} {'is' if counts.unfinished == 1 else 'are'}"
        lines.append(f"{unfinished} not (all) done with these settings: nothing to verify there")
    return "\n".join(lines)


def _say(text: str) -> None:
    from flatpipe.text import printable

    click.echo("\n".join(map(printable, text.split("\n"))))
