"""Shards packed while a run goes on: each as soon as all its images are done.

A task writes the files of some images into one tar file, a piece; when all images of a shard are done or have failed,
another task puts their ranges together as the shard. The plan's order alone says what lies where, so that neither
workers nor interruptions change a byte. A shard whose images have other numbers now gets a second name first, under
which it serves as a piece until all its images are packed anew. No file is overwritten or removed to which a committed
row of the ledger leads: whenever the run is killed, the next finds all that was recorded.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flatpipe import layout
from flatpipe.engines.engine import Job, Submission
from flatpipe.engines.pack_jobs import PackJob, pack_graph
from flatpipe.errors import RunGivenUp
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.packs.records import numbered_shards
from flatpipe.ledger.packs.rows import NumberedShard, PackResult, SetAside, WantedPack
from flatpipe.ledger.rows import ledger_order
from flatpipe.plan.workspace import Workspace
from flatpipe.records import Failure, ImageRecord, PlannedImage
from flatpipe.running.packs.leftovers import Leftovers
from flatpipe.settings import TaskSettings
from flatpipe.storage.roots import Root

_MOST_DEATHS = 3
# ^ of workers that had a shard, until the run is given up


@dataclass(slots=True)
class Packing:
    """The shards of a run: what is ready, under way and done."""

    workspace: Workspace
    settings: TaskSettings
    _leftovers: Leftovers
    _shards: list[NumberedShard] = field(default_factory=list)
    _order: list[tuple[bool, bytes]] = field(default_factory=list)
    # ^ of the shards' first ids, as the ledger sorts them
    _width: int = 0
    _waits: Counter[int] = field(default_factory=Counter)
    # ^ how many images each shard waits for; a shard with one that is set aside waits for ever
    _ready: deque[PackJob | NumberedShard] = field(default_factory=deque)
    _deaths: Counter[PackJob] = field(default_factory=Counter)

    @classmethod
    def begun(cls, workspace: Workspace, settings: TaskSettings, *, is_done: bool = False) -> Packing:
        """The packing of the ledger's plan; with `is_done` what the plan has as due was done since, or has failed.

        Drops what a killed run has left, and forgets tar files that are gone. A part of a run only leaves pieces.
        """
        packing = cls(workspace, settings, Leftovers(workspace.outputs, workspace.ledger, settings.pieces))
        packing._leftovers.forget_lost(settings.name_width)
        if workspace.part is None:
            packing._number(is_done=is_done)
            workspace.ledger.packs.claim(layout.shard_name(shard.number) for shard in packing._shards)
            workspace.ledger.commit()
            packing._ready.extend(shard for shard in packing._shards if not packing._waits[shard.number])
        return packing

    @property
    def is_due(self) -> bool:
        """Whether there is a shard to pack, whatever images are to be done."""
        while self._ready:
            first = self._ready.popleft()
            job = first if isinstance(first, PackJob) else self._job(first)
            if job is not None:
                self._ready.appendleft(job)
                return True
        return False

    def work(self) -> Iterator[PlannedImage]:
        """The images to be done, each with its key."""
        return self._ledger.packs.work()

    def image_done(self, record: ImageRecord) -> None:
        """Take note of an image that was recorded as done, or as failed."""
        if record.is_interrupted or not self._shards:
            return
        number = bisect_right(self._order, ledger_order(record.source.image_id)) - 1
        self._waits[number] -= 1
        if not self._waits[number]:
            self._ready.append(self._shards[number])

    # --- a Companion -------------------------------------------------------------------------------------------------

    def next(self) -> Submission | None:
        """A shard that is ready."""
        if not self.is_due:
            return None
        job = self._ready.popleft()
        assert isinstance(job, PackJob)
        return job, pack_graph(job, self._deaths[job], self.settings)

    def take(self, job: Job, results: tuple[Any, ...] | None) -> None:
        """Record what became of a shard; raises RunGivenUp where it can be neither read nor written."""
        assert isinstance(job, PackJob)
        if results is None:
            self._deaths[job] += 1
            if self._deaths[job] >= _MOST_DEATHS:
                raise RunGivenUp(f"workers end while they pack {job.work.file}; have they enough memory? run again")
            self._ready.append(job)
        elif isinstance(job.work, SetAside):
            self._take_set_aside(job, job.work, *results)
        else:
            self._take_packed(job, job.work, *results)

    def finish(self) -> None:
        """Commit, and drop the files that nothing needs any more; raises RunGivenUp."""
        self._ledger.packs.let_go_copied()
        self._ledger.commit()
        self._leftovers.drop()

    # --- parts -------------------------------------------------------------------------------------------------------

    @property
    def _ledger(self) -> Ledger:
        return self.workspace.ledger

    @property
    def _outputs(self) -> Root:
        return self.workspace.outputs

    def _number(self, *, is_done: bool) -> None:
        """Give shards their numbers, and count what each waits for."""
        firsts, size, images = [], self._shard_size, 0
        for image_id, what in self._ledger.packs.planned():
            number, place = divmod(images, size)
            if not place:
                firsts.append(image_id)
            if what and not is_done:
                self._waits[number] += 1
            images += 1
        self._shards, self._width = numbered_shards(firsts), layout.key_width(images)
        self._leftovers.shards = frozenset(layout.shard_name(shard.number) for shard in self._shards)
        self._order = [ledger_order(first) for first in firsts]

    @property
    def _shard_size(self) -> int:
        return self.workspace.config.output.shard_size

    def _job(self, shard: NumberedShard) -> PackJob | None:
        """What is to be done to a shard whose images are done: nothing, set it aside, or write it."""
        packs, file = self._ledger.packs, layout.shard_name(shard.number)
        state = packs.state(shard, self._shard_size, self._width, self.workspace.digests)
        if state.is_right or not state.is_complete:
            return None
        if packs.is_needed(file):
            return PackJob(shard, SetAside(file, layout.piece_name(self.settings.pieces)))
        if packs.knows(file):
            packs.forget([file])
            packs.claim([file])
            self._settle()
            # ^ what lay there is recorded elsewhere: only then the name may lead to other bytes
        return PackJob(shard, WantedPack(file, state.images, state.keys, self._leftovers.handed_out()))

    def _take_set_aside(self, job: PackJob, moved: SetAside, failure: Failure | None) -> None:
        _check(failure)
        self._ledger.packs.set_aside(moved)
        self._settle()
        # ^ only then the shard's own name may lead to other bytes
        self._ready.appendleft(job.shard)

    def _take_packed(self, job: PackJob, wanted: WantedPack, result: PackResult) -> None:
        _check(result.failure)
        if result.damaged:
            self._ledger.packs.let_go(result.damaged)
            self._ledger.commit()
            raise RunGivenUp(
                f"outputs that were to be packed into {wanted.file} are gone or have changed on the disk, those of "
                f"{result.damaged[0]} first; run again: they are made anew"
            )
        self._ledger.packs.forget(wanted.unneeded)
        # ^ only when they are gone: what a killed run leaves is known
        self._ledger.packs.record(job.shard, result.pack, result.images)
        self._ledger.commit_in_time(len(result.images))
        if self._ledger.is_settled:
            self._leftovers.find()

    def _settle(self) -> None:
        """Make all that was recorded durable, after the files that it tells of."""
        self._ledger.commit_in_time(1)
        self._ledger.commit()


def _check(failure: Failure | None) -> None:
    if failure is not None:
        raise RunGivenUp(f"shards cannot be packed: {failure.message}")
