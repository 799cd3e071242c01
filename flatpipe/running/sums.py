"""The colours of many images counted and added up, by as many workers as there are; what comes back is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import zip_longest

from dask.delayed import Delayed

from flatpipe.engines.gather import gather
from flatpipe.engines.shared_jobs import AddedSum, CountedPart, count_graph, sum_graph
from flatpipe.ledger.shared_rows import FAILED, StoredSum, SumResult, part_key
from flatpipe.plan.palettes.parts import sums_of
from flatpipe.plan.palettes.states import how_counted
from flatpipe.records import ImageSource, TaskSettings
from flatpipe.running.palette_stage import PaletteStage, came, check

# --- counting --------------------------------------------------------------------------------------------------------


def count(stage: PaletteStage) -> None:
    """Count the parts that are not counted."""
    total = sum(state.images for state in stage.due)
    stage.observer.preparing(f"counting the colours of {total:,} images")
    build = partial(_build_count, settings=stage.settings)
    for gathered in gather(_uncounted(stage), stage.engine, build, stage.stop):
        part = gathered.job
        if gathered.results is None:
            _count_singly(stage, part)
        else:
            _note_counted(stage, part, gathered.results[0])


def _uncounted(stage: PaletteStage) -> Iterator[CountedPart]:
    how = how_counted(stage.settings)
    for state in stage.due:
        stored = stage.ledger.shared.sums(stage.keys[state.group])
        for row, part in enumerate(state.parts):
            if stage.keys[state.group][row] not in stored:
                images = stage.sharing.sources.of(state.group, part.first, part.last)
                yield CountedPart(state.group, row, tuple(source for _, source in images), how)


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
