"""Records of shards and pieces: where an image's outputs lie in a tar file, and what is to be packed."""

from __future__ import annotations

from typing import NamedTuple

from flatpipe.ledger.rows import to_sql
from flatpipe.records import Failure, PackedImage, Row


class PackFile(NamedTuple):
    """A tar file of outputs, a shard or a piece, as it was written."""

    file: str
    # ^ below the output root
    sha256: str
    # ^ "" where `verify` found it changed: what it holds is to be packed anew
    bytes: int


class WantedPack(NamedTuple):
    """A shard that is to be written."""

    file: str
    images: tuple[PackedImage, ...]
    # ^ in the order in which it is to hold them, as they lie now
    keys: tuple[str, ...]
    # ^ that they get
    unneeded: tuple[str, ...] = ()
    # ^ files that nothing needs any more: they go on the way


class SetAside(NamedTuple):
    """A shard that is to have a second name, under which its images are found until they are packed anew."""

    file: str
    piece: str


class PackResult(NamedTuple):
    """What became of a shard."""

    pack: PackFile | None = None
    images: tuple[PackedImage, ...] = ()
    # ^ as they lie in it
    damaged: tuple[str, ...] = ()
    # ^ ids of images that do not lie where they should, or with other bytes: nothing was written
    failure: Failure | None = None


class NumberedShard(NamedTuple):
    """A shard by its number in the plan."""

    number: int
    first: str
    # ^ id of the first image of the plan that belongs there
    until: str | None
    # ^ that of the next shard; None: there is none


class ShardState(NamedTuple):
    """A shard as the ledger has it."""

    is_complete: bool
    # ^ whether each of its images is done, or has failed
    is_right: bool
    # ^ whether its file holds just what it should
    images: tuple[PackedImage, ...]
    # ^ that are done, in order, as they lie now
    keys: tuple[str, ...]


def packed_row(image: PackedImage) -> Row:
    """A row of `packed`."""
    return (to_sql(image.image_id), *image[1:])
