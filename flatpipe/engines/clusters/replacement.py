"""Replacing the workers that a cluster of ours has lost: Dask's clusters go on counting them as theirs.

A nanny starts another process when its worker dies, but not when that happens while the worker starts; a job that the
queue ends is gone for good. Both are noticed here, struck off the cluster's lists, and asked for again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import dask
from dask.utils import parse_timedelta

LOST_WORKER_TIMEOUT = "distributed.deploy.lost-worker-timeout"
_DEATHS = 4
# ^ of each worker, before one is there: then none will come
_LATER_SECONDS = 2.0
# ^ after Dask's own timeout, when the cluster closes what it has lost by name: a replacement gets the same name, and
#   would be closed too if it had come before


class Replacement:
    """Watches the workers of one cluster; clusters that keep no list of their own (Kubernetes, Gateway) are let be."""

    def __init__(self, cluster: Any, scale: Callable[[], object] | None) -> None:
        self._cluster, self._scale = cluster, scale
        # ^ scale: asks the cluster for its fixed size again; None where an adaptive cluster asks by itself
        self._patience = parse_timedelta(dask.config.get(LOST_WORKER_TIMEOUT, "15s")) + _LATER_SECONDS
        self._seen: dict[Any, float] = {}
        self.deaths = 0
        # ^ workers that ended before they were ready

    @property
    def is_in_vain(self) -> bool:
        """Whether workers have ended as they started so often that none will come."""
        specs = getattr(self._cluster, "worker_spec", None)
        return isinstance(specs, dict) and self.deaths >= _DEATHS * max(1, len(specs))

    def look(self) -> None:
        """Strike off what was there and has been gone for a while, and have it replaced."""
        specs = getattr(self._cluster, "worker_spec", None)
        if not isinstance(specs, dict):
            return
        now, is_changed = time.monotonic(), False
        here = {str(worker["name"]) for worker in list(self._cluster.scheduler_info["workers"].values())}
        for name, spec in list(specs.items()):
            if here & {f"{name}{suffix}" for suffix in spec.get("group", ("",))}:
                self._seen[name] = now
            elif (has_failed := self._has_failed(name)) or (
                name in self._seen and now - self._seen[name] > self._patience
            ):
                self.deaths += has_failed
                self._seen.pop(name, None)
                self._strike_off(name)
                is_changed = True
        if is_changed and self._scale is not None:
            self._scale()

    def _has_failed(self, name: Any) -> bool:
        """Whether a worker ended before it was ready, of which no one else hears; a job in a queue has not."""
        status = getattr(self._cluster.workers.get(name), "status", None)
        return name not in self._seen and getattr(status, "name", "") == "failed"

    def _strike_off(self, name: Any) -> None:
        self._cluster.worker_spec.pop(name, None)
        lost = self._cluster.workers.pop(name, None)
        if lost is not None:
            self._cluster.loop.add_callback(lost.close)
            # ^ a nanny or a job without its workers: Dask itself closes single workers only
