"""When and how features.parquet is written: whole, in groups of rows, to the same bytes, and only when it changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from builders_report import BuiltRun, built_run, synthetic_results
from commands import Project

from flatpipe import environment, layout
from flatpipe.config import load_config
from flatpipe.errors import ConfigError
from flatpipe.features import writing
from flatpipe.features.writing import write_features
from flatpipe.ledger.answers import BesideFile
from flatpipe.pipeline import run as run_pipeline
from flatpipe.records import PlannedImage
from flatpipe.report.tables import table_names, write_tables
from flatpipe.running.beside import note_written
from flatpipe.settings import TaskSettings
from flatpipe.storage.noting import NotingFiles

ASKED = TaskSettings("/out", features=True)
RESULTS = list(synthetic_results(6, ks=range(2, 7)))


def _run(folder: Path, order: list[int], seconds: float = 0.0) -> BuiltRun:
    """A run whose images were done in this order."""
    run = built_run(folder)
    run.ledger.store_plan(PlannedImage(result.source, (), sweep=False, reason="") for result in RESULTS)
    for number in order:
        result = RESULTS[number]
        run.record(replace(result, flats=tuple(replace(flat, seconds=seconds) for flat in result.flats)))
    return run


def _file(run: BuiltRun) -> Path:
    return Path(run.outputs.place) / layout.FEATURES


def test_equal_results_give_equal_bytes(tmp_path: Path) -> None:
    """Two writings, and two runs with other times whose images were done in another order, leave the same file."""
    one, other = _run(tmp_path / "a", [0, 1, 2, 3, 4, 5]), _run(tmp_path / "b", [4, 2, 5, 0, 1, 3], seconds=0.7)
    contents = set()
    for run in (one, one, other):
        write_features(run.results, run.outputs, ASKED)
        contents.add(_file(run).read_bytes())
    assert len(contents) == 1


def test_rows_lie_in_groups_of_one_size(tmp_path: Path, monkeypatch) -> None:
    """Groups are full but for the last, whichever images their rows are of, and no more rows than one has are held."""
    run, ahead = _run(tmp_path, list(range(6))), []
    written = writing.arrow_batch

    def noted(rows: list[Any], names: Any) -> Any:
        ahead.append(len(rows))
        return written(rows, names)

    monkeypatch.setattr(writing, "ROWS_PER_GROUP", 7)
    monkeypatch.setattr(writing, "arrow_batch", noted)
    write_features(run.results, run.outputs, ASKED)
    found = pyarrow.parquet.ParquetFile(_file(run)).metadata
    sizes = [found.row_group(number).num_rows for number in range(found.num_row_groups)]
    assert sizes == ahead == [7, 7, 7, 7, 2]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch) -> None:
    """Where rows cannot all be written, the file of before stays, and no part of another lies beside it."""
    run = _run(tmp_path, list(range(6)))
    write_features(run.results, run.outputs, ASKED)
    before = _file(run).read_bytes()

    def failing(*_: object) -> Iterator[Any]:
        raise OSError(28, "No space left on device")
        yield

    monkeypatch.setattr(writing, "feature_rows", failing)
    with pytest.raises(OSError, match="No space"):
        write_features(run.results, run.outputs, replace(ASKED, name_width=3))
    assert _file(run).read_bytes() == before
    assert sorted(run.outputs.sizes("")) == [layout.FEATURES]
    assert run.outputs.sizes(layout.PARTIAL) == {}


def test_it_is_written_when_it_would_tell_something_else(tmp_path: Path) -> None:
    """It is written with the tables: when asked for, spoilt, gone, or with other names; recorded, and removed again."""
    run = _run(tmp_path, list(range(6)))

    def is_written(asked: TaskSettings) -> bool:
        outputs = NotingFiles(run.outputs)
        write_tables(run.ledger, run.results, outputs, asked)
        note_written(run.ledger, outputs)
        assert not write_tables(run.ledger, run.results, run.outputs, asked)
        return layout.FEATURES in {*outputs.noted, *outputs.removed}

    assert not is_written(replace(ASKED, features=False))
    assert is_written(ASKED)
    content = _file(run).read_bytes()
    recorded = {file.name: file for file in run.ledger.beside_files()}
    digest = hashlib.sha256(content).hexdigest()
    assert recorded[layout.FEATURES] == BesideFile(layout.FEATURES, digest, len(content))
    assert layout.FEATURES in table_names(ASKED)
    assert not is_written(ASKED)
    _file(run).write_bytes(content[:-1])
    assert is_written(ASKED)
    _file(run).unlink()
    assert is_written(ASKED)
    assert _file(run).read_bytes() == content
    assert is_written(replace(ASKED, named=(("#000000", "night", ""),)))
    assert is_written(replace(ASKED, features=False))
    assert not _file(run).exists()
    _file(run).write_bytes(b"mine")
    assert not is_written(replace(ASKED, features=False, name_width=3))
    assert _file(run).read_bytes() == b"mine"


def test_without_pyarrow_no_work_begins(tmp_path: Path, monkeypatch) -> None:
    """A run that is asked for the table without pyarrow says what to install, and where it was asked, and ends."""
    project = Project.make(tmp_path, images=1, output={"path": "out", "features": True})
    installed = environment._installed
    monkeypatch.setattr(environment, "_installed", lambda name: None if name == "pyarrow" else installed(name))
    with pytest.raises(ConfigError, match=r"features.*pyarrow.*pip install 'flatpipe\[parquet\]'") as refusal:
        run_pipeline(load_config(tmp_path / "pipeline.yaml"))
    assert "pipeline.yaml:" in str(refusal.value)
    assert not project.out.exists()
