"""Places that one text names: a path or a URL as it is, or all that a glob with braces, as shells know them, matches.

A literal name wins: where something is called `[1].zip`, that is meant. Braces are taken apart first, so that of
`{000..099}.tar` a missing one is missed; what is left of signs is matched with what is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bracex
from wcmatch import glob

from flatpipe.errors import ConfigError
from flatpipe.places import CONFIG, READ_ONLY_PROTOCOLS, SCHEMA, is_url
from flatpipe.storage.patterns import PATTERN_RULES
from flatpipe.storage.remote import RemoteRoot

_PATHS = PATTERN_RULES & ~(glob.MATCHBASE | glob.FORCEUNIX | glob.BRACE)
# ^ MATCHBASE would find *.png in every folder below, as no shell does; braces are gone by then
_URL_SIGNS = frozenset("{*")
_MOST_PLACES = 100_000
# ^ that braces may stand for


class NothingFound(ConfigError):
    """Nothing is there that a pattern matches."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a text names: the folder that its matches lie below, and what tells them; "" where it is no pattern."""

    start: str
    # ^ of a place that is no pattern the place itself
    pattern: str = ""
    # ^ below `start`

    @property
    def words(self) -> str:
        """The text itself."""
        return f"{self.start.rstrip('/')}/{self.pattern}" if self.pattern else self.start


@dataclass(frozen=True, slots=True)
class Match:
    """One place, and whether it was named: anything may match a `*`."""

    place: str
    is_named: bool


def named(place: str) -> Named:
    """What a place, as `places.place_of` gives it, stands for. Of a URL with signs it is asked whether it is one."""
    return _named_url(place) if is_url(place) else _named_path(place)


def matches(given: Named) -> list[Match]:
    """The places that are meant, sorted, each once; raises ConfigError for what is not there, and OSError."""
    if not given.pattern:
        if not is_url(given.start) and not Path(given.start).exists():
            raise ConfigError(f"{given.start} does not exist")
        return [Match(given.start, is_named=True)]
    find = _urls if is_url(given.start) else _paths
    found = {match.place: match for one in _without_braces(given) for match in find(given.start, one)}
    if not found:
        raise NothingFound(f"{given.words}: nothing is called so")
    return sorted(found.values(), key=lambda match: os.fsencode(match.place))


def would_match(given: Named, place: str) -> bool:
    """Whether a local place, or a folder above it, would be taken for a match if it were there."""
    if not given.pattern or is_url(place) or not place.startswith(f"{given.start.rstrip('/')}/"):
        return False
    parts = os.path.relpath(place, given.start).split("/")
    above = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    flags = _PATHS | glob.FORCEUNIX
    return any(glob.globmatch(one, pattern, flags=flags) for pattern in _without_braces(given) for one in above)


def _named_path(place: str) -> Named:
    if not _has_signs(place):
        return Named(place)
    start, rest = "/", place.lstrip("/").split("/")
    while rest and (not _has_signs(rest[0]) or os.path.lexists(_below(start, rest[0]))):
        start = _below(start, rest.pop(0))
    return Named(start, "/".join(rest)) if rest else Named(place)


def _named_url(place: str) -> Named:
    if _URL_SIGNS.isdisjoint(place):
        return Named(place)
    protocol, _, path = place.partition("://")
    steps = path.split("/")
    fixed = next(number for number, part in enumerate(steps) if not _URL_SIGNS.isdisjoint(part))
    if not fixed:
        raise ConfigError(f"{place}: the host or bucket of a URL must be written out")
    if _is_there(place):
        return Named(place)
    return Named(f"{protocol}://{'/'.join(steps[:fixed])}", "/".join(steps[fixed:]))


def _is_there(url: str) -> bool:
    """Whether a URL is one of something, signs or not; of a web server, which may answer to any, it never is."""
    if url.partition("://")[0] in READ_ONLY_PROTOCOLS:
        return False
    return RemoteRoot(url).exists()


def _has_signs(text: str) -> bool:
    return bool(glob.is_magic(text, flags=PATTERN_RULES))


def _without_braces(given: Named) -> list[str]:
    """The patterns that a pattern with braces stands for; raises ConfigError for too many."""
    try:
        return list(bracex.iexpand(given.pattern, keep_escapes=True, limit=_MOST_PLACES))
    except bracex.ExpansionLimitException as error:
        raise ConfigError(f"{given.words}: stands for more than {_MOST_PLACES:,} places; use input.list") from error


def _paths(start: str, pattern: str) -> Iterator[Match]:
    place = _below(start, pattern)
    if Path(place).exists():
        yield Match(place, is_named=True)
    elif not glob.is_magic(pattern, flags=_PATHS):
        raise ConfigError(f"{place} does not exist")
    else:
        for name in glob.iglob(pattern, flags=_PATHS, root_dir=start):
            if Path(name).name not in (CONFIG, SCHEMA):
                # ^ photos/* names what `flatpipe init` has put there
                yield Match(_below(start, name.rstrip("/")), is_named=False)


def _urls(start: str, pattern: str) -> Iterator[Match]:
    url = f"{start}/{pattern}"
    if "*" not in pattern:
        yield Match(url, is_named=True)
        return
    if url.partition("://")[0] in READ_ONLY_PROTOCOLS:
        raise ConfigError(f"{url}: a web server lists nothing; name the files, or use input.list")
    for name in RemoteRoot(start).names_like(pattern):
        yield Match(f"{start}/{name}", is_named=False)


def _below(start: str, name: str) -> str:
    return os.path.normpath(f"{start.rstrip('/')}/{name}")
