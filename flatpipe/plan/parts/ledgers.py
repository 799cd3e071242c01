"""The ledger of another to read, wherever it lies: in its own folder, or as the copy that it has left in the output."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flatpipe import layout
from flatpipe.ledger.ledger import Ledger
from flatpipe.places import is_url
from flatpipe.plan.parts.part import RunPart
from flatpipe.plan.parts.places import part_ledger_path, part_root
from flatpipe.storage.roots import Root


@contextlib.contextmanager
def newest_ledger(root: Root, path: str) -> Iterator[str | None]:
    """Where a ledger can be read whose own path is given, and whose copies go to `root`; None where there is none.

    What must be fetched lasts as long as the context. Raises ConfigError when it cannot be read, OSError.
    """
    with tempfile.TemporaryDirectory(prefix="flatpipe-") as folder:
        found = [path] if Path(path).exists() else []
        copy = _copy(root, path, folder)
        yield _newest([*found, copy] if copy else found)


def read_run(root: Root) -> dict[str, Any]:
    """What the run.json of an output, or of a part, tells; empty where there is none."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, ValueError):
        told = json.loads(root.read(layout.RUN))
        return told if isinstance(told, dict) else {}
    return {}


def last_run_of(root: Root) -> str:
    """The id of the run that has left run.json there; "" where that cannot be told. Raises OSError."""
    with contextlib.suppress(KeyError, TypeError):
        return str(read_run(root)["summary"]["run_id"])
    return ""


@contextlib.contextmanager
def newest_ledger_of(part: RunPart, outputs: Root, whole_ledger_path: str) -> Iterator[str | None]:
    """The same of a part's ledger."""
    with newest_ledger(part_root(outputs, part), part_ledger_path(whole_ledger_path, part)) as path:
        yield path


def _copy(root: Root, path: str, folder: str) -> str:
    """Path of the copy in the output; "" where there is none, or the ledger itself lies there."""
    if is_url(root.place):
        copy = f"{folder}/{layout.LEDGER}"
        return copy if root.fetch(layout.LEDGER, copy) else ""
    copy = f"{root.place}/{layout.LEDGER}"
    return copy if Path(root.place) != Path(path).parent and Path(copy).exists() else ""


def _newest(paths: list[str]) -> str | None:
    """Of a ledger and its copy the one that knows the other's last run: who goes on elsewhere begins with the copy."""
    if len(paths) < 2:
        return paths[0] if paths else None
    own, copy = paths
    with (
        contextlib.closing(Ledger(own, read_only=True)) as first,
        contextlib.closing(Ledger(copy, read_only=True)) as second,
    ):
        run = second.last_run()
        return own if run is None or first.joined.holds(run.run_id) else copy
