"""What there is of the last run's plan: each image with its valid outputs. What is valid is said here, once."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from flatpipe.ledger.database import Database
from flatpipe.ledger.rows import files_of, from_sql, source_of
from flatpipe.records import Failure, ImageSource, LoadToken, SettingsDigests
from flatpipe.vocabulary import EARLIER

_IS_VALID = (
    "{output}.content = i.content "
    "AND ({output}.settings IN (SELECT value FROM json_each(:settings)) OR p.reason = :earlier) "
    "AND (p.grp IS NULL OR p.reason = :earlier OR {is_given})"
)
_FLAT_IS_GIVEN = "f.given = (SELECT digest FROM palettes WHERE grp = p.grp AND k = f.k)"
_SWEEP_IS_GIVEN = (
    "s.given != '' AND NOT EXISTS (SELECT 1 FROM json_each(s.given) e "
    "WHERE e.value IS NOT (SELECT digest FROM palettes WHERE grp = p.grp AND k = e.key))"
)
_FLAT_IS_VALID = _IS_VALID.format(output="f", is_given=_FLAT_IS_GIVEN)
SWEEP_IS_VALID = _IS_VALID.format(output="s", is_given=_SWEEP_IS_GIVEN)
# ^ an output is valid when it was made of what the image now holds, with the palettes that its group now shares, under
#   settings that the config asks for; or, of an image that an earlier call of `flatten` named, under whatever settings
#   that call had
_FLAT_IS_ADDED = f"f.content = i.content AND ({_FLAT_IS_VALID} OR f.k NOT IN (SELECT value FROM json_each(:ks)))"
# ^ where calls add up, flats of other k than the last call's are valid too

_IMAGES = f"""
SELECT p.image_id, p.path, p.size, p.stamp, p.frame, p.part,
       i.content, i.width, i.height, i.distinct_colors, i.notes, i.seconds, s.files, x.stage, x.error, x.message, p.grp,
       q.file || '/' || q.key || '.'
FROM planned p LEFT JOIN images i USING (image_id) LEFT JOIN packed q ON q.image_id = p.image_id
LEFT JOIN sweeps s ON s.image_id = p.image_id AND {SWEEP_IS_VALID}
LEFT JOIN failures x ON x.image_id = p.image_id
ORDER BY p.image_id
"""
_CONTENT, _FILES = 6, 12
# ^ places in a row of images: the source stands before content, failure, group and pack behind the sweep's files
_FLATS = """
SELECT p.image_id, f.k, f.n_colors, f.mse, f.bytes, f.sha256, f.seconds,
       replace(replace(f.palette, '#', ''), ' ', ''), f.weights, f.metrics, {is_asked}
