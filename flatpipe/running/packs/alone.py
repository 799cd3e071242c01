"""Shards packed from a ledger alone, when nothing else is to be done: at the end of a merge."""

from __future__ import annotations

from dataclasses import replace

from dask.delayed import Delayed

from flatpipe.engines.bundle import Bundle, Bundler
from flatpipe.engines.execute import execute
from flatpipe.engines.local import ThreadsEngine
from flatpipe.plan.workspace import Workspace
from flatpipe.running.packs.packing import Packing
from flatpipe.stop import StopRequest
from flatpipe.system.machine import core_count


def pack_all(workspace: Workspace, run: str) -> None:
    """Pack what a ledger tells of by itself, all images of its plan being done or failed; raises RunGivenUp."""
    packing = Packing.begun(workspace, replace(workspace.settings, run=run), is_done=True)
    if packing.is_due:
        engine = ThreadsEngine(run, core_count(), _untold)
        try:
            for _ in execute(Bundler((), 0, "image", 0.0), engine, _no_graph, StopRequest(), packing):
                pass
        finally:
            engine.close()
    packing.finish()


def _untold(what: str) -> None:
    """Tell nobody."""


def _no_graph(bundle: Bundle, attempt: int) -> Delayed:
    raise NotImplementedError
