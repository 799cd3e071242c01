"""An entry of a list -> where it lies, and the id of its image, which no other entry has a part in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flatpipe import layout
from flatpipe.errors import UnsupportedImage
from flatpipe.places import LOCAL_PROTOCOLS, READ_ONLY_PROTOCOLS, PlaceRefused, is_url, place_of
from flatpipe.records import Failure, ImageSource, RefusedFile
from flatpipe.storage.archives.names import member_name

_ABSOLUTE = ("/", *(f"{protocol}:/" for protocol in LOCAL_PROTOCOLS))
_LEADS_OUT = "the entry leads out of the folder where relative paths start (..)"


@dataclass(frozen=True, slots=True)
class Entry:
    """One place that a list names."""

    place: str
    # ^ an absolute local path or a URL
    image_id: str
    # ^ of its image; of a folder what the ids of its images begin with, "" where that is nothing


def entry_of(text: str, base: str) -> Entry | RefusedFile:
    """The entry that a line of a list is; relative paths start at `base`, a folder or a URL."""
    if "\0" in text:
        return _refused(text, "a path cannot hold a NUL character")
    try:
        place = _place_of(text, base)
    except PlaceRefused as error:
        return _refused(text, str(error))
    below = f"{base.rstrip('/')}/"
    if place.startswith(below):
        return _marked(place, place[len(below) :])
    if is_url(place):
        return _marked(place, place.partition("://")[2])
    if place == base:
        return Entry(place, "")
    return Entry(place, place.lstrip("/")) if _is_absolute(text) else _refused(text, _LEADS_OUT)


def _place_of(text: str, base: str) -> str:
    if not is_url(base) or is_url(text) or _is_absolute(text):
        return place_of(text, "" if is_url(base) else base)
    path = place_of(text, "/")
    # ^ ".." leads no further up than to the base
    if _leads_out(text):
        raise PlaceRefused(_LEADS_OUT)
    return f"{base.rstrip('/')}{path}"


def _leads_out(text: str) -> bool:
    depth = 0
    for part in text.split("/"):
        depth += {"": 0, ".": 0, "..": -1}.get(part, 1)
        if depth < 0:
            return True
    return False


def _is_absolute(text: str) -> bool:
    return text.startswith(_ABSOLUTE) or (text.startswith("~") and Path(text).expanduser() != Path(text))


def _marked(place: str, path: str) -> Entry:
    """An entry called by a path; what a web server is asked beside it becomes a mark."""
    asked = place.partition("://")[0] in READ_ONLY_PROTOCOLS and "?" in path
    return Entry(place, layout.marked(path.partition("?")[0], place) if asked else path.rstrip("/"))


def _refused(text: str, why: str) -> RefusedFile:
    """The row of an entry that names no place; what might be a secret in a URL stays out of it."""
    protocol, is_one, rest = text.replace("\0", "%00").partition("://")
    host, slash, path = rest.partition("?")[0].partition("/")
    shown = f"{host.rpartition('@')[2]}{slash}{path}" if is_one else protocol
    source = ImageSource(member_name(shown).text or "?", f"{protocol}://{shown}" if is_one else shown, 0, "")
    return RefusedFile(source, Failure("discover", UnsupportedImage.error, why))
