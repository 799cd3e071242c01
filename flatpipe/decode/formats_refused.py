"""What is recognised only to be refused in words: documents, failed downloads, camera RAW, unread formats."""

from __future__ import annotations

import re
from typing import NamedTuple

from flatpipe.errors import ImageError, NotAnImage, UnsupportedImage


class _Known(NamedTuple):
    """Bytes at an offset, and what a file that has them there is."""

    offset: int
    magic: bytes
    what: str


_UNSUPPORTED = (
    _Known(0, b"%!PS", "PostScript (EPS): a program that draws, convert it first"),
    _Known(0, b"\xc5\xd0\xd3\xc6", "PostScript (EPS with preview): a program that draws, convert it first"),
    _Known(0, b"%PDF-", "a PDF document: export its pages as images first"),
    _Known(0, b"\xd7\xcd\xc6\x9a", "a Windows metafile (WMF): drawing commands, not pixels"),
    _Known(0, b"\x01\x00\x09\x00\x00\x03", "a Windows metafile (WMF): drawing commands, not pixels"),
    _Known(40, b" EMF", "an enhanced metafile (EMF): drawing commands, not pixels"),
    _Known(0, b"\xff\x0a", "JPEG XL"),
    _Known(0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
    _Known(0, b"II\xbc\x01", "JPEG XR"),
    _Known(0, b"II\xbc\x00", "JPEG XR"),
    _Known(0, b"gimp xcf", "a GIMP project (XCF): export it first"),
    _Known(0, b"8BPS\x00\x02", "a Photoshop big document (PSB)"),
    _Known(0, b"v/1\x01", "OpenEXR"),
    _Known(0, b"#?RADIANCE", "Radiance HDR"),
    _Known(0, b"#?RGBE", "Radiance HDR"),
    _Known(0, b"\x8aMNG\r\n\x1a\n", "an MNG animation"),
    _Known(0, b"\x8bJNG\r\n\x1a\n", "JNG"),
    _Known(0, b"FLIF", "FLIF"),
    _Known(0, b"BPG\xfb", "BPG"),
    _Known(0, b"AT&TFORM", "DjVu"),
    _Known(0, b"FORM", "an IFF picture (ILBM)"),
    _Known(0, b"SIMPLE  =", "FITS"),
    _Known(0, b"\x89HDF\r\n\x1a\n", "HDF5"),
    _Known(0, b"\x0e\x03\x13\x01", "HDF4"),
    _Known(0, b"GRIB", "GRIB weather data"),
    _Known(0, b"BUFR", "BUFR weather data"),
    _Known(128, b"DICM", "DICOM"),
    _Known(0, b"BLP1", "a Blizzard texture (BLP)"),
    _Known(0, b"BLP2", "a Blizzard texture (BLP)"),
    _Known(0, b"FTEX", "a game texture (FTEX)"),
    _Known(0, b"\xabKTX ", "a KTX texture"),
    _Known(20, b"GIMP", "a GIMP brush (GBR)"),
    _Known(2048, b"PCD_", "Kodak Photo CD"),
    _Known(0, b"P7 332", "an XV thumbnail"),
    _Known(0, b"P7\n", "PAM"),
    _Known(0, b"PF\n", "a colour portable float map (PFM)"),
    _Known(0, b"PF ", "a colour portable float map (PFM)"),
    _Known(0, b"\x97JB2\r\n\x1a\n", "JBIG2"),
    _Known(8, b"CR\x02\x00", "Canon camera RAW (CR2): develop it first"),
    _Known(0, b"II\x1a\x00\x00\x00HEAPCCDR", "Canon camera RAW (CRW): develop it first"),
    _Known(4, b"ftypcrx ", "Canon camera RAW (CR3): develop it first"),
    _Known(0, b"FUJIFILMCCD-RAW", "Fujifilm camera RAW (RAF): develop it first"),
    _Known(0, b"IIU\x00", "Panasonic camera RAW (RW2): develop it first"),
    _Known(0, b"IIRO", "Olympus camera RAW (ORF): develop it first"),
    _Known(0, b"IIRS", "Olympus camera RAW (ORF): develop it first"),
    _Known(0, b"MMOR", "Olympus camera RAW (ORF): develop it first"),
    _Known(0, b"FOVb", "Sigma camera RAW (X3F): develop it first"),
    _Known(0, b"\x00MRM", "Minolta camera RAW (MRW): develop it first"),
)

_VIDEO = "a video: extract its frames first"
_ARCHIVE = "an archive: unpack it first"
_NOT_AN_IMAGE = (
    _Known(
        0, b"version https://git-lfs.github.com/spec/", "a Git LFS pointer, the image itself is elsewhere: git lfs pull"
    ),
    _Known(0, b"PK\x03\x04", f"ZIP, {_ARCHIVE}"),
    _Known(0, b"\x1f\x8b", f"gzip, {_ARCHIVE}"),
    _Known(0, b"BZh", f"bzip2, {_ARCHIVE}"),
    _Known(0, b"\xfd7zXZ\x00", f"xz, {_ARCHIVE}"),
    _Known(0, b"\x28\xb5\x2f\xfd", f"Zstandard, {_ARCHIVE}"),
    _Known(0, b"7z\xbc\xaf\x27\x1c", f"7-Zip, {_ARCHIVE}"),
    _Known(0, b"Rar!\x1a\x07", f"RAR, {_ARCHIVE}"),
    _Known(257, b"ustar", f"tar, {_ARCHIVE}"),
    _Known(0, b"\x00\x05\x16\x07", "macOS metadata (AppleDouble, a name beginning with ._), not the image"),
    _Known(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an OLE document (Thumbs.db, FlashPix, Office)"),
    _Known(0, b"\x7fELF", "a program"),
    _Known(0, b"MZ\x90", "a program"),
    _Known(0, b"SQLite format 3\x00", "an SQLite database"),
    _Known(0, b"\x1aE\xdf\xa3", f"Matroska, {_VIDEO}"),
    _Known(0, b"\x00\x00\x01\xba", f"MPEG, {_VIDEO}"),
    _Known(0, b"\x00\x00\x01\xb3", f"MPEG, {_VIDEO}"),
    _Known(8, b"AVI ", f"AVI, {_VIDEO}"),
    _Known(8, b"WAVE", "a sound (WAV)"),
    _Known(0, b"OggS", "a sound or video (Ogg)"),
    _Known(0, b"ID3", "a sound (MP3)"),
    _Known(4, b"ftypisom", f"MP4, {_VIDEO}"),
    _Known(4, b"ftypmp4", f"MP4, {_VIDEO}"),
    _Known(4, b"ftypM4V", f"MP4, {_VIDEO}"),
    _Known(4, b"ftypqt  ", f"QuickTime, {_VIDEO}"),
    _Known(4, b"ftypavc1", f"MP4, {_VIDEO}"),
)

_PROLOGUE = rb"(?:\xef\xbb\xbf)?\s*+(?:(?><\?xml.*?\?>|<!--.*?-->)\s*+)*+"
# ^ atomic and possessive: a file made of ten thousand comments must not make the matcher try every way to pair them
_HTML = re.compile(_PROLOGUE + rb"<(?:!doctype\s+html|html|head|body|title|script)\b", re.DOTALL | re.IGNORECASE)
_MARKUP = re.compile(
    _PROLOGUE + rb"(?><!DOCTYPE[^>\[]*+(?:\[.*?\])?[^>]*+>\s*+|)(?:(?><!--.*?-->)\s*+)*+<([\w:]+)",
    re.DOTALL | re.IGNORECASE,
)


def refused_by_name(content: bytes) -> ImageError | None:
    """The error for a file that is recognised and never decoded; None when it may be an image that we read."""
    if not content:
        return NotAnImage("an empty file")
    for known in _NOT_AN_IMAGE:
        if content.startswith(known.magic, known.offset):
            return NotAnImage(known.what)
    for known in _UNSUPPORTED:
        if content.startswith(known.magic, known.offset):
            return UnsupportedImage(known.what)
    return _refused_markup(content[:4096])


def _refused_markup(beginning: bytes) -> ImageError | None:
    if b"<" not in beginning[:64]:
        return None
    if _HTML.match(beginning):
        return NotAnImage("a web page, not an image: a download that failed?")
    root = _MARKUP.match(beginning)
    if root is None:
        return None
    if root[1].lower().rpartition(b":")[2] == b"svg":
        return UnsupportedImage("an SVG drawing: render it first")
    return NotAnImage("an XML document, not an image: a download that failed?")
