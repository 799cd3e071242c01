"""The ways to open a run's ledger and its outputs: to read, to amend, to run, and to run one part beside others."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from flatpipe import layout
from flatpipe.errors import ConfigError, RunGivenUp
from flatpipe.ledger.database import Tell
from flatpipe.ledger.ledger import Ledger
from flatpipe.places import is_url
from flatpipe.plan.claim import check_claim
from flatpipe.plan.held_output import HeldOutput, Leased, held_output, make_way
from flatpipe.plan.holding import beside_parts, only_run
from flatpipe.plan.lease import live_lease
from flatpipe.plan.parts.places import part_leases, parts_there
from flatpipe.storage.roots import Root

Access = Literal["read", "amend", "run", "merge"]
# ^ read: nothing is written, and nothing held: a run that goes on is not disturbed; where no run has been, the ledger
#   is empty. amend: the ledger of an earlier run, which must be there, may be written, and no run begins meanwhile;
#   outputs are not prepared for a run. run: all is made that is missing. merge: the same, the input excepted


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run writes."""

    outputs: Root
    own: Root
    # ^ where its lease, its run.json and its log go: the outputs, or the folder there of a part of a run
    ledger_path: str
    whole_ledger_path: str
    # ^ that of a whole run: for a part it is another


def opened_ledger(access: Access, places: Places, tell: Tell | None) -> contextlib.AbstractContextManager[Ledger]:
    """The ledger, with whatever that access needs held; raises ConfigError, or RunGivenUp when a run is in the way."""
    if access in ("run", "merge"):
        return _to_run(places, tell) if places.own is places.outputs else _to_run_part(places, tell)
    return _to_read(places) if access == "read" else _to_amend(places, tell)


@contextlib.contextmanager
def _to_read(places: Places) -> Iterator[Ledger]:
    paths = (places.ledger_path, places.whole_ledger_path)
    path = next(filter(_is_there, paths), places.ledger_path)
    # ^ of a part that has not begun, what a whole run knows is what there is
    is_there = _is_there(path)
    with contextlib.closing(Ledger(path if is_there else None, read_only=is_there)) as ledger:
        yield ledger


@contextlib.contextmanager
def _to_amend(places: Places, tell: Tell | None) -> Iterator[Ledger]:
    path = places.ledger_path
    if not _is_there(path):
        parts = "parts of a run have: `flatpipe merge` joins them" if parts_there(places.outputs, path) else ""
        raise ConfigError(f"{path}: no ledger here; {parts or 'no run has been here yet'}")
    read_only = not os.access(path, os.W_OK)
    # ^ it can still be read; what writes says that it cannot
    with only_run(path), _alone_at(places.outputs, path):
        _check_leases(places)
        with contextlib.closing(Ledger(path, read_only=read_only, tell=tell)) as ledger:
            yield ledger


@contextlib.contextmanager
def _to_run(places: Places, tell: Tell | None) -> Iterator[Ledger]:
    path, outputs = places.ledger_path, places.outputs
    with _writing(outputs):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    with only_run(path), contextlib.ExitStack() as stack:
        check_claim(outputs, path)
        with _writing(outputs):
            outputs.probe()
            stack.enter_context(_alone_at(outputs, path))
            make_way(part_leases(outputs, path), tell, "going on with what it has recorded")
            # ^ before ours is there too, so that a part at work is not told of a run that does not begin
            held = stack.enter_context(held_output(outputs, path, tell))
            make_way(part_leases(outputs, path), tell, "going on with what it has recorded")
            outputs.prepare()
            # ^ not before the folder is ours: it drops partial files, which may be another run's
        with _ledger_to_run(places, held, tell) as ledger:
            yield ledger


@contextlib.contextmanager
def _to_run_part(places: Places, tell: Tell | None) -> Iterator[Ledger]:
    """As `_to_run`, in folders of the part's own; a whole run is kept out, and other parts are not."""
    path, outputs, own, whole = places.ledger_path, places.outputs, places.own, places.whole_ledger_path
    with _writing(outputs):
        Path(whole).parent.mkdir(parents=True, exist_ok=True)
    with beside_parts(whole), contextlib.ExitStack() as stack:
        check_claim(outputs, whole, for_part=True)
        with _writing(outputs):
            own.probe()
            # ^ its folder comes first: by that the next part knows that the output is ours
            outputs.probe()
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(only_run(path))
            stack.enter_context(_beside_parts_at(outputs, whole))
            stack.enter_context(_alone_at(own, path))
            held = stack.enter_context(held_output(own, path, tell, above=outputs))
            make_way([Leased(outputs, whole)], tell, "going on with what it has recorded")
            own.prepare()
            outputs.prepare()
        with _ledger_to_run(places, held, tell) as ledger:
            yield ledger


@contextlib.contextmanager
def _ledger_to_run(places: Places, held: HeldOutput, tell: Tell | None) -> Iterator[Ledger]:
    path, outputs = places.ledger_path, places.outputs
    with _writing(outputs):
        if not Path(path).exists():
            places.own.fetch(layout.LEDGER, path)
            # ^ the state folder is new, the outputs are not: a run from another machine left its ledger with them
    with contextlib.closing(Ledger(path, settle=partial(_settle, outputs, held), tell=tell)) as ledger:
        yield ledger


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError as error:
        raise ConfigError(f"{path}: the ledger cannot be read: {error.strerror or error}") from error


def _alone_at(outputs: Root, path: str) -> contextlib.AbstractContextManager[None]:
    """Hold an output folder whose ledger is elsewhere as the ledger's folder is held: against runs of this machine."""
    return only_run(f"{outputs.place}/{layout.LEDGER}") if _is_elsewhere(outputs, path) else contextlib.nullcontext()


def _beside_parts_at(outputs: Root, path: str) -> contextlib.AbstractContextManager[None]:
    """The same for a part of a run, beside others."""
    if _is_elsewhere(outputs, path):
        return beside_parts(f"{outputs.place}/{layout.LEDGER}")
    return contextlib.nullcontext()


def _is_elsewhere(outputs: Root, path: str) -> bool:
    """Whether the output is a folder of this machine, and not that of the ledger."""
    if is_url(outputs.place) or not Path(outputs.place).is_dir():
        return False
    return not Path(path).parent.samefile(outputs.place)


def _check_leases(places: Places) -> None:
    """Raise OutputHeld when a run of another machine writes to the output, ConfigError when that cannot be read."""
    outputs, path = places.outputs, places.ledger_path
    try:
        for leased in (Leased(outputs, path), *part_leases(outputs, path)):
            live_lease(leased.outputs, leased.ledger_path)
    except OSError as error:
        raise ConfigError(f"{outputs.place}: output.path cannot be read: {error.strerror or error}") from error


def _settle(outputs: Root, held: HeldOutput) -> None:
    """Return when the outputs lie on their disk, and are still this run's; raises RunGivenUp."""
    try:
        held.check()
        outputs.settle()
    except OSError as error:
        raise RunGivenUp(f"the output cannot be written: {error.strerror or error}") from error


@contextlib.contextmanager
def _writing(outputs: Root) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunGivenUp(f"{outputs.place}: output.path cannot be written: {error.strerror}") from error
        raise ConfigError(f"{outputs.place}: output.path cannot be written: {error.strerror or error}") from error
