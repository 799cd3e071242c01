"""The input as it can be seen now: what is there, and what is surely not there any more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from flatpipe import layout
from flatpipe.config import IMAGE_PATTERNS, Config
from flatpipe.errors import ConfigError, ImageError, ImageIOFailed
from flatpipe.ledger.names import NamesOnDisk
from flatpipe.places import is_url
from flatpipe.plan.inputs.places import input_base, input_words
from flatpipe.plan.inputs.sources import input_sources
from flatpipe.plan.settings import task_settings
from flatpipe.records import RefusedFile
from flatpipe.storage.archives.kinds import is_archive
from flatpipe.storage.asked import member_now
from flatpipe.storage.discover import local_source
from flatpipe.storage.litter import PassedOver
from flatpipe.storage.name_rules import NameRules
from flatpipe.storage.patterns import Patterns
from flatpipe.storage.reading import file_size, read_input
from flatpipe.storage.roots import open_root

_REMEMBERED = 4096
# ^ folders


class ListedInput:
    """All images of the input, and what of it could not be read; close it after use."""

    def __init__(self, config: Config) -> None:
        """Raises ConfigError when it cannot be listed, or a place of it holds nothing: a disk may not be mounted."""
        self._base, self._reading = input_base(config), task_settings(config).reading
        self._lone = Patterns(IMAGE_PATTERNS, ()) if config.input.list and config.input.frames == "first" else None
        # ^ names of what is one image, where each is named by itself
        passed_over = PassedOver()
        self.unreadable: list[str] = []
        # ^ files and folders below the input whose contents are not known; more are found while `is_gone` is asked
        self._is_reached = lru_cache(_REMEMBERED)(self._reach)
        self._rules = _rules_of(str(config.output.path))
        self._places = NamesOnDisk()
        # ^ names of the present images as the output's file system takes them, where it takes several for one
        self._present = NamesOnDisk(self._image_ids(config, passed_over))
        if not self._present or passed_over.empty:
            self.close()
            place = passed_over.empty[0] if passed_over.empty else input_words(config)
            raise ConfigError(f"{place}: input.path holds no image, and every output would go; is it mounted?")

    def is_gone(self, image_id: str) -> bool:
        """Whether the image is surely no longer there: not asked for, or not in a folder that can be read."""
        return not (image_id in self._present or self._is_hidden(image_id))

    def holds_place_of(self, image_id: str) -> bool:
        """Whether outputs of an image that is gone would lie where those of one that is there do: it was renamed."""
        return self._rules.key(image_id) in self._places

    def close(self) -> None:
        """Drop the names."""
        self._present.close()
        self._places.close()

    def _image_ids(self, config: Config, passed_over: PassedOver) -> Iterator[str]:
        for item in input_sources(config, passed_over, self._rules):
            if isinstance(item, RefusedFile) and _may_hold_more(item) and not self._is_one(item):
                self.unreadable.append(item.source.image_id)
            image_id = item.source.image_id if isinstance(item, RefusedFile) else item.image_id
            if not self._rules.are_exact:
                self._places.add(self._rules.key(image_id))
            yield image_id

    def _is_one(self, item: RefusedFile) -> bool:
        """Whether a list names just this image, and it hides no other: lists of web pages have many that are gone."""
        return self._lone is not None and self._lone.match(layout.unmarked(item.source.image_id))

    def _is_hidden(self, image_id: str) -> bool:
        """Whether something that cannot be read may hold the image."""
        if any(image_id.startswith((f"{name}/", f"{name}#")) for name in self.unreadable):
            return True
        if is_url(self._base) or not Path(self._base).is_dir():
            return False
        return not self._is_reached(image_id.rpartition("/")[0]) or self._is_unread_frame(image_id)

    def _reach(self, folder: str) -> bool:
        """Whether no link on the way to a folder leads nowhere: a disk behind it may not be mounted."""
        parts = folder.split("/") if folder else []
        for depth in range(1, len(parts) + 1):
            above = "/".join(parts[:depth])
            path = f"{self._base}/{above}"
            if os.path.islink(path) and not os.path.exists(path):  # noqa: PTH110, PTH114 - names may not be UTF-8
                self.unreadable.append(above)
                return False
        return True

    def _is_unread_frame(self, image_id: str) -> bool:
        """Whether the image is a frame of a file that is there and cannot be read: it counts as one image then."""
        file, mark, _ = image_id.rpartition("#")
        if not mark or file not in self._present:
            return False
        try:
            self._check_readable(layout.unmarked(file))
        except (OSError, ImageError):
            self.unreadable.append(file)
            return True
        return False

    def _check_readable(self, name: str) -> None:
        """Raise OSError or ImageError where a file of the input, or a member of an archive, cannot be read."""
        parts = name.split("/")
        above = ("/".join(parts[:depth]) for depth in range(1, len(parts)) if is_archive(parts[depth - 1]))
        archive = next((path for path in above if Path(f"{self._base}/{path}").is_file()), "")
        if not archive:
            file_size(f"{self._base}/{name}")
            return
        lies = local_source(f"{self._base}/{archive}")
        if member := member_now(lies, replace(lies, image_id=name)):
            read_input(member, self._reading)


def _may_hold_more(refused: RefusedFile) -> bool:
    """Whether what will not be opened is a folder, or an archive that is not whole: not all that it holds is known."""
    name = refused.source.image_id
    return refused.failure.error == ImageIOFailed.error or (is_archive(name) and not refused.source.part)


def _rules_of(output: str) -> NameRules:
    """The rules of the output's names; raises ConfigError: without them the wrong files might be taken for stale."""
    try:
        return open_root(output).name_rules()
    except OSError as error:
        words = f"its file system cannot be asked which names it takes for one: {error.strerror or error}"
        raise ConfigError(f"{output}: {words}") from error
