"""Globs of the input section, and the ids that they match."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wcmatch import glob

PATTERN_RULES = glob.GLOBSTAR | glob.BRACE | glob.IGNORECASE | glob.FORCEUNIX | glob.MATCHBASE
# ^ `**` and `{a,b}` as in shells; *.jpg finds .JPG; a pattern without "/" holds in every folder; dot files stay out
_NOTHING = "(?!)"
# ^ the pattern that matches no name


class Patterns:
    """Whether an image id is asked for."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str], above: str = "") -> None:
        """`above` stands before every id that is asked about, its last "/" included."""
        self._above = above
        self._include = compiled_patterns(include)
        self._exclude = compiled_patterns(exclude)

    def match(self, image_id: str) -> bool:
        """Whether an image of this id is included, and not excluded."""
        whole = f"{self._above}{image_id}"
        return bool(self._include.fullmatch(whole)) and not self._exclude.fullmatch(whole)

    def excludes(self, image_id: str) -> bool:
        """Whether an image of this id is left out, whatever is included."""
        return self._exclude.fullmatch(f"{self._above}{image_id}") is not None

    def exclude_all_of(self, folder: str) -> bool:
        """Whether nothing in a folder is asked for, whatever its name."""
        return self._exclude.fullmatch(f"{self._above}{folder}/?") is not None

    def open_archive(self, archive_id: str) -> bool:
        """Whether an archive is to be searched: neither it nor all in it is excluded."""
        return not self.excludes(archive_id) and not self.exclude_all_of(archive_id)


def compiled_patterns(patterns: Sequence[str]) -> re.Pattern[str]:
    """What matches an image's id where one of the globs does, as input.include has them."""
    included, _ = glob.translate(list(patterns), flags=PATTERN_RULES)
    return re.compile("|".join(f"(?:{pattern})" for pattern in included) or _NOTHING)
