"""Every image of the input that a config names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from flatpipe.config import Config
from flatpipe.errors import ConfigError
from flatpipe.plan.inputs.alike import rules_of, told_apart, told_apart_by
from flatpipe.plan.inputs.every_frame import every_frame
from flatpipe.plan.inputs.places import input_of_several, input_words, listed_input
from flatpipe.plan.parts.dealing import Dealing
from flatpipe.plan.settings import selection, task_settings
from flatpipe.records import ImageSource, RefusedFile
from flatpipe.storage.discover import Selection, discover
from flatpipe.storage.litter import PassedOver
from flatpipe.storage.name_rules import NameRules
from flatpipe.storage.several.list_file import ListRefused
from flatpipe.storage.several.listed import ListedInput

Sources = Iterable[ImageSource | RefusedFile]


def input_sources(
    config: Config,
    passed_over: PassedOver | None = None,
    rules: NameRules | None = None,
    dealing: Dealing | None = None,
    is_there: Callable[[ImageSource | RefusedFile], bool] | None = None,
) -> Iterator[ImageSource | RefusedFile]:
    """Every image of the input, in the order of its files' names; raises ConfigError when it cannot be listed.

    What is passed over is counted in `passed_over`. Ids are told apart by the rules of the output's file system, which
    is asked for them when they are not given. With `dealing` only the images of one part come, and of
    files only those of which `is_there` says so.
    """
    try:
        rules = rules_of(str(config.output.path)) if rules is None else rules
        files = _discovered(config, selection(config), PassedOver() if passed_over is None else passed_over)
        found: Sources = told_apart_by(rules, files if is_there is None else filter(is_there, files))
        if dealing is not None:
            found = dealing.own(found)
            # ^ under the ids that a whole run gives; before files are opened that are another part's
        if config.input.frames == "all":
            found = every_frame(found, task_settings(config))
        yield from found
    except OSError as error:
        raise _unreadable(config, error) from error


def input_files(config: Config) -> Iterator[ImageSource | RefusedFile]:
    """The files as they are listed, none of them opened, no archive either; raises ConfigError when they cannot be."""
    try:
        yield from _discovered(config, replace(selection(config), opens_archives=False), PassedOver())
    except OSError as error:
        raise _unreadable(config, error) from error


def _discovered(config: Config, chosen: Selection, passed_over: PassedOver) -> Sources:
    """The files of the input's places, in the order of their ids, no two of which are equal."""
    if (listed := listed_input(config, chosen)) is not None:
        return told_apart(_listed(config, listed, passed_over))
    several = input_of_several(config, chosen)
    return discover(chosen, passed_over) if several is None else told_apart(several.images(passed_over))


def _unreadable(config: Config, error: OSError) -> ConfigError:
    place = error.filename if len(config.input.places) > 1 and error.filename else input_words(config)
    key = "input.path" if config.input.list is None else "input.list"
    return ConfigError(f"{place}: {key} cannot be read: {error.strerror or error}")


def _listed(config: Config, listed: ListedInput, passed_over: PassedOver) -> Iterator[ImageSource | RefusedFile]:
    """The images of a list; raises ConfigError, with the line of the config, for what is none."""
    try:
        yield from listed.images(passed_over)
    except ListRefused as error:
        key = "column" if error.of_column else "list"
        raise config.refused(("input", key), str(error)) from error


def input_images(config: Config) -> Iterator[ImageSource]:
    """The same, those included that will not be opened."""
    for item in input_sources(config):
        yield item.source if isinstance(item, RefusedFile) else item
