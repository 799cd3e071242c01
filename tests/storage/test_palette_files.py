"""Palettes by what a user writes: charts, files, URLs."""

from __future__ import annotations

import os
from pathlib import Path

import fsspec
import pytest

from flatpipe.errors import ConfigError
from flatpipe.storage.palette_files import MOST_BYTES, read_palette

HEX = b"#000000\n#ff0000\n"


def test_a_word_is_a_chart_and_a_path_a_file(tmp_path: Path) -> None:
    """Charts go by their word in any case, files by a path from the folder, and ./ tells a file from a chart."""
    (tmp_path / "pico-8").write_bytes(HEX)
    (tmp_path / "mine.hex").write_bytes(HEX)

    assert len(read_palette("pico-8", tmp_path)) == len(read_palette(" PICO-8", tmp_path)) == 16
    assert read_palette("./pico-8", tmp_path).hex_colors == ("#000000", "#ff0000")
    assert read_palette("mine.hex", tmp_path).title == "mine"
    assert read_palette(str(tmp_path / "mine.hex")).hex_colors == ("#000000", "#ff0000")
    assert read_palette(f"file://{tmp_path}/mine.hex").hex_colors == ("#000000", "#ff0000")


def test_a_url_is_read_up_to_the_limit() -> None:
    """A palette behind a URL is read as a local one, and a file that is too large is not read whole."""
    with fsspec.open("memory://palettes/mine.hex", "wb") as file:
        file.write(HEX)
    with fsspec.open("memory://palettes/large.hex", "wb") as file:
        file.write(b"\n" * (MOST_BYTES + 1))

    assert read_palette("memory://palettes/mine.hex").hex_colors == ("#000000", "#ff0000")
    assert refusal("memory://palettes/large.hex").endswith("has more than 16.8 MB, and 16.8 MB at most are read")
    assert "there is no such file" in refusal("memory://palettes/none.hex")


def test_what_is_no_file_is_a_sentence(tmp_path: Path) -> None:
    """A folder, a pipe, a device, a file without end, a link to nothing and one that may not be read are refused."""
    (tmp_path / "folder.gpl").mkdir()
    os.mkfifo(tmp_path / "pipe.gpl")
    (tmp_path / "lost.gpl").symlink_to(tmp_path / "nothing")
    with (tmp_path / "sparse.gpl").open("wb") as file:
        file.truncate(1 << 40)

    assert refusal("folder.gpl", tmp_path) == f"{tmp_path}/folder.gpl: Is a directory"
    assert "not a regular file (a pipe, socket or device); never opened" in refusal("pipe.gpl", tmp_path)
    assert "not a regular file" in refusal("/dev/zero")
    assert refusal("sparse.gpl", tmp_path).endswith("the file has 1.1 TB, and 16.8 MB at most are read")
    assert refusal("lost.gpl", tmp_path) == f"{tmp_path}/lost.gpl: there is no such file"


def test_an_unknown_word_brings_the_charts(tmp_path: Path) -> None:
    """A word that is neither chart nor file is told what it may have meant, and what there is."""
    words = refusal("pico8", tmp_path)

    assert words.startswith(
        f"{tmp_path}/pico8: there is no such file, and no such chart; did you mean pico-8? charts are "
    )
    assert "spectra-6" in words
    assert "did you mean" not in refusal("wool", tmp_path)


def refusal(text: str, folder: Path | str = ".") -> str:
    with pytest.raises(ConfigError) as caught:
        read_palette(text, folder)
    return str(caught.value)
