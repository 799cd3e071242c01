"""What one process keeps between its tasks."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from flatpipe.quantize.shared.group_colors import GroupColors
from flatpipe.stop import StopRequest
from flatpipe.storage.roots import Root, open_root
from flatpipe.system.stacks import thread_stacks
from flatpipe.work.cache import ByteBoundedCache
from flatpipe.work.loaded import LoadedImage
from flatpipe.work.watchdog import Interrupted

_REMEMBERED_RUNS = 64
# ^ stopped runs that are told apart: a worker of a shared cluster lives through many, and a run is stopped once
_GROUP_BYTES = 64 << 20
_USUAL_SECONDS = 1.0
# ^ of work that the first request to stop cuts short: it needs no mention


@dataclass
class Worker:
    """Decoded images, what decoding may take, and the runs that were stopped: the state of one process."""

    images: ByteBoundedCache[LoadedImage] = field(default_factory=lambda: ByteBoundedCache(1 << 30))
    # ^ a memo of reads, the same for all tasks of the process
    groups: ByteBoundedCache[GroupColors] = field(default_factory=lambda: ByteBoundedCache(_GROUP_BYTES))
    # ^ colours of groups of images; those of the newest stay however many they are
    decode_bytes: int | None = None
    # ^ bytes that the process may take to decode one image; None: no limit beyond limits.max_pixels
    may_exit: bool = False
    # ^ whether the process's end is noticed and it is replaced: only then may a watchdog end it
    _requests: dict[str, StopRequest] = field(default_factory=dict)
    # ^ of runs that this very process drives
    _busy: dict[int, tuple[str, float]] = field(default_factory=dict)
    # ^ by thread: the image that it is at, and since when
    _left: dict[str, float] = field(default_factory=dict)
    # ^ seconds by image, of work that a stop has cut short
    _stopped: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED_RUNS))
    _roots: dict[tuple[str, str], Root] = field(default_factory=dict)

    def configure(self, cache_bytes: int, decode_bytes: int | None = None) -> None:
        """Set how many bytes of decoded images the process may hold, and how many it may take to decode one."""
        self.images.capacity, self.decode_bytes = cache_bytes, decode_bytes

    @contextlib.contextmanager
    def driven(self, run: str, request: StopRequest) -> Iterator[None]:
        """Obey a run's request during the block, as soon as it is set; forget what runs before it have left."""
        self._requests[run] = request
        self._left.clear()
        try:
            yield
        finally:
            del self._requests[run]

    @contextlib.contextmanager
    def busy_with(self, image_id: str) -> Iterator[None]:
        """Remember during the block what this thread is at."""
        thread, began = threading.get_ident(), time.monotonic()
        self._busy[thread] = image_id, began
        try:
            yield
        except (Interrupted, KeyboardInterrupt) as stop:
            seconds = time.monotonic() - began
            if isinstance(stop, KeyboardInterrupt) or seconds > _USUAL_SECONDS:
                self._left[image_id] = seconds
            raise
        finally:
            del self._busy[thread]

    def unfinished(self) -> dict[str, float]:
        """Seconds that images have been worked on, those included that a stop has cut short."""
        now, found = time.monotonic(), dict(self._left)
        for image_id, began in list(self._busy.values()):
            found[image_id] = max(now - began, found.get(image_id, 0.0))
        return found

    def stop(self, run: str) -> None:
        """Begin no further work of a run whose user asked to stop."""
        if run not in self._stopped:
            self._stopped.append(run)

    def is_stopped(self, run: str) -> bool:
        """Whether the run's user asked to stop."""
        return run in self._stopped or bool(self._requests.get(run))

    def root(self, place: str, part: str = "") -> Root:
        """The root of an output, for a part of a run where that writes, opened once."""
        if (place, part) not in self._roots:
            self._roots[place, part] = open_root(place, part)
        return self._roots[place, part]


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What one process is at, for whoever looks into a stall."""

    busy: dict[str, float]
    # ^ seconds by image
    stacks: str
    # ^ of its threads


@cache
def this_worker() -> Worker:
    """The Worker of this process."""
    return Worker()


def stop_run(run: str) -> None:
    """Tell this process to begin no further work of a run; what a driver sends to its workers."""
    this_worker().stop(run)


def process_state() -> ProcessState:
    """The state of this process; whoever asks a worker has this function run there."""
    return ProcessState(this_worker().unfinished(), thread_stacks())
