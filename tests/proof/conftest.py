"""A finished run for each test that changes one: `finished` is what its module says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from commands import Project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """The finished project with its dates, in a folder of the test's own."""
    shutil.copytree(finished.folder, tmp_path / "copy", symlinks=True)
    return Project(tmp_path / "copy")
