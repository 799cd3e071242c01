"""Pieces and shards in the hands of a worker."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from builders import settings_for

from flatpipe.ledger.packs.rows import WantedPack
from flatpipe.records import PackedImage
from flatpipe.settings import TaskSettings
from flatpipe.storage.packs.ranges import END, member_blocks
from flatpipe.work.packs import pieces
from flatpipe.work.packs.packing import pack
from flatpipe.work.packs.pieces import Piece
from flatpipe.work.worker import Worker

CONTENTS = {"k02.png": b"two" * 300, "sweep.gif": b"", "palettes.json": b"{}"}


def range_of(key: str, contents: dict[str, bytes]) -> bytes:
    """An image's files as they stand in a tar file."""
    return b"".join(block for name, content in contents.items() for block in member_blocks(key, name, content))


@pytest.fixture
def settings(tmp_path: Path) -> TaskSettings:
    """Settings of a run that leaves pieces."""
    return dataclasses.replace(settings_for(tmp_path), pieces=".pieces")


def written(settings: TaskSettings) -> tuple[Piece, list[PackedImage]]:
    """A piece of three images, of which the second was not done."""
    piece, images = Piece(Worker(), settings), list[PackedImage]()
    for number, is_done in enumerate((True, False, True)):
        files = piece.begin(f"{number}.png", f"{number:06d}")
        for name, content in CONTENTS.items():
            files.write(f"{files.folder}/{name}", content)
        assert files.read(f"{files.folder}/k02.png") == CONTENTS["k02.png"]
        packed = piece.end(is_done=is_done)
        images += [packed] if packed else []
    return piece, images


@pytest.mark.parametrize("memory", [0, 1 << 20], ids=["on disk", "in memory"])
def test_a_piece_holds_what_was_done(settings: TaskSettings, memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The images that are done, one behind the other, and nothing of the one that is not; however large it is."""
    monkeypatch.setattr(pieces, "_MOST_IN_MEMORY", memory)
    piece, images = written(settings)
    file = piece.put_in_place()
    expected = range_of("000000", CONTENTS) + range_of("000002", CONTENTS)
    content = Path(settings.output, piece.name).read_bytes()
    assert content == expected + END
    assert file is not None
    assert file.bytes == len(content)
    assert [content[one.start : one.start + one.bytes] for one in images] == [
        range_of("000000", CONTENTS),
        range_of("000002", CONTENTS),
    ]


def test_a_shard_is_written_with_its_keys_or_not_at_all(settings: TaskSettings) -> None:
    """Ranges come in the order that is asked for, with the keys asked for; one of other bytes leaves the old shard."""
    piece, images = written(settings)
    piece.put_in_place()
    wanted = WantedPack("shards/000000.tar", (images[1], images[0]), ("000007", "000008"))
    result = pack(wanted, settings)
    shard = Path(settings.output, wanted.file)
    assert shard.read_bytes() == range_of("000007", CONTENTS) + range_of("000008", CONTENTS) + END
    assert [(one.image_id, one.key, one.start) for one in result.images] == [
        ("2.png", "000007", 0),
        ("0.png", "000008", images[1].bytes),
    ]
    damaged = dataclasses.replace(settings)
    path = Path(settings.output, piece.name)
    path.write_bytes(path.read_bytes().replace(b"two", b"toe", 1))
    before = shard.read_bytes()
    assert pack(wanted, damaged).damaged == ("0.png",)
    assert shard.read_bytes() == before
    path.unlink()
    assert pack(wanted, settings).damaged == ("2.png",)
