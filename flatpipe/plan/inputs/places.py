"""The places that a config's input names: what they stand for, where ids begin, and how people are told of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flatpipe.config import IMAGE_PATTERNS, Config
from flatpipe.errors import ConfigError
from flatpipe.places import READ_ONLY_PROTOCOLS, check_apart, check_not_within, is_url, name_of_url
from flatpipe.storage.discover import Selection
from flatpipe.storage.several.globs import Match, Named, matches, named, would_match
from flatpipe.storage.several.listed import ListedInput
from flatpipe.storage.several.named import NamedInput, common_place

_NAMED = 3
# ^ places that a sentence names
_MOST_ROOTS = 64
# ^ folders that each task is told of


@dataclass(frozen=True, slots=True)
class GivenPlace:
    """One of the places as the config gives it, and all that it stands for now."""

    given: Named
    matches: tuple[Match, ...]


def given_places(config: Config) -> Iterator[GivenPlace]:
    """What the places stand for; raises ConfigError, with the line, for what is not there."""
    for row, place in enumerate(config.input.places):
        try:
            given = named(place)
            yield GivenPlace(given, tuple(matches(given)))
        except ConfigError as error:
            raise config.refused(config.input.key_of(row), str(error)) from error
        except OSError as error:
            raise ConfigError(f"{place}: input.path cannot be read: {error.strerror or error}") from error


def input_of_several(config: Config, folders: Selection) -> NamedInput | None:
    """The input where it is more than one place that is named as it is; None where it is not."""
    given = list(given_places(config))
    if len(given) == 1 and not given[0].given.pattern:
        return None
    starts = {match.place: one.given.start for one in reversed(given) for match in one.matches}
    places = tuple(sorted(starts, key=os.fsencode))
    named_so = {match.place for one in given for match in one.matches if match.is_named}
    return NamedInput(places, folders, tuple(starts[place] for place in places), frozenset(starts) - named_so)


def listed_input(config: Config, asked: Selection) -> ListedInput | None:
    """The input where it is a list; None where it is not."""
    if config.input.list is None:
        return None
    takes_all = config.input.include == IMAGE_PATTERNS
    return ListedInput(
        config.input.list, config.input.column, input_base(config), asked, takes_all, str(config.output.path)
    )


def check_input(config: Config) -> None:
    """Raise ConfigError when some of the input is not there, or when input, output and the ledger's folder overlap."""
    if config.input.list is not None:
        _check_list(config, config.input.list)
        return
    output, state = str(config.output.path), config.execution.state_path
    for one in given_places(config):
        try:
            _check_apart(one, output, state)
        except ConfigError as error:
            raise config.refused(("output", "path"), str(error)) from error


def _check_list(config: Config, place: str) -> None:
    """A list's entries may lie anywhere: each that is an output is refused by itself."""
    base = input_base(config)
    if not is_url(place) and not Path(place).is_file():
        why = "is no file" if Path(place).exists() else "does not exist"
        raise config.refused(("input", "list"), f"{place} {why}")
    if not is_url(base) and not Path(base).is_dir():
        is_file = "is no folder, and relative entries of input.list start there"
        why = is_file if Path(base).exists() else "does not exist"
        raise config.refused(("input", "path"), f"{base} {why}")


def _check_apart(one: GivenPlace, output: str, state: str | None) -> None:
    if not one.given.pattern:
        check_apart(one.given.start, output, state)
        return
    for place in (output, *([state] if state else [])):
        if would_match(one.given, place):
            raise ConfigError(f"input.path ({one.given.words}) matches {place}; outputs need a folder of their own")
    files = {match.place for match in one.matches if not is_url(match.place) and not Path(match.place).is_dir()}
    for place in {match.place for match in one.matches} - files:
        check_apart(place, output, state)
    for folder in {str(Path(file).parent) for file in files}:
        check_not_within(folder, output)


def is_there(config: Config) -> bool:
    """Whether all of the input is there, as far as it can be told without asking a store."""
    if config.input.list is not None:
        return is_url(config.input.list) or Path(config.input.list).is_file()
    try:
        return all(matches(named(place)) for place in config.input.places if not is_url(place))
    except (ConfigError, OSError):
        return False


def searched_folders(config: Config) -> tuple[str, ...]:
    """The local folders of the input that no link may lead out of."""
    if config.input.follow_symlinks:
        return ()
    given = [named(place) for place in config.input.places if not is_url(place)]
    folders = list[str]()
    for one in given:
        with contextlib.suppress(ConfigError, OSError):
            # ^ who needs what is not there is told
            folders += [match.place for match in matches(one) if Path(match.place).is_dir()]
    return tuple(folders) if len(folders) <= _MOST_ROOTS else tuple(one.start for one in given)


def input_base(config: Config) -> str:
    """The folder or URL below which ids are paths; "" where they are not, since no place is local."""
    if config.input.list is not None:
        return str(config.input.path or _folder_of(config.input.list))
    places = config.input.places
    if len(places) == 1 and is_url(places[0]):
        return places[0]
    starts = [named(place).start for place in places if not is_url(place)]
    return common_place(starts) if starts else ""


def starts_of(section: Mapping[str, Any]) -> list[str]:
    """Where the places of an input section, as a run has recorded it, begin: what stands before the first sign."""
    path = section["path"] or _folder_of(section["list"])
    return [named(place).start if not is_url(place) else place for place in ([path] if isinstance(path, str) else path)]


def _folder_of(place: str) -> str:
    """The folder that a list lies in."""
    asked = is_url(place) and place.partition("://")[0] in READ_ONLY_PROTOCOLS
    return (place.partition("?")[0] if asked else place).rpartition("/")[0] or "/"


def input_words(config: Config) -> str:
    """The input as a sentence names it."""
    return config.input.list or _in_words(config.input.places)


def input_title(config: Config) -> str:
    """The input as a heading names it: the last part of each place."""
    if config.input.list is not None:
        return name_of_url(config.input.list)
    starts = [place if is_url(place) else named(place).start for place in config.input.places]
    return _in_words(list(dict.fromkeys(start.rstrip("/").rpartition("/")[2] for start in starts)))


def _in_words(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
