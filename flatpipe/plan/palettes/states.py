"""Which shared palettes are still right, and of those that are not, why, and what must be counted for them."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

from flatpipe.errors import ConfigError
from flatpipe.ledger.answers import SettledImage
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.rows import given_digests, recorded_given
from flatpipe.ledger.shared_rows import FAILED, CountedImage, SharedPalette
from flatpipe.ledger.sources import SourcesOnDisk
from flatpipe.places import ReadPolicy
from flatpipe.plan.fingerprint import Fingerprints, changed
from flatpipe.plan.palettes.groups import Groups, group_words
from flatpipe.plan.palettes.parts import Part, Parts, root_of
from flatpipe.records import ImageSource, PlannedImage
from flatpipe.settings import GivenPalette, TaskSettings
from flatpipe.storage.reading import has_content
from flatpipe.text import counted
from flatpipe.versions import DECODING, SUMS

_CHUNK = 400
# ^ images per question to the ledger
_GROUPS_KEPT = 256
# ^ groups whose palettes are at hand: images come folder by folder


@dataclass(frozen=True, slots=True)
class GroupState:
    """A group of images as it is found."""

    group: str
    images: int
    parts: tuple[Part, ...]
    root: str
    # ^ key of the sum of all its colours; "" while a content is not known
    what_changed: str
    # ^ "1 image added, 2 changed" since the palettes were found; "" when nothing did


@dataclass(slots=True)
class SharedPalettes:
    """The palettes of all groups: those that are right as they are, and those that are due."""

    groups: Groups
    states: dict[str, GroupState]
    # ^ by group; empty where palettes are frozen
    is_frozen: bool
    # ^ whether those that are there are kept, whatever has come
    _ledger: Ledger
    _prints: Fingerprints
    incomplete: set[tuple[str, int]] = field(default_factory=set)
    # ^ groups and k of which a file is missing: they are found again, and images stay as they are
    _known: Callable[[str], dict[int, SharedPalette]] = field(init=False)
    _reasons: Callable[[str], dict[int, str]] = field(init=False)
    _given: Callable[[str], tuple[GivenPalette, ...]] = field(init=False)
    # ^ asked for each image of a group, and found once

    def __post_init__(self) -> None:
        self._known = lru_cache(_GROUPS_KEPT)(self._ledger.shared.palettes)
        self._reasons = lru_cache(_GROUPS_KEPT)(self._reasons_of)
        self._given = lru_cache(_GROUPS_KEPT)(self._given_to)

    def given(self, group: str | None) -> tuple[GivenPalette, ...]:
        """The palettes that images of a group get, by k, as far as they are right."""
        return () if group is None else self._given(group)

    def _given_to(self, group: str) -> tuple[GivenPalette, ...]:
        known = self._known(group)
        return tuple(
            found.given for k, found in known.items() if k in self._prints.shared and not self.reason(group, k)
        )

    def reason(self, group: str, k: int) -> str:
        """Why the palette of a group for k must be found anew, in words; "" when it need not."""
        return self._reasons(group)[k]

    def _reasons_of(self, group: str) -> dict[int, str]:
        return {k: self._reason(group, k) for k in self._prints.shared}

    def _reason(self, group: str, k: int) -> str:
        found = self._known(group).get(k)
        state = self.states.get(group)
        if state is None:
            return ""
            # ^ frozen, or the input is gone
        if found is None:
            return f"{group_words(group)} is new"
        if found.settings != self._prints.shared[k]:
            choices = self._prints.choices[self._prints.shared[k]]
            return f"{group_words(group)}: {changed(self._ledger.choices(found.settings), choices)}"
        if found.root != state.root:
            return f"{group_words(group)} changed: {state.what_changed or 'images read anew'}"
        return ""

    def in_group(self, image: PlannedImage) -> PlannedImage:
        """An image of a plan, with its group."""
        group = self.groups.of(image.source.image_id)
        return image if group is None else replace(image, group=group)

    def why_not(self, image_id: str, k: int, given: str) -> str:
        """Why a flat that was given the palette of this digest must be made again; "" when it need not."""
        group = self.groups.of(image_id)
        if group is None:
            return "palette no longer shared" if given else ""
        if reason := self.reason(group, k):
            return reason
        found = self._known(group).get(k)
        return "" if found is None or found.digest == given else f"{group_words(group)} changed"

    def is_given(self, image_id: str, made: SettledImage) -> bool:
        """Whether an image's flats and sweep were made of the palettes that it is given now."""
        expected = given_digests(self.given(self.groups.of(image_id)))
        return made.flat_given == expected and self.is_given_all(image_id, made.sweep_given)

    def is_given_all(self, image_id: str, given: str) -> bool:
        """Whether an image's sweep was made of the palettes that it is given now."""
        return given == recorded_given(self.given(self.groups.of(image_id)))

    @property
    def due(self) -> Iterator[GroupState]:
        """The groups of which a palette must be found."""
        return (state for state in self.states.values() if state.images and self.due_ks(state.group))

    def due_ks(self, group: str) -> tuple[int, ...]:
        """The k for which a group's palette must be found."""
        return tuple(k for k in self._prints.shared if self.reason(group, k) or (group, k) in self.incomplete)

    def settings_of(self, k: int) -> str:
        """The digest of the choices under which palettes for k are found."""
        return self._prints.shared[k]

    def note_found(self, roots: dict[str, str]) -> None:
        """See what has been recorded since: palettes of groups whose colours now have these sums."""
        for group, root in roots.items():
            self.states[group] = replace(self.states[group], root=root, what_changed="")
        self.incomplete = set()
        self.__post_init__()


