"""Zip files that are broken, or made to harm; with what must come of each."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

from archive_builders import Case, tar_of, zip_of

SOUND = b"sound"
BOMB = 64 << 20
BOTH = {"a.png": "sound", "z.png": "sound"}
CONTENTS = {"a.png": SOUND, "b.png": SOUND, "z.png": SOUND}


def patched(content: bytes, *changes: tuple[bytes, int, bytes], name: bytes = b"b.png") -> bytes:
    """A zip file with bytes of one member's records exchanged: (signature of the record, offset in it, bytes)."""
    made = bytearray(content)
    for signature, offset, put in changes:
        at = _record(content, signature, name)
        made[at + offset : at + offset + len(put)] = put
    return bytes(made)


def _record(content: bytes, signature: bytes, name: bytes) -> int:
    length = {LOCAL: 30, ENTRY: 46}.get(signature, 0)
    at = content.find(signature)
    while length and content[at + length : at + length + len(name)] != name:
        at = content.index(signature, at + 1)
    return at


LOCAL, ENTRY, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
FLAGS, METHOD, CRC, PACKED, SIZE, EXTRA, ATTRIBUTES, START = 8, 10, 16, 20, 24, 30, 38, 42
# ^ offsets in an entry


def entry(offset: int, put: bytes, **options: int) -> bytes:
    """Three members, the entry of the second changed."""
    return patched(zip_of(CONTENTS, **options), (ENTRY, offset, put))


def word(number: int) -> bytes:
    """A field of 32 bits."""
    return struct.pack("<L", number)


def with_b(change: Callable[[zipfile.ZipInfo], object], content: bytes = SOUND, method: int = 8) -> bytes:
    """Three members, the second made otherwise."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.png", SOUND)
        info = zipfile.ZipInfo("b.png")
        change(info)
        archive.writestr(info, content, method)
        archive.writestr("z.png", SOUND)
    return file.getvalue()


def with_mode(mode: int) -> bytes:
    """Three members, the second of this mode."""
    return with_b(lambda info: setattr(info, "external_attr", mode << 16))


def named(name: str) -> bytes:
    """Three members, the second under another name."""
    return zip_of({"a.png": SOUND, name: SOUND, "z.png": SOUND})


def twice() -> bytes:
    """Two members of one name."""
    content = zip_of({"a.png": SOUND, "b.png": SOUND, "c.png": SOUND, "z.png": SOUND})
    return content.replace(b"c.png", b"b.png")


def quoted(count: int) -> bytes:
    """A bomb as David Fifield makes them (2019): each member's bytes are all that stands behind its header."""
    crc, size = zlib.crc32(bytes(1 << 20)), 1 << 20
    packer = zlib.compressobj(9, wbits=-15)
    files, entries = packer.compress(bytes(size)) + packer.flush(), []
    for name in (b"q%d.png" % n for n in reversed(range(count))):
        head = struct.pack("<4s5H3L2H", LOCAL, 20, 0, 8, 0, 0, crc, len(files), size, len(name), 0) + name
        entries.append((name, len(files), size, len(head) + len(files)))
        files = struct.pack("<BHH", 0, len(head), len(head) ^ 0xFFFF) + head + files
        # ^ to who unpacks the member before, a stored block that holds this header
        size += len(head)
    directory = b"".join(
        struct.pack("<4s6H3L5H2L", ENTRY, 20, 20, 0, 8, 0, 0, crc, packed, size, len(name), 0, 0, 0, 0, 0, start) + name
        for name, packed, size, start in ((*one, len(files) - from_end) for *one, from_end in entries)
    )
    return files + directory + struct.pack("<4s4H2LH", END, 0, 0, count, count, len(directory), len(files), 0)


def large(size: int | None = None) -> bytes:
    """Three members, the second with its size in a field of 64 bits, if any."""
    extra = b"" if size is None else struct.pack("<2HQ", 1, 8, size)
    content = entry(SIZE, word(0xFFFFFFFF), method=0)
    at = _record(content, ENTRY, b"b.png") + 46 + len("b.png")
    content = patched(content, (ENTRY, EXTRA, struct.pack("<H", len(extra))))
    end = content.rindex(END)
    length = int.from_bytes(content[end + 12 : end + 16], "little") + len(extra)
    content = content[: end + 12] + word(length) + content[end + 16 :]
    return content[:at] + extra + content[at:]


def commented(comment: bytes) -> bytes:
    """Two members and a comment."""
    file = io.BytesIO(zip_of(dict.fromkeys(BOTH, SOUND)))
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = comment
    return file.getvalue()


def streamed() -> bytes:
    """Sizes behind the bytes, as a program writes them that cannot go back."""

    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.content = b""

        def writable(self) -> bool:
            return True

        def write(self, piece: bytes) -> int:  # type: ignore[override]
            self.content += bytes(piece)
            return len(piece)

    file = Stream()
    with zipfile.ZipFile(file, "w", 8) as archive:
        for name in BOTH:
            archive.writestr(name, SOUND)
    return file.content


def with_both_ends() -> bytes:
    """An end of 64 bits before one whose fields have room: `zip a.zip -` writes them, with bytes before the archive."""
    end = PLAIN.rindex(END)
    *_, here, entries, size, start, _ = struct.unpack_from("<4s4H2LH", PLAIN, end)
    large = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, here, entries, size, start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    return b"#!/bin/sh\n" + PLAIN[:end] + large + locator + PLAIN[end:]


