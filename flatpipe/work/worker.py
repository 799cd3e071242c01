"""What one process keeps between its tasks."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from functools import cache

from flatpipe.storage.roots import Root, open_root
from flatpipe.work.cache import ByteBoundedCache
from flatpipe.work.loaded import LoadedImage

_REMEMBERED_RUNS = 64
# ^ stopped runs that are told apart: a worker of a shared cluster lives through many, and a run is stopped once


@dataclass
class Worker:
    """Decoded images, what decoding may take, and the runs that were stopped: the state of one process."""

    images: ByteBoundedCache[LoadedImage] = field(default_factory=lambda: ByteBoundedCache(1 << 30))
    # ^ a memo of reads, the same for all tasks of the process
    decode_bytes: int | None = None
    # ^ bytes that the process may take to decode one image; None: no limit beyond limits.max_pixels
    may_exit: bool = False
    # ^ whether the process's end is noticed and it is replaced: only then may a watchdog end it
    _stopped: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED_RUNS))
    _roots: dict[str, Root] = field(default_factory=dict)

    def configure(self, cache_bytes: int, decode_bytes: int | None = None) -> None:
        """Set how many bytes of decoded images the process may hold, and how many it may take to decode one."""
        self.images.capacity, self.decode_bytes = cache_bytes, decode_bytes

    def stop(self, run: str) -> None:
        """Begin no further work of a run whose user asked to stop."""
        if run not in self._stopped:
            self._stopped.append(run)

    def is_stopped(self, run: str) -> bool:
        """Whether the run's user asked to stop."""
        return run in self._stopped

    def root(self, place: str) -> Root:
        """The root of an output, opened once."""
        if place not in self._roots:
            self._roots[place] = open_root(place)
        return self._roots[place]


@cache
def this_worker() -> Worker:
    """The Worker of this process."""
    return Worker()


def stop_run(run: str) -> None:
    """Tell this process to begin no further work of a run; what a driver sends to its workers."""
    this_worker().stop(run)
