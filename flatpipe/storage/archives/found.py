"""What is found in an archive, before anybody has asked whether it is wanted."""

from __future__ import annotations

from dataclasses import dataclass

from flatpipe.errors import UnsupportedImage


@dataclass(frozen=True, slots=True)
class Member:
    """A member that can be read."""

    name: str
    # ^ as the archive has it
    size: int
    # ^ bytes, by the archive's word
    where: str
    # ^ what its kind needs to read it, in ASCII: numbers of bytes, rows
    is_numbered: bool = False
    # ^ whether the name is a number that we gave it, or a key without a suffix: whoever includes *.jpg means it too


@dataclass(frozen=True, slots=True)
class Fault:
    """A member that will not be read."""

    name: str
    message: str
    error: str = UnsupportedImage.error
    # ^ the stable word of an ImageError class
