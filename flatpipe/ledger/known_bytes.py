"""Recorded images by the bytes that they were made of, so that others of the same bytes need not be made."""

from __future__ import annotations

from collections.abc import Iterator

from flatpipe.ledger.database import Database, connected
from flatpipe.ledger.rows import from_sql, to_sql
from flatpipe.records import ImageSource, SettingsDigests


class KnownBytes:
    """The images whose files of all k were made as the digests ask; an index that lasts as long as a plan.

    It is made when it is first asked, and lies on disk: only who brings new images to a ledger that knows some waits.
    """

    def __init__(self, db: Database, digests: SettingsDigests) -> None:
        self._db, self._digests = db, digests
        self._index: Database | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is none: nothing need be read to be compared."""
        return self._asked().execute("SELECT 1 FROM known LIMIT 1").fetchone() is None

    def of_size(self, source: ImageSource) -> dict[str, list[str]]:
        """Ids of the images whose bytes were as many as the source's, by the digest of these; frames stay frames."""
        return self._found("size = ?", source.size, source)

    def of_content(self, content: str, source: ImageSource) -> dict[str, list[str]]:
        """The same for images of this digest, whatever their size."""
        return self._found("content = ?", content, source)

    def close(self) -> None:
        """Drop the index."""
        if self._index is not None:
            self._index.close()
            self._index = None

    def _found(self, condition: str, value: int | str, source: ImageSource) -> dict[str, list[str]]:
        query = (
            f"SELECT content, image_id FROM known WHERE {condition} AND frame = ? AND image_id != ? ORDER BY image_id"
        )
        found = dict[str, list[str]]()
        for content, image_id in self._asked().execute(query, (value, source.frame, to_sql(source.image_id))):
            found.setdefault(content, []).append(from_sql(image_id))
        return found

    def _asked(self) -> Database:
        if self._index is None:
            self._index = self._made()
        return self._index

    def _made(self) -> Database:
        index = connected("", "the temporary folder")
        # ^ a temporary file of SQLite's own, gone when it is closed
        index.execute("CREATE TABLE known (size, frame, content, image_id)")
        index.executemany("INSERT INTO known (size, frame, content, image_id) VALUES (?, ?, ?, ?)", self._rows())
        for column in ("size", "content"):
            index.execute(f"CREATE INDEX by_{column} ON known ({column})")
        return index

    def _rows(self) -> Iterator[tuple[int, int, str, str | bytes]]:
        query = """
        SELECT i.size, i.frame, i.content, i.image_id FROM images i JOIN sweeps s USING (image_id)
        WHERE s.settings = ? AND s.content = i.content AND s.sizes != '{}'
        """
        yield from self._db.execute(query, (self._digests.sweep,))
