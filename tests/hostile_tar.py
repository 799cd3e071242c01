"""Tar files that are broken, or made to harm; with what must come of each."""

from __future__ import annotations

import gzip
import tarfile
import zlib

from archive_builders import Case, zip_of

SOUND = b"sound"
END = bytes(1024)
BOMB = 64 << 20
# ^ bytes that a few kilobytes unpack to; a reader that takes them into memory is found out


def header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, target: str = "") -> bytes:
    """One header block; sizes below zero and beyond all octal digits too."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.type, entry.linkname = size, kind, target
    return entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def member(name: str, content: bytes = SOUND, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A header and its bytes."""
    return header(name, len(content), kind) + padded(content)


def padded(content: bytes) -> bytes:
    """The bytes, in whole blocks."""
    return content + bytes(-len(content) % 512)


def pax(*records: tuple[bytes, bytes], kind: bytes = tarfile.XHDTYPE) -> bytes:
    """An extended header."""
    return member("pax", b"".join(pax_record(*record) for record in records), kind)


def pax_record(keyword: bytes, value: bytes) -> bytes:
    """One line of an extended header, its own length before it."""
    length = len(keyword) + len(value) + 3
    length += len(str(length + len(str(length))))
    return b"%d %s=%s\n" % (length, keyword, value)


def old_sparse(name: str) -> bytes:
    """The header of a sparse file as GNU tar once wrote them, with more blocks of its map behind it."""
    block = bytearray(header(name, len(SOUND), tarfile.GNUTYPE_SPARSE))
    block[482] = 1
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def with_dates(name: str) -> bytes:
    """A header as GNU tar writes it into incremental archives, with the dates of access and change."""
    block = bytearray(header(name, len(SOUND)))
    block[345:369] = b"15302074421\0" * 2
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def damaged(content: bytes, at: int, put: bytes) -> bytes:
    """The same with some bytes exchanged."""
    return content[:at] + put + content[at + len(put) :]


def in_gzip(*pieces: bytes | int) -> bytes:
    """Pieces within gzip; a number stands for as many zeros."""
    packer = zlib.compressobj(1, wbits=31)
    made = [packer.compress(part) for piece in pieces for part in _parts(piece)]
    return b"".join([*made, packer.flush()])


def _parts(piece: bytes | int) -> list[bytes]:
    return [piece] if isinstance(piece, bytes) else [bytes(1 << 20)] * (piece >> 20)


A, Z = member("a.png"), member("z.png")
# ^ stand before and behind what is wrong
BOTH = {"a.png": "sound", "z.png": "sound"}
FIRST = {"a.png": "sound"}
LONG = f"{'n' * 300}.png"


def around(*blocks: bytes) -> bytes:
    """An archive with something between two sound members."""
    return A + b"".join(blocks) + Z + END


