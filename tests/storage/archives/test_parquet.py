"""Rows of Parquet files as images: what they are called, and how one is read without the others."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import fsspec
import pytest

pytest.importorskip("pyarrow")

from archive_builders import parquet_of, table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from flatpipe.config import default_config
from flatpipe.errors import UnsupportedImage
from flatpipe.places import ReadPolicy
from flatpipe.plan.inputs.sources import input_sources
from flatpipe.plan.settings import selection
from flatpipe.records import ImageSource, RefusedFile
from flatpipe.storage.archives import parquet_file
from flatpipe.storage.discover import Selection, discover
from flatpipe.storage.reading import read_input

ANY = ReadPolicy()


def found(place: Path | str, **changes: object) -> list[ImageSource]:
    """What discovery finds, all of which may be opened."""
    items = list(discover(Selection(str(place), **{"include": ("*.png",), **changes})))  # type: ignore[arg-type]
    assert not [item for item in items if isinstance(item, RefusedFile)], items
    return [item for item in items if isinstance(item, ImageSource)]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that an example writes."""
    return tmp_path_factory.mktemp("rows") / "shard.parquet"


@given(
    st.lists(st.tuples(st.sampled_from(["a.png", "b.png", "d/a.png", "..", None]), st.binary(max_size=9)), max_size=9),
    st.integers(1, 4),
)
@settings(max_examples=30, deadline=None)
def test_each_row_is_an_image_with_its_own_bytes(
    path: Path, rows: list[tuple[str | None, bytes]], group_size: int
) -> None:
    """No two rows have one id, an id is the row's path or its number, and in any order each gives the bytes put in."""
    content = [{"bytes": content, "path": name} for name, content in rows]
    path.write_bytes(table_of({"image": content, "n": list(range(len(rows)))}, row_group_size=group_size))
    images = found(path) if rows else []

    paths = [name for name, _ in rows]
    wanted = {
        f"shard.parquet/{name if name not in (None, '..') and paths.count(name) == 1 else f'{number:06d}'}": content
        for number, (name, content) in enumerate(rows)
    }
    assert [image.image_id for image in images] == sorted(wanted)
    for image in random.Random(0).sample(images, len(images)):
        assert read_input(image, ANY) == wanted[image.image_id]


def test_one_row_is_read_without_what_is_far_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a row group larger than what is kept, rows come right in any order, and little is ever held."""
    monkeypatch.setattr(parquet_file, "_KEPT_BYTES", 10_000)
    monkeypatch.setattr(parquet_file, "_BATCH_BYTES", 4_000)
    contents = {f"{number:03d}.png": bytes([number % 256]) * 1000 for number in range(300)}
    (tmp_path / "shard.parquet").write_bytes(
        table_of({"image": [{"bytes": content, "path": name} for name, content in contents.items()]})
    )
    images = found(tmp_path / "shard.parquet")
    for image in [*images[100:140], *images[::37], images[0], images[299]]:
        assert read_input(image, ANY) == contents[image.image_id.partition("/")[2]]


def test_the_config_names_the_column(tmp_path: Path) -> None:
    """Where several columns fit, input.column says which; the part names it, so that reading needs no config."""
    rows = {"image": [{"bytes": b"i", "path": "a.png"}], "the mask": [b"m"], "text": ["t"]}
    (tmp_path / "shard.parquet").write_bytes(table_of(rows))

    def told(*overrides: str) -> tuple[str, str]:
        (item,) = input_sources(default_config(str(tmp_path), overrides))
        if isinstance(item, RefusedFile):
            return item.source.image_id, item.failure.message
        return item.image_id, f"{item.part}: {read_input(item, ANY).decode()}"

    assert told("input.column=image") == ("shard.parquet/a.png", "row 0 0 image.bytes: i")
    assert told("input.column=the mask") == ("shard.parquet/000000", "row 0 0 the%20mask: m")
    words = "several columns of the Parquet file may have the images: input.column names one of image, the mask"
    assert told() == ("shard.parquet", words)
    assert told("input.column=text") == ("shard.parquet", "column 'text' of the Parquet file holds string, not bytes")
    words = "the Parquet file has no column 'none'; it has: image, the mask, text"
    assert told("input.column=none") == ("shard.parquet", words)


def test_numbers_are_taken_unless_excluded(tmp_path: Path) -> None:
    """Rows without a path match no pattern of names: they are taken, but for those that input.exclude names."""
    (tmp_path / "shard.parquet").write_bytes(table_of({"image": [b"0", b"1", b"2"]}))
    config = default_config(str(tmp_path), ["input.include='*.jpg'", "input.exclude=shard.parquet/*1"])
    images = list(discover(selection(config)))

    assert [image.image_id for image in images if isinstance(image, ImageSource)] == [
        "shard.parquet/000000",
        "shard.parquet/000002",
    ]


def test_keys_without_a_suffix_are_taken_as_numbers_are(tmp_path: Path) -> None:
    """Rows called by bare keys are taken whatever include names, however many of one image there are."""
    rows = [{"bytes": b"same", "path": f"n{number}/{number}"} for number in range(3000)]
    (tmp_path / "shard.parquet").write_bytes(table_of({"image": [*rows, {"bytes": b"x", "path": "a.txt"}]}))
    images = found(tmp_path)

    assert len({image.image_id for image in images}) == 3000
    assert read_input(images[-1], ANY) == b"same"


def test_rows_are_read_behind_a_url() -> None:
    """A file in a store is sought in, and read as a local one is."""
    fsspec.filesystem("memory").pipe_file("/rows/deep/shard.parquet", parquet_of({"a.png": b"a", "b.png": b"b" * 9}))
    images = found("memory://rows")

    assert [(image.image_id, read_input(image, ANY)) for image in images] == [
        ("deep/shard.parquet/a.png", b"a"),
        ("deep/shard.parquet/b.png", b"b" * 9),
    ]


def test_without_its_package_a_file_is_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pyarrow is not installed, a Parquet file says how that is mended."""
    (tmp_path / "shard.parquet").write_bytes(parquet_of({"a.png": b"a"}))
    (image,) = found(tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    (item,) = discover(Selection(str(tmp_path), ("*.png",)))

    assert isinstance(item, RefusedFile)
    assert item.failure.message.endswith("pip install 'flatpipe[parquet]'")
    with pytest.raises(UnsupportedImage, match=r"flatpipe\[parquet\]"):
        parquet_file.ParquetFile(parquet_file.ArchiveFile(image.path, "another stamp"))
