"""What is recorded of shards: in which tar file each image's outputs lie, and which tar files there are.

A row of `packed` is of an image whose outputs lie in a tar file; those of all others lie in a folder of their own.
No file is ever overwritten while a row of `packed` leads there: that is what makes packing safe at every instant.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from flatpipe import layout
from flatpipe.ledger.database import Database
from flatpipe.ledger.packs.rows import NumberedShard, PackFile, SetAside, ShardState, packed_row
from flatpipe.ledger.results import SWEEP_IS_VALID
from flatpipe.ledger.rows import PLANNED, Table, from_sql, planned_of, to_sql
from flatpipe.records import ImageRecord, PackedImage, PlannedImage, SettingsDigests
from flatpipe.vocabulary import NOT_SELECTED

PACKED = Table("packed", ("image_id", "file", "key", "start", "bytes", "sha256"))
PACKS = Table("packs", ("file", "sha256", "bytes"))
_WRITTEN = "bytes >= 0"
# ^ of a file; a name that a run may write to, and did not tell whether it has, is recorded with -1
_PAGE = 500
# ^ planned images that are read at once
_STATE = f"""
SELECT q.image_id, q.file, q.key, q.start, q.bytes, q.sha256, s.image_id, x.image_id FROM planned p
LEFT JOIN images i USING (image_id) LEFT JOIN packed q ON q.image_id = p.image_id
LEFT JOIN sweeps s ON s.image_id = p.image_id AND {SWEEP_IS_VALID}
LEFT JOIN failures x ON x.image_id = p.image_id
WHERE p.image_id >= :first AND (:until IS NULL OR p.image_id < :until) ORDER BY p.image_id
"""
# ^ an image in a tar file was made whole: where its sweep is valid, its flats are
_IS_COPIED = """
image_id IN (SELECT p.same_as FROM planned p LEFT JOIN packed q USING (image_id) WHERE q.image_id IS NULL)
AND image_id NOT IN (SELECT image_id FROM planned)
"""
# ^ of an image that is gone and whose outputs another one is still to get


def store_packed(db: Database, records: Sequence[ImageRecord]) -> None:
    """Record where outputs lie now, before those themselves are recorded: of what was made earlier nothing is left."""
    made = [(to_sql(record.source.image_id),) for record in records if record.flat_rows or record.sweep_row]
    db.executemany("DELETE FROM packed WHERE image_id = ?", made)
    whole = [(to_sql(record.source.image_id),) for record in records if record.packed_row]
    db.executemany("DELETE FROM flats WHERE image_id = ?", whole)
    db.executemany(PACKED.insert, [record.packed_row for record in records if record.packed_row])
    db.executemany(PACKS.insert, {record.pack_row: None for record in records if record.pack_row})


class PackRecords:
    """The ledger's tables of shards; whoever writes commits."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # --- where outputs lie -------------------------------------------------------------------------------------------

    @property
    def are_there(self) -> bool:
        """Whether any image's outputs lie in a tar file."""
        return self._db.execute("SELECT 1 FROM packed LIMIT 1").fetchone() is not None

    def of(self, image_ids: Iterable[str]) -> dict[str, PackedImage]:
        """Where outputs lie, by image, of those of the images whose outputs lie in tar files."""
        names = [to_sql(image_id) for image_id in image_ids]
        rows = self._db.execute(f"{PACKED.select} WHERE image_id IN ({','.join('?' * len(names))})", names)
        return {one.image_id: one for one in map(_packed_of, rows)}

    def sizes_of(self, image_ids: Iterable[str]) -> Iterator[tuple[str, dict[int, int], dict[str, int]]]:
        """Of the same: the image, sizes of its flats by k, and of its other files by name."""
        names = [to_sql(image_id) for image_id in image_ids]
        query = f"""
        SELECT q.image_id, (SELECT json_group_object(k, bytes) FROM flats f WHERE f.image_id = q.image_id), s.sizes
        FROM packed q JOIN sweeps s USING (image_id) WHERE q.image_id IN ({",".join("?" * len(names))})
        """
        for name, flats, others in self._db.execute(query, names):
            yield from_sql(name), {int(k): size for k, size in json.loads(flats).items()}, json.loads(others)

    def within(self, file: str) -> list[PackedImage]:
        """The images whose outputs lie in a file, in their order there."""
        rows = self._db.execute(f"{PACKED.select} WHERE file = ? ORDER BY start", (file,))
        return [_packed_of(row) for row in rows]

    def files(self) -> list[PackFile]:
        """Every shard and piece that was written, by name."""
        return [PackFile(*row) for row in self._db.execute(f"{PACKS.select} WHERE {_WRITTEN} ORDER BY file")]

    def is_needed(self, file: str) -> bool:
        """Whether outputs of any image lie in a file."""
        return self._db.execute("SELECT 1 FROM packed WHERE file = ? LIMIT 1", (file,)).fetchone() is not None

    def unneeded(self) -> list[str]:
        """The files, written or perhaps so, in which no image's outputs lie, by name."""
        query = "SELECT file FROM packs WHERE NOT EXISTS (SELECT 1 FROM packed WHERE packed.file = packs.file)"
        return sorted(row[0] for row in self._db.execute(query))

    def knows(self, file: str) -> bool:
        """Whether a file is recorded as written."""
        query = f"SELECT 1 FROM packs WHERE file = ? AND {_WRITTEN}"
        return self._db.execute(query, (file,)).fetchone() is not None

    def claim(self, files: Iterable[str]) -> None:
        """Record that files may be written: a run that is killed leaves none that the next does not know as its own."""
        claimed = "INSERT OR IGNORE INTO packs (file, sha256, bytes) VALUES (?, '', -1)"
        self._db.executemany(claimed, ((file,) for file in files))

    # --- the plan by shards ------------------------------------------------------------------------------------------

    def count(self) -> int:
        """How many images the plan has."""
        return int(self._db.execute("SELECT count(*) FROM planned").fetchone()[0])

    def planned(self) -> Iterator[tuple[str, str]]:
        """Id of every image of the plan, in the order of ids, and what is with it: "due", "set aside" or ""."""
        query = """
        SELECT p.image_id, p.ks != '' OR p.sweep, p.reason = ?, x.image_id IS NULL FROM planned p
        LEFT JOIN failures x USING (image_id) ORDER BY p.image_id
        """
        for name, is_due, is_set_aside, is_sound in self._db.execute(query, (NOT_SELECTED,)):
            yield from_sql(name), "due" if is_due else "set aside" if is_set_aside and is_sound else ""

    def work(self) -> Iterator[PlannedImage]:
        """Planned images with something to do, in order, each with its key; records may be written meanwhile."""
        width, after, number = layout.key_width(self.count()), None, itertools.count()
        while True:
            query = f"{PLANNED.select} WHERE ? IS NULL OR image_id > ? ORDER BY image_id LIMIT {_PAGE}"
            page = self._db.execute(query, (after, after)).fetchall()
            if not page:
                return
            for row, place in zip(page, number, strict=False):
                image = planned_of(row)
                if not image.is_current:
                    yield replace(image, key=f"{place:0{width}d}")
            after = page[-1][0]

    def state(self, shard: NumberedShard, shard_size: int, width: int, digests: SettingsDigests) -> ShardState:
        """What there is of a shard's images, and of its file."""
        until = None if shard.until is None else to_sql(shard.until)
        valid = {"settings": json.dumps([digests.sweep]), "earlier": None}
        rows = self._db.execute(_STATE, {"first": to_sql(shard.first), "until": until, **valid}).fetchall()
        images, keys, is_complete = [], [], True
        for number, (*packed, swept, failed) in enumerate(rows, shard.number * shard_size):
            if failed is None and swept is not None and packed[0] is not None:
                images.append(_packed_of(packed))
                keys.append(f"{number:0{width}d}")
            elif failed is None:
                is_complete = False
        is_right = is_complete and self._is_right(layout.shard_name(shard.number), images, keys)
        return ShardState(is_complete, is_right, tuple(images), tuple(keys))

    def _is_right(self, file: str, images: Sequence[PackedImage], keys: Sequence[str]) -> bool:
        """Whether a file holds these images and nothing else; one of no images is not there."""
        row = self._db.execute(f"{PACKS.select} WHERE file = ? AND {_WRITTEN}", (file,)).fetchone()
        if row is None or not images:
            return row is None and not images
        starts = itertools.accumulate((image.bytes for image in images), initial=0)
        held = [(file, key, start) for key, start in zip(keys, starts, strict=False)]
        ends = images[-1].start + images[-1].bytes + layout.PACK_END
        return bool(row[1]) and row[2] == ends and held == [(one.file, one.key, one.start) for one in images]

    # --- what has become of them -------------------------------------------------------------------------------------

    def set_aside(self, moved: SetAside) -> None:
        """Record that a shard's images are found under another name; those that nobody needs now are let go."""
        gone = f"image_id NOT IN (SELECT image_id FROM planned) AND NOT ({_IS_COPIED})"
        self._db.execute(f"DELETE FROM packed WHERE file = ? AND {gone}", (moved.file,))
        self._db.execute("UPDATE packed SET file = ? WHERE file = ?", (moved.piece, moved.file))
        self._db.execute(
            "INSERT OR REPLACE INTO packs (file, sha256, bytes) SELECT ?, sha256, bytes FROM packs WHERE file = ?",
            moved[::-1],
        )
        self._db.execute("UPDATE packs SET sha256 = '', bytes = -1 WHERE file = ?", (moved.file,))

    def record(self, shard: NumberedShard, pack: PackFile | None, images: Sequence[PackedImage]) -> None:
        """Record a shard that was written, or that holds nothing; its other images, which have failed, are let go."""
        until = None if shard.until is None else to_sql(shard.until)
        self._db.execute(
            f"DELETE FROM packed WHERE image_id >= ? AND (? IS NULL OR image_id < ?) AND NOT ({_IS_COPIED})",
            (to_sql(shard.first), until, until),
        )
        self._db.executemany(PACKED.insert, map(packed_row, images))
        if pack is not None:
            self._db.execute(PACKS.insert, pack)

    def let_go_copied(self) -> None:
        """Drop where outputs of images lie that are gone, once they were copied for all that needed them."""
        copied = "image_id IN (SELECT same_as FROM planned) AND image_id NOT IN (SELECT image_id FROM planned)"
        self._db.execute(f"DELETE FROM packed WHERE {copied} AND NOT ({_IS_COPIED})")

    def let_go(self, image_ids: Iterable[str]) -> None:
        """Drop where these images' outputs lie, for they do not: they are made again."""
        self._db.executemany("DELETE FROM packed WHERE image_id = ?", ((to_sql(name),) for name in image_ids))

    def forget(self, files: Iterable[str]) -> None:
        """Drop files that are gone, and that any image's outputs lie there."""
        names = [(file,) for file in files]
        for table in ("packed", "packs"):
            self._db.executemany(f"DELETE FROM {table} WHERE file = ?", names)

    def doubt(self, file: str) -> None:
        """Note that a file's bytes are not those recorded: a shard is packed anew."""
        self._db.execute("UPDATE packs SET sha256 = '' WHERE file = ?", (file,))


def numbered_shards(firsts: Sequence[str]) -> list[NumberedShard]:
    """The shards that begin with these images."""
    return [NumberedShard(number, *ends) for number, ends in enumerate(itertools.pairwise([*firsts, None]))]  # type: ignore[arg-type]


def _packed_of(row: Sequence[Any]) -> PackedImage:
    return PackedImage(from_sql(row[0]), *row[1:])
