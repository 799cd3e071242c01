"""A flatpipe.lock as read back, and how two of them differ."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flatpipe.errors import ConfigError
from flatpipe.ledger.rows import ledger_order
from flatpipe.proof.lock import NOT_DONE, LockedImage


@dataclass(slots=True)
class LockFile:
    """A lock on the local disk. `images` streams; `footer` is complete once it has been read to the end."""

    path: Path
    header: dict[str, str] = field(default_factory=dict)
    footer: dict[str, str] = field(default_factory=dict)

    def images(self) -> Iterator[LockedImage]:
        """Each image's line, in the lock's order; raises ConfigError where it is none."""
        found = 0
        with self.path.open(encoding="ascii", errors="backslashreplace") as file:
            for number, line in enumerate(file, 1):
                content, _, rest = line.rstrip("\n").partition(" ")
                if line.startswith("#"):
                    continue
                if content.endswith(":"):
                    (self.footer if found else self.header)[content[:-1]] = rest
                    continue
                found += 1
                outcome, _, name = rest.partition(" ")
                try:
                    image_id = str(json.loads(name))
                except ValueError:
                    raise ConfigError(f"{self.path}:{number}: not a line of a flatpipe.lock") from None
                yield LockedImage(image_id, content, outcome)


def read_header(path: Path) -> dict[str, str]:
    """The lines before the images; raises ConfigError when the file is not there, or is no lock."""
    lock = LockFile(path)
    try:
        next(lock.images(), None)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    if lock.header.get("lock") != "1":
        raise ConfigError(f"{path}: not a flatpipe.lock that this flatpipe reads")
    return lock.header


def read_footer(path: Path) -> dict[str, str]:
    """The lines behind the images; raises OSError. Reads the end of the file alone."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 200))
        lines = file.read().decode("ascii", "replace").splitlines()[-2:]
    return {key: value for key, _, value in (line.partition(": ") for line in lines)}


def header_differences(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """`version.numpy: 2.4.0 -> 2.4.1`: settings and versions that differ, in order; the config's digest goes last."""
    keys = sorted({*before, *now} - {"lock"}, key=lambda key: (key == "config", key))
    return [
        f"{key}: {before.get(key, 'none')} -> {now.get(key, 'none')}" for key in keys if before.get(key) != now.get(key)
    ]


def image_differences(before: Iterator[LockedImage], now: Iterator[LockedImage]) -> Iterator[str]:
    """What differs of the images of two streams in the lock's order, in words."""
    for image_id, left, right in _side_by_side(before, now):
        if left is None or right is None:
            yield f"{json.dumps(image_id)}: only in the {'first' if right is None else 'second'}"
        elif left != right:
            yield f"{json.dumps(image_id)}: {_difference(left, right)}"


def _side_by_side(
    before: Iterator[LockedImage], now: Iterator[LockedImage]
) -> Iterator[tuple[str, LockedImage | None, LockedImage | None]]:
    left, right = next(before, None), next(now, None)
    while left or right:
        first = min((image.image_id for image in (left, right) if image), key=ledger_order)
        is_left, is_right = (bool(image and image.image_id == first) for image in (left, right))
        yield first, left if is_left else None, right if is_right else None
        left = next(before, None) if is_left else left
        right = next(now, None) if is_right else right


def _difference(left: LockedImage, right: LockedImage) -> str:
    if any(":" in image.outcome or image.outcome == NOT_DONE for image in (left, right)):
        return f"{left.outcome} -> {right.outcome}"
    return "other input" if left.content != right.content else "other outputs"
