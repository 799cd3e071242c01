"""The colours of many images counted and added up, by as many workers as there are; what comes back is recorded."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest

from flatpipe.engines.shared_jobs import AddedSum, CountedPart, count_graph, sum_graph
from flatpipe.ledger.shared_rows import FAILED, StoredSum, SumResult, part_key
from flatpipe.plan.palettes.parts import sums_of
from flatpipe.plan.palettes.states import GroupState, how_counted
from flatpipe.records import ImageSource
from flatpipe.running.shared.stage import PaletteStage, came, check
from flatpipe.text import counted

# --- counting --------------------------------------------------------------------------------------------------------


def count(stage: PaletteStage) -> None:
    """Count the parts that are not counted."""
    uncounted = [(state, row) for state in stage.due for row in _uncounted(stage, state)]
    if uncounted:
        images = sum(state.parts[row].images for state, row in uncounted)
        stage.observer.preparing(f"counting the colours of {counted(images, 'image')}")
    lost = list[CountedPart]()
    for gathered in stage.gather((_part(stage, *one) for one in uncounted), count_graph):
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


def _note_counted(stage: PaletteStage, part: CountedPart, result: SumResult) -> None:
    if result.stored is not None:
        stage.ledger.shared.record_counted(part.group, result.images)
        stage.keys[part.group][part.row] = result.stored.key
    _note_sum(stage, result, len(part.sources))


def _count_singly(stage: PaletteStage, part: CountedPart) -> None:
    """Count the images of a part one at a time, since one of them ends its worker: that one is left out."""
    contents, sums = list[tuple[ImageSource, str]](), list[StoredSum]()
    for source in part.sources:
        left_out = SumResult(images=((source, FAILED),))
        for gathered in stage.gather([replace(part, sources=(source,))], count_graph):
            result: SumResult = left_out if gathered.results is None else gathered.results[0]
            check(result.failure)
            contents += result.images
            sums += [result.stored] if result.stored is not None else []
    if len(contents) < len(part.sources):
        return
        # ^ the run was stopped meanwhile
    key = part_key([content for _, content in contents], part.how)
    for added in stage.gather([AddedSum(key, tuple(sums))], sum_graph):
        for result in came(added.results):
            _note_counted(stage, part, replace(result, images=tuple(contents)))


# --- adding up -------------------------------------------------------------------------------------------------------


def add_up(stage: PaletteStage) -> None:
    """Add the parts of each group up, floor by floor, the floors of all groups side by side."""
    trees = [sums_of(stage.parts(state)) for state in stage.due]
    for floors in zip_longest(*trees, fillvalue=()):
        wanted = {one.key: one.parts for floor in floors for one in floor}
        stored = stage.ledger.shared.sums(wanted)
        parts = stage.ledger.shared.sums({key for keys in wanted.values() for key in keys})
        jobs = [AddedSum(key, tuple(parts[one] for one in keys)) for key, keys in wanted.items() if key not in stored]
        for gathered in stage.gather(jobs, sum_graph):
            for result in came(gathered.results):
                _note_sum(stage, result)
        if stage.stop or stage.damaged:
            return


def _note_sum(stage: PaletteStage, result: SumResult, images: int = 1) -> None:
    check(result.failure)
    stage.damaged.update(result.damaged)
    if result.stored is not None:
        stage.ledger.shared.record_sum(result.stored)
        stage.ledger.commit_in_time(images)