TAR_CASES = {
    "absolute name": Case(around(member("/etc/b.png")), {**BOTH, "%2Fetc/b.png": "unsupported"}),
    "name that leads out": Case(around(member("x/../../b.png")), {**BOTH, "x/%2E%2E/%2E%2E/b.png": "unsupported"}),
    "drive letter": Case(around(member("C:\\b.png")), {**BOTH, "C:\\b.png": "unsupported"}),
    "NUL in a name": Case(around(pax((b"path", b"b\0.png")), member("b.png")), {**BOTH, "b%00.png": "unsupported"}),
    "line end and escape in a name": Case(around(member("\x1b[2J\n.png")), {**BOTH, "\x1b[2J\n.png": "sound"}),
    "name that is no UTF-8": Case(around(member("\udcff.png")), {**BOTH, "\udcff.png": "sound"}),
    "name of 300 bytes": Case(around(member(LONG)), {**BOTH, LONG: "sound"}),
    "dates where others have a name's beginning": Case(
        around(with_dates("b.png"), padded(SOUND)), {**BOTH, "b.png": "sound"}
    ),
    "name that is nothing but dots": Case(around(member("./.")), BOTH),
    "symbolic link": Case(around(header("b.png", 0, tarfile.SYMTYPE, "/etc/passwd")), {**BOTH, "b.png": "unsupported"}),
    "hard link backward": Case(around(header("b.png", 0, tarfile.LNKTYPE, "a.png")), {**BOTH, "b.png": "sound"}),
    "hard link to a hard link": Case(
        around(header("b.png", 0, tarfile.LNKTYPE, "a.png"), header("c.png", 0, tarfile.LNKTYPE, "b.png")),
        {**BOTH, "b.png": "sound", "c.png": "sound"},
    ),
    "hard link forward": Case(around(header("b.png", 0, tarfile.LNKTYPE, "z.png")), {**BOTH, "b.png": "unsupported"}),
    "hard link to itself": Case(around(header("b.png", 0, tarfile.LNKTYPE, "b.png")), {**BOTH, "b.png": "unsupported"}),
    "hard link out": Case(around(header("b.png", 0, tarfile.LNKTYPE, "/etc/passwd")), {**BOTH, "b.png": "unsupported"}),
    "pipe": Case(around(header("b.png", 0, tarfile.FIFOTYPE)), {**BOTH, "b.png": "unsupported"}),
    "character device": Case(around(header("b.png", 0, tarfile.CHRTYPE)), {**BOTH, "b.png": "unsupported"}),
    "block device": Case(around(header("b.png", 0, tarfile.BLKTYPE)), {**BOTH, "b.png": "unsupported"}),
    "folder with an image's name": Case(around(header("b.png/", 0, tarfile.DIRTYPE)), BOTH),
    "part of a file on another tape": Case(around(member("b.png", kind=b"M")), {**BOTH, "b.png": "unsupported"}),
    "old sparse file, its map in three blocks": Case(
        around(old_sparse("b.png"), bytes(504) + b"\1" + bytes(7), bytes(512), padded(SOUND)),
        {**BOTH, "b.png": "unsupported"},
    ),
    "sparse file": Case(around(pax((b"GNU.sparse.major", b"1")), member("b.png")), {**BOTH, "b.png": "unsupported"}),
    "one name twice": Case(around(member("b.png"), member("./b.png", b"other")), {**BOTH, "b.png": "unsupported"}),
    "file and folder of one name": Case(
        around(member("b.png"), member("b.png-1.png"), member("b.png/c.png")),
        {**BOTH, "b.png": "sound", "b.png-1.png": "sound", "b.png/c.png": "unsupported"},
    ),
    "header cut short": Case(A + Z[:100], {**FIRST, "": "truncated"}),
    "bytes cut short": Case(A + Z[:514], {**FIRST, "": "truncated"}),
    "bytes cut short, of a file that nobody wants": Case(A + member("b.txt")[:514], {**FIRST, "": "truncated"}),
    "no end mark": Case(A + Z, {**BOTH, "": "truncated"}),
    "bad checksum": Case(A + damaged(Z, 150, b"9") + Z + END, {**FIRST, "": "decoder-error"}),
    "bad checksum at once": Case(damaged(A, 150, b"9") + END, {"": "unsupported"}),
    "size below zero": Case(A + header("b.png", -512) + Z + END, {**FIRST, "": "decoder-error"}),
    "size of 2**70": Case(A + header("b.png", 2**70) + Z + END, {**FIRST, "": "truncated"}),
    "size of 2**70 in gzip": Case(in_gzip(A, header("b.png", 2**70), Z, END), {**FIRST, "": "truncated"}, "tar.gz"),
    "size beyond the end": Case(A + header("b.png", 8 << 30) + END, {**FIRST, "": "truncated"}),
    "size by an extended header": Case(
        around(pax((b"size", b"5")), header("b.png", 0), padded(SOUND)), {**BOTH, "b.png": "sound"}
    ),
    "size by an extended header, too large": Case(
        around(pax((b"size", b"9" * 18)), member("b.png")), {**FIRST, "": "truncated"}
    ),
    "size by an extended header, no number": Case(
        around(pax((b"size", b"-1")), member("b.png")), {**FIRST, "": "decoder-error"}
    ),
    "extended header that says 4 GB": Case(
        A + header("pax", 4 << 30, tarfile.XHDTYPE) + Z + END, {**FIRST, "": "decoder-error"}
    ),
    "long name of 64 MB": Case(
        in_gzip(A, header("long", BOMB, tarfile.GNUTYPE_LONGNAME), BOMB, Z, END),
        {**FIRST, "": "decoder-error"},
        "tar.gz",
    ),
    "extended headers without end": Case(A + pax((b"x", b"y")) * 5000 + Z + END, {**FIRST, "": "decoder-error"}),
    "long names without end": Case(
        A + member("long", b"b.png", tarfile.GNUTYPE_LONGNAME) * 5000 + Z + END, {**FIRST, "": "decoder-error"}
    ),
    "extended header without sense": Case(
        around(member("pax", b"99 path=b.png\n", tarfile.XHDTYPE), member("b.png")), {**FIRST, "": "decoder-error"}
    ),
    "extended header of digits alone": Case(
        around(member("pax", b"1" * 1_000_000, tarfile.XHDTYPE), member("b.png")), {**FIRST, "": "decoder-error"}
    ),
    "extended header for all that follow": Case(
        around(pax((b"path", b"/etc/b.png"), (b"size", b"999999"), kind=tarfile.XGLTYPE)), BOTH
    ),
    "empty file": Case(b"", {"": "truncated"}),
    "empty archive": Case(END, {}),
    "zip under this name": Case(zip_of({"a.png": SOUND}), {"": "unsupported"}),
    "gzip under this name": Case(gzip.compress(around()), {"": "unsupported"}),
    "text under this name": Case(b"<html>404</html>" * 100, {"": "unsupported"}),
    "archive within": Case(around(member("inner.tar", around())), BOTH),
    "no image under an image's name": Case(around(member("b.png", b"#!/bin/sh")), {**BOTH, "b.png": "read"}),
    "100,000 empty members": Case(
        in_gzip(A, header("b.txt") * 50_000, header("b.png") * 50_000, Z, END),
        {**BOTH, "b.png": "unsupported"},
        "tar.gz",
        is_long=True,
    ),
    "gzip cut short": Case(in_gzip(A, bytes(range(256)) * 4, Z, END)[:-40], {**FIRST, "": "decoder-error"}, "tar.gz"),
    "gzip without its trailer": Case(in_gzip(around())[:-8], {**BOTH, "": "truncated"}, "tar.gz"),
    "gzip with a wrong checksum": Case(
        damaged(in_gzip(around()), -8, b"\0\0\0\0"), {**BOTH, "": "decoder-error"}, "tar.gz"
    ),
    "gzip with more behind it": Case(in_gzip(around()) + b"garbage", {**BOTH, "": "decoder-error"}, "tar.gz"),
    "gzip in two streams": Case(in_gzip(A) + in_gzip(Z, END), BOTH, "tar.gz"),
    "gzip bomb": Case(in_gzip(A, header("b.png", BOMB), BOMB, Z, END), {**BOTH, "b.png": "too-large"}, "tar.gz"),
    "gzip bomb behind the end": Case(in_gzip(around(), BOMB), BOTH, "tar.gz"),
    "tar under a gzip's name": Case(around(), {"": "unsupported"}, "tgz"),
}
