"""Names of members, as parts of an image's id: no name leads out of its archive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_UNSAFE = re.compile(r"[\0%]")


@dataclass(frozen=True, slots=True)
class MemberName:
    """A member's name below its archive."""

    text: str
    # ^ parts with one "/" between, none of them "." or ".."; of one that is refused with what is not so in %XX; "": the
    #   member is a folder
    refused: str = ""
    # ^ why, as a sentence


def member_name(name: str) -> MemberName:
    """The name that an archive gives a member, as it is called here, or why it may not be called so."""
    if "\0" in name:
        return _refused(name, "its name holds a NUL character")
    if name.startswith("/") or _DRIVE.match(name):
        return _refused(name, "its name is an absolute path")
    if name.endswith("/"):
        return MemberName("")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        return _refused(name, "its name leads out of the archive (..)")
    return MemberName("/".join(parts)) if parts else _refused(name, "it has no name")


def _refused(name: str, why: str) -> MemberName:
    """A name that is no other member's, with the reason."""
    start = name[: len(name) - len(name.lstrip("/"))]
    rest = _UNSAFE.sub(lambda found: quote(found[0]), name[len(start) :])
    parts = ["%2E" * len(part) if part in ("", ".", "..") else part for part in rest.split("/")]
    return MemberName("%2F" * len(start) + "/".join(part or "%2F" for part in parts), why)
