"""Palettes that images share, brought up to date before the images are flattened: counted, added up, found.

Whatever comes back is recorded, and what is recorded is not done again: a run that is killed goes on from there.
"""

from __future__ import annotations

from flatpipe import layout
from flatpipe.engines.engine import Engine
from flatpipe.engines.shared_jobs import GroupPalettes, palettes_graph
from flatpipe.errors import RunGivenUp
from flatpipe.ledger.answers import BesideFile
from flatpipe.ledger.shared_rows import PaletteResult, StoredSum, WantedPalette
from flatpipe.observer import RunObserver
from flatpipe.plan.palettes.parts import root_of, sums_of
from flatpipe.plan.palettes.sharing import Sharing, palette_files
from flatpipe.plan.palettes.states import GroupState
from flatpipe.plan.workspace import Workspace
from flatpipe.running.shared.stage import PaletteStage, came, check
from flatpipe.running.shared.sums import add_up, count
from flatpipe.settings import TaskSettings
from flatpipe.stop import StopRequest

_ROUNDS = 20
# ^ a sum that turns out damaged is made again, floor by floor where all are: not for ever


def make_palettes(
    workspace: Workspace,
    sharing: Sharing,
    settings: TaskSettings,
    engine: Engine,
    observer: RunObserver,
    stop: StopRequest,
) -> None:
    """Find every shared palette that is due; after a stop some may be left. Raises RunGivenUp."""
    due = list(sharing.palettes.due)
    keys = {state.group: [part.key for part in state.parts] for state in due}
    stage = PaletteStage(workspace, sharing, settings, engine, observer, stop, due, keys)
    for _ in range(_ROUNDS):
        stage.damaged.clear()
        for step in (count, add_up, _find):
            if stop or stage.damaged:
                break
            step(stage)
        stage.ledger.commit()
        if stop:
            return
        if not stage.damaged:
            _tidy(stage)
            return
        stage.ledger.shared.forget_sums(stage.damaged)
    raise RunGivenUp(f"{layout.SUMS} of the output is damaged again and again; is its disk failing?")


# --- finding ---------------------------------------------------------------------------------------------------------


def _find(stage: PaletteStage) -> None:
    """Find the palettes in the sums, and have the images see them."""
    stage.observer.preparing("finding the palettes")
    roots = {state.group: root_of(stage.parts(state)) for state in stage.due}
    stored = stage.ledger.shared.sums(set(roots.values()))
    jobs = [_wanted(stage, state, stored[roots[state.group]]) for state in stage.due]
    for gathered in stage.gather(jobs, palettes_graph):
        for result in came(gathered.results):
            _note_palette(stage, result)
    if not stage.stop and not stage.damaged:
        stage.sharing.palettes.note_found(roots)


def _wanted(stage: PaletteStage, state: GroupState, root: StoredSum) -> GroupPalettes:
    palettes = stage.sharing.palettes
    return GroupPalettes(
        tuple(
            WantedPalette(state.group, k, palettes.settings_of(k), root, state.images)
            for k in palettes.due_ks(state.group)
        )
    )


def _note_palette(stage: PaletteStage, result: PaletteResult) -> None:
    check(result.failure)
    if result.damaged:
        stage.damaged.add(result.damaged)
    if result.palette is not None:
        stage.ledger.shared.record_palettes([result.palette])
        stage.ledger.note_beside(BesideFile(*file) for file in result.files)
        stage.ledger.commit_in_time(1)


def _tidy(stage: PaletteStage) -> None:
    """Drop what no group needs any more: sums, palettes of groups that are gone, images that are no longer there."""
    outputs, ledger, sharing = stage.workspace.outputs, stage.ledger, stage.sharing
    ledger.shared.forget_uncounted()
    used = set[str]()
    for state in sharing.palettes.states.values():
        parts = stage.parts(state)
        used |= {key for key, _ in parts} | {one.key for floor in sums_of(parts) for one in floor}
    unused = list(ledger.shared.unused_sums(used))
    for one in unused:
        outputs.remove(layout.sum_name(one.key))
    ledger.shared.forget_sums(one.key for one in unused)
    _drop_palettes(stage)
    ledger.commit()


def _drop_palettes(stage: PaletteStage) -> None:
    """Remove palette files of groups and k that are no longer asked for."""
    groups, ks = stage.sharing.palettes.states, stage.workspace.ks
    kept = {name for group in groups for k in ks for name in palette_files(group, k, stage.settings)}
    files = (file.name for file in stage.ledger.beside_files() if file.name.startswith(f"{layout.SHARED}/"))
    gone = [name for name in files if name not in kept]
    for name in gone:
        stage.workspace.outputs.remove(name)
    stage.ledger.note_beside((), gone)
    stage.ledger.shared.keep_palettes(groups, ks)
