"""Where each output goes, relative to the output root: path arithmetic, "/" between parts."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import uuid
from collections.abc import Iterable
from functools import lru_cache

from flatpipe.vocabulary import AnimationFormat

IMAGES = "images"
LEASE = "flatpipe.lease"
# ^ in an output while a run writes there
PICTURES = "gallery/pictures"
PICTURE_FOLDERS = tuple(f"{PICTURES}/{number:02x}" for number in range(256))
GALLERY = "gallery"
INDEX = "index.html"
LEDGER = "ledger.sqlite"
RESULTS = "results.csv"
FAILURES = "failures.csv"
COLORS = "colors.csv"
# ^ where images have colours in common
FEATURES = "features.parquet"
TABLES = ".tables"
# ^ of what all of them were written, as a digest
RUN = "run.json"
RUNS = "runs"
PARTS = "parts"
# ^ folder of the parts of a run that several machines, or processes, do beside each other: each has its own in it
LOCK = "flatpipe.lock"
PALETTES = "palettes.json"
BEST = "best.png"
COLORSPACE = "colorspace.png"
CONTACT_SHEET = "contact_sheet.png"
SHARED = "palettes"
# ^ folder of the palettes that images share
SUMS = ".sums"
# ^ folder of the colours of many images, added up: what the next run need not count again
COLLECTION = "collection"
# ^ the group of all images
PARTIAL = ".partial"
# ^ folder under an output root where files, and folders of new images, wait until they are whole: a killed run leaves
#   its leftovers in one place that the next run empties; same file system as the outputs, so the rename is atomic
SHARDS = "shards"
# ^ folder of the tar files that hold the outputs of many images each, where `output.layout: shards` asks for them
PIECES = ".pieces"
# ^ folder of tar files with the outputs of a few images, as tasks leave them until their shard is packed
FOLDERS = (IMAGES, GALLERY, RUNS, SHARED, SUMS, SHARDS, PIECES)
# ^ under an output root; one that is on a file system of its own has a PARTIAL of its own
CLEANED = (IMAGES, PICTURES, SHARED, SHARDS, PIECES)
# ^ folders under an output root in which `clean` removes files, and nowhere else
_OUR_PARTIAL = re.compile("flatpipe-[0-9a-f]{32}(?:\u00e9|e\u0301)?\\.?")
# ^ with what storage/name_rules.py puts behind it
_PART = re.compile("(0|[1-9][0-9]{0,8})-of-([1-9][0-9]{0,8})", re.ASCII)
_MARK = re.compile("~[0-9a-f]{12}(?=#\\d+$|$)")
# ^ at the end of an id, or before the number of its frame
_LOADED, _turn = uuid.uuid4().hex[:16], itertools.count()
# ^ with the number of the process they tell apart all that write into one folder, forked workers included; a name that
#   is random in all its digits takes longer than what is done with it
_SUFFIXES: dict[AnimationFormat, str] = {"apng": "png"}
# ^ of animations whose suffix is not the format's own word
PACK_END = 1024
# ^ bytes behind the last file of a tar file
_KEY_DIGITS = 6
# ^ at least, in the names of shards and of what is in them: they sort as their numbers do

_LONGEST_NAME = 255
# ^ bytes in one part of a path, on every common file system


def partial_name() -> str:
    """A new name in PARTIAL, which says whose it is: this module's in this process, and the next in turn."""
    return f"flatpipe-{_LOADED}{os.getpid():08x}{next(_turn) & 0xFFFFFFFF:08x}"


def is_partial_name(name: str) -> bool:
    """Whether a file or folder in PARTIAL has a name that we gave it."""
    return _OUR_PARTIAL.fullmatch(name) is not None


def part_name(index: int, count: int) -> str:
    """The name of the folder of a part of a run, in PARTS and in PARTIAL: `2-of-8`."""
    return f"{index}-of-{count}"


def part_folder(words: str) -> str:
    """The folder of the part that `2/8` names, below an output."""
    index, _, count = words.partition("/")
    return f"{PARTS}/{part_name(int(index), int(count))}"


def part_of_name(name: str) -> tuple[int, int] | None:
    """The index and count of a part whose folder has this name; None for any other name."""
    found = _PART.fullmatch(name)
    index, count = map(int, found.groups()) if found else (0, 0)
    return (index, count) if index < count else None


def name_width(ks: Iterable[int], *, adds: bool = False) -> int:
    """Digits of k in file names: at least two, and enough for the widest k, so that names sort as numbers do.

    No more than two where calls with any k add up to one output, `adds`: no later k then changes an earlier name.
    """
    return 2 if adds else max(2, *(len(str(k)) for k in ks))


def widest_k(ks: Iterable[int]) -> int:
    """The k that takes most room where it is written out: of those with most digits, the first; 0 of none."""
    return max(ks, key=lambda k: len(str(k)), default=0)


