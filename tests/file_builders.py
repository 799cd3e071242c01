"""Tiny image files of every kind, whole and broken, made in memory."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CORNERS = ((200, 30, 40), (20, 160, 60), (30, 60, 210), (240, 230, 220))
# ^ colours of the four quarters of `quarters()`: top left, top right, bottom left, bottom right
OPACITIES = (255, 0, 128, 1)


def quarters(mode: str = "RGB", side: int = 16) -> Image.Image:
    """A square of four colours in any mode; modes with alpha get OPACITIES, and keep their colours under opacity 0."""
    half = side // 2
    image = Image.new("RGBA", (side, side))
    for color, opacity, place in zip(CORNERS, OPACITIES, ((0, 0), (half, 0), (0, half), (half, half)), strict=True):
        image.paste((*color, opacity), (*place, place[0] + half, place[1] + half))
    if mode == "RGBA":
        return image
    if mode in ("LA", "La", "PA", "RGBa"):
        return image.convert(mode)
    if mode == "P":
        return image.convert("RGB").quantize(4)
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    return image.convert("RGB").convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """The image as a file of format `kind`."""
    file = io.BytesIO()
    image.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def exif_orientation(orientation: int) -> bytes:
    """An EXIF block that says nothing but the orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def png_chunk(name: bytes, content: bytes) -> bytes:
    """One PNG chunk with its right checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_of(samples: NDArray[np.uint8] | NDArray[np.uint16], extra: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """A PNG of (H, W, bands) samples, 8 or 16 bits by their dtype; `extra` chunks stand between header and pixels."""
    height, width, bands = samples.shape
    color_type = {1: 0, 2: 4, 3: 2, 4: 6}[bands]
    big_endian = samples.astype(samples.dtype.newbyteorder(">"))
    rows = b"".join(b"\0" + row.tobytes() for row in big_endian)
    header = struct.pack(">IIBBBBB", width, height, samples.dtype.itemsize * 8, color_type, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def bomb_png(width: int, height: int) -> bytes:
    """A PNG whose header promises width x height RGB pixels, with a few rows of zeros behind it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(4_000_000), 9)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


_TIFF_TYPES = {"H": 3, "I": 4}


def tiff_of(samples: NDArray[np.generic], order: str = "<", compress: bool = False, **tags: int) -> bytes:
    """A TIFF of (H, W, bands) samples of any dtype in one strip; `tags` replace those made here, by number ("t262")."""
    height, width, bands = samples.shape
    pixels = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    strip = zlib.compress(pixels) if compress else pixels
    bits = samples.dtype.itemsize * 8
    kind = {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]
    values: dict[int, tuple[int, ...]] = {
        256: (width,),
        257: (height,),
        258: (bits,) * bands,
        259: (8 if compress else 1,),
        262: (1 if bands < 3 else 2,),
        273: (8,),
        277: (bands,),
        278: (height,),
        279: (len(strip),),
        339: (kind,) * bands,
    }
    if bands == 4:
        values[338] = (2,)
    values |= {int(name[1:]): (value,) for name, value in tags.items()}
    directory_at = 8 + len(strip) + len(strip) % 2
    body = (
        (b"II" if order == "<" else b"MM")
        + struct.pack(order + "HI", 42, directory_at)
        + strip
        + b"\0" * (len(strip) % 2)
    )
    return body + _tiff_directory(values, order, directory_at)


def _tiff_directory(values: dict[int, tuple[int, ...]], order: str, at: int) -> bytes:
    spill_at = at + 2 + 12 * len(values) + 4
    entries, spill = b"", b""
    for tag, numbers in sorted(values.items()):
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(packed) > 4:
            inline = struct.pack(order + "I", spill_at + len(spill))
            spill += packed
        else:
            inline = packed
        entries += struct.pack(order + "HHI", tag, 4, len(numbers)) + inline
    return struct.pack(order + "H", len(values)) + entries + struct.pack(order + "I", 0) + spill


D50 = (0.9642, 1.0, 0.8249)


