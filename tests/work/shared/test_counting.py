"""Sums of colours that workers leave for each other in files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from flatpipe import layout
from flatpipe.ledger.shared_rows import StoredSum
from flatpipe.quantize.color_table import index_colors
from flatpipe.quantize.shared.stored_table import table_to_bytes
from flatpipe.settings import TaskSettings
from flatpipe.work.shared.counting import add_up, read_sum
from flatpipe.work.worker import this_worker


def test_a_sum_is_added_only_as_it_was_stored(tmp_path: Path) -> None:
    """What was stored comes back, and one whose file was changed since is named instead of being added."""
    pixels = np.zeros((2, 3, 3), np.uint8)
    content = table_to_bytes(index_colors(pixels, None).table)
    stored = StoredSum("ab" * 32, hashlib.sha256(content).hexdigest(), len(content))
    path, settings = tmp_path / layout.sum_name(stored.key), TaskSettings(output=str(tmp_path))
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert read_sum(this_worker(), stored, settings).counts.tolist() == [6]
    path.write_bytes(content[:-1])
    assert add_up("cd" * 32, [stored], settings).damaged == (stored.key,)
