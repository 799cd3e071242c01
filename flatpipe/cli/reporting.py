"""The command that shows anew what was done: report."""

from __future__ import annotations

import click

from flatpipe import layout
from flatpipe.cli.options import PlaceChoice, place_options
from flatpipe.cli.showing.json_lines import print_json
from flatpipe.cli.showing.speaking import say
from flatpipe.errors import ExitCode, RunGivenUp
from flatpipe.text import printable


@click.command(short_help="Write tables and report anew, from the ledger alone.")
@place_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object: where they are.")
def report(chosen: PlaceChoice, as_json: bool) -> ExitCode:
    """Write results.csv, failures.csv, index.html and gallery/ anew, from the ledger alone.

    PLACE is a config (default: pipeline.yaml) or an output folder, wherever it lies now. No image is opened and the
    input need not be there: only thumbnails and previews, which runs make, stay as they are. After a stopped run it
    shows what is done so far; with report.enabled: false it writes the report that the run did not.

    \b
    Examples:
      flatpipe report
      flatpipe report outputs
    """
    from flatpipe.plan.workspace import open_workspace
    from flatpipe.running.finishing import write_report

    config = chosen.config()
    with open_workspace(config, "amend", named=()) as workspace:
        try:
            write_report(workspace, chosen.command)
        except OSError as error:
            raise RunGivenUp(f"the output cannot be written: {error.strerror or error}") from error
        root = workspace.outputs.place
    files = {"report": layout.INDEX, "results": layout.RESULTS, "failures": layout.FAILURES}
    places: dict[str, str | None] = {name: f"{root}/{file}" for name, file in files.items()}
    if config.why_no_report:
        places["report"] = None
    if as_json:
        print_json({"event": "report", **places})
    else:
        none = f"none: {config.why_no_report}"
        say("\n".join(printable(f"{name + ':':9s} {place or none}") for name, place in places.items()))
    return ExitCode.DONE
