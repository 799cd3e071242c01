"""A config file, a profile and overrides -> one frozen Config, or all that is wrong with them at once."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from flatpipe.config.kinds import IMAGE_SUFFIXES
from flatpipe.config.layers import Argument, laid_over, override_source, take_profiles
from flatpipe.config.models import Config
from flatpipe.config.problems import ConfigProblems, KeyPath, Origin, Problem, dotted
from flatpipe.config.source import Source, read_source
from flatpipe.config.syntax import SourceError
from flatpipe.config.words import problems_of
from flatpipe.errors import ConfigError
from flatpipe.places import CONFIG
from flatpipe.text import in_bytes, nearest

Overrides = Sequence[str | Argument]
# ^ "flatten.k=2-8", whose value is read as YAML; or an Argument, whose value is taken as it is

_LARGEST_FILE = 1_000_000
# ^ bytes: a config has a few thousand; whatever has more is another file
_MOST_NAMED = 5
# ^ other configs that an error names


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A config, and where each value that is not a default was written."""

    config: Config
    origins: dict[KeyPath, Origin]


def load_config(path: str | os.PathLike[str], overrides: Overrides = (), profile: str | None = None) -> Config:
    """The Config of a YAML file; raises ConfigError when the file cannot be read or has errors."""
    return load_resolved(path, overrides, profile).config


def config_file(place: str | os.PathLike[str]) -> str:
    """The config that a place names: itself, or the one in a folder; raises ConfigError for a folder without one."""
    name = os.fspath(place)
    if not Path(name).is_dir():
        return name
    found = _configs_in(Path(name))
    if CONFIG in found or len(found) == 1:
        return str(Path(name, CONFIG if CONFIG in found else found[0]))
    if found:
        raise ConfigError(f"{name} holds several configs; name one of them: {', '.join(found)}")
    quoted = shlex.quote(name)
    words = f"`flatpipe flatten {quoted}` needs none, `flatpipe init {quoted}` writes one"
    raise ConfigError(f"{name} holds no config: {words}")


def load_resolved(path: str | os.PathLike[str], overrides: Overrides = (), profile: str | None = None) -> LoadedConfig:
    """As load_config, with the origins of the values."""
    name = config_file(path)
    return parse_config(_read(name), name, str(Path(name).absolute().parent), overrides, profile)


def default_config(input_path: str, overrides: Overrides = ()) -> Config:
    """The Config without a file: defaults, an input and overrides, whose relative paths start at the current folder."""
    source = Source({"input": {"path": input_path}}, {("input", "path"): Origin("input.path", 0, 1, input_path)})
    return _resolve(source, str(Path.cwd()), overrides, None).config


def parse_config(
    text: str, name: str, folder: str, overrides: Overrides = (), profile: str | None = None
) -> LoadedConfig:
    """The config of a YAML text called `name`, whose relative paths start at `folder`; raises ConfigError.

    Every profile is checked, whether it is chosen or not; a variable that is not set is an error only where it is used.
    """
    try:
        source = read_source(text, name)
    except SourceError as error:
        raise ConfigProblems([error.problem]) from None
    return _resolve(source, folder, overrides, profile)


def _resolve(source: Source, folder: str, overrides: Overrides, profile: str | None) -> LoadedConfig:
    problems = list(source.problems)
    profiles, found = take_profiles(source, profile)
    problems += found + _lasting(_check(source, folder))
    for part in profiles.values():
        problems += _lasting(_check(laid_over(source, part), folder))
    chosen = laid_over(source, profiles[profile]) if profile in profiles else source
    for override in overrides:
        upper, found = override_source(override)
        problems += found
        chosen = laid_over(chosen, upper)
    result = _check(chosen, folder)
    if isinstance(result, Config) and not problems and not chosen.unset:
        result.remember(chosen.origins)
        return LoadedConfig(result, chosen.origins)
    problems += [] if isinstance(result, Config) else result
    raise ConfigProblems(problems + _unset_variables(chosen))


def _check(source: Source, folder: str) -> Config | list[Problem]:
    """The Config of plain values, or what is wrong with them; values with variables not set are passed over."""
    try:
        return Config.model_validate(source.values, context={"folder": folder})
    except ValidationError as error:
        return problems_of(error, source)


def _lasting(result: Config | list[Problem]) -> list[Problem]:
    """Problems that no profile or override could mend by adding a key."""
    return [] if isinstance(result, Config) else [problem for problem in result if not problem.is_incomplete]


def _unset_variables(source: Source) -> list[Problem]:
    return [
        Problem(source.origins[path], dotted(path), f"the environment has no variable {name}; $${{{name}}} is the text")
        for path, names in source.unset.items()
        for name in names
    ]


def _read(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such config file{_others(Path(path))}") from None
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else "the name holds a NUL character"
        raise ConfigError(f"{path}: cannot be read: {words}") from None
    if Path(path).suffix.lower().lstrip(".") in IMAGE_SUFFIXES:
        raise ConfigError(f"{path} is an image: flatpipe flatten {shlex.quote(path)}")
    if len(content) > _LARGEST_FILE:
        raise ConfigError(f"{path}: larger than {in_bytes(_LARGEST_FILE)}; is this a config?")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ConfigError(f"{path}: a text in UTF-16; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}:{line}: not a text in UTF-8 (byte {error.start}); save it as UTF-8") from None


def _others(missing: Path) -> str:
    """What there is in the place of a config that is not there: one whose name is near, any, or the way to one."""
    found = _configs_in(missing.parent)
    near = nearest(missing.name, found)
    if near:
        return f"; did you mean '{missing.parent / near}'?"
    if found:
        return f"; there is {', '.join(found[:_MOST_NAMED])}" + ", ..." * (len(found) > _MOST_NAMED)
    return "; `flatpipe init` writes one, `flatpipe flatten` needs none"


def _configs_in(folder: Path) -> list[str]:
    """Names of the YAML files in a folder."""
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.suffix in (".yaml", ".yml"))
    except (OSError, ValueError):
        return []
