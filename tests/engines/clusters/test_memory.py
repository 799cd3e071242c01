"""A run whose input and output are in memory:// - every path of a remote root, without a server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import write_image
from commands import Project
from fsspec.implementations.memory import MemoryFileSystem

from flatpipe.config import Config, parse_config
from flatpipe.errors import ConfigError
from flatpipe.pipeline import run


@pytest.fixture(autouse=True)
def _empty_memory() -> Iterator[None]:
    MemoryFileSystem.store.clear()
    yield
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


def in_memory(tmp_path: Path, scheduler: str) -> Config:
    """A config of small work in memory, its ledger in tmp_path."""
    text = (
        "input: {path: 'memory://in'}\noutput: {path: 'memory://out'}\nflatten: {k: 2-4}\n"
        f"execution: {{scheduler: {scheduler}, workers: 2, state_path: state}}\n"
    )
    return parse_config(text, "pipeline.yaml", str(tmp_path)).config


def test_a_run_in_memory_writes_the_bytes_of_a_run_on_disk(tmp_path: Path) -> None:
    """Equal image files; a second run finds everything up to date; nothing partial is left in the store."""
    project = Project.make(tmp_path / "disk")
    assert project.flatpipe("run").returncode == 0
    for photo in (project.folder / "photos").iterdir():
        MemoryFileSystem().pipe_file(f"/in/{photo.name}", photo.read_bytes())
    first = run(in_memory(tmp_path, "threads"))
    second = run(in_memory(tmp_path, "auto"))

    assert (first.exit_code, first.done, second.exit_code, second.current) == (0, 3, 0, 3)
    made = {name: file.getvalue() for name, file in MemoryFileSystem.store.items() if name.startswith("/out/")}
    images = {name.removeprefix("/out/images/"): made[name] for name in made if name.startswith("/out/images/")}
    assert {name: hashlib.sha256(content).hexdigest() for name, content in images.items()} == project.digests()
    assert not [name for name in made if ".partial" in name]
    assert {"/out/results.csv", "/out/run.json", "/out/ledger.sqlite"} <= set(made)


def test_memory_is_not_shared_with_other_processes(tmp_path: Path) -> None:
    """Worker processes would write into memory of their own: that is refused before anything is done."""
    write_image(tmp_path / "a.png")
    with pytest.raises(ConfigError, match="memory://in is in this process's memory"):
        run(in_memory(tmp_path, "processes"))
