"""What the tests of the Python API share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data/ and pipeline.yaml as in the checkout, to run the examples in."""
    shutil.copytree(ROOT / "data", tmp_path / "data")
    shutil.copy(ROOT / "pipeline.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path
