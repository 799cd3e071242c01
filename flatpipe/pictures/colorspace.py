"""An image's colours as points in the RGB cube: a sample for the page to turn, and a still of it."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from flatpipe.pictures.encoded import png_bytes
from flatpipe.quantize.compiled import kernel

_CELL_BITS = 5
# ^ bits a channel that name a cell of the cube: 32 cells a side
_MOST_POINTS = 1500
_STILL_SIDE, _SCALE = 448, 2
# ^ pixels of the still, and how much larger it is drawn before it is averaged down
_STILL_POINTS = 700
_GROUND, _EDGE, _INK = (250, 249, 247), (190, 188, 184), (30, 30, 30)
_TURN, _TILT = np.radians(-35.0), np.radians(22.0)
# ^ where the still is seen from: a little from the left, a little from above
_CORNERS = np.array([[row >> 2 & 1, row >> 1 & 1, row & 1] for row in range(8)]) * 255.0
_EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1]


@dataclass(frozen=True, slots=True)
class ColorPoints:
    """A sample of an image's colours: `colors` (n, 3) uint8, `sizes` (n,) uint8: cube root of the share, most = 255."""

    colors: NDArray[np.uint8]
    sizes: NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.colors.nbytes + self.sizes.nbytes


def color_points(colors: NDArray[np.uint8], counts: NDArray[np.int64], most: int = _MOST_POINTS) -> ColorPoints:
    """At most `most` points that stand for a colour table; the same table gives the same points.

    colors (n, 3) uint8 in Z-order, as tables have them, counts (n,) int64. Colours of one cell of a 32 x 32 x 32 grid
    become their mean. Of too many cells some are left out: evenly along the cells, with a chance that grows with the
    cube root of their count.
    """
    cells, means, totals = _join_cells(colors, counts)
    if not len(cells):
        return ColorPoints(means, np.zeros(0, np.uint8))
    order = np.argsort(cells)
    return _thinned(means[order], np.cbrt(totals[order]), most)


@kernel
def _join_cells(
    colors: NDArray[np.uint8], counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64]]:
    """Return the number (m,) of each cell of the grid, the mean (m, 3) of its colours and their count (m,).

    In Z-order the colours of a cell stand together.
    """
    most, m, last = min(len(colors), 1 << 3 * _CELL_BITS), 0, np.int64(-1)
    cells, totals, sums = np.empty(most, np.int64), np.zeros(most, np.int64), np.zeros((most, 3), np.int64)
    for i in range(len(colors)):
        cell = np.int64(0)
        for c in range(3):
            cell = cell << _CELL_BITS | np.int64(colors[i, c]) >> (8 - _CELL_BITS)
        if counts[i] and cell != last:
            cells[m], last = cell, cell
            m += 1
        if counts[i]:
            totals[m - 1] += counts[i]
            for c in range(3):
                sums[m - 1, c] += counts[i] * np.int64(colors[i, c])
    means = np.empty((m, 3), np.uint8)
    for j in range(m):
        for c in range(3):
            means[j, c] = np.uint8(np.rint(sums[j, c] / totals[j]))
    return cells[:m].copy(), means, totals[:m].copy()


def _thinned(means: NDArray[np.uint8], roots: NDArray[np.float64], most: int) -> ColorPoints:
    if len(means) > most:
        along = np.cumsum(roots)
        chosen = np.searchsorted(along, (np.arange(most) + 0.5) * along[-1] / most)
        chosen = chosen[np.diff(chosen, prepend=-1) > 0]
        means, roots = means[chosen], roots[chosen]
    return ColorPoints(means, np.rint(roots * (255 / roots.max())).astype(np.uint8))


def packed_points(points: ColorPoints) -> str:
    """The points as base64 of four bytes each: red, green, blue, size."""
    return base64.b64encode(np.column_stack((points.colors, points.sizes)).tobytes()).decode("ascii")


def colorspace_png(points: ColorPoints, palette: NDArray[np.uint8]) -> bytes:
    """A PNG, 448 x 448, of the points in the RGB cube, each in the colour of its nearest palette row, and the palette.

    palette (k, 3) uint8 is drawn as ringed discs. Farther points are drawn first.
    """
    image = Image.new("RGB", (_STILL_SIDE * _SCALE, _STILL_SIDE * _SCALE), _GROUND)
    draw = ImageDraw.Draw(image)
    corners = _projected(_CORNERS)
    farthest = int(np.argmin(corners[:, 2]))
    for a, b in _EDGES:
        if farthest in (a, b):
            draw.line((*corners[a, :2], *corners[b, :2]), fill=_EDGE, width=_SCALE)
    _draw_points(draw, _still_sample(points), palette)
    for a, b in _EDGES:
        if farthest not in (a, b):
            draw.line((*corners[a, :2], *corners[b, :2]), fill=_EDGE, width=_SCALE)
    _draw_palette(draw, palette)
    return png_bytes(np.asarray(image.reduce(_SCALE)))


def _still_sample(points: ColorPoints) -> ColorPoints:
    return _thinned(points.colors, points.sizes.astype(np.float64), _STILL_POINTS) if len(points.colors) else points


def _projected(colors: NDArray[np.floating] | NDArray[np.uint8]) -> NDArray[np.float64]:
    """x and y in pixels of the drawing, and nearness, of RGB colours (n, 3); green points up."""
    red, green, blue = (np.asarray(colors, dtype=np.float64) - 127.5).T / 255
    across, away = red * np.cos(_TURN) - blue * np.sin(_TURN), red * np.sin(_TURN) + blue * np.cos(_TURN)
    up, near = green * np.cos(_TILT) - away * np.sin(_TILT), green * np.sin(_TILT) + away * np.cos(_TILT)
    zoom = _STILL_SIDE * _SCALE * 0.56 * (1 + 0.18 * near)
    middle = _STILL_SIDE * _SCALE / 2
    return np.stack((middle + across * zoom, middle - up * zoom, near), axis=1)


def _draw_points(draw: ImageDraw.ImageDraw, points: ColorPoints, palette: NDArray[np.uint8]) -> None:
    if not len(points.colors) or not len(palette):
        return
    difference = points.colors[:, np.newaxis].astype(np.int32) - palette[np.newaxis].astype(np.int32)
    nearest = (difference**2).sum(axis=2).argmin(axis=1)
    places = _projected(points.colors)
    fills = [tuple(row) for row in palette.tolist()]
    for row in np.argsort(places[:, 2], kind="stable").tolist():
        x, y, near = places[row]
        radius = _SCALE * (1.0 + 6.0 * float(points.sizes[row]) / 255) * (1 + 0.3 * near)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fills[nearest[row]])


def _draw_palette(draw: ImageDraw.ImageDraw, palette: NDArray[np.uint8]) -> None:
    places = _projected(palette)
    for row in np.argsort(places[:, 2], kind="stable").tolist():
        x, y, _ = places[row]
        for radius, fill in (
            (10 * _SCALE, _INK),
            (8.7 * _SCALE, _GROUND),
            (7.4 * _SCALE, tuple(palette[row].tolist())),
        ):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