FROM planned p CROSS JOIN images i USING (image_id) CROSS JOIN flats f USING (image_id)
WHERE {is_valid}
ORDER BY p.image_id, f.k
"""
# ^ CROSS JOIN keeps the order of the tables: SQLite would rather scan all flats, and sort them afterwards
_GATHERED = """
SELECT p.image_id, {gathered} FROM planned p
CROSS JOIN images i USING (image_id) CROSS JOIN flats f USING (image_id)
WHERE {is_valid}
GROUP BY p.image_id ORDER BY p.image_id
"""
# ^ gathered by SQLite: a tenth of the time that a row for each flat takes
_DIGESTS = "group_concat(f.k || ' ' || f.sha256)"
_DETAILS = "group_concat(f.k || f.sha256 || f.metrics || ({is_asked})), total(f.seconds)"
_GROUPS = "SELECT grp, count(*) FROM planned WHERE grp IS NOT NULL GROUP BY grp ORDER BY grp"
_PALETTES = """
SELECT grp, k, colors, weights, mse FROM palettes WHERE grp IN (SELECT grp FROM planned) ORDER BY grp, k
"""

_Row = tuple[Any, ...]


def last_run_adds(db: Database) -> bool:
    """Whether the run that began last adds to what was there before, as calls of `flatten` do."""
    query = "SELECT 1 FROM runs WHERE rowid = (SELECT max(rowid) FROM runs) AND adds"
    return db.execute(query).fetchone() is not None


class ValidFlat(NamedTuple):
    """One valid flat image. A tuple, because tables and reports read millions of them."""

    k: int
    n_colors: int
    mse: float
    bytes: int
    # ^ of its file; 0, and no digest, where it has none
    sha256: str
    seconds: float
    palette: str
    # ^ "rrggbbrrggbb...", by lightness: as the gallery has it, because half its text is colours
    weights: str
    # ^ pixels that each of these colours covers, as words
    metrics: str
    # ^ JSON: "ssim" and "ciede2000", where they were taken
    is_asked: int = 1
    # ^ 0 of one that an earlier call of `flatten` made of an image that a later one named with other k


@dataclass(frozen=True, slots=True)
class ImageResults:
    """One image of the plan, with whatever there is of it."""

    source: ImageSource
    token: LoadToken
    # ^ without content when the image was never read
    files: tuple[tuple[str, str], ...] | None
    # ^ (name, sha256) of what is made of all k together; None when there is no valid sweep
    failure: Failure | None
    flats: tuple[ValidFlat, ...]
    # ^ by k
    group: str | None = None
    # ^ of images with which it shares palettes; None: it shares with none
    pack: str = ""
    # ^ what stands before the names of its files where they lie in a tar file: "shards/000000.tar/000017."

    @property
    def asked(self) -> tuple[ValidFlat, ...]:
        """The flats among which the best is chosen: those that its sweep shows."""
        return tuple(flat for flat in self.flats if flat.is_asked)


@dataclass(frozen=True, slots=True)
class ImageDigests:
    """One image of the plan with the digests of its outputs alone."""

    source: ImageSource
    content: str
    # ^ sha256 of the input; "" when it was never read
    files: tuple[tuple[str, str], ...] | None
    failure: Failure | None
    flats: tuple[tuple[int, str], ...]
    # ^ k and sha256
    pack: str


class GroupPalette(NamedTuple):
    """The palette that a group of images shares for one k."""

    k: int
    colors: str
    # ^ "#rrggbb #rrggbb ..." row by row
    weights: str
    # ^ JSON: how much of the group's colours each is nearest to
    mse: float


@dataclass(frozen=True, slots=True)
class GroupResults:
    """A group of images of the plan, with the palettes that they share."""

    group: str
    images: int
    palettes: tuple[GroupPalette, ...]
    # ^ by k


class Results:
    """The plan's images in the order of their ids, with the outputs that are valid under some settings.

    Those that an earlier call of `flatten` named come as it left them, unless `strict` is set. Those of the last call
    then come with flats of other k from earlier ones.
    """

    def __init__(self, db: Database, digests: SettingsDigests, *, strict: bool = False) -> None:
        self._db, self._state = db, ""
        self._parts: dict[str, str | int] = {"is_valid": _FLAT_IS_VALID, "is_asked": 1}
        if not strict and last_run_adds(db):
            self._parts = {"is_valid": _FLAT_IS_ADDED, "is_asked": _FLAT_IS_VALID}
        settings = json.dumps(sorted({digests.sweep, *dict(digests.flat).values()}))
        ks = json.dumps([k for k, _ in digests.flat])
        self._settings = {"settings": settings, "earlier": None if strict else EARLIER, "ks": ks}

    def images(self) -> Iterator[ImageResults]:
        """Every image with its flats, as a stream."""
        for row, flats in _with_own(self._rows(_IMAGES), self._rows(_FLATS.format(**self._parts))):
            yield ImageResults(
                source=source_of(row[:_CONTENT]),
                token=_token_of(row),
                files=_files_of(row),
                failure=_failure_of(row),
                flats=tuple(ValidFlat._make(flat[1:]) for flat in flats),
                group=None if row[-2] is None else from_sql(row[-2]),
                pack=row[-1] or "",
            )

    def digests(self) -> Iterator[ImageDigests]:
        """Every image with the digests of its outputs, as a stream: much faster than `images`."""
        for row, gathered in _with_own(self._rows(_IMAGES), self._gathered(_DIGESTS)):
            flats = _digests_of(gathered[0][1]) if gathered else ()
            source, content = source_of(row[:_CONTENT]), row[_CONTENT] or ""
            yield ImageDigests(source, content, _files_of(row), _failure_of(row), flats, row[-1] or "")

    def undone(self) -> Iterator[str]:
        """Ids of images that have neither failed nor all that is made of them, as a stream."""
        return (from_sql(row[0]) for row in self._rows(_IMAGES) if row[_FILES] is None and row[_FILES + 2] is None)

    def groups(self) -> Iterator[GroupResults]:
        """Every group of images that share palettes, in the order of names, as a stream."""
        for row, palettes in _with_own(self._rows(_GROUPS), self._rows(_PALETTES)):
            yield GroupResults(from_sql(row[0]), row[1], tuple(GroupPalette._make(one[1:]) for one in palettes))

    def state(self) -> str:
        """A digest (hex) of all that `images` and `groups` tell: equal states, equal images. Found once."""
        self._state = self._state or self._digest()
        return self._state

    def _digest(self) -> str:
        state = hashlib.sha256()
        for row in itertools.chain(self._rows(_IMAGES), self._gathered(_DETAILS), self._rows(_PALETTES)):
            state.update(repr(row).encode())
        return state.hexdigest()

    def _gathered(self, what: str) -> Iterator[_Row]:
        return self._rows(_GATHERED.format(gathered=what.format(**self._parts), **self._parts))

    def _rows(self, query: str) -> Iterator[_Row]:
        return self._db.execute(query, self._settings)


def _with_own(images: Iterable[_Row], outputs: Iterable[_Row]) -> Iterator[tuple[_Row, list[_Row]]]:
    """Each row of images with its rows of outputs: two queries side by side, both in the order of image ids."""
    groups = itertools.groupby(outputs, key=itemgetter(0))
    waiting = next(groups, None)
    for image in images:
        own: list[_Row] = []
        if waiting is not None and waiting[0] == image[0]:
            own = list(waiting[1])
            waiting = next(groups, None)
        yield image, own


def _token_of(row: _Row) -> LoadToken:
    content, width, height, distinct, notes, seconds = row[_CONTENT:_FILES]
    if not content:
        return LoadToken(from_sql(row[0]))
    said = tuple(json.loads(notes)) if notes != "[]" else ()
    return LoadToken(from_sql(row[0]), content, width, height, distinct, said, seconds)


def _files_of(row: _Row) -> tuple[tuple[str, str], ...] | None:
    return None if row[_FILES] is None else files_of(row[_FILES])


def _failure_of(row: _Row) -> Failure | None:
    stage, error, message = row[_FILES + 1 : -2]
    return None if error is None else Failure(stage, error, message)


def _digests_of(gathered: str) -> tuple[tuple[int, str], ...]:
    words = gathered.replace(",", " ").split(" ")
    return tuple(zip(map(int, words[::2]), words[1::2], strict=True))
