"""One image in k colours by flatpipe and by every peer: time with palette search and repaint, and mse."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.common import mse_of, photos, print_table, read_pixels, save, say_setup, side_by_side
from flatpipe.quantize.flatten import flatten_pixels
from flatpipe.quantize.kernels import compile_kernels

Pixels = NDArray[np.uint8]
KS = (2, 4, 8, 15)
QUANTETTE = {"k-means": (12.1, 18.2), "Wu, sRGB": (4.5, 5.1)}
# ^ nanoseconds a pixel and thread, least and most: milliseconds x 4 threads / pixels of "Benchmarks and Accuracy" in
#   github.com/IanManske/quantette, eleven photographs of 17 to 30 MP, 256 colours, AVX2, a processor that it does not
#   name; quantising and mapping alone. Its photographs cannot be had here, and it gives DSSIM, not mse.


def measure(folders: list[Path], rounds: int, most: int) -> None:
    """Print and save, per image and k, each peer's time and mse as multiples of flatpipe's."""
    compile_kernels()
    say_setup("peers", "time (palette search and repaint) and mse as multiples of flatpipe's, one thread")
    rows = []
    for path in photos(folders, most=most):
        pixels = read_pixels(path)
        for k in KS:
            rows += _compare(path.name, pixels, k, rounds)
    columns = ("image", "MP", "k", "peer", "seconds", "time / flatpipe", "mse", "mse / flatpipe")
    print_table(columns, rows)
    _beside_quantette(photos(folders, most=most), rounds)
    save("peers", [dict(zip(columns, row, strict=True)) for row in rows])


def _beside_quantette(paths: list[Path], rounds: int) -> None:
    """Print our time a pixel at k=256 beside the published one, on photographs of 8 MP and more."""
    rows: list[tuple[object, ...]] = [(f"quantette, {name}", *times, "-") for name, times in QUANTETTE.items()]
    for path in paths:
        pixels = read_pixels(path)
        n_pixels = pixels.shape[0] * pixels.shape[1]
        if n_pixels >= 8e6:
            flat = flatten_pixels(pixels, 256)
            seconds = side_by_side({path.name: lambda pixels=pixels: flatten_pixels(pixels, 256)}, rounds)[path.name]  # type: ignore[misc]
            rows.append((path.name, 1e9 * seconds / n_pixels, "", flat.mse))
    print_table(("256 colours", "ns a pixel and thread", "to", "mse"), rows)


def _compare(name: str, pixels: Pixels, k: int, rounds: int) -> list[tuple[object, ...]]:
    megapixels = pixels.shape[0] * pixels.shape[1] / 1e6
    contestants = {"flatpipe": lambda: flatten_pixels(pixels, k).flat, **_peers(pixels, k, megapixels)}
    flats = {peer: action() for peer, action in contestants.items()}
    seconds = side_by_side(contestants, rounds)  # type: ignore[arg-type]
    errors = {peer: mse_of(pixels, flat) for peer, flat in flats.items()}
    return [
        (name, megapixels, k, peer, seconds[peer], seconds[peer] / seconds["flatpipe"], errors[peer],
         errors[peer] / errors["flatpipe"])
        for peer in contestants
    ]  # fmt: skip


def _peers(pixels: Pixels, k: int, megapixels: float) -> dict[str, Callable[[], Pixels]]:
    image = Image.fromarray(pixels)
    peers: dict[str, Callable[[], Pixels]] = {
        "pillow median cut": lambda: _pillow(image, k, Image.Quantize.MEDIANCUT, 0),
        "pillow max coverage + kmeans": lambda: _pillow(image, k, Image.Quantize.MAXCOVERAGE, 10),
        "sklearn example (1,000 samples)": lambda: _sklearn_example(pixels, k),
    }
    peers |= _optional_peers(pixels, image, k)
    if megapixels < 2:
        peers["sklearn, all pixels, n_init=1"] = lambda: _sklearn(pixels, k, 1)
        peers["sklearn, all pixels, n_init=10"] = lambda: _sklearn(pixels, k, 10)
    return peers


def _optional_peers(pixels: Pixels, image: Image.Image, k: int) -> dict[str, Callable[[], Pixels]]:
    peers: dict[str, Callable[[], Pixels]] = {}
    try:
        import imagequant
    except ImportError:
        print("   (libimagequant: not installed)")
    else:
        rgba = image.convert("RGBA")
        peers["libimagequant"] = lambda: _rgb(
            imagequant.quantize_pil_image(rgba, dithering_level=0.0, max_colors=k, min_quality=0, max_quality=100)
        )
    try:
        import cv2
    except ImportError:
        print("   (OpenCV: not installed)")
    else:
        cv2.setNumThreads(1)
        peers["opencv kmeans, 1 attempt"] = lambda: _opencv(cv2, pixels, k)
    for name, command in (("pngquant", _pngquant), ("convert", _imagemagick)):
        if shutil.which(name) and _really_is(name):
            peers["imagemagick" if name == "convert" else name] = lambda command=command: command(image, k)  # type: ignore[misc]
    return peers


def _really_is(name: str) -> bool:
    told = subprocess.run([name, "--version"], capture_output=True, text=True, check=False)
    return name == "pngquant" or "ImageMagick" in told.stdout


def _rgb(image: Image.Image) -> Pixels:
    return np.asarray(image.convert("RGB"))


def _pillow(image: Image.Image, k: int, method: Image.Quantize, kmeans: int) -> Pixels:
    return _rgb(image.quantize(k, method=method, kmeans=kmeans, dither=Image.Dither.NONE))


def _sklearn(pixels: Pixels, k: int, n_init: int) -> Pixels:
    from sklearn.cluster import KMeans

    points = pixels.reshape(-1, 3).astype(np.float32)
    model = KMeans(k, n_init=n_init, random_state=0).fit(points)
    return np.rint(model.cluster_centers_).astype(np.uint8)[model.labels_].reshape(pixels.shape)


def _sklearn_example(pixels: Pixels, k: int) -> Pixels:
    from sklearn.cluster import KMeans
    from sklearn.utils import shuffle

    points = pixels.reshape(-1, 3) / 255.0
    model = KMeans(n_clusters=k, random_state=0).fit(shuffle(points, random_state=0, n_samples=1_000))
    return np.rint(model.cluster_centers_ * 255).astype(np.uint8)[model.predict(points)].reshape(pixels.shape)


def _opencv(cv2: object, pixels: Pixels, k: int) -> Pixels:
    points = pixels.reshape(-1, 3).astype(np.float32)
    criteria = (3, 100, 0.2)  # TERM_CRITERIA_EPS + TERM_CRITERIA_MAX_ITER
    _, labels, centers = cv2.kmeans(points, k, None, criteria, 1, 2)  # type: ignore[attr-defined]
    return np.rint(centers).astype(np.uint8)[labels.ravel()].reshape(pixels.shape)


def _through(command: list[str], image: Image.Image) -> Pixels:
    """What a command makes of a PPM on its stdin; reading and writing PPM or PNG is part of its price."""
    source = io.BytesIO()
    image.save(source, "PPM" if command[0] == "convert" else "PNG", compress_level=1)
    done = subprocess.run(command, input=source.getvalue(), capture_output=True, check=True)
    return _rgb(Image.open(io.BytesIO(done.stdout)))


def _pngquant(image: Image.Image, k: int) -> Pixels:
    return _through(["pngquant", "--nofs", "--force", str(k), "-"], image)


def _imagemagick(image: Image.Image, k: int) -> Pixels:
    return _through(["convert", "ppm:-", "+dither", "-colors", str(k), "ppm:-"], image)
