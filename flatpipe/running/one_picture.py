"""One picture of one image, named by its file: made in memory as a run makes it, written alone, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from flatpipe import layout
from flatpipe.config import IMAGE_SUFFIXES, Config
from flatpipe.environment import missing_codecs
from flatpipe.errors import ConfigError, RunGivenUp
from flatpipe.places import is_url
from flatpipe.plan.palettes.colors import ks_of
from flatpipe.plan.settings import task_settings
from flatpipe.proof.scratch import Scratch, done_in_memory
from flatpipe.records import Failure, FlattenResult, ImageSource
from flatpipe.settings import TaskSettings
from flatpipe.storage.partial import write_alone
from flatpipe.storage.remote import RemoteRoot
from flatpipe.vocabulary import AnimationFormat, PaletteFormat

Kind = Literal["flat", "sweep", "palette"]

_SWEEPS: dict[str, AnimationFormat] = {kind: kind for kind in get_args(AnimationFormat)}
_PALETTES = get_args(PaletteFormat)


@dataclass(frozen=True, slots=True)
class OnePicture:
    """What came of it."""

    failure: Failure | None
    flats: tuple[FlattenResult, ...] = ()
    # ^ of what the picture shows
    width: int = 0
    height: int = 0
    bytes: int = 0
    sha256: str = ""


def is_one_picture(output: str) -> bool:
    """Whether a place for results is the name of a file, not of a folder."""
    if output.endswith("/") or (not is_url(output) and Path(output).is_dir()):
        return False
    return _suffix(output) in {*IMAGE_SUFFIXES, *_SWEEPS, *_PALETTES}


def kind_of(output: str) -> Kind:
    """What a file of this name holds; raises ConfigError where flatpipe writes no such file."""
    suffix = _suffix(output)
    if suffix in _PALETTES:
        return "palette"
    if suffix in _SWEEPS:
        if missing := missing_codecs(_SWEEPS[suffix]):
            raise ConfigError(f"{output}: {missing}")
        return "sweep"
    if suffix != "png":
        known = ", ".join(f".{word}" for word in ("png", *_SWEEPS, *_PALETTES))
        raise ConfigError(f"{output}: flat pictures are no .{suffix}, which would bring other colours: {known}")
    return "flat"


def make_picture(source: ImageSource, config: Config, output: str) -> OnePicture:
    """Make what the file's name asks for and put it in place, whole or not at all.

    Raises ConfigError when the name and the k do not go together, RunGivenUp when it cannot be written.
    """
    kind, ks = kind_of(output), ks_of(config)
    if kind != "sweep" and len(ks) > 1 and not config.flatten.target:
        raise ConfigError(f"{output} is one picture, and flatten.k asks for {len(ks)}: name one k, auto, or a folder")
    with done_in_memory(source, ks, _settings(config, output)) as scratch:
        failure = scratch.result.failure
        if failure is not None:
            return OnePicture(failure)
        shown = _shown(scratch, kind)
        content = scratch.file(_name(kind, shown, output, layout.name_width(ks)))
        token = scratch.result.token
    _write(output, content)
    digest = hashlib.sha256(content).hexdigest()
    return OnePicture(None, shown, token.width, token.height, len(content), digest)


def _settings(config: Config, output: str) -> TaskSettings:
    """Those of a run that makes no more than this."""
    settings, suffix = task_settings(config), _suffix(output)
    animation = replace(settings.animation, enabled=False)
    if suffix in _SWEEPS:
        animation = replace(settings.animation, enabled=True, format=_SWEEPS[suffix])
    palettes = tuple(kind for kind in _PALETTES if kind == suffix)
    reading = replace(settings.reading, roots=())
    # ^ whoever names one file may name a link
    made = replace(settings, animation=animation, palettes=palettes, reading=reading, pictures=False, stills=False)
    return replace(made, flats="all")


def _shown(scratch: Scratch, kind: Kind) -> tuple[FlattenResult, ...]:
    """The flats that the picture shows: all in a sweep, else the one that is asked for."""
    flats = scratch.result.flats
    if kind == "sweep" or len(flats) == 1:
        return flats
    best = hashlib.sha256(scratch.file(layout.BEST)).hexdigest()
    return tuple(flat for flat in flats if flat.sha256 == best)[:1]


def _name(kind: Kind, shown: tuple[FlattenResult, ...], output: str, width: int) -> str:
    if kind == "sweep":
        return layout.animation_name(_SWEEPS[_suffix(output)])
    if kind == "palette":
        return layout.palette_name(shown[0].k, _suffix(output), width)
    return layout.flat_name(shown[0].k, width)


def _write(output: str, content: bytes) -> None:
    try:
        if is_url(output):
            folder, _, name = output.rpartition("/")
            RemoteRoot(folder).write(name, content)
        else:
            write_alone(output, content)
    except OSError as error:
        raise RunGivenUp(f"{output}: cannot be written: {error.strerror or error}") from error


def _suffix(output: str) -> str:
    return Path(output).suffix.lower().lstrip(".")
