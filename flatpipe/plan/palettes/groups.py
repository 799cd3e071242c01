"""Which images share palettes: a name for each image's group."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flatpipe.config import Config
from flatpipe.layout import COLLECTION
from flatpipe.storage.patterns import compiled_patterns
from flatpipe.vocabulary import Scope


@dataclass(frozen=True, slots=True)
class Groups:
    """The rule by which images share palettes."""

    scope: Scope
    patterns: tuple[tuple[str, re.Pattern[str]], ...] = ()
    # ^ of named groups: the first that matches counts

    def of(self, image_id: str) -> str | None:
        """The group of an image: a folder ("" is that of the input), or a name; None: it shares with none."""
        if self.patterns:
            return next((name for name, pattern in self.patterns if pattern.fullmatch(image_id)), None)
        if self.scope == "folder":
            return image_id.rpartition("/")[0]
        return COLLECTION if self.scope == "collection" else None


def groups_of(config: Config) -> Groups:
    """The rule that a config gives."""
    section = config.palette
    patterns = tuple((name, compiled_patterns(globs)) for name, globs in section.groups.items())
    return Groups(section.scope, patterns)


def group_words(group: str) -> str:
    """A group as messages name it."""
    return f"palette of {group or 'the top folder'}"
