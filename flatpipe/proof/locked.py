"""Whether a run would reproduce a lock, before it starts; and whether it did, at its end."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from flatpipe import layout
from flatpipe.errors import ConfigError
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.results import Results
from flatpipe.places import ReadPolicy
from flatpipe.plan.plan_images import REFUSED
from flatpipe.proof.lock import UNREAD, LockedImage, locked_images, shortened
from flatpipe.proof.lock_file import LockFile, header_differences, image_differences, read_header
from flatpipe.storage.reading import remembered_digests
from flatpipe.storage.roots import Root

_NAMED = 10
# ^ differences that a message names


@contextlib.contextmanager
def lock_to_reproduce(lock: str | None, outputs: Root, header: dict[str, str]) -> Iterator[Path | None]:
    """The lock that a run must reproduce: a local file, or with "" a copy of the output's own; None: none is asked for.

    Raises ConfigError, naming the lines, when it was made under other settings or versions than the `header` of today.
    """
    if lock is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="flatpipe-") as folder:
        path = Path(lock or f"{folder}/{layout.LOCK}")
        if not lock and not outputs.fetch(layout.LOCK, str(path)):
            raise ConfigError(f"{outputs.place}/{layout.LOCK}: no lock here to reproduce; a complete run writes one")
        _refuse(header_differences(read_header(path), header))
        yield path


def check_planned(ledger: Ledger, path: Path, policy: ReadPolicy) -> None:
    """Raise ConfigError, naming the lines, when the inputs of the ledger's plan are not those of the lock."""
    locked = (replace(image, outcome="") for image in LockFile(path).images())
    _refuse(itertools.islice(image_differences(locked, _inputs(ledger, path, policy)), _NAMED + 1))


def _refuse(differences: Iterable[str]) -> None:
    found = list(differences)
    if found:
        lines = "\n  ".join(_named(found))
        raise ConfigError(f"this run would not reproduce the lock; nothing was done\n  {lines}")


def lock_missed(results: Results, name_width: int, path: Path) -> str:
    """Why the outputs are not those of the lock, in words; "" when they are."""
    found = image_differences(LockFile(path).images(), locked_images(results, name_width))
    differences = list(itertools.islice(found, _NAMED + 1))
    return f"the lock was not reproduced: {'; '.join(_named(differences))}" if differences else ""


def _inputs(ledger: Ledger, path: Path, policy: ReadPolicy) -> Iterator[LockedImage]:
    """Every image of the plan with its input's digest, in the lock's order; reads files that are not as recorded."""
    failed = {image.image_id for image in LockFile(path).images() if image.content == UNREAD}
    digest_of = remembered_digests(policy)
    for image in ledger.planned_inputs():
        image_id = image.source.image_id
        if image.reason == REFUSED or image_id in failed:
            yield LockedImage(image_id, UNREAD, "")
        else:
            yield LockedImage(image_id, shortened(image.content or digest_of(image.source)) or UNREAD, "")


def _named(differences: list[str]) -> list[str]:
    return differences[:_NAMED] + ["..."] * (len(differences) > _NAMED)
