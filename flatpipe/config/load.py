"""A config file, a profile and `-s` overrides -> one frozen Config, or all that is wrong with them at once."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flatpipe.config.models import Config
from flatpipe.config.problems import ConfigProblems, Origin, Problem, did_you_mean
from flatpipe.config.source import Path as KeyPath
from flatpipe.config.source import Source, SourceError, read_source
from flatpipe.config.words import problems_of
from flatpipe.errors import ConfigError

_VARIABLE = re.compile(r"\$(\$)?\{([A-Za-z_][A-Za-z0-9_]*)\}")
_OVERRIDE = re.compile(r"\s*([A-Za-z_][\w.]*)\s*=(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A config, and where each value that is not a default was written."""

    config: Config
    origins: dict[KeyPath, Origin]


def load_config(path: str, overrides: Sequence[str] = (), profile: str | None = None) -> Config:
    """The Config of a YAML file; raises ConfigError when the file cannot be read or has errors."""
    return load_resolved(path, overrides, profile).config


def load_resolved(path: str, overrides: Sequence[str] = (), profile: str | None = None) -> LoadedConfig:
    """As load_config, with the origins of the values."""
    return parse_config(_read(path), path, str(Path(path).absolute().parent), overrides, profile)


def default_config(input_path: str, overrides: Sequence[str] = ()) -> Config:
    """The Config without a file: defaults, an input and overrides, whose relative paths start at the current folder."""
    loaded = Source({"input": {"path": input_path}})
    return _resolve(loaded, str(Path.cwd()), overrides, None).config


def parse_config(
    text: str, name: str, folder: str, overrides: Sequence[str] = (), profile: str | None = None
) -> LoadedConfig:
    """The config of a YAML text called `name`, whose relative paths start at `folder`; raises ConfigError."""
    try:
        source = read_source(text, name)
    except SourceError as error:
        raise ConfigProblems([error.problem]) from None
    return _resolve(source, folder, overrides, profile)


def _resolve(source: Source, folder: str, overrides: Sequence[str], profile: str | None) -> LoadedConfig:
    problems = list(source.problems)
    profiles = _take_profiles(source, profile, problems)
    for name in profiles:
        trial = _with_profile(source, profiles, name)
        trial_problems = _check(trial, problems_only=True)[1]
        problems += [problem for problem in trial_problems if _is_within(problem, source, ("profiles", name))]
    chosen = _with_profile(source, profiles, profile) if profile in profiles else source
    for override in overrides:
        _apply_override(chosen, override, problems)
    config, found = _check(chosen)
    problems += found
    if config is None or problems:
        raise ConfigProblems(problems)
    return LoadedConfig(_with_absolute_paths(config, folder), chosen.origins)


def _check(source: Source, *, problems_only: bool = False) -> tuple[Config | None, list[Problem]]:
    """The Config of plain values, or None, and what is wrong with them."""
    values = deepcopy(source.values)
    problems: list[Problem] = []
    _fill_variables(values, (), source, problems)
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        return None, problems + problems_of(error, source)
    return (None if problems_only else config), problems


# --- profiles, overrides, variables ----------------------------------------------------------------------------------


def _take_profiles(source: Source, wanted: str | None, problems: list[Problem]) -> dict[str, dict[str, Any]]:
    profiles = source.values.pop("profiles", None) or {}
    origin = source.origins.get(("profiles",), Origin("--profile", 1, 1, ""))
    if not isinstance(profiles, dict):
        problems.append(Problem(origin, "profiles", "must be a mapping of names to parts of a config"))
        profiles = {}
    for name in [name for name, part in profiles.items() if not isinstance(part, dict)]:
        problems.append(Problem(source.origins["profiles", name], f"profiles.{name}", "must be a mapping of sections"))
        del profiles[name]
    if wanted is not None and wanted not in profiles:
        words = f"no profile of this name{did_you_mean(wanted, list(profiles))}"
        problems.append(Problem(Origin("--profile", 1, 1, wanted), wanted, words))
    return profiles


def _with_profile(source: Source, profiles: dict[str, dict[str, Any]], name: str | None) -> Source:
    """The source with a profile's values laid over it, and their origins."""
    if name is None:
        return source
    prefix = ("profiles", name)
    merged = Source(_merged(source.values, profiles[name]), dict(source.origins), dict(source.key_origins))
    for origins in (merged.origins, merged.key_origins):
        for path in [path for path in origins if path[:2] == prefix and len(path) > 2]:
            origins[path[2:]] = origins[path]
    return merged


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _is_within(problem: Problem, source: Source, prefix: KeyPath) -> bool:
    return any(
        origin == problem.origin
        for origins in (source.origins, source.key_origins)
        for path, origin in origins.items()
        if path[: len(prefix)] == prefix
    )


def _apply_override(source: Source, override: str, problems: list[Problem]) -> None:
    """Lay `a.b=value` over the values; the value is read as YAML."""
    found = _OVERRIDE.fullmatch(override)
    argument = Origin("-s", 1, 1, override)
    if found is None:
        problems.append(Problem(argument, "", "must be KEY=VALUE, such as flatten.k=2-8"))
        return
    *sections, last = found[1].split(".")
    try:
        value = read_source(f"value: {found[2]}", "-s")
    except SourceError as error:
        problems.append(Problem(argument, found[1], error.problem.message))
        return
    target = source.values
    for section in sections:
        inner = target.get(section)
        target[section] = dict(inner) if isinstance(inner, dict) else {}
        target = target[section]
    target[last] = value.values["value"]
    path = (*sections, last)
    source.origins[path] = Origin("-s", 1, found.start(2) + 1, override)
    for length in range(1, len(path) + 1):
        source.key_origins[path[:length]] = argument
        source.origins.setdefault(path[:length], argument)


def _fill_variables(value: Any, path: KeyPath, source: Source, problems: list[Problem]) -> Any:
    """The value with `${NAME}` replaced from the environment; `$${NAME}` stands for `${NAME}` itself."""
    if isinstance(value, dict):
        for key in value:
            value[key] = _fill_variables(value[key], (*path, key), source, problems)
    elif isinstance(value, list):
        value[:] = [_fill_variables(item, (*path, row), source, problems) for row, item in enumerate(value)]
    elif isinstance(value, str):

        def fill(found: re.Match[str]) -> str:
            if found[1]:
                return found[0][1:]
            if found[2] not in os.environ:
                origin = source.origins.get(path, Origin("config", 1, 1, ""))
                words = f"the environment has no variable {found[2]}"
                problems.append(Problem(origin, ".".join(map(str, path)), words))
            return os.environ.get(found[2], "")

        return _VARIABLE.sub(fill, value)
    return value


# --- files and paths -------------------------------------------------------------------------------------------------


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        folder = Path(path).absolute().parent
        names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        near = get_close_matches(Path(path).name, [name for name in names if name.endswith((".yaml", ".yml"))], n=1)
        raise ConfigError(f"{path}: no such config file{f'; did you mean {near[0]!r}?' if near else ''}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a text in UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None


def _with_absolute_paths(config: Config, folder: str) -> Config:
    changes = {
        "input": config.input.model_copy(update={"path": _absolute(config.input.path, folder)}),
        "output": config.output.model_copy(update={"path": _absolute(config.output.path, folder)}),
    }
    if config.execution.state_path is not None:
        state_path = _absolute(config.execution.state_path, folder)
        changes["execution"] = config.execution.model_copy(update={"state_path": state_path})
    return config.model_copy(update=changes)


def _absolute(path: str, folder: str) -> str:
    if "://" in path:
        return path
    return os.path.normpath(Path(folder, path).expanduser())
