"""A ledger and its output files as a run would leave them, quickly made."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flatpipe import layout
from flatpipe.encode.png import encode_png
from flatpipe.engines.execute import failed_record
from flatpipe.ledger.ledger import Ledger
from flatpipe.ledger.results import Results
from flatpipe.ledger.shared_rows import SharedPalette
from flatpipe.pictures.image_pictures import PictureSources, image_pictures, original_pictures, picture_ks
from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.records import (
    Failure,
    FlattenResult,
    ImageResult,
    ImageSource,
    LoadToken,
    PlannedImage,
    SettingsDigests,
    SweepResult,
)
from flatpipe.report.gallery_rows import GallerySettings
from flatpipe.settings import GivenPalette
from flatpipe.storage.local import LocalRoot
from flatpipe.work.recorded import recorded

KS = tuple(range(2, 10))
DIGESTS = SettingsDigests(tuple((k, "flat") for k in range(2, 16)), "sweep")
HOSTILE_NAMES = (
    "<img src=x onerror=alert(1)>.png",
    "</script><script>alert(2)</script>.png",
    "\"quotes' and\nnew lines\t&amp;.png",
    "صورة جميلة.png",
    "x" * 196 + ".png",
    "a&k=3#image=b%41 +?.png",
    os.fsdecode(b"caf\xe9.png"),
    os.fsdecode(b"caf\xea.png"),
    "plain \\xe9.png",
)
SETTINGS = GallerySettings(title="photos", command="flatpipe run '/my photos/pipeline.yaml'")
BRAND = "#e4002b"
NAMED = ((BRAND, "brand red <img src=x onerror=alert(3)>", "PMS 185 </script>"), ("#0a0b0c", "=night\nline", ""))
COMMON = replace(SETTINGS, is_shared=True, legend=(BRAND,), named=NAMED, metrics=("own_mse",))
COMMON_GROUPS = ("summer", "", "<b>win&ter=1#?", os.fsdecode(b"caf\xe9"))


@dataclass(slots=True)
class BuiltRun:
    """An output root with a ledger in memory."""

    outputs: LocalRoot
    ledger: Ledger = field(default_factory=lambda: Ledger(None))
    ks: Sequence[int] = KS

    @property
    def results(self) -> Results:
        return self.ledger.results(DIGESTS)

    @property
    def page(self) -> Path:
        return Path(self.outputs.place) / "index.html"

    def add(self, image_id: str, pixels: NDArray[np.uint8], alpha: NDArray[np.uint8] | None = None) -> None:
        """Flatten an image roughly and store all that a run stores of it."""
        source = self._plan(image_id)
        _save(source, pixels)
        flats = {k: _flattened(pixels, k) for k in self.ks}
        results = [self._write_flat(image_id, k, frame, pixels) for k, frame in flats.items()]
        self._write_pictures(image_id, pixels, alpha, flats, results)
        folder = layout.image_folder(image_id)
        frames = [Image.fromarray(frame.flat) for frame in flats.values()]
        path = Path(self.outputs.place) / folder / "sweep.gif"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=400, loop=0)
        self.outputs.write(f"{folder}/palettes.json", b"{}\n")
        self._record(source, pixels, results)

    def add_group(self, group: str, images: Mapping[str, NDArray[np.uint8]], first: str = "") -> None:
        """Images that share palettes, as a run would store them; the first colour is `first`, where one is given."""
        together = np.concatenate([pixels.reshape(-1, 3) for pixels in images.values()])
        palettes = {k: _palette_of(together, k, first) for k in self.ks}
        for image_id, pixels in images.items():
            source = self._plan(image_id, group)
            _save(source, pixels)
            flats = {k: _matched(pixels, palette) for k, palette in palettes.items()}
            results = [self._write_flat(image_id, k, frame, pixels) for k, frame in flats.items()]
            self._write_pictures(image_id, pixels, None, flats, results)
            self._record(source, pixels, results, group)
        shared = _matched_all(together, palettes)
        self.share(group, shared, len(images))

    def add_failed(self, image_id: str, error: str, message: str) -> None:
        """An image that could not be read."""
        self.ledger.record([failed_record(self._plan(image_id), Failure("load", error, message))], "run")

    def add_waiting(self, image_id: str) -> None:
        """An image that an interrupted run did not come to."""
        self._plan(image_id)

    def input_of(self, image_id: str) -> Path:
        """The input file of an image."""
        return Path(self.outputs.place).parent / "input" / layout.image_folder(image_id)

    def store(self, result: ImageResult, group: str | None = None) -> None:
        """Plan an image without files, and record its result, with the palettes that its group shares."""
        self.ledger.store_plan([PlannedImage(result.source, (), sweep=False, reason="", group=group)])
        if group is not None:
            self.share(group, {flat.k: flat for flat in result.flats})
        self.record(result, group)

    def share(self, group: str, flats: Mapping[int, FlattenResult], images: int = 1) -> None:
        """Record palettes of a group, those of these flats."""
        self.ledger.shared.record_palettes(
            SharedPalette(group, k, "flat", "root", _digest(flat.palette), flat.palette, flat.weights, flat.mse, images)
            for k, flat in flats.items()
        )

    def record(self, result: ImageResult, group: str | None = None) -> None:
        """Record a result as the run would."""
        given = (
            ()
            if group is None
            else tuple(GivenPalette(flat.k, flat.palette, _digest(flat.palette)) for flat in result.flats)
        )
        self.ledger.record([recorded(result, replace(DIGESTS, given=given))], "run")

    def _plan(self, image_id: str, group: str | None = None) -> ImageSource:
        source = ImageSource(image_id, str(self.input_of(image_id)), 1, "stamp")
        self.ledger.store_plan([PlannedImage(source, tuple(self.ks), sweep=True, reason="new", group=group)])
        return source

    def _record(
        self, source: ImageSource, pixels: NDArray[np.uint8], results: list[FlattenResult], group: str | None = None
    ) -> None:
        distinct = len(color_counts(pixels)[0])
        height, width = pixels.shape[:2]
        token = LoadToken(source.image_id, "content", width, height, distinct, ("rotated (EXIF 6)",))
        result = ImageResult(source, token, tuple(results), SweepResult(source.image_id, 1, "a", 1, "b"), None)
        self.record(result, group)

    def _write_flat(self, image_id: str, k: int, frame: PaletteImage, pixels: NDArray[np.uint8]) -> FlattenResult:
        content = encode_png(frame)
        self.outputs.write(f"{layout.image_folder(image_id)}/{layout.flat_name(k, 2)}", content)
        difference = frame.flat.astype(np.int64) - pixels
        mse, digest = float((difference**2).sum(axis=2).mean()), hashlib.sha256(content).hexdigest()
        weights = np.bincount(frame.label_map.ravel(), minlength=len(frame.palette))
        return FlattenResult(
            image_id=image_id,
            k=k,
            n_colors=frame.n_colors,
            mse=mse,
            palette=frame.hex_colors,
            weights=tuple(weights.tolist()),
            bytes=len(content),
            sha256=digest,
            metrics=(
                ("ssim", 1 - 1 / k),
                ("ciede2000", None),
                ("own_mse", mse * int(digest[:4], 16) / 65536),
            ),
        )

    def _write_pictures(
        self,
        image_id: str,
        pixels: NDArray[np.uint8],
        alpha: NDArray[np.uint8] | None,
        flats: Mapping[int, PaletteImage],
        results: Sequence[FlattenResult],
    ) -> None:
        colors, counts = color_counts(pixels)
        mses = [result.mse for result in results]
        needed = {k: flats[k] for k in picture_ks(self.ks, mses)}
        shares = {result.k: result.shares for result in results}
        original = original_pictures(pixels, alpha, colors, counts)
        sources = PictureSources(image_id, original, alpha, needed.__getitem__, shares)
        for name, content in image_pictures(sources, self.ks, mses):
            self.outputs.write(name, content)


def _save(source: ImageSource, pixels: NDArray[np.uint8]) -> None:
    original = Path(source.path)
    original.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(original, "PNG")


def _palette_of(together: NDArray[np.uint8], k: int, first: str) -> NDArray[np.uint8]:
    """A palette (k, 3) uint8 of pixels (n, 3), with a colour "#rrggbb" before the others where one is given."""
    found = _flattened(together[None], k).palette
    return np.concatenate([[list(bytes.fromhex(first[1:]))], found[1:]]).astype(np.uint8) if first else found


def _matched(pixels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> PaletteImage:
    far = ((pixels[..., None, :].astype(int) - palette.astype(int)) ** 2).sum(axis=-1)
    return PaletteImage(palette, far.argmin(axis=-1).astype(np.uint8))


def _matched_all(together: NDArray[np.uint8], palettes: Mapping[int, NDArray[np.uint8]]) -> dict[int, FlattenResult]:
    """For each k what the palette of many pixels (n, 3) comes to."""
    results = {}
    for k, palette in palettes.items():
        frame = _matched(together[None], palette)
        weights = np.bincount(frame.label_map.ravel(), minlength=len(palette))
        mse = float(((frame.flat[0].astype(int) - together) ** 2).sum(axis=1).mean())
        results[k] = FlattenResult("", k, len(palette), mse, frame.hex_colors, tuple(weights.tolist()))
    return results


def _digest(palette: Sequence[str]) -> str:
    return hashlib.sha256(" ".join(palette).encode()).hexdigest()[:16]


def built_run(folder: Path, ks: Sequence[int] = KS) -> BuiltRun:
    """A run with nothing in it, writing below `folder`/outputs."""
    outputs = LocalRoot(str(folder / "outputs"))
    outputs.prepare()
    return BuiltRun(outputs, ks=ks)


def color_counts(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The distinct colours of pixels, (n, 3) uint8 in Z-order, and how often each occurs, (n,) int64."""
    table = index_colors(pixels).table
    return table.colors, table.counts


