"""Replacing the workers that a cluster of ours has lost: Dask's clusters go on counting them as theirs.

A nanny starts another process when its worker dies, but not when that happens while the worker starts; a job that the
queue ends is gone for good. Both are noticed here, struck off the cluster's list, and asked for again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

_LOST_SECONDS = 10.0
# ^ without a sign of life; a nanny needs two or three to start the next process


class Keeper:
    """Watches the workers of one cluster; clusters that keep no list of their own (Kubernetes, Gateway) are let be."""

    def __init__(self, cluster: Any, scale: Callable[[], object] | None) -> None:
        self._cluster, self._scale = cluster, scale
        # ^ scale: asks the cluster for its fixed size again; None where an adaptive cluster asks by itself
        self._seen: dict[Any, float] = {}

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
            elif name in self._seen and now - self._seen[name] > _LOST_SECONDS:
                del self._seen[name]
                specs.pop(name, None)
                is_changed = True
        if is_changed and self._scale is not None:
            self._scale()