def rgb_profile(
    red: tuple[float, ...], green: tuple[float, ...], blue: tuple[float, ...], name: str, white: tuple[float, ...] = D50
) -> bytes:
    """An ICC v4 matrix profile with sRGB's curve; the colorants are XYZ relative to D50, `white` is the medium's."""
    curve = b"para\0\0\0\0\0\3\0\0" + _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    text = name.encode("utf-16-be")
    mluc = b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", len(text), 28) + text
    tags = {
        b"desc": mluc + b"\0" * (-len(mluc) % 4),
        b"wtpt": b"XYZ \0\0\0\0" + _fixed(*white),
        b"rXYZ": b"XYZ \0\0\0\0" + _fixed(*red),
        b"gXYZ": b"XYZ \0\0\0\0" + _fixed(*green),
        b"bXYZ": b"XYZ \0\0\0\0" + _fixed(*blue),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        table += tag + struct.pack(">II", at + len(body), len(content))
        body += content
    size = 128 + len(table) + len(body)
    header = struct.pack(">I4sI4s4s4s12s4s4sIIII4s12s", size, b"", 0x04300000, b"mntr", b"RGB ", b"XYZ ", bytes(12),
                         b"acsp", b"", 0, 0, 0, 0, b"", _fixed(*D50))  # fmt: skip
    return header.ljust(128, b"\0") + table + body


def _fixed(*numbers: float) -> bytes:
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def display_p3_profile() -> bytes:
    """A profile of Display P3: P3's primaries, D65 adapted to D50, sRGB's curve."""
    return rgb_profile(
        (0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407), "Display P3"
    )


def srgb_profile() -> bytes:
    """A profile of sRGB that is not byte for byte anybody else's, named to mislead."""
    return rgb_profile((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141), "Camera 1")


def scan_bomb(side: int, scans: int) -> bytes:
    """A progressive JPEG, grey, whose scans each go over all of its blocks and change none: tens of bytes a scan.

    With 6144 and 100,000 it has 6 MB, and its decoder is busy for minutes.
    """

    def segment(marker: int, content: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content

    def table(kind: int, symbol: int) -> bytes:
        return segment(0xC4, bytes([kind, 1, *[0] * 15, symbol]))
        # ^ of one symbol, whose code is the bit 0

    blocks = ((side + 7) // 8) ** 2
    longest = (1 << 15) - 1
    runs = [max(min(longest, blocks - at), 1 << 14) for at in range(0, blocks, longest)]
    bits = "".join(f"0{run - (1 << 14):014b}" for run in runs)
    # ^ "for so many blocks there is nothing"
    bits += "1" * (-len(bits) % 8)
    nothing = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    head = segment(0xDB, b"\0" + b"\1" * 64) + segment(0xC2, struct.pack(">BHHBBBB", 8, side, side, 1, 1, 0x11, 0))
    first = segment(0xDA, b"\1\1\0\0\0\0") + bytes(blocks // 8 + 1)
    again = segment(0xDA, b"\1\1\0\1\x3f\0") + nothing
    return b"\xff\xd8" + head + table(0x00, 0) + table(0x10, 0xE0) + first + again * scans + b"\xff\xd9"


def sample_files() -> dict[str, bytes]:
    """One small sound file of each format that can be written here, and some variants that take other paths."""
    rgb, rgba, palette = quarters(), quarters("RGBA"), quarters("P")
    deep = np.arange(16 * 16 * 3, dtype=np.uint16).reshape(16, 16, 3) * 85
    frames = [rgb, rgb.rotate(90), rgb.rotate(180)]
    animated = {"save_all": True, "append_images": frames[1:]}
    files = {kind: saved(rgb, kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "DIB", "PPM", "TGA")}
    files |= {kind: saved(rgb, kind) for kind in ("JPEG2000", "AVIF", "PCX", "SGI", "QOI", "DDS", "ICO", "ICNS")}
    files |= {
        "GIF": saved(palette, "GIF"),
        "MSP": saved(quarters("1"), "MSP"),
        "XBM": saved(quarters("1"), "XBM"),
        "PFM": saved(quarters("F"), "PPM"),
        "PNG 16 bit": png_of(deep),
        "PNG palette, transparent": saved(palette, "PNG", transparency=1),
        "PNG with profile and text": png_of(
            np.asarray(rgb),
            ((b"iCCP", b"p3\0\0" + zlib.compress(display_p3_profile())), (b"zTXt", b"k\0\0" + zlib.compress(b"text"))),
        ),
        "JPEG with EXIF": saved(rgb, "JPEG", exif=exif_orientation(6)),
        "JPEG progressive": saved(rgb, "JPEG", progressive=True),
        "JPEG CMYK": saved(quarters("CMYK"), "JPEG"),
        "TIFF 16 bit": tiff_of(deep, compress=True),
        "TIFF LZW": saved(rgba, "TIFF", compression="tiff_lzw"),
        "TIFF JPEG": saved(rgb, "TIFF", compression="jpeg"),
        "TIFF fax": saved(quarters("1"), "TIFF", compression="group4"),
        "GIF animated": saved(frames[0], "GIF", **animated),
        "PNG animated": saved(frames[0], "PNG", **animated),
        "WEBP animated": saved(frames[0], "WEBP", **animated),
        "TIFF pages": saved(frames[0], "TIFF", **animated),
        "WEBP lossless": saved(rgba, "WEBP", lossless=True, exact=True),
        "TGA packed": saved(rgba, "TGA", compression="tga_rle"),
    }
    return files
