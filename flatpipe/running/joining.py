"""What ledgers beside a run's own have recorded, taken in before it plans: nothing is done twice.

A ledger knows which runs it holds the results of. It takes in another one whole, when it lacks the other's last run.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from flatpipe.errors import ConfigError
from flatpipe.ledger.database import Tell
from flatpipe.ledger.ledger import Ledger
from flatpipe.places import is_url
from flatpipe.plan.parts.ledgers import last_run_of, newest_ledger, newest_ledger_of
from flatpipe.plan.parts.places import parts_there
from flatpipe.plan.workspace import Workspace
from flatpipe.text import counted


def take_in_others(workspace: Workspace, tell: Tell) -> None:
    """For a whole run take in what parts have recorded, for a part what a whole run has; commits nothing.

    What cannot be read is told, and done again. Raises ConfigError when the places cannot be listed.
    """
    try:
        if workspace.part is None:
            _take_in_parts(workspace, tell)
        else:
            _take_in_whole(workspace, tell)
    except OSError as error:
        raise ConfigError(f"{workspace.outputs.place}: cannot be read: {error.strerror or error}") from error


def has_news(ledger: Ledger, path: str) -> bool:
    """Whether another ledger's last run is none that this one holds; raises ConfigError when it cannot be read."""
    with contextlib.closing(Ledger(path, read_only=True)) as other:
        run = other.last_run()
    return run is not None and not ledger.joined.holds(run.run_id)


def _is_known(run_id: str, ledger: Ledger) -> bool:
    return bool(run_id) and ledger.joined.holds(run_id)


def _take_in_parts(workspace: Workspace, tell: Tell) -> None:
    ledger, places, taken = workspace.ledger, (workspace.outputs, workspace.places.whole_ledger_path), 0
    for part in parts_there(*places):
        try:
            with newest_ledger_of(part, *places) as path:
                if path is not None and has_news(ledger, path):
                    ledger.joined.take_in(path)
                    taken += 1
        except ConfigError as error:
            tell(f"part {part} is passed over: {error}")
    if taken:
        tell(f"took in what {counted(taken, 'part')} of earlier runs have recorded")


def _take_in_whole(workspace: Workspace, tell: Tell) -> None:
    assert workspace.part is not None
    path, outputs = workspace.places.whole_ledger_path, workspace.outputs
    if is_url(outputs.place) and not Path(path).exists() and _is_known(last_run_of(outputs), workspace.ledger):
        return
        # ^ nothing new in the copy: it is not fetched
    try:
        with newest_ledger(outputs, path) as newest:
            if newest is None:
                return
            if has_news(workspace.ledger, newest):
                workspace.ledger.joined.take_whole(newest, workspace.part.holds)
            workspace.ledger.joined.take_doubts(newest)
    except ConfigError as error:
        tell(f"what whole runs have recorded is passed over: {error}")
