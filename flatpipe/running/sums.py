"""The colours of many images counted and added up, by as many workers as there are; what comes back is recorded."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import zip_longest

from dask.delayed import Delayed

from flatpipe.engines.gather import gather
from flatpipe.engines.shared_jobs import AddedSum, CountedPart, count_graph, sum_graph
from flatpipe.ledger.shared_rows import FAILED, StoredSum, SumResult, part_key
from flatpipe.plan.palettes.parts import sums_of
from flatpipe.plan.palettes.states import GroupState, how_counted
from flatpipe.records import ImageSource, TaskSettings
from flatpipe.running.palette_stage import PaletteStage, came, check
from flatpipe.text import counted

# --- counting --------------------------------------------------------------------------------------------------------


def count(stage: PaletteStage) -> None:
    """Count the parts that are not counted."""
    uncounted = [(state, row) for state in stage.due for row in _uncounted(stage, state)]
    if uncounted:
        images = sum(state.parts[row].images for state, row in uncounted)
        stage.observer.preparing(f"counting the colours of {counted(images, 'image')}")
    lost = list[CountedPart]()
    build = partial(_build_count, settings=stage.settings)
    for gathered in gather((_part(stage, *one) for one in uncounted), stage.engine, build, stage.stop):
        if gathered.results is None:
            lost.append(gathered.job)
        else:
            _note_counted(stage, gathered.job, gathered.results[0])
    for part in lost:
        _count_singly(stage, part)


def _uncounted(stage: PaletteStage, state: GroupState) -> list[int]:
    """Which of a group's parts are not counted."""
    keys = stage.keys[state.group]
    stored = stage.ledger.shared.sums(keys)
    return [row for row, key in enumerate(keys) if key not in stored]


def _part(stage: PaletteStage, state: GroupState, row: int) -> CountedPart:
    part = state.parts[row]
    images = stage.sharing.sources.of(state.group, part.first, part.last)
    return CountedPart(state.group, row, tuple(source for _, source in images), how_counted(stage.settings))


def _build_count(part: CountedPart, attempt: int, settings: TaskSettings) -> Delayed:
    return count_graph(part, settings, attempt)


def _note_counted(stage: PaletteStage, part: CountedPart, result: SumResult) -> None:
    check(result.failure)
    if result.stored is None:
        return
    stage.ledger.shared.record_counted(part.group, result.images)
    stage.ledger.shared.record_sum(result.stored)
    stage.ledger.commit_in_time(len(part.sources))
    stage.keys[part.group][part.row] = result.stored.key


def _count_singly(stage: PaletteStage, part: CountedPart) -> None:
    """Count the images of a part one at a time, since one of them ends its worker: that one is left out."""
    singles = [replace(part, sources=(source,)) for source in part.sources]
    contents, sums = dict[ImageSource, str](), list[StoredSum]()
    for single in singles:
        for gathered in gather([single], stage.engine, partial(_build_count, settings=stage.settings), stage.stop):
            result: SumResult | None = None if gathered.results is None else gathered.results[0]
            check(None if result is None else result.failure)
            contents[single.sources[0]] = FAILED if result is None else result.images[0][1]
            sums += [result.stored] if result is not None and result.stored is not None else []
    if len(contents) < len(singles):
        return
        # ^ the run was stopped meanwhile
    key = part_key(list(contents.values()), part.how)
    added = AddedSum(key, tuple(sums))
    for gathered_sum in gather([added], stage.engine, partial(_build_sum, settings=stage.settings), stage.stop):
        if gathered_sum.results is not None:
            _note_counted(stage, part, replace(gathered_sum.results[0], images=tuple(contents.items())))


# --- adding up -------------------------------------------------------------------------------------------------------


def add_up(stage: PaletteStage) -> None:
    """Add the parts of each group up, floor by floor, the floors of all groups side by side."""
    trees = [sums_of(stage.parts(state)) for state in stage.due]
    for floors in zip_longest(*trees, fillvalue=()):
        wanted = {one.key: one.parts for floor in floors for one in floor}
        stored = stage.ledger.shared.sums(wanted)
        parts = stage.ledger.shared.sums({key for keys in wanted.values() for key in keys})
        jobs = [AddedSum(key, tuple(parts[one] for one in keys)) for key, keys in wanted.items() if key not in stored]
        for gathered in gather(jobs, stage.engine, partial(_build_sum, settings=stage.settings), stage.stop):
            for result in came(gathered.results):
                _note_sum(stage, result)
        if stage.stop or stage.damaged:
            return


def _build_sum(added: AddedSum, attempt: int, settings: TaskSettings) -> Delayed:
    return sum_graph(added, settings, attempt)


def _note_sum(stage: PaletteStage, result: SumResult) -> None:
    check(result.failure)
    stage.damaged.update(result.damaged)
    if result.stored is not None:
        stage.ledger.shared.record_sum(result.stored)
        stage.ledger.commit_in_time(1)
