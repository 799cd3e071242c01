"""Whose an output folder is: a first run writes over nothing that another has put there."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from flatpipe import layout
from flatpipe.errors import ConfigError
from flatpipe.ledger.database import sound
from flatpipe.ledger.ledger import Ledger
from flatpipe.storage.roots import Root

_FILES = (
    *(layout.INDEX, layout.RESULTS, layout.FAILURES, layout.COLORS, layout.FEATURES),
    *(layout.RUN, layout.LOCK, layout.TABLES),
)
_FOLDERS = (layout.PARTIAL, *layout.FOLDERS)


def check_claim(outputs: Root, ledger_path: str, *, for_part: bool = False) -> None:
    """Raise ConfigError, naming them, when files lie where a run would write and no run of ours has been there.

    A part of a run writes to one folder more.
    """
    try:
        there = outputs.sizes("")
        if layout.LEDGER in there or _is_recorded(outputs, ledger_path):
            return
        folders = (*_FOLDERS, layout.PARTS) if for_part else _FOLDERS
        names = [*(name for name in _FILES if name in there), *filter(None, map(outputs.first_file, folders))]
        if not names or _is_ours(outputs) or _has_parts(outputs):
            return
    except OSError as error:
        raise ConfigError(f"{outputs.place}: output.path cannot be read: {error.strerror or error}") from error
    raise ConfigError(
        f"{outputs.place}: output.path holds files where a run would write, and no ledger of an earlier run: "
        f"{', '.join(names)}; name an empty folder, or move them away"
    )


def _is_recorded(outputs: Root, ledger_path: str) -> bool:
    """Whether a ledger that is kept elsewhere knows of a run that wrote here."""
    if not Path(ledger_path).exists():
        return False
    with contextlib.closing(Ledger(ledger_path, read_only=True)) as ledger, sound(ledger_path):
        run = ledger.last_run()
        return run is not None and json.loads(run.config)["output"]["path"] == outputs.place


def _has_parts(outputs: Root) -> bool:
    """Whether a part of a run has been there: it makes its folder before all else."""
    return any(map(layout.part_of_name, outputs.folders(layout.PARTS)))


def _is_ours(outputs: Root) -> bool:
    """Whether a run.json of ours lies there: a ledger that was removed is no reason to refuse."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        return "flatpipe" in json.loads(outputs.read(layout.RUN))["environment"]
    return False
