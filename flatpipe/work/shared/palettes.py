"""The palette of a group of images for one k: found in the sum of their colours, written beside the images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from flatpipe import layout
from flatpipe.errors import ImageError
from flatpipe.ledger.shared_rows import PaletteResult, SharedPalette, WantedPalette
from flatpipe.palettes.palette import Palette
from flatpipe.palettes.write import write_palette
from flatpipe.quantize.choosing.find_palette import find_palette
from flatpipe.quantize.choosing.nearest import measure_rows, nearest_rows
from flatpipe.quantize.shared.group_colors import GroupColors
from flatpipe.settings import TaskSettings
from flatpipe.work.outcome import failure_of
from flatpipe.work.outputs import ImageOutputs
from flatpipe.work.shared.counting import SumDamagedError, read_sum
from flatpipe.work.sweep import named_palette
from flatpipe.work.watchdog import Interrupted
from flatpipe.work.worker import this_worker


def find(wanted: WantedPalette, settings: TaskSettings) -> PaletteResult:
    """Find a group's palette for one k, and write it in every format that is asked for."""
    worker = this_worker()
    if worker.is_stopped(settings.run):
        return PaletteResult(wanted, failure=failure_of("flatten", Interrupted()))
    try:
        colors = worker.groups.get(wanted.root.key, lambda: GroupColors(read_sum(worker, wanted.root, settings)))
        palette = _found(wanted, colors, settings)
        outputs = ImageOutputs(lambda: worker.root(settings.output), "", settings.io_retries)
        files = []
        for name, content in _files(palette, settings):
            outputs.write(name, content)
            files.append((name, hashlib.sha256(content).hexdigest(), len(content)))
    except SumDamagedError as damaged:
        return PaletteResult(wanted, damaged=str(damaged))
    except (ImageError, OSError, MemoryError) as error:
        return PaletteResult(wanted, failure=failure_of("flatten", error))
    return PaletteResult(wanted, palette, tuple(files))


def _found(wanted: WantedPalette, colors: GroupColors, settings: TaskSettings) -> SharedPalette:
    options, table = settings.flatten, colors.table
    rgb = find_palette(table, colors.pyramid(options.searched_in), wanted.k, options)
    rows = nearest_rows(table.colors, rgb, options.matched_in)
    weights, distortion = measure_rows(table.colors, table.counts, rgb, rows)
    words = tuple(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in rgb.tolist())
    return SharedPalette(
        group=wanted.group,
        k=wanted.k,
        settings=wanted.settings,
        root=wanted.root.key,
        digest=hashlib.sha256(" ".join(words).encode()).hexdigest()[:16],
        colors=words,
        weights=tuple(weights.tolist()),
        mse=int(distortion) / int(weights.sum()),
        images=wanted.images,
    )


def _files(found: SharedPalette, settings: TaskSettings) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the palette's files: JSON, and the formats of output.palettes."""
    title = f"{found.group or 'all images of the top folder'}, {found.k} colours"
    palette = Palette.of_hex(found.colors, title, named_palette(settings))
    total = sum(found.weights)
    shares = [weight / total for weight in found.weights]
    yield layout.shared_name(found.group, found.k, "json", settings.name_width), _json(found, palette, shares)
    for kind in settings.palettes:
        name = layout.shared_name(found.group, found.k, kind, settings.name_width)
        yield name, write_palette(kind, palette, shares)


def _json(found: SharedPalette, palette: Palette, shares: list[float]) -> bytes:
    colors = [
        {
            "index": row,
            "hex": color.hex,
            **({"name": color.name} if color.name else {}),
            **({"code": color.code} if color.code else {}),
            "share": round(share, 6),
        }
        for row, (color, share) in enumerate(zip(palette.colors, shares, strict=True))
    ]
    head = {"group": found.group, "k": found.k, "n_colors": len(colors), "images": found.images}
    lines = ",\n".join(json.dumps(color) for color in colors)
    return f'{{{json.dumps(head)[1:-1]}, "mse": {round(found.mse, 6)}, "colors": [\n{lines}\n]}}\n'.encode("ascii")
