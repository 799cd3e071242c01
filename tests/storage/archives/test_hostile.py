"""Archives that are broken, or made to harm: each fault is one row, what is sound beside it is read."""

from __future__ import annotations

import contextlib
import random
import tracemalloc
from pathlib import Path

import pytest
from archive_builders import Case
from hostile_parquet import PARQUET_CASES
from hostile_tar import SOUND, TAR_CASES
from hostile_zip import ZIP_CASES

from flatpipe.errors import ImageError
from flatpipe.places import ReadPolicy
from flatpipe.records import ImageSource, RefusedFile
from flatpipe.storage.discover import Selection, discover
from flatpipe.storage.reading import read_input

CASES = TAR_CASES | ZIP_CASES | PARQUET_CASES
POLICY = ReadPolicy(max_bytes=1 << 20)
MOST_MEMORY = 32 << 20
# ^ bytes beside the archive itself, which the tests hold: half of what the bombs unpack to


def row_of(item: ImageSource | RefusedFile) -> tuple[str, str]:
    """The name of what was found in the archive, and what came of it."""
    source = item.source if isinstance(item, RefusedFile) else item
    name = source.image_id.partition("/")[2]
    if isinstance(item, RefusedFile):
        assert item.failure.message
        return name, item.failure.error
    try:
        content = read_input(item, POLICY)
    except ImageError as error:
        return name, error.error
    return name, "sound" if content == SOUND else "read"


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The same with something exchanged, lost, put in or copied elsewhere."""
    at, other = chance.randrange(len(content)), chance.randrange(len(content))
    piece = chance.choice((b"", b"\xff" * 8, b"\0" * 512, chance.randbytes(4), content[other : other + 64]))
    return content[:at] + piece + content[at + chance.choice((0, 1, len(piece), 512)) :]


@pytest.mark.parametrize("suffix", sorted({case.suffix for case in CASES.values()}))
def test_no_damage_is_beyond_words(suffix: str, tmp_path: Path) -> None:
    """Archives of the table, damaged at random, come to rows and images; nothing else is raised."""
    chance = random.Random(17)
    contents = [case.content for case in CASES.values() if case.suffix == suffix and 0 < len(case.content) < 20_000]
    path = tmp_path / f"shard.{suffix}"
    for _ in range(60):
        path.write_bytes(damaged(damaged(chance.choice(contents), chance), chance))
        for item in discover(Selection(str(path), ("*",))):
            with contextlib.suppress(OSError):
                row_of(item)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_fault_is_one_row_and_what_is_sound_is_read(case: Case, tmp_path: Path) -> None:
    """Exactly the rows of the table come out, in little memory."""
    path = tmp_path / f"shard.{case.suffix}"
    path.write_bytes(case.content)
    if not case.is_long:
        tracemalloc.start()
    try:
        rows = [row_of(item) for item in discover(Selection(str(path), ("*.png",)))]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert len(rows) == len(dict(rows))
    assert dict(rows) == case.rows
    assert peak < MOST_MEMORY
