"""Archives made in memory: sound ones of any kind, and the blocks of which broken ones are put together."""

from __future__ import annotations

import gzip
import importlib.util
import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Contents = Mapping[str, bytes]
# ^ bytes by the names of members


def tar_of(contents: Contents, **options: object) -> bytes:
    """A tar file with these members."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", **options) as archive:  # type: ignore[call-overload]
        for name, content in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def gzipped_tar_of(contents: Contents) -> bytes:
    """The same within gzip."""
    return gzip.compress(tar_of(contents), mtime=0)


def zip_of(contents: Contents, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file with these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return file.getvalue()


def table_of(columns: dict[str, Any], **options: Any) -> bytes:
    """A Parquet file with these columns, each a list of values or an array."""
    import pyarrow
    import pyarrow.parquet

    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), file, **options)
    return file.getvalue()


def parquet_of(contents: Contents, **options: Any) -> bytes:
    """A Parquet file of images as Hugging Face writes it, in row groups of two."""
    rows = [{"bytes": content, "path": name} for name, content in contents.items()]
    return table_of({"image": rows, "label": list(range(len(rows)))}, row_group_size=2, **options)


ARCHIVES: dict[str, Callable[[Contents], bytes]] = {"tar": tar_of, "tar.gz": gzipped_tar_of, "zip": zip_of}
# ^ builders, by suffix
if importlib.util.find_spec("pyarrow"):
    ARCHIVES["parquet"] = parquet_of


@dataclass(frozen=True)
class Case:
    """An archive that is no good, and what must come of it."""

    content: bytes
    rows: Mapping[str, str]
    # ^ by the name of each member that is told of, "" for the archive itself: the word of its error; "sound" where it
    #   is read as it was put in, "read" where it is read whatever it holds
    suffix: str = "tar"
    is_long: bool = False
    # ^ too many members for a test that watches every piece of memory
