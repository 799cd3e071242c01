"""What lies over the file: a profile, then overrides, each value with its own place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from flatpipe.config.problems import KeyPath, Origin, Problem, did_you_mean
from flatpipe.config.source import Source, read_value
from flatpipe.config.syntax import SourceError

_ASSIGNMENT = re.compile(r"\s*([^=\s.]+(?:\.[^=\s.]+)*)\s*=\s*(.*)", re.DOTALL)
_RESERVED = "#*&!%@`"
# ^ begin something in a YAML file, but nobody means that in an argument: -s flatten.alpha=#ffffff


@dataclass(frozen=True, slots=True)
class Argument:
    """A value that a command's own flag gives to a key, as it is: never read as YAML."""

    flag: str
    key: str
    value: Any


def take_profiles(source: Source, wanted: str | None) -> tuple[dict[str, Source], list[Problem]]:
    """The profiles as sources of their own, taken out of `source`, and what is wrong with their outer form."""
    profiles = source.values.pop("profiles", None)
    profiles = {} if profiles is None else profiles
    problems: list[Problem] = []
    if not isinstance(profiles, dict):
        words = "must be a mapping of names to parts of a config"
        problems.append(Problem(source.origins["profiles",], "profiles", words))
        profiles = {}
    found: dict[str, Source] = {}
    for name, part in profiles.items():
        if part is None or isinstance(part, dict):
            found[name] = _part_of(source, ("profiles", name), part or {}, name)
        else:
            words = "must be a mapping of sections, such as flatten"
            problems.append(Problem(source.origins["profiles", name], f"profiles.{name}", words))
    if wanted is not None and wanted not in profiles:
        problems.append(Problem(Origin("--profile", 0, 1, wanted), "", _no_profile(wanted, list(profiles))))
    return found, problems


def _no_profile(wanted: str, known: list[str]) -> str:
    names = f" (there are: {', '.join(known)})" if known else " (the config has no profiles)"
    return f"no profile '{wanted}'{did_you_mean(wanted, known)}{names}"


def laid_over(base: Source, upper: Source) -> Source:
    """A new source: the base with the upper one's values in it; mappings are joined, anything else is replaced."""
    result = Source(
        deepcopy(base.values), dict(base.origins), dict(base.key_origins), dict(base.unset), list(base.problems)
    )
    _lay(result, result.values, upper, upper.values, ())
    return result


def override_source(override: str | Argument) -> tuple[Source, list[Problem]]:
    """The source that `-s a.b=value` stands for, and what is wrong with its form."""
    if isinstance(override, Argument):
        flagged = Origin(override.flag, 0, 1, str(override.value))
        return _nested(tuple(override.key.split(".")), override.value, [flagged], Source(), flagged), []
    found = _ASSIGNMENT.fullmatch(override)
    argument = Origin("-s", 0, 1, override)
    if found is None or not found[1].isprintable():
        return Source(), [Problem(argument, "", "must be KEY=VALUE, such as flatten.k=2-8")]
    path = tuple(found[1].split("."))
    if path[0] == "profiles":
        return Source(), [Problem(argument, found[1], "profiles are not overridden; override the key itself")]
    try:
        value, inner = _override_value(found[2], path, override, found.start(2))
    except SourceError as error:
        return Source(), [Problem(error.problem.origin, found[1], error.problem.message)]
    starts = [found.start(1) + sum(len(part) + 1 for part in path[:depth]) for depth in range(len(path))]
    places = [Origin("-s", 0, start + 1, override) for start in starts]
    return _nested(path, value, places, inner, Origin("-s", 0, found.start(2) + 1, override)), inner.problems


def _override_value(text: str, path: KeyPath, override: str, start: int) -> tuple[Any, Source]:
    def place(line: int, column: int) -> Origin:
        before = sum(len(line) for line in text.splitlines(keepends=True)[:line])
        return Origin("-s", 0, start + before + column + 1, override)

    if text[:1] and text[0] in _RESERVED:
        return text, Source()
    return read_value(text, path, place)


def _nested(path: tuple[str, ...], value: Any, keys: Sequence[Origin], inner: Source, origin: Origin) -> Source:
    """A source with one value at a path; `inner` knows the places below it."""
    written = inner.origins[path].written if path in inner.origins else ""
    for depth in range(1, len(path) + 1):
        inner.key_origins[path[:depth]] = inner.origins[path[:depth]] = keys[min(depth, len(keys)) - 1]
    inner.origins[path] = replace(origin, written=written)
    for name in reversed(path):
        value = {name: value}
    inner.values = value
    return inner


def _part_of(source: Source, prefix: tuple[str, str], values: dict[str, Any], profile: str) -> Source:
    """The source of what stands below a prefix, as if it stood at the top."""
    part = Source(deepcopy(values))
    for theirs, ours in ((source.origins, part.origins), (source.key_origins, part.key_origins)):
        for path in _below(theirs, prefix):
            ours[path[len(prefix) :]] = theirs.pop(path).within_profile(profile)
    for path in _below(source.unset, prefix):
        part.unset[path[len(prefix) :]] = source.unset.pop(path)
    return part


def _lay(result: Source, lower: dict[str, Any], upper: Source, values: dict[str, Any], path: KeyPath) -> None:
    for key, value in values.items():
        inner = (*path, key)
        old = lower.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            _copy_places(upper, result, [inner])
            _lay(result, old, upper, value, inner)
            continue
        for places in (result.origins, result.key_origins, result.unset):
            for gone in _below(places, inner):
                del places[gone]
        lower[key] = deepcopy(value)
        _copy_places(upper, result, _below({**upper.origins, **upper.key_origins}, inner))


def _copy_places(giver: Source, taker: Source, paths: Iterable[KeyPath]) -> None:
    for path in paths:
        if path in giver.origins:
            taker.origins[path] = giver.origins[path]
        if path in giver.key_origins:
            taker.key_origins[path] = giver.key_origins[path]
        if path in giver.unset:
            taker.unset[path] = giver.unset[path]


def _below(places: Iterable[KeyPath], prefix: KeyPath) -> list[KeyPath]:
    return [path for path in places if path[: len(prefix)] == prefix]
