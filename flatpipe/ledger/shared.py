"""What is recorded of palettes that images share: the palettes, and the sums of colours that they were found in."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from flatpipe.ledger.database import Database
from flatpipe.ledger.rows import from_sql, to_sql
from flatpipe.ledger.shared_rows import CountedImage, SharedPalette, StoredSum
from flatpipe.records import ImageSource

_SUMS = "SELECT key, sha256, bytes FROM sums"


class SharedRecords:
    """The ledger's tables of shared palettes; whoever writes commits."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def palettes(self, group: str) -> dict[int, SharedPalette]:
        """The recorded palettes of a group, by k."""
        columns = "grp, k, settings, root, digest, colors, weights, mse, images"
        rows = self._db.execute(f"SELECT {columns} FROM palettes WHERE grp = ? ORDER BY k", (to_sql(group),))
        return {row[1]: _palette_of(row) for row in rows}

    def all_palettes(self) -> Iterator[SharedPalette]:
        """Every recorded palette, by group and k."""
        return (palette for group in self.groups() for palette in self.palettes(group).values())

    def groups(self) -> list[str]:
        """The groups that have palettes."""
        return [from_sql(row[0]) for row in self._db.execute("SELECT DISTINCT grp FROM palettes ORDER BY grp")]

    def record_palettes(self, palettes: Iterable[SharedPalette]) -> None:
        """Record palettes, in the place of those that their groups had."""
        self._db.executemany(
            "INSERT OR REPLACE INTO palettes (grp, k, settings, root, digest, colors, weights, mse, images) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (to_sql(one.group), *one[1:5], " ".join(one.colors), json.dumps(one.weights), one.mse, one.images)
                for one in palettes
            ),
        )

    def keep_palettes(self, groups: Iterable[str], ks: Collection[int]) -> None:
        """Drop the palettes of all other groups and k."""
        names, numbers = set(groups), json.dumps(sorted(ks))
        gone = [(to_sql(group),) for group in self.groups() if group not in names]
        self._db.executemany("DELETE FROM palettes WHERE grp = ?", gone)
        self._db.execute("DELETE FROM palettes WHERE k NOT IN (SELECT value FROM json_each(?))", (numbers,))

    def counted(self, image_ids: Sequence[str]) -> dict[str, CountedImage]:
        """What of these images was counted, by image_id."""
        marks = ",".join("?" * len(image_ids))
        query = f"SELECT image_id, size, stamp, content FROM counted WHERE image_id IN ({marks})"
        rows = self._db.execute(query, [to_sql(image_id) for image_id in image_ids])
        return {from_sql(row[0]): CountedImage(*row[1:]) for row in rows}

    def decoded_since(self, image_ids: Collection[str]) -> set[str]:
        """Those of images that could not be counted which have been decoded since, the same files."""
        query = """
        SELECT image_id FROM images i JOIN counted c USING (image_id)
        WHERE i.size = c.size AND i.stamp = c.stamp AND image_id IN ({})
        """
        marks = ",".join("?" * len(image_ids))
        return {from_sql(row[0]) for row in self._db.execute(query.format(marks), list(map(to_sql, image_ids)))}

    def n_counted(self, group: str) -> int:
        """How many images are in the sum of a group."""
        query = "SELECT count(*) FROM counted WHERE grp = ?"
        return int(self._db.execute(query, (to_sql(group),)).fetchone()[0])

    def record_counted(self, group: str, images: Iterable[tuple[ImageSource, str]]) -> None:
        """Record images as they were counted, each with its content."""
        self._db.executemany(
            "INSERT OR REPLACE INTO counted (image_id, grp, size, stamp, content) VALUES (?, ?, ?, ?, ?)",
            (
                (to_sql(source.image_id), to_sql(group), source.size, source.stamp, content)
                for source, content in images
            ),
        )

    def forget_uncounted(self) -> None:
        """Drop images that the plan no longer has in the group that they were counted for."""
        self._db.execute(
            "DELETE FROM counted WHERE NOT EXISTS "
            "(SELECT 1 FROM planned p WHERE p.image_id = counted.image_id AND p.grp IS counted.grp)"
        )

    def sums(self, keys: Collection[str]) -> dict[str, StoredSum]:
        """Those of these sums that are stored, by key."""
        query = f"{_SUMS} WHERE key IN (SELECT value FROM json_each(?))"
        return {row[0]: StoredSum(*row) for row in self._db.execute(query, (json.dumps(sorted(keys)),))}

    def all_sums(self) -> Iterator[StoredSum]:
        """Every sum that is stored, by key."""
        return (StoredSum(*row) for row in self._db.execute(f"{_SUMS} ORDER BY key"))

    def record_sum(self, stored: StoredSum) -> None:
        """Record that a sum is stored."""
        self._db.execute("INSERT OR REPLACE INTO sums (key, sha256, bytes) VALUES (?, ?, ?)", stored)

    def unused_sums(self, used: Collection[str]) -> Iterator[StoredSum]:
        """The sums that are stored and not among those used."""
        query = f"{_SUMS} WHERE key NOT IN (SELECT value FROM json_each(?))"
        yield from [StoredSum(*row) for row in self._db.execute(query, (json.dumps(sorted(used)),))]

    def forget_sums(self, keys: Iterable[str]) -> None:
        """Drop sums whose files are gone or damaged."""
        self._db.executemany("DELETE FROM sums WHERE key = ?", ((key,) for key in keys))


def _palette_of(row: tuple[Any, ...]) -> SharedPalette:
    group, k, settings, root, digest, colors, weights, mse, images = row
    shown = tuple(colors.split()), tuple(json.loads(weights))
    return SharedPalette(from_sql(group), k, settings, root, digest, *shown, mse, images)
