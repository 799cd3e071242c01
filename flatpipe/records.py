"""The frozen records that cross layer borders. All are small and picklable; none holds pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from flatpipe.settings import GivenPalette
from flatpipe.vocabulary import Stage

Row = tuple[str | bytes | int | float | None, ...]
# ^ of a table, its columns in the order that flatpipe/ledger names


@dataclass(frozen=True, slots=True)
class ImageSource:
    """One image to flatten, as discovery found it."""

    image_id: str
    # ^ path relative to the input root, "/" between parts, with its extension ("#003" appended for a later frame)
    path: str
    # ^ where to read it: an absolute local path or a URL
    size: int
    # ^ bytes
    stamp: str
    # ^ changes whenever the file may have changed: size, mtime, ctime, or an object store's ETag
    frame: int = 0
    part: str = ""
    # ^ which bytes of the file it is, in the words of storage/archives; "": all of them

    @property
    def has_exact_size(self) -> bool:
        """Whether `size` is how many bytes it has: of a table's row nobody knows before it is read."""
        return not self.part.startswith("row ")


INTERRUPTED = "interrupted"
# ^ `error` of what was not begun because the run was stopped; never a row of failures.csv


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an image has no result: a row of failures.csv."""

    stage: Stage
    error: str
    # ^ the stable word of an ImageError class
    message: str
    fatal: bool = False
    # ^ True when every other image would fail alike (disk full, output read-only): the run is given up


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """Something under the input root that is asked for and will not be opened; it becomes a failure row."""

    source: ImageSource
    failure: Failure


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """One image of the current run: what is to be computed, and why; nothing to do when ks is empty and sweep False."""

    source: ImageSource
    ks: tuple[int, ...]
    sweep: bool
    reason: str
    group: str | None = None
    # ^ the images that it shares palettes with; None: it has its own
    same_as: str = ""
    # ^ id of a recorded image of the same bytes, whose outputs are copied; then ks is empty: none is to be found.
    #   Its own, where they lie in the other layout
    key: str = ""
    # ^ its number in the plan, as names of files in shards have it; "" where outputs lie in folders

    @property
    def why(self) -> str:
        """The reason, with the image that it is about."""
        return self.reason if self.same_as in ("", self.source.image_id) else f"same bytes as {self.same_as}"

    @property
    def is_current(self) -> bool:
        """True when every output of the image is already there and right."""
        return not self.ks and not self.sweep


@dataclass(frozen=True, slots=True)
class LoadToken:
    """What loading an image taught us; the pixels stay in the worker's cache."""

    image_id: str
    content: str = ""
    # ^ sha256 of the file's bytes, hex
    width: int = 0
    height: int = 0
    distinct_colors: int = 0
    notes: tuple[str, ...] = ()
    # ^ what was done to get to sRGB pixels: "rotated (EXIF 6)", "16 bit scaled to 8"
    seconds: float = 0.0
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class FlattenResult:
    """One flat image, saved or not."""

    image_id: str
    k: int
    n_colors: int = 0
    mse: float = 0.0
    # ^ mean over pixels of the squared RGB distance to the written colour, summed over channels
    palette: tuple[str, ...] = ()
    # ^ "#rrggbb", by lightness
    weights: tuple[int, ...] = ()
    # ^ pixels that each palette colour covers; with alpha kept, their opacities (0..255) summed
    bytes: int = 0
    # ^ of its file; 0, and no digest, where it has none: not every flat is asked for
    sha256: str = ""
    seconds: float = 0.0
    metrics: tuple[tuple[str, float | None], ...] = ()
    # ^ the costly ones, where they were asked for; None where the image has no such value
    failure: Failure | None = None

    @property
    def shares(self) -> tuple[float, ...]:
        """Part of the counted pixels that each palette colour covers; sums to 1 unless nothing counts."""
        total = sum(self.weights) or 1
        return tuple(weight / total for weight in self.weights)


@dataclass(frozen=True, slots=True)
class SweepResult:
    """The files of an image that need all its k: the animation and palettes.json."""

    image_id: str
    animation_bytes: int = 0
    animation_sha256: str = ""
    palettes_bytes: int = 0
    palettes_sha256: str = ""
    files: tuple[tuple[str, str], ...] = ()
    # ^ (name, sha256) of every file that the task wrote; a name without "/" lies in the image's folder
    seconds: float = 0.0
    failure: Failure | None = None
    sizes: tuple[tuple[str, int], ...] = ()
    # ^ (name, bytes) of the same files
    moved: tuple[FlattenResult, ...] = ()
    # ^ flats to be recorded that were not made now: whose file came with this task, as that of the one best k, or is no
    #   longer asked for; or that were copied


class PackedImage(NamedTuple):
    """An image's outputs as a range of a tar file."""

    image_id: str
    file: str
    # ^ below the output root
    key: str
    # ^ in the names of the files of the range: "000017"
    start: int
    bytes: int
    sha256: str
    # ^ of the range


@dataclass(frozen=True, slots=True)
class Twin:
    """All that is recorded of an image, for another one of the same bytes."""

    token: LoadToken
    flats: tuple[FlattenResult, ...]
    # ^ of every k that is asked for, ascending
    files: tuple[tuple[str, str], ...]
    # ^ as in SweepResult
    packed: PackedImage | None = None
    # ^ where its files lie in a tar file; None: in a folder of its own


@dataclass(frozen=True, slots=True)
class ImageResult:
    """All that one image's graph came to."""

    source: ImageSource
    token: LoadToken
    flats: tuple[FlattenResult, ...] = ()
    sweep: SweepResult | None = None
    failure: Failure | None = None
    same_as: str = ""
    # ^ id of the image whose outputs were copied


@dataclass(frozen=True, slots=True)
class SettingsDigests:
    """Under which digests outputs of the current settings are recorded."""

    flat: tuple[tuple[int, str], ...]
    # ^ (k, digest)
    sweep: str
    given: tuple[GivenPalette, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """What the driver keeps of one image, made by its worker: rows that need no more work."""

    source: ImageSource
    failure: Failure | None
    pairs: int
    # ^ flat images made
    seconds: float
    # ^ that a worker was busy with it
    line: str
    # ^ the outcome as a JSON object: what `--json` prints and the run's log keeps
    image_row: Row | None = None
    # ^ of the ledger's table `images`; None when the file could not be read
    flat_rows: tuple[Row, ...] = ()
    # ^ those of the flat images made first
    sweep_row: Row | None = None
    packed_row: Row | None = None
    # ^ of `packed`, where its outputs lie in a piece; the piece's own is in `pack_row`
    pack_row: Row | None = None

    @property
    def is_interrupted(self) -> bool:
        """Whether a stop cut the image short: it is neither done nor failed."""
        return self.failure is not None and self.failure.error == INTERRUPTED
