"""Commands that tell what was done: status, explain."""

from __future__ import annotations

from dataclasses import asdict

import click

from flatpipe.cli.options import A_PATH, PlaceChoice, place_options
from flatpipe.cli.sentences.parts import parts_text
from flatpipe.cli.sentences.telling import history_text, status_text
from flatpipe.cli.showing.json_lines import part_line, print_json
from flatpipe.cli.showing.speaking import say
from flatpipe.errors import ConfigError, ExitCode


@click.command(short_help="Say how far a run is, or how it ended.")
@place_options
@click.option("--array", is_flag=True, help="Only the parts to run, as sbatch --array takes them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(chosen: PlaceChoice, array: bool, as_json: bool) -> ExitCode:
    """Say how far a run is, or how it ended: state, images done, failed and left, rate, time left.

    Of a run in parts (flatpipe run --shard), how far each part is, and which are missing or were ended before they were
    done. With --array that list alone, such as 1,3-5; an empty line when no part is to be run.

    PLACE is the config of the run (default: pipeline.yaml) or its output folder. Only the ledger is read: a run that
    goes on is not disturbed, on whatever machine it is. Exit code 0 whatever the state.

    \b
    Examples:
      flatpipe status outputs
      watch -n 10 flatpipe status
      sbatch --array="$(flatpipe status --array)" part.sh
    """
    from flatpipe.plan.workspace import open_workspace
    from flatpipe.proof.parts import parts_status
    from flatpipe.proof.status import run_status

    with open_workspace(chosen.config(), "read", named=()) as workspace:
        parts = parts_status(workspace)
        if array and not parts.parts:
            raise ConfigError(f"{workspace.outputs.place}: no part of a run has been here yet")
        has_whole = workspace.ledger.last_run() is not None or not parts.parts
        found = run_status(workspace.ledger, workspace.ledger_path) if has_whole else None
    if array:
        say(parts.array)
    elif as_json:
        run = {} if found is None else {"left": found.left, **asdict(found)}
        told = [part_line(part) for part in (*parts.parts, *parts.others)]
        print_json({"event": "status", **run, "parts": told, "array": parts.array})
    else:
        say("\n".join([*([status_text(found)] if found else []), *([parts_text(parts)] if parts.parts else [])]))
    return ExitCode.DONE


@click.command(short_help="Tell all that is known of one image.")
@click.argument("image", metavar="IMAGE", type=A_PATH)
@place_options
@click.option("-v", "--verbose", is_flag=True, help="Digests and times too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def explain(image: str, chosen: PlaceChoice, verbose: bool, as_json: bool) -> ExitCode:
    """Tell all that is known of one image: decoding, every k with its quality and colours, files, failures, what is
    next and why.

    IMAGE is its id (the path below the input folder, as in results.csv), or the path of its file; PLACE is a config
    (default: pipeline.yaml) or an output folder.

    \b
    Examples:
      flatpipe explain trips/a.jpg
      flatpipe explain photos/trips/a.jpg outputs --json
    """
    from flatpipe.plan.workspace import open_workspace
    from flatpipe.proof.history import history_of, input_if_shared

    config, is_output = chosen.config(), chosen.is_output
    with (
        open_workspace(config, "read", named=() if is_output else None) as workspace,
        # ^ of an output folder the input need not be there
        workspace.planning(input_if_shared(config)) as planning,
    ):
        history = history_of(image, planning.planner, config)
    if as_json:
        print_json({"event": "image", **asdict(history)})
    else:
        say(history_text(history, verbose=verbose))
    return ExitCode.DONE