def image_folder(image_id: str) -> str:
    """The folder that holds all outputs of one image; never leaves `images/`, whatever the id says."""
    return "/".join([IMAGES, *(_safe_part(part) for part in image_id.split("/"))])


def shared_folder(group: str) -> str:
    """The folder of the palettes that a group of images shares."""
    return "/".join([SHARED, *(_safe_part(part) for part in group.split("/") if group)])


def shared_name(group: str, k: int, kind: str, width: int) -> str:
    """A file of the palette that a group shares for k: `palettes/collection/k07.json`."""
    return f"{shared_folder(group)}/{palette_name(k, kind, width)}"


def sum_name(key: str) -> str:
    """The file of a sum of colours, in one of 256 folders."""
    return f"{SUMS}/{key[:2]}/{key}.npz"


def key_of_sum(name: str) -> str:
    """The key of the sum of colours whose file has this name; "" for any other file."""
    return name.rpartition("/")[2].removesuffix(".npz") if name.startswith(f"{SUMS}/") else ""


NAME_WIDTHS = (2, 3)
# ^ digits of k in file names: 99 and 100 may both be the widest k once


@lru_cache(maxsize=1024)
def flat_name(k: int, width: int) -> str:
    """File name of the flat image for k: `k07.png`. Remembered: tables and locks ask for it a million times."""
    return f"k{k:0{width}d}.png"


def palette_name(k: int, kind: str, width: int) -> str:
    """File name of a palette beside the flat image for k: `k07.gpl`."""
    return f"k{k:0{width}d}.{kind}"


def animation_suffix(animation_format: AnimationFormat) -> str:
    """Suffix of an animation's file name, without the dot: a viewer knows an APNG as .png."""
    return _SUFFIXES.get(animation_format, animation_format)


def animation_name(animation_format: AnimationFormat) -> str:
    """File name of the sweep: `sweep.gif`, `sweep.webp`, or `sweep.png` for an APNG."""
    return f"sweep.{animation_suffix(animation_format)}"


def picture_key(image_id: str) -> str:
    """16 hex digits that stand for an image in file names, whatever characters its own name has."""
    return hashlib.sha256(os.fsencode(image_id)).hexdigest()[:16]


def picture_name(image_id: str, kind: str) -> str:
    """Name of a picture of the kind "flat.jpg": `gallery/pictures/3f/3f...-flat.jpg`, in one of 256 folders."""
    key = picture_key(image_id)
    return f"{PICTURES}/{key[:2]}/{key}-{kind}"


def still_name(image_id: str, name: str) -> str:
    """Name of a picture for people, beside the image's other outputs: `images/a.jpg/contact_sheet.png`."""
    return f"{image_folder(image_id)}/{name}"


def sweep_file(image_id: str, name: str) -> str:
    """A file of all k together below the output root, of the name that its task gave: "sweep.gif" lies by the flats."""
    return name if "/" in name else f"{image_folder(image_id)}/{name}"


def shard_name(number: int) -> str:
    """The file of a shard: `shards/000003.tar`."""
    return f"{SHARDS}/{number:0{_KEY_DIGITS}d}.tar"


def key_width(images: int) -> int:
    """Digits of the keys in shards that hold so many images together."""
    return max(_KEY_DIGITS, len(str(images - 1)))


def member_name(key: str, name: str) -> str:
    """A file of an image in its shard, as WebDataset groups them: `000017.k07.png`."""
    return f"{key}.{name}"


def piece_name(folder: str) -> str:
    """A new file of a folder of pieces."""
    return f"{folder}/{partial_name()}.tar"


def is_piece_name(name: str) -> bool:
    """Whether a file in a folder of pieces has a name that we gave it."""
    return name.endswith(".tar") and is_partial_name(name.removesuffix(".tar"))


def marked(image_id: str, by: str) -> str:
    """The id with `~` and 12 hex digits of a text behind it, which sets it apart from equal ones."""
    return f"{image_id}{_mark(by)}"


def is_marked_by(image_id: str, by: str) -> bool:
    """Whether an id, or that of its file, has the mark that `marked` gives it for this text."""
    return image_id.partition("#")[0].endswith(_mark(by))


def unmarked(image_id: str) -> str:
    """The id without such a mark."""
    return _MARK.sub("", image_id)


def _mark(text: str) -> str:
    return "~" + hashlib.sha256(os.fsencode(text)).hexdigest()[:12]


def _safe_part(part: str) -> str:
    """One part of an image id as a folder name: itself, or a marked, collision-free stand-in where that cannot be."""
    encoded = os.fsencode(part)
    if part not in ("", ".", "..") and len(encoded) <= _LONGEST_NAME and "\0" not in part:
        return part
    mark = _mark(part)
    kept = encoded[: _LONGEST_NAME - len(mark)].decode("utf-8", "ignore").replace("\0", "").strip(".")
    return kept + mark
