"""Which files have come, changed or gone since the last round, and which of them have stayed as they are for a while.

Only what can be told from a listing counts, so that it holds on any file system and object store.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from flatpipe.records import ImageSource, RefusedFile


def _numbers() -> array[int]:
    return array("q")


@dataclass(frozen=True, slots=True)
class Look:
    """The files of the input at one moment: 16 bytes for each, however long its name is."""

    files: array[int] = field(default_factory=_numbers)
    # ^ a number for each place, in the order of the listing
    states: array[int] = field(default_factory=_numbers)
    # ^ and for the place with what tells a changed file from the old one

    @classmethod
    def at(cls, found: Iterable[ImageSource | RefusedFile]) -> Look:
        """The files as they are listed now."""
        look = cls()
        for item in found:
            look.files.append(hash(_source(item).path))
            look.states.append(_state(item))
        return look

    def changed_since(self, before: Look) -> Iterator[int]:
        """The files that have come, changed or gone."""
        if self.states == before.states:
            return
        then, now = (dict(zip(look.files, look.states, strict=True)) for look in (before, self))
        yield from (file for file in {**then, **now} if then.get(file) != now.get(file))


@dataclass(frozen=True, slots=True)
class SettledFiles:
    """Which files a round takes; all numbers ascend."""

    states: array[int] = field(default_factory=_numbers)
    # ^ of those that have settled
    files: array[int] = field(default_factory=_numbers)
    # ^ those that count as there: settled now, or there in the round before, whatever has become of them
    before: array[int] = field(default_factory=_numbers)
    # ^ `states` of the round before

    def is_there(self, item: ImageSource | RefusedFile) -> bool:
        """Whether a file counts as there: a new one that is still being written does not.

        What cannot even be looked at has no stamp, and becomes a row at once.
        """
        source = _source(item)
        return not source.stamp or _has(self.files, hash(source.path))

    def takes(self, source: ImageSource, *, has_failed: bool) -> bool:
        """Whether a file that needs work is taken: it has settled; and if it failed, it has changed since."""
        return _has(self.states, _state(source)) and not (has_failed and _has(self.before, _state(source)))


class Arrivals:
    """Compares one look with the next."""

    def __init__(self, settle_seconds: float) -> None:
        """A file has settled when it has stayed as it is for so long."""
        self._settle_seconds, self._look = settle_seconds, Look()
        self._since: dict[int, float] = {}
        # ^ by file, since when one that has come, changed or gone is as it is now
        self._has_news, self._taken = False, SettledFiles()

    def see(self, look: Look, now: float) -> None:
        """Take a look into account; `now` in seconds of a clock that never jumps."""
        self._since.update(dict.fromkeys(look.changed_since(self._look), now))
        self._look = look
        settled = [file for file, since in self._since.items() if now - since >= self._settle_seconds]
        for file in settled:
            del self._since[file]
        self._has_news |= bool(settled)

    @property
    def is_due(self) -> bool:
        """Whether something has changed and settled since the last round, and any file is there that counts.

        Where nothing at all is there, a disk is not mounted, rather than a collection gone.
        """
        return self._has_news and any(map(self._counts, self._look.files))

    def settled(self) -> SettledFiles:
        """What a round takes that begins now."""
        look = self._look
        states = (state for file, state in zip(look.files, look.states, strict=True) if file not in self._since)
        return SettledFiles(_sorted(states), _sorted(filter(self._counts, look.files)), self._taken.states)

    def done(self, taken: SettledFiles) -> None:
        """A round has done what it took."""
        self._has_news, self._taken = False, taken

    def _counts(self, file: int) -> bool:
        return file not in self._since or _has(self._taken.files, file)


def _sorted(numbers: Iterable[int]) -> array[int]:
    return array("q", sorted(numbers))


def _source(item: ImageSource | RefusedFile) -> ImageSource:
    return item.source if isinstance(item, RefusedFile) else item


def _state(item: ImageSource | RefusedFile) -> int:
    """A number that changes with the file; the same for all images within it."""
    return hash((item.source.path, item.failure) if isinstance(item, RefusedFile) else (item.path, item.stamp))


def _has(numbers: array[int], number: int) -> bool:
    place = bisect_left(numbers, number)
    return place < len(numbers) and numbers[place] == number
