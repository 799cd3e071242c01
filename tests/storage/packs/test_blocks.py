"""Files read block by block."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from flatpipe.storage.local import LocalRoot
from flatpipe.storage.packs import blocks


class Strict(LocalRoot):
    """A root that, as S3 does, takes a question for bytes behind a file's end for an error."""

    def read_range(self, name: str, start: int, size: int) -> bytes:
        """The bytes, of which there must be one."""
        content = super().read_range(name, start, size)
        if not content:
            raise OSError("InvalidRange")
        return content


@pytest.mark.parametrize("size", [1, 7, 8, 9, 16, 17])
def test_a_file_is_read_to_its_end_and_no_further(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether or not its last block is a whole one."""
    monkeypatch.setattr(blocks, "_AT_ONCE", 8)
    content = bytes(range(size))
    root = Strict(str(tmp_path))
    root.write("file", content)
    assert b"".join(blocks.blocks_of(root, "file", size)) == content
    assert blocks.sha256_of(root, "file", size) == hashlib.sha256(content).hexdigest()