PLAIN = zip_of(dict.fromkeys(BOTH, SOUND))
B_BAD, B_ODD, B_SOUND = ({**BOTH, "b.png": word} for word in ("decoder-error", "unsupported", "sound"))
ZIP_CASES = {
    f"zip: {name}": Case(content, rows, "zip")
    for name, (content, rows) in {
        "encrypted": (entry(FLAGS, b"\1\0"), B_ODD),
        "strongly encrypted": (entry(FLAGS, b"\x41\0"), B_ODD),
        "directory encrypted": (entry(FLAGS, b"\0\x20"), B_ODD),
        "bomb": (with_b(lambda info: None, bytes(BOMB)), {**BOTH, "b.png": "too-large"}),
        "bomb that says it is small": (
            patched(with_b(lambda info: None, bytes(BOMB)), (ENTRY, SIZE, word(200_000))),
            B_BAD,
        ),
        "size too small": (entry(SIZE, word(3)), B_BAD),
        "size too large": (entry(SIZE, word(900)), B_BAD),
        "size too small, stored": (entry(SIZE, word(3), method=0), B_BAD),
        "packed size too small": (entry(PACKED, word(1)), {**BOTH, "b.png": "decoder-error"}),
        "packed size too large": (entry(PACKED, word(1 << 30)), B_BAD),
        "packed size into the next": (entry(PACKED, word(60)), B_BAD),
        "two of one place": (
            patched(zip_of(CONTENTS), (ENTRY, START, word(0))),
            {"a.png": "decoder-error", "b.png": "decoder-error", "z.png": "sound"},
        ),
        "members within each other": (
            quoted(3),
            {"q0.png": "decoder-error", "q1.png": "decoder-error", "q2.png": "read"},
        ),
        "64 bits": (large(5), B_SOUND),
        "64 bits, missing": (large(), B_BAD),
        "64 bits, 2**63": (large(2**63), B_BAD),
        "bad checksum": (entry(CRC, b"\1\2\3\4"), B_BAD),
        "bad checksum, stored": (entry(CRC, b"\1\2\3\4", method=0), B_BAD),
        "deflate damaged": (patched(zip_of(CONTENTS), (LOCAL, 35, b"\xff\xff")), B_BAD),
        "unknown method": (entry(METHOD, b"\x63\0"), B_ODD),
        "bzip2": (with_b(lambda info: None, method=zipfile.ZIP_BZIP2), B_ODD),
        "LZMA": (with_b(lambda info: None, method=zipfile.ZIP_LZMA), B_ODD),
        "member outside": (entry(START, word(1 << 30)), B_BAD),
        "member in the midst of another": (entry(START, word(1)), {**B_BAD, "a.png": "decoder-error"}),
        "header of another": (patched(zip_of(CONTENTS), (LOCAL, 0, b"PK\0\0")), B_BAD),
        "directory outside": (patched(PLAIN, (END, 16, word(1 << 30))), {"": "decoder-error"}),
        "directory longer than the file": (patched(PLAIN, (END, 12, word(1 << 30))), {"": "decoder-error"}),
        "directory damaged": (
            patched(zip_of(CONTENTS), (ENTRY, 0, b"XX")),
            {"a.png": "sound", "": "decoder-error"},
        ),
        "directory that counts wrong": (patched(PLAIN, (END, 8, b"\3\0\3\0")), {**BOTH, "": "decoder-error"}),
        "end within a comment": (commented(PLAIN[PLAIN.rindex(END) :]), {"": "decoder-error"}),
        "end of nothing within a comment": (commented(END + bytes(40)), BOTH),
        "more behind the end": (PLAIN + b"\n", BOTH),
        "program before it": (b"#!/bin/sh\n" * 50 + PLAIN, BOTH),
        "64 bits at the end, without need": (with_both_ends(), BOTH),
        "empty archive": (zip_of({}), {}),
        "empty file": (b"", {"": "truncated"}),
        "cut short": (PLAIN[:-30], {"": "truncated"}),
        "tar under this name": (tar_of(dict.fromkeys(BOTH, SOUND)), {"": "unsupported"}),
        "part of several": (patched(PLAIN, (END, 4, b"\1\0")), {"": "unsupported"}),
        "symbolic link": (with_mode(0o120777), B_ODD),
        "pipe": (with_mode(0o010644), B_ODD),
        "regular file": (with_mode(0o100644), B_SOUND),
        "folder": (named("b.png/"), BOTH),
        "absolute name": (named("/b.png"), {**BOTH, "%2Fb.png": "unsupported"}),
        "drive letter": (named("C:/b.png"), {**BOTH, "C:/b.png": "unsupported"}),
        "name that leads out": (named("..\\b.png"), {**BOTH, "%2E%2E/b.png": "unsupported"}),
        "name with \\": (named("x\\b.png"), {**BOTH, "x/b.png": "sound"}),
        "NUL in a name": (zip_of(CONTENTS).replace(b"b.png", b"b\0png"), BOTH),
        "name that is no UTF-8": (
            patched(named("é.png"), (ENTRY, 46, b"\xff\xff"), name="é".encode()),
            {**BOTH, "\udcff\udcff.png": "sound"},
        ),
        "name of MS-DOS": (patched(zip_of(CONTENTS), (ENTRY, 46, b"\x82")), {**BOTH, "é.png": "sound"}),
        "one name twice": (twice(), B_ODD),
        "sizes behind the bytes": (streamed(), BOTH),
    }.items()
}
