"""A place, where images are read or outputs are written: a local path or a URL, in one form from its first reading on.

Config and arguments are read by `place_of`; everything below them asks `is_url` and knows no other spelling.
"""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from flatpipe.errors import ConfigError

CONFIG, SCHEMA = "pipeline.yaml", "flatpipe.schema.json"
# ^ what `flatpipe init` puts into a folder of images; a folder is named where its config is meant

STORES = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az"}
# ^ protocols of object stores, and the one word for each store, which is that of our extra too
_MEMORY = "memory"
READ_ONLY_PROTOCOLS = ("http", "https")
WRITABLE_PROTOCOLS = (*STORES, "sftp", "smb", "hdfs", _MEMORY)
PROTOCOLS = (*WRITABLE_PROTOCOLS, *READ_ONLY_PROTOCOLS)
# ^ what is known to work; fsspec has others, some of which are local files, or other URLs, in disguise
LOCAL_PROTOCOLS = ("file", "local")
# ^ ways to write a local path as a URL

_LOCAL_URL = re.compile(rf"(?:{'|'.join(LOCAL_PROTOCOLS)}):/")
_CHAINED = re.compile(r"::[\w+.-]*://")
_PORT = re.compile(r":\d*$")
_SECRET = re.compile(
    r"https?://[^/]*@|://[^/@]*:[^/@]*@|[?&][\w.-]*(?:sig|signature|token|secret|password|key|credential)=",
    re.IGNORECASE,
)
# ^ a password before a host, or what opens a door behind a ?
_KNOWN = (
    f"a place is a local path, or a URL with one of {', '.join(PROTOCOLS)} before ://"
    f" ({' and '.join(READ_ONLY_PROTOCOLS)} are read only)"
)


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """Which files of the input may be read; anything but a regular file never is."""

    roots: tuple[str, ...] = ()
    # ^ folders that no link below them may lead out of; links elsewhere are followed
    max_bytes: int | None = None

    def root_of(self, path: str) -> str:
        """The innermost of the roots that a file lies below; "" where it lies below none."""
        return max((root for root in self.roots if path.startswith(f"{root.rstrip('/')}/")), key=len, default="")


class PlaceRefused(ConfigError, ValueError):
    """The text names no place that can be used; a ValueError too, so that a field of the config can refuse it."""


def is_url(place: str) -> bool:
    """Whether a place lies behind a URL such as s3://bucket/photos; a path with "://" further down does not."""
    protocol, found, _ = place.partition("://")
    return bool(found) and "/" not in protocol


def name_of_url(url: str) -> str:
    """The last part of a URL: the name of a file, without what a web server is asked beside it."""
    path = url.partition("?")[0] if url.partition("://")[0] in READ_ONLY_PROTOCOLS else url
    return path.rpartition("/")[2]


def is_in_memory(place: str) -> bool:
    """Whether the place lies in this process's memory, where no other sees it and nothing outlives it."""
    return place.startswith(f"{_MEMORY}://")


def is_local(text: str) -> bool:
    """Whether a text, read or not, names a local path, as such or as file:// does."""
    return not is_url(text) or _LOCAL_URL.match(text) is not None


def place_of(text: str, folder: str | os.PathLike[str]) -> str:
    """The place that a text names: an absolute local path without links followed, or a URL; raises PlaceRefused.

    Relative paths start at `folder`, `~` is the home folder, file:// and local:// are local paths; other URLs stay.
    """
    if not is_local(text):
        return _checked_url(text)
    path = _path_of_url(text) if _LOCAL_URL.match(text) else os.path.expanduser(text)  # noqa: PTH111 - Path's raises
    if "\0" in path:
        raise PlaceRefused("a path cannot hold a NUL character")
    return os.path.normpath(Path(folder, path))


def check_writable(place: str) -> str:
    """The place itself, when outputs can be written there; raises PlaceRefused."""
    protocol = place.partition("://")[0]
    if is_url(place) and protocol in READ_ONLY_PROTOCOLS:
        raise PlaceRefused(f"{protocol}:// can be read, not written")
    return place


def check_apart(source: str, output: str, state: str | None = None) -> None:
    """Raise ConfigError when outputs or the ledger would lie in the input, or the input in the outputs.

    The ledger's folder may hold the input, as that of a project does: it writes nothing below itself but its own files.
    """
    if is_within(source, output) or is_within(output, source):
        raise ConfigError(
            f"input.path ({source}) and output.path ({output}) overlap; outputs need a folder of their own"
        )
    if state is not None and is_within(state, source):
        raise ConfigError(
            f"execution.state_path ({state}) lies in input.path ({source}); the ledger needs a folder of its own"
        )


def check_not_within(source: str, output: str) -> None:
    """Raise ConfigError when an image or a folder of images is one of the outputs, or holds what would be written."""
    if is_within(source, output):
        raise ConfigError(f"{source}: lies in the output folder ({output}); results are no input")


def _path_of_url(url: str) -> str:
    """The path that file:///a%20b stands for."""
    protocol, _, rest = url.partition(":")
    host, slash, path = rest[2:].partition("/") if rest.startswith("//") else ("", "/", rest[1:])
    if not slash:
        raise PlaceRefused(f"{protocol}:// names no path; write {protocol}:///... or the path itself")
    if host not in ("", "localhost"):
        words = f"{protocol}:// names the host {host!r}, and only this machine's files are read so"
        raise PlaceRefused(f"{words}: write {protocol}:///... or the path itself")
    return unquote(f"/{path}", errors="surrogateescape")


def _checked_url(url: str) -> str:
    protocol = url.partition("://")[0]
    if _CHAINED.search(url):
        raise PlaceRefused(f"file systems are not chained by ::; {_KNOWN}")
    if protocol not in PROTOCOLS:
        raise PlaceRefused(f"{protocol[:40]}:// is not supported; {_KNOWN}")
    if _SECRET.search(url):
        raise PlaceRefused(
            "a password or signature in a URL would stand in every table and log; "
            "leave it out: storage libraries read theirs from the environment"
        )
    return url


def is_within(inner: str, outer: str) -> bool:
    """Whether one place is another, or lies below it."""
    ours, theirs = _steps(inner), _steps(outer)
    return ours[: len(theirs)] == theirs


def _steps(place: str) -> tuple[str, ...]:
    """What leads to a place, from the file system inwards: links resolved, other words for one store made one.

    Where URLs may lead to one place or to two, such as containers of one name in two accounts, they count as one.
    """
    if not is_url(place):
        return Path(os.path.realpath(place)).parts
    protocol, _, rest = place.partition("://")
    authority, _, path = rest.partition("/")
    store = STORES.get(protocol, protocol)
    before, _, behind = authority.rpartition("@")
    top = before or behind if store == "az" else _PORT.sub("", behind)
    # ^ abfs://container@account, but sftp://user@host:22
    if protocol not in (*STORES, _MEMORY):
        path = posixpath.normpath(f"/{path}")
        # ^ in a file system ".." leads up; to an object store it is a name
    return (store, *filter(None, (top.lower(), *path.split("/"))))
