"""Where the parts of a run lie: below the output and below the state folder, each in a folder of its own."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from flatpipe import layout
from flatpipe.plan.held_output import Leased
from flatpipe.plan.parts.part import RunPart, part_named
from flatpipe.storage.roots import Root, open_root


def part_ledger_path(whole_ledger_path: str, part: RunPart) -> str:
    """The ledger of a part, below the folder of that of a whole run."""
    return f"{Path(whole_ledger_path).parent}/{part.folder}/{layout.LEDGER}"


def part_root(outputs: Root, part: RunPart) -> Root:
    """The folder of a part in the output."""
    return open_root(f"{outputs.place}/{part.folder}")


def parts_there(outputs: Root, whole_ledger_path: str) -> list[RunPart]:
    """Every part of which something lies in the output or in the state folder, in order; raises OSError."""
    names = set(outputs.folders(layout.PARTS))
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        names |= set(os.listdir(Path(whole_ledger_path).parent / layout.PARTS))  # noqa: PTH208 - names, not paths
    return sorted(part for name in names if (part := part_named(name)))


def part_leases(outputs: Root, whole_ledger_path: str) -> list[Leased]:
    """The places of all parts in whose folders a lease lies; raises OSError."""
    parts = {part.folder: part for name in outputs.folders(layout.PARTS) if (part := part_named(name))}
    return [
        Leased(part_root(outputs, parts[folder]), part_ledger_path(whole_ledger_path, parts[folder]))
        for folder, files in outputs.sizes_of(list(parts)).items()
        if layout.LEASE in files
    ]
