"""Where Dask's own files lie, and from where the processes of a run import."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Project

import flatpipe
from flatpipe.engines.clusters.scratch import private_folder
from flatpipe.errors import RunGivenUp

_LOCAL_CLUSTER = {"class": "distributed.LocalCluster", "scale": 2, "allow_code": True}
_ENGINES: dict[str, dict[str, object]] = {
    "processes": {"scheduler": "processes", "workers": 2},
    "LocalCluster": {"cluster": _LOCAL_CLUSTER},
    "LocalCluster with a folder": {"cluster": {**_LOCAL_CLUSTER, "kwargs": {"local_directory": "tmp"}}},
    "LocalCluster with Dask's setting": {"cluster": {**_LOCAL_CLUSTER, "dask_config": {"temporary-directory": "tmp"}}},
}


def plant(folder: Path, mark: Path) -> None:
    """Modules that leave a mark when they are imported, under names that a worker imports."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("distributed", "flatpipe", "numba", "msgpack", "signal"):
        (folder / f"{name}.py").write_text(f"open({str(mark)!r}, 'a').write({name!r})\nraise ImportError\n")


@pytest.mark.parametrize("execution", _ENGINES.values(), ids=_ENGINES)
def test_what_others_put_into_the_temporary_folder_is_neither_run_nor_written(
    execution: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask's usual folder is there already, with modules and a link to a file of ours: none is imported, it stays."""
    project = Project.make(tmp_path / "p", images=2, execution=execution)
    ours = tmp_path / "ours"
    ours.write_text("precious")
    monkeypatch.setenv("TMPDIR", str(project.folder / "tmp"))
    hostile = project.folder / "tmp" / "dask-scratch-space"
    plant(hostile, tmp_path / "mark")
    (hostile / "global.lock").symlink_to(ours)
    done = project.flatpipe("run")

    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "mark").exists()
    assert ours.read_text() == "precious"
    assert [path.name for path in (project.folder / "tmp").iterdir()] == ["dask-scratch-space"]


def test_a_long_temporary_folder_serves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below a TMPDIR in which no socket could have its path, worker processes run as elsewhere."""
    project = Project.make(tmp_path / "p", images=2, execution=_ENGINES["processes"])
    long = tmp_path / ("x" * 110)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    done = project.flatpipe("run")

    assert done.returncode == 0, done.stdout + done.stderr
    assert list(long.glob("pymp-*")) == []


@pytest.mark.parametrize("engine", ["processes", "LocalCluster"])
def test_workers_import_nothing_from_the_current_folder(engine: str, tmp_path: Path) -> None:
    """In a folder with modules of well-known names a run of worker processes imports none of them."""
    project = Project.make(tmp_path / "p", images=2, execution=_ENGINES[engine])
    plant(project.folder, tmp_path / "mark")
    script = tmp_path / "bin" / "command.py"
    script.parent.mkdir()
    script.write_text("from flatpipe.cli import main\nmain()\n")
    environment = {**os.environ, "PYTHONPATH": str(Path(flatpipe.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, str(script), "run"],
        cwd=project.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "mark").exists()


def test_a_program_imports_from_where_it_did_before(tmp_path: Path) -> None:
    """After a run of worker processes the path of imports is what it was."""
    project = Project.make(tmp_path / "p", images=1, execution={"scheduler": "processes", "workers": 1})
    before = list(sys.path)
    flatpipe.run(project.folder / "pipeline.yaml")

    assert sys.path == before


def test_the_folder_is_private_and_goes(tmp_path: Path) -> None:
    """Nobody else may enter it, and nothing of it is left."""
    with private_folder(str(tmp_path)) as folder:
        assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
        (Path(folder) / "file").write_text("")

    assert list(tmp_path.iterdir()) == []


def test_no_temporary_folder_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no folder can be made, that is said with what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(RunGivenUp, match="let TMPDIR name one"), private_folder(str(tmp_path / "file" / "none")):
        pass


def test_a_folder_that_is_named_is_made(tmp_path: Path) -> None:
    """As Dask makes its local_directory, where it is not there yet; that one stays."""
    with private_folder(str(tmp_path / "scratch" / "mine")) as folder:
        assert Path(folder).parent == tmp_path / "scratch" / "mine"

    assert (tmp_path / "scratch" / "mine").is_dir()
