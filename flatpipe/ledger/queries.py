"""What can be asked of a ledger, by name: images, their outputs, the plan, the last run. Answers are records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from flatpipe.ledger.answers import (
    BesideFile,
    FlatFile,
    KnownImage,
    KnownOutput,
    OutputRatios,
    PlannedCounts,
    PlannedInput,
    Progress,
    RecordedFailure,
    RecordedRun,
    RetiredFile,
    SettledImage,
    SweepFile,
)
from flatpipe.ledger.database import Database
from flatpipe.ledger.results import Results
from flatpipe.ledger.rows import FLATS, PLANNED, SOURCE, files_of, flat_of, from_sql, planned_of, source_of, to_sql
from flatpipe.records import Failure, FlattenResult, ImageSource, LoadToken, PlannedImage, SettingsDigests, SweepResult
from flatpipe.vocabulary import EARLIER, NOT_SELECTED

_PAGE = 500
# ^ planned images that are read at once


class Queries:
    """The reading half of a ledger."""

    _db: Database

    def results(self, digests: SettingsDigests, *, strict: bool = False) -> Results:
        """The last plan's images, with the outputs that are valid under the settings of these digests."""
        return Results(self._db, digests, strict=strict)

    # --- images ----------------------------------------------------------------------------------------------------

    def known(self, image_ids: Sequence[str]) -> dict[str, KnownImage]:
        """What is known of these images, by image_id; three queries however many there are."""
        names = [to_sql(image_id) for image_id in image_ids]
        marks = ",".join("?" * len(names))
        flats: dict[str | bytes, dict[int, KnownOutput]] = {}
        columns = "image_id, k, settings, content, bytes, 0, metrics, '{}', given"
        for image_id, k, *made in self._db.execute(f"SELECT {columns} FROM flats WHERE image_id IN ({marks})", names):
            flats.setdefault(image_id, {})[k] = KnownOutput(*made)
        columns = "image_id, settings, content, animation_bytes, palettes_bytes, '{}', "
        columns += "iif(sizes = '{}', files, json_patch(sizes, pictures)), given"
        # ^ a ledger of an earlier version has names alone
        sweeps = {
            image_id: KnownOutput(*made)
            for image_id, *made in self._db.execute(f"SELECT {columns} FROM sweeps WHERE image_id IN ({marks})", names)
        }
        known = {}
        columns = ", ".join((*SOURCE, "content"))
        for row in self._db.execute(f"SELECT {columns} FROM images WHERE image_id IN ({marks})", names):
            source = source_of(row[:-1])
            known[source.image_id] = KnownImage(source, row[-1], flats.get(row[0], {}), sweeps.get(row[0]))
        return known

    def settled(
        self, image_ids: Sequence[str], digests: SettingsDigests, metrics: Sequence[str]
    ) -> dict[str, SettledImage]:
        """Those of the images whose every output was made of the content known, as the digests ask, measures taken.

        A plan asks this first, for of most images of most plans it is all there is to know: SQLite compares what
        `known` would bring here, a sixth of the time.
        """
        flat_digests = [digest for _, digest in digests.flat]
        measured = "".join(" AND instr(f.metrics, ?)" for _ in metrics)
        query = f"""
        SELECT i.image_id, i.size, i.stamp, s.pictures, s.sizes, json_group_object(f.k, f.bytes),
          iif(s.given = '', '{{}}', json_group_object(f.k, f.given)), s.given, i.part
        FROM images i CROSS JOIN sweeps s USING (image_id) CROSS JOIN flats f USING (image_id)
        WHERE i.image_id IN ({",".join("?" * len(image_ids))}) AND s.content = i.content AND s.settings = ?
          AND s.sizes != '{{}}' AND f.content = i.content AND f.settings IN (SELECT value FROM json_each(?)){measured}
        GROUP BY i.image_id HAVING count(*) = ?
        """
        # ^ a flat's digest says its k: as many flats as digests are all of them
        names, taken = [to_sql(image_id) for image_id in image_ids], [f'"{metric}"' for metric in metrics]
        asked = (*names, digests.sweep, json.dumps(flat_digests), *taken, len(flat_digests))
        return {
            from_sql(name): SettledImage._make((*made[:3], *map(json.loads, made[3:6]), *made[6:]))
            for name, *made in self._db.execute(query, asked)
        }

    def source_of(self, image_id: str) -> ImageSource | None:
        """Where an image was when it was last planned, or else when it was last read; None when it never was."""
        for table in ("planned", "images"):
            if row := self._one(f"SELECT {', '.join(SOURCE)} FROM {table} WHERE image_id = ?", to_sql(image_id)):
                return source_of(row)
        return None

    def token_of(self, image_id: str) -> LoadToken:
        """What loading an image taught; without content when it was never loaded."""
        columns = "content, width, height, distinct_colors, notes, seconds"
        row = self._one(f"SELECT {columns} FROM images WHERE image_id = ?", to_sql(image_id))
        if row is None:
            return LoadToken(image_id)
        content, width, height, distinct, notes, seconds = row
        return LoadToken(image_id, content, width, height, distinct, tuple(json.loads(notes)), seconds)

    def flats_of(self, image_id: str) -> list[FlattenResult]:
        """The recorded flat images of one image, by k."""
        query = f"{FLATS.select} WHERE image_id = ? ORDER BY k"
        return [flat_of(row) for row in self._db.execute(query, (to_sql(image_id),))]

    def sweep_of(self, image_id: str) -> SweepResult | None:
        """The recorded files of all k of one image; None without any."""
        columns = "animation_bytes, animation_sha256, palettes_bytes, palettes_sha256, seconds, files"
        row = self._one(f"SELECT {columns} FROM sweeps WHERE image_id = ?", to_sql(image_id))
        if row is None:
            return None
        animation_bytes, animation, palettes_bytes, palettes, seconds, files = row
        return SweepResult(image_id, animation_bytes, animation, palettes_bytes, palettes, files_of(files), seconds)

    def failure_of(self, image_id: str) -> RecordedFailure | None:
        """Why an image has no (complete) result; None when it has not failed."""
        return next(self._failures("WHERE image_id = ?", to_sql(image_id)), None)

    def failures(self) -> Iterator[RecordedFailure]:
        """Every image that has failed and has not succeeded since, in the order of ids."""
        return self._failures("ORDER BY image_id")

    # --- files -----------------------------------------------------------------------------------------------------

    def image_ids(self) -> Iterator[str]:
        """Every image that was ever read, in the order of ids."""
        return (from_sql(row[0]) for row in self._db.execute("SELECT image_id FROM images ORDER BY image_id"))

    def known_ids(self) -> Iterator[str]:
        """Every image that was ever read, and those of the last plan."""
        query = "SELECT image_id FROM images UNION SELECT image_id FROM planned"
        return (from_sql(row[0]) for row in self._db.execute(query))

    def flat_files(self) -> Iterator[FlatFile]:
        """Every flat image that was ever written, by image and k."""
        query = "SELECT image_id, k, sha256 FROM flats WHERE sha256 != '' ORDER BY image_id, k"
        for image_id, k, sha256 in self._db.execute(query):
            yield FlatFile(from_sql(image_id), k, sha256)

    def sweep_files(self) -> Iterator[SweepFile]:
        """Every file of all k together that was ever written, by image."""
        for row in self._db.execute("SELECT image_id, files FROM sweeps ORDER BY image_id"):
            image_id = from_sql(row[0])
            yield from (SweepFile(image_id, name, sha256) for name, sha256 in files_of(row[1]))

    def retired_files(self) -> Iterator[RetiredFile]:
        """Every file that an output once was and no longer is."""
        for name, sha256 in self._db.execute("SELECT name, sha256 FROM retired ORDER BY name"):
            yield RetiredFile(from_sql(name), sha256)

    def folder_stamps(self) -> dict[str, int]:
        """Stamps of the folders of pictures when all pictures were there, by name; empty when they never were."""
        return dict(self._db.execute("SELECT name, stamp FROM folders").fetchall())

    def owes_sweeps(self) -> bool:
        """Whether the plan has an image that was set aside or failed, and has a sweep from before."""
        query = """
        SELECT 1 FROM planned p JOIN sweeps s USING (image_id)
        WHERE p.reason = ? OR p.image_id IN (SELECT image_id FROM failures) LIMIT 1
        """
        return self._one(query, NOT_SELECTED) is not None

    def beside_files(self) -> Iterator[BesideFile]:
        """Every file that stands beside the images, by name."""
        rows = self._db.execute("SELECT name, sha256, bytes FROM beside ORDER BY name")
        return (BesideFile(*row) for row in rows)

    def output_ratios(self) -> OutputRatios:
        """How many bytes outputs take for each byte of their inputs."""
        query = """
        SELECT (SELECT 1.0 * sum(f.bytes) / sum(i.size) FROM flats f JOIN images i USING (image_id)),
               (SELECT 1.0 * sum(s.animation_bytes + s.palettes_bytes) / sum(i.size)
                FROM sweeps s JOIN images i USING (image_id))
        """
        return OutputRatios(*self._db.execute(query).fetchone())

    # --- the plan --------------------------------------------------------------------------------------------------

    def planned_counts(self) -> PlannedCounts:
        """The last run's plan in numbers, without what only earlier calls of `flatten` named."""
        query = "SELECT count(*), total(reason = ''), total(reason = ?) FROM planned WHERE reason != ?"
        return PlannedCounts(*map(int, self._db.execute(query, (NOT_SELECTED, EARLIER)).fetchone()))

    def planned_ids(self, most: int) -> list[str]:
        """Ids of the last plan's images, at most so many."""
        rows = self._db.execute("SELECT image_id FROM planned ORDER BY image_id LIMIT ?", (most,))
        return [from_sql(row[0]) for row in rows]

    def planned_inputs(self) -> Iterator[PlannedInput]:
        """Every image of the plan with what is known of its input, in the order of ids."""
        query = """
        SELECT p.image_id, p.path, p.size, p.stamp, p.frame, p.part, p.reason, i.content FROM planned p
        LEFT JOIN images i ON i.image_id = p.image_id AND i.size = p.size AND i.stamp = p.stamp
        ORDER BY p.image_id
        """
        for *place, reason, content in self._db.execute(query):
            yield PlannedInput(source_of(place), reason, content or "")

    def work(self) -> Iterator[PlannedImage]:
        """Planned images with something to do, in order; a page at a time, so that records may be written meanwhile."""
        after: tuple[Any, ...] = ()
        while True:
            due = f"(ks != '' OR sweep) {'AND image_id > ?' if after else ''}"
            query = f"{PLANNED.select} WHERE {due} ORDER BY image_id LIMIT {_PAGE}"
            page = self._db.execute(query, after).fetchall()
            if not page:
                return
            yield from (planned_of(row) for row in page)
            after = (page[-1][0],)

    def largest_work(self, count: int) -> list[ImageSource]:
        """Sources of the images with something to do whose files are the largest, the largest first."""
        query = f"{PLANNED.select} WHERE ks != '' OR sweep ORDER BY size DESC, image_id LIMIT ?"
        return [planned_of(row).source for row in self._db.execute(query, (count,))]

    # --- runs ------------------------------------------------------------------------------------------------------

    def last_run(self) -> RecordedRun | None:
        """The run that began last; None when there was none."""
        row = self._one("SELECT run_id, started, finished, state, config FROM runs ORDER BY rowid DESC LIMIT 1")
        return None if row is None else RecordedRun(*row)

    def progress(self, run_id: str) -> Progress:
        """How far a run's work is; zeros when it has not begun."""
        columns = "began, updated, images, pairs, done, failed, pairs_done"
        row = self._one(f"SELECT {columns} FROM progress WHERE run_id = ?", run_id)
        return Progress() if row is None else Progress(*row)

    def choices(self, digest: str) -> dict[str, Any]:
        """The settings behind a digest; empty when it was never recorded."""
        row = self._one("SELECT choices FROM settings WHERE digest = ?", digest)
        return dict(json.loads(row[0])) if row else {}

    def _one(self, query: str, *parameters: str | bytes) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._db.execute(query, parameters).fetchone()
        return row

    def _failures(self, which: str, *parameters: str | bytes) -> Iterator[RecordedFailure]:
        query = f"SELECT image_id, path, stage, error, message, run_id FROM failures {which}"
        for image_id, path, stage, error, message, run_id in self._db.execute(query, parameters):
            yield RecordedFailure(from_sql(image_id), from_sql(path), Failure(stage, error, message), run_id)
