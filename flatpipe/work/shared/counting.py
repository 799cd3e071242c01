"""The colours of many images added up: tasks that leave sums in files of the output, and tell their names."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from flatpipe import layout
from flatpipe.errors import ImageError
from flatpipe.ledger.shared_rows import FAILED, StoredSum, SumResult, part_key
from flatpipe.quantize.color_table import ColorTable
from flatpipe.quantize.shared.color_sums import ColorSums
from flatpipe.quantize.shared.stored_table import DamagedTableError, table_from_bytes, table_to_bytes
from flatpipe.records import ImageSource
from flatpipe.settings import TaskSettings
from flatpipe.vocabulary import Stage
from flatpipe.work.image_work import ImageWork
from flatpipe.work.outcome import failure_of
from flatpipe.work.outputs import ImageOutputs
from flatpipe.work.retry import with_retries
from flatpipe.work.watchdog import Interrupted
from flatpipe.work.worker import Worker, this_worker

_STAGE: Stage = "flatten"


class SumDamagedError(Exception):
    """A sum's file is gone, or is not what was written; its key is what it says."""


def count(sources: Sequence[ImageSource], settings: TaskSettings, how: str) -> SumResult:
    """Decode images, add their colours up, and store the sum; an image that cannot be decoded counts nothing.

    `how` is a digest of how colours are counted: part of the sum's key.
    """
    bare = replace(settings, animation=replace(settings.animation, enabled=False), pictures=False)
    # ^ nothing of the images is kept but their colours
    sums, counted = ColorSums(), list[tuple[ImageSource, str]]()
    for source in sources:
        work = ImageWork.of(this_worker(), source, bare)
        try:
            content, table = work.weighed_colors()
        except Interrupted as stop:
            return SumResult(failure=failure_of(_STAGE, stop))
        except Exception:  # noqa: BLE001 - the task boundary: the image's own tasks will say what it is
            counted.append((source, FAILED))
        else:
            sums.add(table)
            counted.append((source, content))
        finally:
            work.forget()
    key = part_key([content for _, content in counted], how)
    return _stored(key, sums.table, settings, tuple(counted))


def add_up(key: str, parts: Sequence[StoredSum], settings: TaskSettings) -> SumResult:
    """Add stored sums up, and store what comes out under a key."""
    sums, damaged = ColorSums(), list[str]()
    for part in parts:
        try:
            sums.add(read_sum(this_worker(), part, settings))
        except SumDamagedError:
            damaged.append(part.key)
    if damaged:
        return SumResult(damaged=tuple(damaged))
    return _stored(key, sums.table, settings)


def read_sum(worker: Worker, stored: StoredSum, settings: TaskSettings) -> ColorTable:
    """The colours of a stored sum; raises SumDamagedError."""
    try:
        content = with_retries(
            lambda: worker.root(settings.output).read(layout.sum_name(stored.key)), settings.io_retries
        )
        if hashlib.sha256(content).hexdigest() != stored.sha256:
            raise SumDamagedError(stored.key)
        return table_from_bytes(content)
    except (OSError, DamagedTableError) as error:
        raise SumDamagedError(stored.key) from error


def _stored(
    key: str, table: ColorTable, settings: TaskSettings, images: tuple[tuple[ImageSource, str], ...] = ()
) -> SumResult:
    content, name = table_to_bytes(table), layout.sum_name(key)
    try:
        ImageOutputs(lambda: this_worker().root(settings.output), "", settings.io_retries).write(name, content)
    except (ImageError, OSError) as error:
        return SumResult(failure=failure_of(_STAGE, error))
    return SumResult(StoredSum(key, hashlib.sha256(content).hexdigest(), len(content)), images)
