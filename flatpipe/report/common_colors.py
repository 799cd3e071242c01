"""The gallery's data on what images have in common: groups, the palettes that they share, and who uses which colour.

None of it is written where each image has a palette of its own. Which image uses how much of which colour comes in a
script for each k and some hundreds of images, so that a page reads what it shows, whatever the number of images.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from flatpipe.ledger.results import GroupPalette, GroupResults, ValidFlat
from flatpipe.quantize.knee import best_k
from flatpipe.report.gallery_rows import GalleryImage, GallerySettings
from flatpipe.report.shards import link_of, script
from flatpipe.text import printable

USES_PER_SHARD = 500
# ^ images in one script of uses: 17 kB at k = 7; those whose flats are held until it is full
GROUPS_PER_SHARD = 50
# ^ groups in one script of palettes
NAMES, GROUPS = "names.js", "groups.js"
OWN = "own_mse"
# ^ the measure of how well an image's own palette would serve it
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_PAIRS = [one + other for one in _DIGITS for other in _DIGITS]
_SHARE_DIGITS = 3
_WHOLE = len(_DIGITS) ** _SHARE_DIGITS - 1
_json = json.JSONEncoder(separators=(",", ":")).encode


def names_script(settings: GallerySettings) -> bytes:
    """The colours of chart and config with their names and codes."""
    named = [(color, printable(name), printable(code)) for color, name, code in settings.named]
    legend = [color.removeprefix("#") for color in settings.legend]
    return f"flatpipe.receiveNames({_json(legend)},{_json(named)});\n".encode("ascii")


def groups_script(groups: Iterable[GroupResults]) -> bytes:
    """Names, links and numbers of images of all groups; a link is "" where the name says it."""
    columns: dict[str, list[object]] = {"names": [], "links": [], "counts": []}
    for group in groups:
        name = printable(group.group)
        columns["names"].append(name)
        columns["links"].append("" if name == group.group else link_of(group.group))
        columns["counts"].append(group.images)
    return f"flatpipe.receiveGroups({_json(columns)});\n".encode("ascii")


def palettes_script(shard: int, groups: Iterable[GroupResults], settings: GallerySettings) -> bytes:
    """The palettes of some groups, from `shard` * GROUPS_PER_SHARD on, each with the k that is suggested."""
    shown = [
        {
            "suggested": best_k(
                [one.k for one in group.palettes], [one.mse for one in group.palettes], settings.target
            ),
            "palettes": {one.k: _palette(one) for one in group.palettes},
        }
        for group in groups
    ]
    return script("receivePalettes", shard, _json(shown))


def _palette(palette: GroupPalette) -> list[object]:
    return [palette.colors.replace("#", "").replace(" ", ""), palette.weights, float(f"{palette.mse:.6g}")]


def group_runs(groups: Iterable[int]) -> list[list[int]]:
    """Numbers of groups, image by image, as pairs of a number and how often it comes in a row."""
    runs: list[list[int]] = []
    for group in groups:
        if runs and runs[-1][0] == group:
            runs[-1][1] += 1
        else:
            runs.append([group, 1])
    return runs


class UseScripts:
    """Gathers which image uses how much of which colour that others may use too, and makes scripts of it."""

    def __init__(self, settings: GallerySettings) -> None:
        self._settings = settings
        self._legend = frozenset(color.removeprefix("#") for color in settings.legend)
        self._images: list[GalleryImage] = []
        self._shard = 0

    def add(self, image: GalleryImage) -> Iterator[tuple[str, bytes]]:
        """Take in the next image; names and contents of the scripts that are full with it."""
        self._images.append(image)
        if len(self._images) == USES_PER_SHARD:
            yield from self.end()

    def end(self) -> Iterator[tuple[str, bytes]]:
        """The scripts of the images that are left."""
        flats = [{flat.k: flat for flat in image.flats} for image in self._images]
        for k in sorted({k for known in flats for k in known}):
            yield f"uses-k{k:03d}-{self._shard:05d}.js", self._script(k, [known.get(k) for known in flats])
        self._images, self._shard = [], self._shard + 1

    def _script(self, k: int, found: list[ValidFlat | None]) -> bytes:
        images = zip(self._images, found, strict=True)
        used = [[] if flat is None else self._used(flat, is_shared=image.group is not None) for image, flat in images]
        different = sorted({color for row in used for color, _ in row})
        width = max(1, len(_digits(max(0, len(different) - 1))))
        colors = {color: _digits(number, width) for number, color in enumerate(different)}
        columns = {
            "colors": "".join(colors),
            "width": width,
            "rows": ["".join(colors[color] + share for color, share in row) for row in used],
            "mses": [-1 if flat is None else float(f"{flat.mse:.6g}") for flat in found],
        }
        if OWN in self._settings.metrics:
            columns["owns"] = [-1 if flat is None else _own(flat) for flat in found]
        return f"flatpipe.receiveUses({k},{self._shard},{_json(columns)});\n".encode("ascii")

    def _used(self, flat: ValidFlat, *, is_shared: bool) -> list[tuple[str, str]]:
        """Each colour "rrggbb" of a flat that others may use too, with its share in digits: more than none."""
        weights = [int(weight) for weight in flat.weights.split()]
        palette, scale = flat.palette, _WHOLE / (sum(weights) or 1)
        return [
            (color, _PAIRS[(share := round(scale * weight) or 1) >> 6] + _DIGITS[share & 63])
            for row, weight in enumerate(weights)
            if weight and ((color := palette[6 * row : 6 * row + 6]) in self._legend or is_shared)
        ]


def _own(flat: ValidFlat) -> float:
    own = json.loads(flat.metrics).get(OWN)
    return -1 if own is None else float(f"{own:.6g}")


def _digits(number: int, width: int = 0) -> str:
    """A number with 64 digits, so many at least."""
    digits = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits.rjust(width, _DIGITS[0])
