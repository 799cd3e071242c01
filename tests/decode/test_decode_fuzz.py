"""Hostile files: whatever bytes come in, only ImageError comes out, and the process lives."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from file_builders import sample_files

from flatpipe.decode.decode import decode
from flatpipe.settings import DecodePolicy

pytest.importorskip("resource", reason="limits of memory are set as on Unix")

TESTS = Path(__file__).parent.parent
MUTATIONS = int(os.environ.get("FLATPIPE_FUZZ", "20"))
# ^ per sample file; FLATPIPE_FUZZ=5000 tries for ten minutes
SEED = int(os.environ.get("FLATPIPE_FUZZ_SEED", "0"))


def test_samples_are_sound() -> None:
    """Every file that the fuzz wounds decodes before it is wounded."""
    for name, content in sample_files().items():
        assert decode(content, DecodePolicy()).pixels.size, name


@pytest.mark.timeout(3600 if MUTATIONS > 100 else 120)
def test_wounded_files_end_in_an_image_or_in_our_errors(tmp_path: Path) -> None:
    """Truncated, flipped and spliced files of each format never escape decode()'s errors, nor end or hang it."""
    progress = tmp_path / "case"
    run = subprocess.run(
        [sys.executable, str(TESTS / "fuzz_decode.py"), str(MUTATIONS), str(SEED), str(progress)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(TESTS.parent)},
    )
    last = progress.read_text().strip() if progress.exists() else "none"
    assert run.returncode == 0, f"died with {run.returncode} on case {last!r}\n{run.stderr}"
    assert run.stdout == ""


def test_noise_after_any_magic_is_refused_or_read() -> None:
    """A format's first bytes followed by noise end in ImageError or an image, in this process."""
    from fuzz_decode import escaped

    draw = random.Random(SEED)
    for content in sample_files().values():
        for _ in range(3):
            assert escaped(content[:16] + draw.randbytes(400), DecodePolicy(max_pixels=1_000_000), 0) is None