def found_palettes(
    groups: Groups,
    sources: SourcesOnDisk,
    ledger: Ledger,
    settings: TaskSettings,
    prints: Fingerprints,
    *,
    frozen: bool,
    force: bool,
) -> SharedPalettes:
    """What there is of the palettes of these images' groups; raises ConfigError for frozen ones that are not there.

    With `force` what is recorded counts for nothing.
    """
    if frozen:
        _check_frozen(sources, ledger, prints)
        return SharedPalettes(groups, {}, frozen, ledger, prints)
    how = how_counted(settings)
    is_same = _never if force else partial(_is_same, reading=settings.reading)
    states = {group: _state(group, sources, ledger, how, is_same) for group in sources.groups()}
    return SharedPalettes(groups, states, frozen, ledger, prints)


def how_counted(settings: TaskSettings) -> str:
    """A digest of what colours are counted of, besides files: sums of other settings have other keys."""
    decode = settings.decode
    choices = [SUMS, DECODING, decode.alpha, decode.truncated, settings.weigh]
    return hashlib.sha256(json.dumps(choices).encode()).hexdigest()[:16]


def _check_frozen(sources: SourcesOnDisk, ledger: Ledger, prints: Fingerprints) -> None:
    for group in sources.groups():
        missing = [k for k in prints.shared if k not in ledger.shared.palettes(group)]
        if missing:
            raise ConfigError(
                f"palette.frozen: there is no {group_words(group)} for k = {missing[0]} yet; run once without frozen"
            )


def _state(
    group: str, sources: SourcesOnDisk, ledger: Ledger, how: str, is_same: Callable[[ImageSource, CountedImage], bool]
) -> GroupState:
    parts, cut, images, added, altered = list[Part](), Parts(how), 0, 0, 0
    for number, source, known in _with_counted(sources.of(group), ledger):
        images += 1
        content = ""
        if known is None:
            added += 1
        elif is_same(source, known):
            content = known.content
        else:
            altered += 1
        if part := cut.add(number, source.image_id, source.size, content):
            parts.append(part)
    if part := cut.end():
        parts.append(part)
    root = root_of([(part.key, part.height) for part in parts]) if all(part.key for part in parts) else ""
    removed = ledger.shared.n_counted(group) - (images - added)
    return GroupState(group, images, tuple(parts), root, _what_changed(added, altered, removed))


def _never(_source: ImageSource, _known: CountedImage) -> bool:
    return False


def _is_same(source: ImageSource, known: CountedImage, reading: ReadPolicy) -> bool:
    """Whether a file holds what was counted: by size and dates, else by reading it, as the planner does."""
    if (source.size, source.stamp) == (known.size, known.stamp):
        return True
    return has_content(source, known.size, known.content, reading)


def _with_counted(
    images: Iterator[tuple[int, ImageSource]], ledger: Ledger
) -> Iterator[tuple[int, ImageSource, CountedImage | None]]:
    """Each image with what was counted of it. One that could be decoded after all is not known."""
    while chunk := list(itertools.islice(images, _CHUNK)):
        names = [source.image_id for _, source in chunk]
        found = ledger.shared.counted(names)
        read = ledger.shared.decoded_since([name for name, known in found.items() if known.content == FAILED])
        for number, source in chunk:
            known = found.get(source.image_id)
            yield number, source, None if source.image_id in read else known


def _what_changed(added: int, altered: int, removed: int) -> str:
    words = [(added, "added"), (removed, "removed"), (altered, "changed")]
    first, *others = [(count, word) for count, word in words if count > 0] or [(0, "")]
    if not first[0]:
        return ""
    return ", ".join([f"{counted(first[0], 'image')} {first[1]}", *(f"{count} {word}" for count, word in others)])