def soft_pixels(seed: int, height: int = 60, width: int = 90) -> NDArray[np.uint8]:
    """Pixels (height, width, 3) uint8 with a few coloured discs on a gradient, and some noise."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    pixels = np.stack([rows * 200 / height, columns * 200 / width, (rows + columns) * 120 / (height + width)], axis=2)
    for color in random.integers(0, 256, (5, 3)):
        row, column = random.integers(0, height), random.integers(0, width)
        inside = (rows - row) ** 2 + (columns - column) ** 2 < (height / 4) ** 2
        pixels[inside] = color
    return np.clip(pixels + random.normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)


def synthetic_results(count: int, ks: Sequence[int] = range(2, 16)) -> Iterator[ImageResult]:
    """Results of `count` images without any file, for measuring the page."""
    for number in range(count):
        source = ImageSource(f"trip-{number % 97:02d}/IMG_{number:06d}.jpg", f"/photos/{number}", 1, "s")
        token = LoadToken(source.image_id, "content", 4032, 3024, 100_000 + number * 7919 % 300_000)
        yield ImageResult(source, token, tuple(_synthetic_flats(source.image_id, number, ks)), None, None)


def _synthetic_flats(image_id: str, number: int, ks: Sequence[int]) -> Iterator[FlattenResult]:
    for k in ks:
        palette = tuple(f"#{(number * 7919 + color * 104729) % (1 << 24):06x}" for color in range(k))
        yield FlattenResult(image_id, k, k, (4000 + number % 999) / k**1.3, palette, tuple(range(1000, 1000 + k)), 9000)


def _flattened(pixels: NDArray[np.uint8], k: int) -> PaletteImage:
    quantized = Image.fromarray(pixels).quantize(k, kmeans=2)
    labels = np.asarray(quantized)
    used, label_map = np.unique(labels, return_inverse=True)
    table = np.array(quantized.getpalette(), dtype=np.uint8).reshape(-1, 3)[used]
    order = np.argsort(table.astype(int) @ [299, 587, 114], kind="stable")
    rank = np.argsort(order).astype(np.uint8)
    return PaletteImage(table[order], rank[label_map.reshape(labels.shape)])
