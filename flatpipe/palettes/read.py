"""Bytes -> a Palette: which format they are, told by content first and by the name's suffix second."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from flatpipe.errors import ConfigError
from flatpipe.palettes.palette import Palette
from flatpipe.palettes.readers.adobe import ACT_SIZES, is_aco, read_aco, read_act, read_ase
from flatpipe.palettes.readers.sheet import DELIMITERS, read_sheet
from flatpipe.palettes.readers.tables import PNG_SIGN, read_png, read_riff
from flatpipe.palettes.readers.texts import Text, decoded, is_hex_line, read_gpl, read_hex_lines, read_jasc
from flatpipe.text import printable
from flatpipe.vocabulary import PaletteFormat

_READ = (
    "GIMP (.gpl), Adobe (.ase, .aco, .act), JASC and RIFF (.pal), hex lists (.hex, .txt), CSV and indexed PNG are read"
)
_SIGNS: dict[bytes, Callable[[bytes], Palette]] = {b"ASEF": read_ase, b"RIFF": read_riff, PNG_SIGN: read_png}
_TEXT_SIGNS = (b"GIMP Palette", b"JASC-PAL")
_STRANGERS = {
    b"\x1f\x8b": "compressed with gzip",
    b"PK\x03\x04": "a ZIP archive, as .kpl, .sbz, .swatches and spreadsheets are",
    b"8BCB": "an Adobe color book",
    b"GIF8": "a GIF",
    b"\xff\xd8\xff": "a JPEG",
    b"%PDF": "a PDF",
    b"<": "XML or HTML",
    b"{": "JSON",
}


def palette_of(content: bytes, name: str) -> Palette:
    """The palette that a file's bytes hold; its name is its title where the format has none.

    Raises ConfigError, in one sentence with the name and the line or byte, for what is no palette that we read.
    """
    stem, _, suffix = name.rpartition("/")[2].rpartition(".")
    try:
        palette = _read(content, suffix.lower() if stem else "")
    except ConfigError as error:
        raise ConfigError(f"{printable(name)}: {error}") from None
    return palette if palette.title else Palette(palette.colors, stem or suffix, palette.notes)


def _read(content: bytes, suffix: str) -> Palette:
    if not content:
        raise ConfigError("the file is empty")
    if reader := _reader_of(content, suffix):
        return reader(content)
    for sign, what in _STRANGERS.items():
        if content.startswith(sign):
            raise ConfigError(f"it is {what}; {_READ}")
    return _read_text(decoded(content), suffix)


def _reader_of(content: bytes, suffix: str) -> Callable[[bytes], Palette] | None:
    """What reads a binary format; None for what may be text. The signs come first, then suffixes, then lengths."""
    for sign, reader in _SIGNS.items():
        if content.startswith(sign):
            return reader
    if content.lstrip(b"\xef\xbb\xbf").startswith(_TEXT_SIGNS):
        return None
    is_table = len(content) in ACT_SIZES
    if is_table and suffix == "act":
        return read_act
    if suffix == "aco" or is_aco(content):
        return read_aco
    return read_act if suffix == "act" or (is_table and b"\0" in content) else None


def _read_text(text: Text, suffix: str) -> Palette:
    first = next(text.lines(), (1, ""))[1]
    if first.startswith("GIMP Palette"):
        return read_gpl(text)
    if first.startswith("JASC-PAL"):
        return read_jasc(text)
    if suffix in ("csv", "tsv"):
        return read_sheet(text)
    if suffix in ("hex", "txt") or is_hex_line(first):
        return read_hex_lines(text)
    if suffix in get_args(PaletteFormat):
        raise ConfigError(f"line 1: it does not begin as a .{suffix} that is read does; {_READ}")
    return read_sheet(text) if any(sign in first for sign in DELIMITERS) else read_hex_lines(text)
