"""Commands that prove: verify, diff."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

from flatpipe.cli.options import A_PATH, PlaceChoice, gathered, place_options
from flatpipe.cli.sentences.proving import compared_text, difference_text, verified_text
from flatpipe.cli.showing.json_lines import print_json
from flatpipe.cli.showing.speaking import remark, say
from flatpipe.errors import ExitCode, FlatpipeError
from flatpipe.text import printable

if TYPE_CHECKING:
    from flatpipe.ledger.ledger import Ledger
    from flatpipe.plan.workspace import Workspace
    from flatpipe.proof.outputs import Difference
    from flatpipe.proof.verify import Verified

_LINE_EVERY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class VerifyFlags:
    """What is verified, and how it is told."""

    recompute: int
    # ^ images to do again
    seed: int
    outputs_only: bool
    jobs: int | None
    # ^ threads that read; None: one per core
    as_json: bool
    quiet: bool


@click.command(short_help="Check outputs and inputs against their recorded digests.")
@place_options
@gathered(
    VerifyFlags,
    "flags",
    click.option(
        "--recompute", type=click.IntRange(0), metavar="N", default=0, help="Also do N images again, in memory."
    ),
    click.option("--seed", type=int, metavar="N", default=0, show_default=True, help="Draws the N images."),
    click.option("--outputs-only", is_flag=True, help="Leave the inputs unread."),
    click.option("-j", "--jobs", type=click.IntRange(1), metavar="N", help="Threads that read; default: one per core."),
    click.option("--json", "as_json", is_flag=True, help="One JSON line per difference, then the totals."),
    click.option("-q", "--quiet", is_flag=True, help="Only the last line."),
)
def verify(chosen: PlaceChoice, flags: VerifyFlags) -> ExitCode:
    """Check every output, and every input, against its sha256 in the ledger.

    PLACE is a config (default: pipeline.yaml) or an output folder, wherever it lies now. Exit code 0 when all bytes are
    as recorded, 4 with a list of what is not. The ledger notes what differs, so that the next `flatpipe run`, which
    itself trusts size and ledger, makes it again; nothing else is written.

    \b
    Examples:
      flatpipe verify
      flatpipe verify outputs --recompute 50
    """
    from flatpipe.plan.workspace import open_workspace
    from flatpipe.proof.verify import Verified

    counts, differences = Verified(), []
    with open_workspace(chosen.config(), "amend", named=()) as workspace, _told(counts, quiet=flags.quiet):
        try:
            for difference in _found(workspace, counts, flags):
                differences.append(difference)
                if flags.as_json:
                    print_json({"event": "difference", **asdict(difference)})
                elif not flags.quiet:
                    say(difference_text(difference))
        finally:
            noted = _note(workspace.ledger, differences)
            # ^ also when whoever read them has left: the next run must know
    if flags.as_json:
        print_json({"event": "verify", "differences": len(differences), **asdict(counts)})
    else:
        say(verified_text(counts, len(differences)))
    if noted:
        remark(noted)
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
    from flatpipe.proof.compare import Compared, compare

    counts, differences = Compared(), 0
    for difference in compare(first, second, counts):
        differences += 1
        if as_json:
            print_json({"event": "difference", "difference": difference})
        elif not quiet:
            say(printable(difference))
    if as_json:
        print_json({"event": "diff", "differences": differences, **asdict(counts)})
    else:
        say(compared_text(counts, differences))
    return ExitCode.DIFFERENT if differences else ExitCode.DONE


def _found(workspace: Workspace, counts: Verified, flags: VerifyFlags) -> Iterator[Difference]:
    from flatpipe.proof.outputs import recorded_images
    from flatpipe.proof.packs.verified import VerifiedPacks
    from flatpipe.proof.recorded import check_recorded
    from flatpipe.proof.verify import verify as verify_outputs
    from flatpipe.proof.verify import verify_beside

    check_recorded(workspace.ledger, workspace.ledger_path)
    recorded = partial(recorded_images, workspace.ledger, workspace.results, workspace.config)
    jobs = flags.jobs or os.cpu_count() or 1
    damaged = set()
    inputs = None if flags.outputs_only else workspace.settings.reading
    packs = None
    if workspace.settings.pieces:
        packs = VerifiedPacks(workspace.ledger, workspace.outputs, workspace.settings.name_width)
        yield from packs.look(jobs)
    for difference in verify_outputs(recorded(), workspace.outputs, counts, jobs, inputs=inputs, packs=packs):
        damaged.add(difference.image_id)
        yield difference
    yield from verify_beside(workspace.ledger, workspace.outputs, counts, jobs)
    if flags.recompute:
        from flatpipe.proof.recompute import recompute, sample
        from flatpipe.system.c_libraries import silence_c_libraries

        silence_c_libraries()
        alike = workspace.ledger.results(workspace.digests, strict=True)
        # ^ under one choice of settings, which is that of the recomputation
        images = recorded_images(workspace.ledger, alike, workspace.config)
        drawn = sample(images, flags.recompute, flags.seed, damaged)
        yield from recompute(drawn, workspace.settings_for, counts, jobs)


@contextlib.contextmanager
def _told(counts: Verified, *, quiet: bool) -> Iterator[None]:
    """Say on stderr every ten seconds how far it is."""
    over = threading.Event()

    def tell() -> None:
        while not over.wait(_LINE_EVERY_SECONDS):
            recomputed = f", {counts.recomputed} recomputed" * bool(counts.recomputed)
            remark(f"{counts.images} images verified{recomputed}")

    if not quiet:
        threading.Thread(target=tell, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _note(ledger: Ledger, differences: list[Difference]) -> str:
    """Note the differences in the ledger; words about it for the user."""
    from flatpipe.proof.verify import invalidate

    repairable = [difference for difference in differences if "recomputed" not in difference.kind]
    words = []
    if repairable:
        try:
            invalidate(ledger, repairable)
            words.append("noted in the ledger: `flatpipe run` makes these outputs again")
        except FlatpipeError as error:
            words.append(f"{error}; `flatpipe run` will not see what was changed")
    if any(difference.kind == "recomputed otherwise" for difference in differences):
        words.append("this machine makes other bytes; `flatpipe run --locked` names the versions that differ")
    return "\n".join(words)
